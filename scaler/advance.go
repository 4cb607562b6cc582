package scaler

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// advance starts everything that can be started now. It never waits.
func (a *actuator) advance(ctx context.Context, now time.Time) {
	if now.Before(a.retryAt) {
		return
	}
	if err := a.tryAdvance(ctx, now); err != nil {
		a.note(err)
	} else if a.err != nil {
		a.note(nil)
	}
}

func (a *actuator) tryAdvance(ctx context.Context, now time.Time) error {
	if err := a.journalEnds(ctx); err != nil {
		return err
	}
	a.recoverOpen(ctx, now) // a description may wait for its end
	if a.adopting != nil {
		if err := a.adopt(*a.adopting); err != nil {
			return err
		}
		a.adopting = nil
	}
	a.rereadStates()
	if a.loginChanged() {
		a.forgive()
	}
	if err := a.advanceBase(ctx, now); err != nil {
		return err
	}
	a.forgetGone(ctx)
	a.advanceLookup(ctx, now)
	if err := a.finishWritten(ctx, now); err != nil {
		return err
	}
	if a.wish != nil && !a.uncertain() {
		if err := a.reconcile(ctx, now); err != nil {
			return err
		}
	}
	if err := a.giveUpAll(ctx, now); err != nil {
		return err
	}
	if a.dismissed && a.gone() {
		return a.remove(ctx)
	}
	a.checkDrift(ctx, now)
	return a.compact(ctx, now)
}

// rereadStates looks at the states of all shards without a step in flight, so that
// one that was lost behind our back is noticed before anything is decided on it,
// and one that was restored is used again.
func (a *actuator) rereadStates() {
	for _, s := range a.roots() {
		if !s.busy {
			s.readState(a.tf)
			a.noteForeign(s)
		}
	}
}

// rereadEvery is the longest time without a look at the states.
const rereadEvery = 5 * time.Second

// uncertain reports whether the true size is unknown, or a step that may have
// been interrupted is not finished: nothing new is decided about nodes then.
func (a *actuator) uncertain() bool {
	return slices.ContainsFunc(a.shards, func(s *shard) bool { return s.stateErr != nil || s.unsure || s.recovering })
}

func (a *actuator) idle(s *shard, now time.Time) bool {
	return !s.busy && !s.recovering && s.stateErr == nil && s.suspect == nil && !now.Before(s.retryAt)
}

// advanceBase brings what the shards share in line with the description, and
// destroys it when it is not needed any more.
func (a *actuator) advanceBase(ctx context.Context, now time.Time) error {
	s := a.base
	if s == nil || !a.idle(s, now) {
		return nil
	}
	switch {
	case a.dismissed || !a.needsBase:
		if len(s.state.Resources) > 0 && (!a.dismissed || a.shardsEmpty()) {
			return a.start(ctx, s, Expect{Delete: sortedKeys(s.state.Resources), Destroy: true})
		}
	case !a.basePlanned || len(a.deadShared) > 0:
		return a.start(ctx, s, Expect{Shared: a.shared, Replace: slices.Clone(a.deadShared)})
	}
	if s.open != nil { // there is nothing to do for it any more
		return a.close(ctx, s, PhaseDone, nil)
	}
	return nil
}

// baseReady reports whether new nodes can rely on what the shards share: of a base
// whose state is unknown, it is not known what it hands over.
func (a *actuator) baseReady() bool {
	return a.base == nil || !a.needsBase || a.basePlanned && a.base.stateErr == nil
}

// finishWritten starts the steps of shards whose node set is written and not
// carried out: after a restart, and after a failure.
func (a *actuator) finishWritten(ctx context.Context, now time.Time) error {
	for _, s := range a.shards {
		if !a.idle(s, now) || s.stale() && !a.baseReady() || len(s.refused) > 0 {
			continue
		}
		if a.pending(s) {
			if err := a.start(ctx, s, s.expect(a.module)); err != nil {
				return err
			}
			continue
		}
		if len(s.repair) > 0 {
			if err := a.startRepair(ctx, s); err != nil {
				return err
			}
			continue
		}
		if s.open != nil { // what it was to do is so already
			if err := a.close(ctx, s, PhaseDone, nil); err != nil {
				return err
			}
		}
		s.unsure, s.failures, s.retryAt, s.err = false, 0, time.Time{}, nil
	}
	return nil
}

// roots are the base, where there is one, and the shards.
func (a *actuator) roots() []*shard {
	if a.base == nil {
		return a.shards
	}
	return append([]*shard{a.base}, a.shards...)
}

func (a *actuator) shardsEmpty() bool {
	return !slices.ContainsFunc(a.shards, func(s *shard) bool { return s.busy || s.recovering || !s.empty() })
}

// gone reports whether a dismissed group has nothing left.
func (a *actuator) gone() bool {
	return len(a.steps) == 0 && a.checking == nil && a.errands == 0 && a.shardsEmpty() && a.looked() &&
		(a.base == nil || a.base.empty() && !a.base.busy && !a.base.recovering) && !a.anyClaimed()
}

func (a *actuator) remove(ctx context.Context) error {
	if err := a.disk.remove(a.dir); err != nil {
		return fmt.Errorf("remove group folder: %w", err)
	}
	if err := a.store.DeleteGroup(ctx, a.app, a.group); err != nil {
		return err
	}
	a.removed = true
	return nil
}

// done reports whether the wish is carried out.
func (a *actuator) done() bool {
	if a.wish == nil || len(a.steps) > 0 || a.adopting != nil || a.uncertain() || !a.baseReady() || len(a.deadShared) > 0 {
		return false
	}
	for _, s := range a.shards {
		if a.pending(s) {
			return false
		}
	}
	return len(a.doomed)+len(a.drained) == 0 && a.size() == a.wish.nodes
}

// untilNext is how long run may sleep when nothing happens.
func (a *actuator) untilNext(now time.Time) time.Duration {
	wait := rereadEvery
	sooner := func(at time.Time) {
		if !at.IsZero() && at.After(now) {
			wait = min(wait, at.Sub(now))
		}
	}
	sooner(a.retryAt)
	sooner(a.creating.retryAt)
	sooner(a.lookupAt())
	sooner(a.lookup.retryAt)
	if a.checksWait() {
		sooner(now.Add(200 * time.Millisecond))
	}
	every := time.Duration(a.driftPolicy().Every)
	for _, s := range a.roots() {
		sooner(s.retryAt)
		sooner(s.refusedUntil)
		if at, ok := a.checked[s.name]; ok && every > 0 {
			sooner(at.Add(every))
		}
	}
	return max(wait, 10*time.Millisecond)
}
