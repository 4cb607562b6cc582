package optimizer

import (
	"math"
	"time"
)

// bustle knows how often the fleet changes, and makes it calmer where that is too often:
// nodes are given back later.
type bustle struct {
	perDay float64 // changes a day, forgotten over bustleMemory
	total  int
	any    bool
}

const (
	bustleMemory = 2 * time.Hour
	bustleCalm   = 360.0 // changes a day that nobody minds
	bustleDouble = 60.0  // changes a day more that double the time nodes are held
	bustleMost   = 16.0
)

func (b *bustle) observe(total int, gap time.Duration) {
	gap = min(max(gap, 0), bustleMemory)
	b.perDay *= math.Exp(-float64(gap) / float64(bustleMemory))
	if b.any && total != b.total {
		b.perDay += float64(24*time.Hour) / float64(bustleMemory)
	}
	b.total, b.any = total, true
}

// hold is how long a smaller count must have been enough, usually the given time.
func (b *bustle) hold(usual time.Duration) time.Duration {
	f := math.Exp2((b.perDay - bustleCalm) / bustleDouble)
	return time.Duration(min(max(f, 1), bustleMost) * float64(usual)).Round(time.Second)
}
