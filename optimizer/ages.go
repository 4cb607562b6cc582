package optimizer

import "time"

// ages knows when the ready nodes became ready, so far as samples tell: the newest
// are taken to go first.
type ages struct {
	ready []int64 // of the nodes that became ready lately, oldest first
	nodes int
	any   bool
}

// warmFor is how long a node counts as new.
const warmFor = time.Minute

// observe returns how many of the ready nodes are new.
func (a *ages) observe(at int64, nodes int) (warm int) {
	if a.any {
		for i := a.nodes; i < nodes && len(a.ready) < maxPending; i++ {
			a.ready = append(a.ready, at)
		}
		if gone := a.nodes - nodes; gone > 0 {
			a.ready = a.ready[:max(len(a.ready)-gone, 0)]
		}
	}
	a.nodes, a.any = nodes, true
	old := 0
	for old < len(a.ready) && at-a.ready[old] >= int64(warmFor) {
		old++
	}
	a.ready = a.ready[:copy(a.ready, a.ready[old:])]
	return len(a.ready)
}
