package optimizer

import (
	"math"
	"slices"
)

// limits are what the models say of a target now: the log load per node at which it
// reaches its limit, and the variance of one node about it.
type limits struct {
	at       float64
	variance float64
	ok       bool // false: not even an idle node holds it
}

// forecastCaution widens forecasts for what the past has not shown.
const forecastCaution = 1.15

// exceed is the chance that a target is over its limit with n nodes at a horizon.
func exceed(h *horizon, level float64, all []limits, n float64) float64 {
	p := 0.0
	for _, l := range all {
		if !l.ok {
			return 1
		}
		s := forecastCaution * h.sigma
		z := (l.at + math.Log(n) - level - h.ahead) / math.Sqrt(s*s+l.variance/n)
		p += h.tail.exceed(z)
	}
	return min(p, 1)
}

// need is the smallest count of which one more would cut the chance of a violation by
// less than the price.
func need(h *horizon, level float64, all []limits, price float64, most int) int {
	middle := 1.0
	for _, l := range all {
		if !l.ok {
			return most
		}
		middle = max(middle, math.Exp(min(level+h.ahead-l.at, 20)))
	}
	low := min(int(middle), most) // here the chance is about one half; beyond, each node cuts less
	high := most
	for low < high {
		mid := (low + high) / 2
		if n := float64(mid); exceed(h, level, all, n)-exceed(h, level, all, n+1) < price {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

// held keeps the largest of the newest values: a stabilisation window.
type held struct {
	ring []int
	n    int
}

func (h *held) add(v, window int) {
	window = max(window, 1)
	if window != len(h.ring) {
		kept := h.newest(min(h.n, len(h.ring), window))
		h.ring = append(make([]int, 0, window), kept...)
		h.n = len(kept)
		h.ring = h.ring[:window]
	}
	h.ring[h.n%window] = v
	h.n++
}

// newest returns the newest k values, oldest first.
func (h *held) newest(k int) []int {
	all := make([]int, 0, k)
	for i := h.n - k; i < h.n; i++ {
		all = append(all, h.ring[i%len(h.ring)])
	}
	return all
}

func (h *held) most() int {
	if h.n == 0 {
		return 0
	}
	return slices.Max(h.ring[:min(h.n, len(h.ring))])
}

// full says whether a whole window was seen.
func (h *held) full() bool { return h.n >= len(h.ring) }
