package scaler

import (
	"sync"
	"time"
)

// driftBudget bounds the drift checks of all groups together, so that they take no
// more than a share of the terraform processes and of the clouds' API limits. It is
// safe for concurrent use.
type driftBudget struct {
	mu sync.Mutex
	// running and most count checks at once.
	running, most int
	// apart is the least time between the starts of two checks.
	apart time.Duration
	next  time.Time
}

// newDriftBudget allows that many checks at once and in an hour; 0 is no limit.
func newDriftBudget(atOnce, perHour int) *driftBudget {
	b := &driftBudget{most: atOnce}
	if perHour > 0 {
		b.apart = time.Hour / time.Duration(perHour)
	}
	return b
}

// take reports whether a check may start now; done ends it.
func (b *driftBudget) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.most > 0 && b.running >= b.most || now.Before(b.next) {
		return false
	}
	b.running++
	b.next = now.Add(b.apart)
	return true
}

// takeOrdered is take for a check that somebody asked for, which is not put off for the
// sake of others.
func (b *driftBudget) takeOrdered() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.most > 0 && b.running >= b.most {
		return false
	}
	b.running++
	return true
}

func (b *driftBudget) done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running--
}
