package demo

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// answering is a server that takes its time, in memory.
type answering struct {
	after  func(arrived time.Time) time.Duration
	status int
}

// RoundTrip implements http.RoundTripper.
func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(a.after(time.Now())):
		return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader("served")), Request: r}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func always(d time.Duration) func(time.Time) time.Duration {
	return func(time.Time) time.Duration { return d }
}

func newLoad(a answering, most float64, rate func(time.Duration) float64) *load {
	return &load{
		client: &http.Client{Transport: a}, rate: rate, most: most,
		chance: rand.New(rand.NewPCG(1, 2)), record: new(recorder),
	}
}

func constant(rate float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return rate }
}

func TestArrivalsFollowTheRateWhateverTheServerDoes(t *testing.T) {
	for _, test := range []struct {
		name   string
		server answering
	}{
		{"a fast server", answering{always(time.Millisecond), http.StatusOK}},
		{"a server slower than the time between two requests", answering{always(3 * time.Second), http.StatusOK}},
		{"a server that refuses", answering{always(0), http.StatusServiceUnavailable}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rising := func(at time.Duration) float64 { return 20 * at.Seconds() / 100 }
				l := newLoad(test.server, 20, rising)
				l.drive(t.Context(), time.Now(), 100*time.Second)
				early, late := len(l.record.arrivals(0, 50*time.Second)), len(l.record.arrivals(50*time.Second, 100*time.Second))
				// Poisson with means 250 and 750: five standard deviations.
				if early < 250-80 || early > 250+80 || late < 750-137 || late > 750+137 {
					t.Errorf("%d requests in the first half and %d in the second, want about 250 and 750", early, late)
				}
			})
		})
	}
}

func TestTheSameSeedGivesTheSameArrivals(t *testing.T) {
	arrivals := func() []request {
		var got []request
		synctest.Test(t, func(t *testing.T) {
			l := newLoad(answering{always(0), http.StatusOK}, 10, constant(5))
			l.drive(t.Context(), time.Now(), 10*time.Second)
			got = l.record.requests
		})
		return got
	}
	first, second := arrivals(), arrivals()
	if len(first) == 0 || len(first) != len(second) {
		t.Fatalf("%d and %d requests, want the same number", len(first), len(second))
	}
	for i := range first {
		if first[i].arrived != second[i].arrived {
			t.Errorf("request %d arrived at %s and at %s", i, first[i].arrived, second[i].arrived)
		}
	}
}

func TestLatencyIsWhatTheUserWaits(t *testing.T) {
	for _, test := range []struct {
		name   string
		server answering
		want   time.Duration
	}{
		{"an answer", answering{always(1234 * time.Millisecond), http.StatusOK}, 1234 * time.Millisecond},
		{"an answer just in time", answering{always(requestTimeout - time.Millisecond), http.StatusOK}, requestTimeout - time.Millisecond},
		{"no answer in time", answering{always(requestTimeout + time.Millisecond), http.StatusOK}, never},
		{"an error", answering{always(time.Millisecond), http.StatusBadGateway}, never},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLoad(test.server, 5, constant(5))
				l.drive(t.Context(), time.Now(), 10*time.Second)
				if len(l.record.requests) == 0 {
					t.Fatal("no request was sent")
				}
				for _, r := range l.record.requests {
					if r.latency != test.want {
						t.Errorf("latency = %s, want %s", latency(r.latency), latency(test.want))
					}
				}
			})
		})
	}
}

func TestRequestsInFlightAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(answering{always(4 * time.Second), http.StatusOK}, 1000, constant(1000))
		l.drive(t.Context(), time.Now(), 4*time.Second)
		failures := failed(l.record.arrivals(0, 4*time.Second))
		if served := len(l.record.requests) - failures; served != maxInFlight || failures == 0 {
			t.Errorf("%d requests served and %d failed, want %d served, and the others failed at once", served, failures, maxInFlight)
		}
	})
}

func TestABrokenOffRunEndsAtOnceAndRecordsNoFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		l := newLoad(answering{always(2 * time.Second), http.StatusOK}, 5, constant(5))
		start := time.Now()
		l.drive(ctx, start, time.Hour)
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("drive() took %s after its context ended at 10s", took)
		}
		if n := failed(l.record.arrivals(0, time.Hour)); n != 0 || len(l.record.requests) == 0 {
			t.Errorf("%d of %d requests failed, want none", n, len(l.record.requests))
		}
	})
}
