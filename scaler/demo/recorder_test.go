package demo

import (
	"math"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

const (
	ms = time.Millisecond
	s  = time.Second
)

func TestQuantileIsExact(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i+1) * ms
	}
	for _, test := range []struct {
		name   string
		sorted []time.Duration
		q      float64
		want   time.Duration
	}{
		{"nothing has none", nil, 0.95, 0},
		{"one is all of them", []time.Duration{7 * ms}, 0.5, 7 * ms},
		{"the median of two is the lower", []time.Duration{1 * ms, 2 * ms}, 0.5, 1 * ms},
		{"the 95th of a hundred", hundred, 0.95, 95 * ms},
		{"the 50th of a hundred", hundred, 0.5, 50 * ms},
		{"of twenty the last but one", hundred[:20], 0.95, 19 * ms},
		{"of nineteen the last", hundred[:19], 0.95, 19 * ms},
		{"all", hundred, 1, 100 * ms},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := quantile(test.sorted, test.q); got != test.want {
				t.Errorf("quantile(%g) = %s, want %s", test.q, got, test.want)
			}
		})
	}
}

func TestFailuresAreOverAnyLimit(t *testing.T) {
	r := new(recorder)
	for i := range 18 {
		r.request(time.Duration(i)*ms, time.Duration(i)*ms+5*ms, false)
	}
	r.request(18*ms, 20*ms, true)
	r.request(19*ms, 21*ms, true) // 2 of 20
	all := r.arrivals(0, s)
	if got := failed(all); got != 2 {
		t.Errorf("failed() = %d, want 2", got)
	}
	if got := quantile(all, tail); got != never {
		t.Errorf("95th percentile = %s, want that of a failure", latency(got))
	}
	if over, judged := r.over(0, 4*s, time.Hour); over != 2*s || judged != 2*s {
		t.Errorf("over() = %s of %s, want 2s of the 2s that had requests", over, judged)
	}
}

func TestTimeOverTheLimitIsThatOfSlices(t *testing.T) {
	r := new(recorder)
	for second := range 9 {
		at, took := time.Duration(second)*s, 100*ms
		if second == 2 || second == 8 {
			took = 600 * ms
		}
		r.request(at, at+took, false)
	}
	// Slices 0-2, 2-4, 4-6, 6-8 and what is left, 8-9.
	if over, judged := r.over(0, 9*s, 500*ms); over != 3*s || judged != 9*s {
		t.Errorf("over() = %s of %s, want 3s of 9s", over, judged)
	}
}

func TestRecentAreTheRequestsThatEndedLately(t *testing.T) {
	r := new(recorder)
	r.request(0, 2*s, false)
	r.request(1*s, 9*s, false)
	r.request(8*s, 8900*ms, false) // noted a little too late
	r.request(8*s, 9500*ms, false)
	if got := r.recent(9 * s); len(got) != 2 || got[0] != 1500*ms || got[1] != 8*s {
		t.Errorf("recent() = %v, want those that ended at 9s and 9.5s, sorted", got)
	}
}

func TestNodeTimeCountsEveryNodeThatCostsMoney(t *testing.T) {
	r := new(recorder)
	r.size(1*s, scaler.GroupStatus{Ready: 2})
	r.size(10*s, scaler.GroupStatus{Ready: 2, Creating: 1, Booting: 1})
	r.size(20*s, scaler.GroupStatus{Ready: 1, Lost: 1, Draining: 1})
	for _, test := range []struct {
		name     string
		from, to time.Duration
		want     time.Duration
	}{
		{"the whole run, from before the first look", 0, 30 * s, 2*10*s + 4*10*s + 3*10*s},
		{"a part between two looks", 12 * s, 14 * s, 8 * s},
		{"a part across a change", 9 * s, 11 * s, 6 * s},
		{"nothing", 5 * s, 5 * s, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := r.nodeTime(test.from, test.to); got != test.want {
				t.Errorf("nodeTime() = %s, want %s", got, test.want)
			}
		})
	}
	if got := r.nodes(0, 30*s); math.Abs(got-3) > 1e-9 {
		t.Errorf("nodes() = %g, want 3", got)
	}
}
