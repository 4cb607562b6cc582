package local

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

// bench is a node in the test's own process, whose time is that of a bubble.
type bench struct {
	node     *node
	handler  http.Handler
	registry *prometheus.Registry
}

func newBench(spec Spec) bench {
	registry := prometheus.NewRegistry()
	n := newNode(spec, time.Now(), &traffic{}, registry)
	return bench{n, n.handler(registry), registry}
}

func (b bench) get(ctx context.Context, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	b.handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
	return answer
}

// saturate keeps so many clients asking for that long.
func (b bench) saturate(ctx context.Context, clients int, period time.Duration) {
	end := time.Now().Add(period)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for time.Now().Before(end) {
				b.get(ctx, "/")
			}
		})
	}
	all.Wait()
}

func TestNodeAnswersNothingWhileItBoots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Spec{Name: "web-0001", Slots: 1, ServiceTime: time.Millisecond, BootTime: time.Minute})
		paths := []string{"/", "/healthz", "/metrics", "/any/path"}
		for _, at := range []time.Duration{0, 59*time.Second + 999*time.Millisecond} {
			time.Sleep(at - time.Since(b.node.started))
			for _, path := range paths {
				answer := b.get(t.Context(), path)
				if answer.Code != http.StatusServiceUnavailable || !strings.Contains(answer.Body.String(), "web-0001 is booting") {
					t.Errorf("GET %s after %s = %d %s, want 503 that says it is booting", path, at, answer.Code, answer.Body)
				}
			}
		}
		time.Sleep(time.Millisecond)
		for _, path := range paths {
			if answer := b.get(t.Context(), path); answer.Code != http.StatusOK {
				t.Errorf("GET %s after a minute = %d, want 200", path, answer.Code)
			}
		}
	})
}

func TestCapacityIsSlotsOverServiceTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Spec{Name: "web-0001", Slots: 2, ServiceTime: 50 * time.Millisecond})
		const period = 1000 * time.Second
		b.saturate(t.Context(), 6, period)
		got := float64(b.node.served.Load()) / period.Seconds()
		if want := 40.0; math.Abs(got-want) > 0.02*want {
			t.Errorf("a saturated node serves %.2f/s, want %.0f/s", got, want)
		}
		values := gather(t, b.registry)
		if got := values["apache_duration_ms_total"] / values["apache_accesses_total"]; math.Abs(got-50) > 1 {
			t.Errorf("mean duration is %.2f ms, want 50: waiting does not count", got)
		}
		// Six clients of which two are served: each waits for two services more.
		if got := values[`http_request_duration_microseconds{quantile="0.5"}`]; got < 100_000 || got > 180_000 {
			t.Errorf("median latency is %.0f µs, want about 140 000: waiting counts", got)
		}
		if got := values["node_load1"]; math.Abs(got-6) > 0.1 {
			t.Errorf("load is %.2f, want 6", got)
		}
	})
}

func TestServiceTimesAreTheSameForTheSameName(t *testing.T) {
	t.Parallel()
	ends := func(name string) (ends []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(Spec{Name: name, Slots: 1, ServiceTime: time.Second})
			for range 5 {
				b.get(t.Context(), "/")
				ends = append(ends, time.Since(b.node.started))
			}
		})
		return ends
	}
	first, again, other := ends("web-0001"), ends("web-0001"), ends("web-0002")
	if !cmp.Equal(first, again) {
		t.Errorf("services of one name ended at %v and at %v", first, again)
	}
	if cmp.Equal(first, other) {
		t.Errorf("services of two names both ended at %v", first)
	}
}

func TestRequestsAreServedInTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Spec{Name: "web-0001", Slots: 1, ServiceTime: time.Second})
		var mu sync.Mutex
		var order []int
		var all sync.WaitGroup
		gone, leave := context.WithCancel(t.Context())
		for i := range 6 {
			ctx := t.Context()
			if i == 2 {
				ctx = gone
			}
			all.Go(func() {
				b.get(ctx, "/")
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait()
		}
		leave()
		synctest.Wait()
		if got := b.node.slots.usage(); got.Waiting != 4 || got.Working != 1 {
			t.Errorf("%d wait and %d are served, want 4 and 1: a client that has gone leaves the queue", got.Waiting, got.Working)
		}
		all.Wait()
		if want := []int{2, 0, 1, 3, 4, 5}; !cmp.Equal(order, want) {
			t.Errorf("requests ended in the order %v, want %v", order, want)
		}
		if got := b.node.served.Load(); got != 5 {
			t.Errorf("%d requests were served, want 5", got)
		}
	})
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Spec{Name: "web-0001", Slots: 2, ServiceTime: time.Second})
		var all sync.WaitGroup
		for range 2 + 200 {
			all.Go(func() {
				if answer := b.get(t.Context(), "/"); answer.Code != http.StatusOK {
					t.Errorf("a request within the bound was answered %d", answer.Code)
				}
			})
		}
		synctest.Wait()
		answer := b.get(t.Context(), "/")
		if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" {
			t.Errorf("a request beyond the bound was answered %d, want 503 with Retry-After", answer.Code)
		}
		all.Wait()
		if got := gather(t, b.registry)["scalerd_node_rejected_requests_total"]; got != 1 {
			t.Errorf("%v requests rejected, want 1", got)
		}
	})
}

func TestCPUTimeIsTheBusyShareAlsoOfRequestsInService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Spec{Name: "web-0001", Slots: 4, ServiceTime: time.Hour})
		time.Sleep(10 * time.Second)
		before := gather(t, b.registry)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { b.get(t.Context(), "/") })
		}
		time.Sleep(10 * time.Second) // far less than any of the services takes
		after := gather(t, b.registry)
		idle, user := 0.0, 0.0
		for cpu := range 4 {
			idle += delta(before, after, fmt.Sprintf(`node_cpu_seconds_total{cpu="%d",mode="idle"}`, cpu))
			user += delta(before, after, fmt.Sprintf(`node_cpu_seconds_total{cpu="%d",mode="user"}`, cpu))
		}
		if got := 100 * (1 - idle/4/10); math.Abs(got-75) > 1e-9 || math.Abs(user-30) > 1e-9 {
			t.Errorf("100*(1-avg(rate(idle))) = %v and %v s of user time, want 75 and 30", got, user)
		}
		if got := after[`apache_workers{state="busy"}`]; got != 3 {
			t.Errorf("%v busy workers, want 3", got)
		}
		if got, want := after["apache_cpuload"], 75*(1-math.Exp(-10.0/60)); math.Abs(got-want) > 1e-6 {
			t.Errorf("apache_cpuload = %v after 10 s at 75 %%, want %v", got, want)
		}
		all.Wait()
	})
}

func delta(before, after map[string]float64, name string) float64 {
	return after[name] - before[name]
}

func TestCountersNeverFall(t *testing.T) {
	t.Parallel()
	b := newBench(Spec{Name: "web-0001", Slots: 8, ServiceTime: 200 * time.Microsecond})
	var load sync.WaitGroup
	load.Go(func() { b.saturate(t.Context(), 12, 500*time.Millisecond) })
	last := map[string]float64{}
	end := time.Now().Add(500 * time.Millisecond)
	for time.Now().Before(end) {
		values := gather(t, b.registry)
		for name, value := range values {
			if (strings.Contains(name, "_total") || strings.Contains(name, "_count")) && value < last[name] {
				t.Fatalf("counter %s fell from %v to %v", name, last[name], value)
			}
		}
		last = values
	}
	load.Wait()
	if last["apache_accesses_total"] < 100 {
		t.Errorf("only %v requests were served: nothing was measured", last["apache_accesses_total"])
	}
}
