package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
)

// BenchmarkStatusOf500Groups is GET /v1/applications of 10 applications with 50
// groups each, by 50 clients at once with tokens on loopback, while every
// application ticks once a second. The clients are of this process: they read an
// answer to its end, and neither decompress nor decode it. The CPU time is that of
// all: server, clients and ticks. A p99 above longest is a failure.
func BenchmarkStatusOf500Groups(b *testing.B) {
	c := fortify(b, access.Options{})
	for i := range 10 {
		var text strings.Builder
		fmt.Fprintf(&text, "name: app-%d\ninterval: 1s\nqueries: {requests: 'sum(rate(requests_total[1m]))'}\ngroups:\n", i)
		for g := range 50 {
			fmt.Fprintf(&text, "  - {name: group-%d, cloud: local, min: 0, max: 3, initial: 0, policies: [{target: {query: requests, value: 24}}]}\n", g)
		}
		if _, err := c.service.Submit(b.Context(), scaler.Source{File: "bench.yaml", Text: []byte(text.String())}); err != nil {
			b.Fatal(err)
		}
	}
	// The start of 500 groups is not what is measured.
	waitUntil(b, func() bool {
		starting := func(a scaler.ApplicationStatus) bool { return !a.Settled || a.TickedAt.IsZero() || len(a.Groups) < 50 }
		all := c.service.Applications()
		return len(all) == 10 && !slices.ContainsFunc(all, starting)
	})
	server := httptest.NewServer(c.server.Config.Handler)
	b.Cleanup(server.Close)
	for _, coding := range []string{"identity", "gzip"} {
		b.Run(coding, func(b *testing.B) { benchmarkStatus(b, server.URL, c.tokens["viewer"], coding) })
	}
}

// longest is what the slowest hundredth of answers may take.
const longest = 50 * time.Millisecond

func benchmarkStatus(b *testing.B, base, token, coding string) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 50}}
	defer client.CloseIdleConnections()
	get := func(buffer []byte) (int64, error) {
		r, err := http.NewRequestWithContext(b.Context(), "GET", base+"/v1/applications", nil)
		if err != nil {
			return 0, err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Accept-Encoding", coding)
		res, err := client.Do(r)
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		// Only a plain Reader and Writer let the copy use its buffer.
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{res.Body}, buffer)
		if err == nil && (res.StatusCode != 200 || (res.Header.Get("Content-Encoding") == "gzip") != (coding == "gzip")) {
			err = fmt.Errorf("%s with encoding %q", res.Status, res.Header.Get("Content-Encoding"))
		}
		return n, err
	}
	var mu sync.Mutex
	var took []time.Duration
	var size int64
	work := make(chan struct{})
	var clients sync.WaitGroup
	for range 50 {
		clients.Go(func() {
			buffer := make([]byte, 64<<10)
			for range work {
				begin := time.Now()
				n, err := get(buffer)
				d := time.Since(begin)
				mu.Lock()
				if took, size = append(took, d), n; err != nil {
					b.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	before := processorTime(b)
	b.ResetTimer()
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	clients.Wait()
	b.StopTimer()
	used := processorTime(b) - before
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	p99 := took[len(took)*99/100]
	b.ReportMetric(float64(p99.Microseconds())/1000, "p99-ms")
	if len(took) >= 1000 && p99 > longest { // fewer say nothing of a hundredth
		b.Errorf("p99 = %s of %d answers (p50 = %s), want at most %s", p99, len(took), took[len(took)/2], longest)
	}
	b.ReportMetric(float64(used.Microseconds())/1000/float64(b.N), "cpu-ms/answer")
	b.ReportMetric(float64(size)/1024, "KiB/answer")
}

// processorTime is what this process has used of all processors.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
