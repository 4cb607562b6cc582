package demo

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/scalerd/scalerd/scaler/local"
	"github.com/scalerd/scalerd/tfgen"
)

const (
	// requestTimeout is how long a user waits for an answer.
	requestTimeout = 5 * time.Second
	// maxInFlight bounds the requests of one load that wait for an answer; one
	// more fails at once, as in a client that has run out of connections.
	maxInFlight = 2000
)

// load is an open loop of requests: users who come whether or not those before
// them were answered.
type load struct {
	client *http.Client
	// rate is in requests/s at an instant of the run, and most is its maximum.
	rate func(at time.Duration) float64
	most float64
	// chance draws the arrivals; drive is its only user.
	chance *rand.Rand
	record *recorder
}

// newClient returns a client whose every connection goes to the balancer with its
// records in dir, wherever that listens at the time: one that died has another
// port when it is back.
func newClient(dir string) *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		balancer, err := local.ReadRecord(dir, tfgen.LocalBalancer)
		if err != nil {
			return nil, fmt.Errorf("find balancer: %w", err)
		}
		var d net.Dialer
		return d.DialContext(ctx, "tcp", balancer.Address)
	}
	return &http.Client{Transport: &http.Transport{
		DialContext:         dial,
		MaxIdleConnsPerHost: maxInFlight,
		DisableCompression:  true,
	}}
}

// drive sends requests from start on for that length, or until ctx ends, and
// returns when all of them have ended. Their number in any time is Poisson
// distributed: arrivals at the highest rate are thinned to the present one
// (Lewis and Shedler, 1979).
func (l *load) drive(ctx context.Context, start time.Time, length time.Duration) {
	defer l.client.CloseIdleConnections()
	var wg sync.WaitGroup
	defer wg.Wait()
	free := make(chan struct{}, maxInFlight)
	for at := l.gap(); at < length; at += l.gap() {
		if l.chance.Float64()*l.most >= l.rate(at) {
			continue
		}
		if !until(ctx, start.Add(at)) {
			return
		}
		select {
		case free <- struct{}{}:
		default:
			l.record.request(at, at, true)
			continue
		}
		wg.Go(func() {
			defer func() { <-free }()
			l.request(ctx, start, at)
		})
	}
}

// gap is the time to the next arrival at the highest rate.
func (l *load) gap() time.Duration {
	return time.Duration(l.chance.ExpFloat64() / l.most * float64(time.Second))
}

// until waits for an instant and tells whether ctx lasted so long.
func until(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// request sends one request. Its latency counts from when it was due, so that a
// sender that is late makes no answer look faster.
func (l *load) request(ctx context.Context, start time.Time, at time.Duration) {
	deadline, cancel := context.WithDeadline(ctx, start.Add(at+requestTimeout))
	defer cancel()
	err := l.send(deadline)
	if ctx.Err() != nil {
		return // the run was broken off: that says nothing about the fleet
	}
	l.record.request(at, time.Since(start), err != nil)
}

func (l *load) send(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://balancer/", nil)
	if err != nil {
		return err
	}
	answer, err := l.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", answer.Status)
	}
	return nil
}
