package demo

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// never is the latency of a request that failed: more than any limit.
const never = time.Duration(math.MaxInt64)

// request is one that has ended.
type request struct {
	// arrived counts from the beginning of the run.
	arrived time.Duration
	latency time.Duration
}

// size is how many nodes a group had at an instant of the run.
type size struct {
	at time.Duration
	// exist are all nodes that cost money: also those that boot or drain.
	exist, ready, wanted int
}

// recorder keeps what a group's users and its fleet saw. It is safe for
// concurrent use.
type recorder struct {
	mu       sync.Mutex
	requests []request // in the order of their ends
	ends     []time.Duration
	sizes    []size
}

// request notes the end of a request at the given instant of the run.
func (r *recorder) request(arrived, ended time.Duration, failed bool) {
	latency := ended - arrived
	if failed {
		latency = never
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, request{arrived, latency})
	r.ends = append(r.ends, ended)
}

// size notes the state of the fleet.
func (r *recorder) size(at time.Duration, s scaler.GroupStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sizes = append(r.sizes, size{
		at:    at,
		exist: s.Creating + s.Booting + s.Ready + s.Lost + s.Draining,
		ready: s.Ready, wanted: s.Wanted,
	})
}

// recent are the latencies of the requests that ended since an instant, sorted.
func (r *recorder) recent(since time.Duration) []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var latencies []time.Duration
	// Ends are noted by many goroutines, so neighbours may have changed places.
	for i := len(r.ends) - 1; i >= 0 && r.ends[i] >= since-time.Second; i-- {
		if r.ends[i] >= since {
			latencies = append(latencies, r.requests[i].latency)
		}
	}
	slices.Sort(latencies)
	return latencies
}

// arrivals are the latencies of the requests that arrived within from..to, the
// latter excluded, sorted.
func (r *recorder) arrivals(from, to time.Duration) []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var latencies []time.Duration
	for _, q := range r.requests {
		if q.arrived >= from && q.arrived < to {
			latencies = append(latencies, q.latency)
		}
	}
	slices.Sort(latencies)
	return latencies
}

// quantile is the smallest of the sorted latencies that at least the share q of
// them does not exceed, exactly; 0 where there are none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(q*float64(len(sorted)) - 1e-9))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// failed counts the failures among sorted latencies.
func failed(sorted []time.Duration) int {
	first, _ := slices.BinarySearch(sorted, never)
	return len(sorted) - first
}

// verdictSlice is the time over which requests are judged together.
const verdictSlice = 2 * time.Second

// over is for how long within from..to the 95th percentile of verdictSlice was
// over the limit, and for how long there were requests at all.
func (r *recorder) over(from, to, limit time.Duration) (over, judged time.Duration) {
	for at := from; at < to; at += verdictSlice {
		end := min(at+verdictSlice, to)
		latencies := r.arrivals(at, end)
		if len(latencies) == 0 {
			continue
		}
		judged += end - at
		if quantile(latencies, tail) > limit {
			over += end - at
		}
	}
	return over, judged
}

// nodeTime is how much time of nodes was used within from..to: the integral of
// the number of nodes that existed.
func (r *recorder) nodeTime(from, to time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var total time.Duration
	for i, s := range r.sizes {
		begin, end := max(s.at, from), to
		if i == 0 {
			begin = from // nothing is known before
		}
		if i+1 < len(r.sizes) {
			end = min(r.sizes[i+1].at, to)
		}
		if end > begin {
			total += time.Duration(s.exist) * (end - begin)
		}
	}
	return total
}

// nodes is the mean number of nodes within from..to.
func (r *recorder) nodes(from, to time.Duration) float64 {
	if to <= from {
		return 0
	}
	return float64(r.nodeTime(from, to)) / float64(to-from)
}
