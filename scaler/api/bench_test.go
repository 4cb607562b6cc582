package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
)

// BenchmarkStatusOf500Groups is GET /v1/applications of 10 applications with 50
// groups each, by 50 clients at once with tokens on loopback, while every
// application ticks once a second.
func BenchmarkStatusOf500Groups(b *testing.B) {
	c := fortify(b, access.Options{})
	for i := range 10 {
		var text strings.Builder
		fmt.Fprintf(&text, "name: app-%d\ninterval: 1s\ngroups:\n", i)
		for g := range 50 {
			fmt.Fprintf(&text, "  - {name: group-%d, cloud: local, min: 0, max: 3, initial: 0}\n", g)
		}
		if _, err := c.service.Submit(b.Context(), scaler.Source{File: "bench.yaml", Text: []byte(text.String())}); err != nil {
			b.Fatal(err)
		}
	}
	server := httptest.NewServer(c.server.Config.Handler)
	b.Cleanup(server.Close)
	plain := server.URL
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 50}}
	defer client.CloseIdleConnections()
	get := func() (time.Duration, int64, error) {
		r, err := http.NewRequestWithContext(b.Context(), "GET", plain+"/v1/applications", nil)
		if err != nil {
			return 0, 0, err
		}
		r.Header.Set("Authorization", "Bearer "+c.tokens["viewer"])
		begin := time.Now()
		res, err := client.Do(r)
		if err != nil {
			return 0, 0, err
		}
		defer res.Body.Close()
		n, err := io.Copy(io.Discard, res.Body)
		if err == nil && res.StatusCode != 200 {
			err = fmt.Errorf("status %s", res.Status)
		}
		return time.Since(begin), n, err
	}
	var mu sync.Mutex
	var took []time.Duration
	var size int64
	work := make(chan struct{})
	var clients sync.WaitGroup
	for range 50 {
		clients.Go(func() {
			for range work {
				d, n, err := get()
				mu.Lock()
				if took, size = append(took, d), n; err != nil {
					b.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	b.ResetTimer()
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	clients.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(size)/1024, "KiB/answer")
}
