package scaler

import (
	"context"
	"errors"
	"time"
)

// checkDrift starts the drift check of the shard that waited longest, one at a
// time, where it is due and the budget of all groups allows it.
func (a *actuator) checkDrift(ctx context.Context, now time.Time) {
	if a.checking != nil {
		return
	}
	if next := a.orderedCheck(now); next != nil {
		if a.driftBudget.takeOrdered() {
			a.startCheck(ctx, next)
		}
		return
	}
	if next := a.unread(now); next != nil {
		if a.driftBudget.take(now) {
			a.startCheck(ctx, next)
		}
		return
	}
	every := time.Duration(a.driftPolicy().Every)
	if every <= 0 || a.dismissed {
		return
	}
	var next *shard
	for _, s := range a.roots() {
		if s.busy || s.recovering || s.stateErr != nil || len(s.state.Resources) == 0 {
			continue
		}
		if _, ok := a.checked[s.name]; !ok {
			// What was just applied is not checked at once, and not everything together.
			early := spread(a.app+"/"+a.group+"/"+s.name) * float64(every) / 2
			a.checked[s.name] = now.Add(-time.Duration(early))
		}
		if now.Sub(a.checked[s.name]) >= every && (next == nil || a.checked[s.name].Before(a.checked[next.name])) {
			next = s
		}
	}
	if next != nil && a.driftBudget.take(now) {
		a.startCheck(ctx, next)
	}
}

// rereadLost is the time between two looks at a state that only a check can read.
const rereadLost = 15 * time.Second

// checkReads reports whether a check may read a state that can't be read now: one that
// was lost in its backend, where a file that comes back is seen without that, and one
// that terraform has to show.
func (a *actuator) checkReads(s *shard) bool {
	return a.facts.Backend != nil && errors.Is(s.stateErr, ErrStateLost) || errors.Is(s.stateErr, ErrStateUnread)
}

// unread is a shard with such a state, which is to be looked at again.
func (a *actuator) unread(now time.Time) *shard {
	for _, s := range a.roots() {
		if !s.busy && !s.recovering && a.checkReads(s) && now.Sub(a.checked[s.name]) >= rereadLost {
			return s
		}
	}
	return nil
}

// startCheck starts the drift check of a shard.
func (a *actuator) startCheck(ctx context.Context, next *shard) {
	a.checking, a.driftOrder.began = next, time.Now()
	root, addresses, written := a.root(next), sortedKeys(next.state.Resources), a.written(next)
	go func() {
		r := result{shard: next, check: true, dead: a.inspect.Dead(root.Dir, addresses)}
		a.reap(ctx, root.Dir, written) // first: a step that begins meanwhile makes what is not in written
		r.drift, r.err = a.tf.Drift(ctx, root)
		a.results <- r
	}()
}
