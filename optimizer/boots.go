package optimizer

import (
	"math"
	"time"
)

// boots learns how long a node takes from the request for it until it is ready: as
// an exponential mean and deviation of its logarithm.
type boots struct {
	mean, variance float64 // of log seconds
	seen           int
	told           bool // by the caller, so samples need not be interpreted

	pending []int64 // when each coming node was first seen, oldest first
	ready   int
	total   int
	any     bool
}

const (
	longestBoot  = 24 * time.Hour
	defaultBoot  = 2 * time.Minute
	bootGain     = 0.15
	bootSpread   = 0.15 // deviation of log seconds, a prior
	bootQuantile = 1.2815515655446004
)

func newBoots(hint time.Duration) *boots {
	if hint <= 0 {
		hint = defaultBoot
	}
	return &boots{mean: math.Log(hint.Seconds()), variance: bootSpread * bootSpread}
}

// observe takes one node's boot time.
func (b *boots) observe(took time.Duration) {
	v := math.Log(max(took.Seconds(), 0.1))
	b.seen++
	gain := max(bootGain, 1/float64(b.seen))
	d := v - b.mean
	b.mean += gain * d
	if b.seen > 1 {
		d = min(max(d, -1), 1)
		b.variance += bootGain * (d*d - b.variance)
	}
}

// sample infers boot times from how many nodes are coming: one that came is taken to
// be the one that waited longest, one that was cancelled the one that waited least.
func (b *boots) sample(at int64, ready, total int) {
	defer func() { b.ready, b.total, b.any = ready, max(total, ready), true }()
	if !b.any {
		return
	}
	came := ready - b.ready
	for came > 0 && len(b.pending) > 0 {
		// Creation was seen a sample late at most, readiness as well: the errors cancel.
		if !b.told {
			b.observe(time.Duration(at - b.pending[0]))
		}
		b.pending = b.pending[1:]
		came--
	}
	coming := max(total-ready, 0)
	for len(b.pending) < coming && len(b.pending) < maxPending {
		b.pending = append(b.pending, at)
	}
	if len(b.pending) > coming {
		b.pending = b.pending[:coming]
	}
}

const maxPending = 4096

// since is how many of the coming nodes were first seen after an instant.
func (b *boots) since(at int64) (n int) {
	for i := len(b.pending) - 1; i >= 0 && b.pending[i] > at; i-- {
		n++
	}
	return n
}

// typical is the middle boot time.
func (b *boots) typical() time.Duration { return seconds(math.Exp(b.mean)) }

// late is the boot time that 9 nodes in 10 keep.
func (b *boots) late() time.Duration {
	return seconds(math.Exp(b.mean + bootQuantile*math.Sqrt(b.variance)))
}

// patience is how long a node may be waited for before it is given up.
func (b *boots) patience() time.Duration { return max(3*b.typical(), 5*time.Minute) }

func seconds(s float64) time.Duration {
	return time.Duration(min(max(s, 0), longestBoot.Seconds()) * float64(time.Second))
}
