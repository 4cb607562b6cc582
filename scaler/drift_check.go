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
	if next := a.lostRemote(now); next != nil {
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

// rereadLost is the time between two looks at a state that was lost in its backend.
const rereadLost = 15 * time.Second

// lostRemote is a shard whose state was lost in its backend and is to be looked at
// again: a file that comes back is seen without that.
func (a *actuator) lostRemote(now time.Time) *shard {
	if a.facts.Backend == nil {
		return nil
	}
	for _, s := range a.roots() {
		if !s.busy && !s.recovering && errors.Is(s.stateErr, ErrStateLost) && now.Sub(a.checked[s.name]) >= rereadLost {
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
