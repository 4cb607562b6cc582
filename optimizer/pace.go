package optimizer

import (
	"cmp"
	"slices"
	"time"
)

// pace learns the interval between samples.
type pace struct {
	interval time.Duration
	hinted   bool
	last     int64
	seen     [9]int64 // the newest gaps, a ring
	n        int
}

const defaultInterval = 15 * time.Second

func newPace(hint time.Duration) pace {
	if hint > 0 {
		return pace{interval: hint, hinted: true}
	}
	return pace{interval: defaultInterval}
}

// observe returns the time since the sample before, 0 for the first.
func (p *pace) observe(at int64) time.Duration {
	if p.last == 0 {
		p.last = at
		return 0
	}
	gap := at - p.last
	p.last = at
	p.seen[p.n%len(p.seen)] = gap
	p.n++
	if !p.hinted || p.n >= len(p.seen) {
		sorted := p.seen
		s := sorted[:min(p.n, len(p.seen))]
		slices.Sort(s)
		p.interval = max(time.Duration(s[len(s)/2]), time.Millisecond)
	}
	return time.Duration(gap)
}

func sortRows(rows []row) {
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.at, b.at) })
}
