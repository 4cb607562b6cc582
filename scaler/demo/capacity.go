package demo

import (
	"math"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// tail is the quantile that is held against the limit.
const tail = 0.95

// carried is the highest load, in requests/s, at which a local node keeps the
// 95th percentile of its response time within limit, and 0 where it can't do so
// even for a single request. The node is taken for what it is, an M/M/c queue:
// Poisson arrivals, exponential service times, c slots.
func carried(node *spec.Local, limit time.Duration) float64 {
	slots, mean := node.Slots, node.ServiceTime.AsDuration().Seconds()
	low, high := 0.0, float64(slots)/mean
	for range 50 {
		middle := (low + high) / 2
		if slower(slots, mean, middle, limit.Seconds()) <= 1-tail {
			low = middle
		} else {
			high = middle
		}
	}
	if low < 1e-6 {
		return 0
	}
	return low
}

// slower is the share of requests that take longer than t seconds in an M/M/c
// queue with a load of rate requests/s, below its capacity: Gross and Harris,
// Fundamentals of Queueing Theory, section 2.3, the distribution of the time in
// the system.
func slower(slots int, mean, rate, t float64) float64 {
	offered, services := rate*mean, t/mean
	alone := math.Exp(-services)
	spare := float64(slots) - offered - 1
	queued := services * alone // the limit of the fraction below, for spare = 0
	if math.Abs(spare) > 1e-9 {
		queued = (alone - math.Exp(-(spare+1)*services)) / spare
	}
	return alone + waits(slots, offered)*queued
}

// waits is the share of requests that find no free slot: the Erlang C formula,
// from the recursion of Erlang B, which never overflows.
func waits(slots int, offered float64) float64 {
	blocked := 1.0
	for n := 1; n <= slots; n++ {
		blocked = offered * blocked / (float64(n) + offered*blocked)
	}
	use := offered / float64(slots)
	return blocked / (1 - use*(1-blocked))
}

// fixedFleet is the smallest number of nodes, at least 1, that carry a load of
// peak requests/s at each requests/s a node.
func fixedFleet(peak, each float64) int {
	return max(1, int(math.Ceil(peak/each-1e-9)))
}
