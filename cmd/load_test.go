package cmd_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load sends requests at a rate whatever the answers are, as many users do.
type load struct {
	url    string
	client *http.Client
	// rate is in requests per second.
	rate atomic.Int64

	mu      sync.Mutex
	answers []answer
}

type answer struct {
	at   time.Time
	took time.Duration
	good bool
}

// mostWaiting bounds the requests in flight; more of them fail at once.
const mostWaiting = 400

// startLoad sends nothing until its rate is set, and ends with the test.
func startLoad(t *testing.T, url string) *load {
	l := &load{url: url, client: &http.Client{
		Timeout:   4 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: mostWaiting},
	}}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { l.run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		l.client.CloseIdleConnections()
	})
	return l
}

func (l *load) run(ctx context.Context) {
	const period = 5 * time.Millisecond
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	waiting := make(chan struct{}, mostWaiting)
	last, due := time.Now(), 0.0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := time.Now()
		due += now.Sub(last).Seconds() * float64(l.rate.Load())
		for last = now; due >= 1; due-- {
			select {
			case waiting <- struct{}{}:
				wg.Go(func() { l.ask(ctx); <-waiting })
			default:
				l.note(answer{at: now})
			}
		}
	}
}

func (l *load) ask(ctx context.Context) {
	start := time.Now()
	good := false
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url, nil)
	if err == nil {
		if res, err := l.client.Do(req); err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			good = err == nil && res.StatusCode == http.StatusOK
		}
	}
	if ctx.Err() == nil {
		l.note(answer{at: time.Now(), took: time.Since(start), good: good})
	}
}

func (l *load) note(a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = append(l.answers, a)
}

// quantile is the latency, in seconds, under which a share q of the requests that
// ended in the last while stayed; a failed one took for ever. It is NaN where there
// were fewer than 20.
func (l *load) quantile(q float64, while time.Duration) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	since := time.Now().Add(-while)
	var took []float64
	for _, a := range slices.Backward(l.answers) {
		if a.at.Before(since) {
			break
		}
		if !a.good {
			a.took = math.MaxInt64
		}
		took = append(took, a.took.Seconds())
	}
	if len(took) < 20 {
		return math.NaN()
	}
	slices.Sort(took)
	return took[min(len(took)-1, int(q*float64(len(took))))]
}

// under returns nil while the latency of 9 in 10 requests stays under a limit.
func (l *load) under(limit float64) error {
	if got := l.quantile(0.9, 3*time.Second); !(got < limit) {
		return fmt.Errorf("9 in 10 requests take up to %.3g s, want less than %g s", got, limit)
	}
	return nil
}
