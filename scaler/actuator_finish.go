package scaler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

// note remembers a failure that belongs to no shard, or that it is over.
func (a *actuator) note(err error) {
	if err == nil {
		a.err, a.failures, a.retryAt = nil, 0, time.Time{}
		return
	}
	a.failures++
	a.err, a.retryAt = err, time.Now().Add(backoff(a.failures))
	a.log.Error("group failed", "error", err)
}

// tellEvery is the least time between two publications of progress: terraform says
// something of every resource, and of a large group a publication is not cheap.
const tellEvery = 500 * time.Millisecond

func (a *actuator) takeProgress(r result, now time.Time) {
	step := a.steps[r.shard.name]
	step.Progress = *r.progress
	a.steps[r.shard.name] = step
	if now.Sub(a.toldAt) < tellEvery {
		return
	}
	a.toldAt = now
	told := *a.published.Load() // nothing else has changed
	told.Steps = a.stepsInFlight()
	a.published.Store(&told)
	a.changed()
}

// finish takes the end of a step: the state is read back whatever happened.
func (a *actuator) finish(r result) {
	switch {
	case r.check:
		a.takeDrift(r)
		return
	case r.found != nil:
		a.takeLookup(*r.found)
		return
	case r.deleted != nil:
		a.takeDeleted(*r.deleted)
		return
	case r.errand != nil:
		a.takeErrand(*r.errand)
		return
	}
	s, recovered := r.shard, r.shard.recovering
	s.busy, s.open, s.endedAt = false, r.record, time.Now()
	step := a.steps[s.name]
	delete(a.steps, s.name)
	s.readState(a.tf)
	s.serial, s.lineage, s.serialKnown = s.state.Serial, s.state.Lineage, s.stateErr == nil
	if a.postpone(s, r.err) {
		return
	}
	s.recovering = false
	a.metrics.step(a.app, a.group, r.err, time.Since(step.StartedAt))
	err := r.err
	if recovered && errors.Is(err, ErrInterrupted) && s != a.base && s.stateErr == nil && !a.pending(s) {
		err = nil // it was killed after all was done
	}
	if err == nil {
		err = s.noteApplied(r.record.Module)
	}
	if err == nil && s.stateErr == nil && s != a.base && a.pending(s) && s.written == r.record.Module {
		err = fmt.Errorf("terraform ended without an error, but %s differs from its node set", s.name)
	}
	a.conclude(s, err)
	a.finishAdopts(s, err)
	a.finishRepair(s, err)
	d, again := a.weigh(s, step, err)
	if err == nil {
		s.failures, s.retryAt, s.err, s.unsure = 0, time.Time{}, nil, false
		if s == a.base {
			a.basePlanned, a.deadShared = true, nil
			if err := a.handOn(); err != nil {
				a.note(err)
			}
		}
		return
	}
	// A terraform that ended by itself wrote what exists; one that was interrupted
	// may not have.
	if s.stateErr == nil {
		s.unsure = errors.Is(err, ErrInterrupted) || errors.Is(err, context.Canceled)
	}
	if r.record.reached(PhaseApplying) && mayHaveMade(err) && s.misses(a.module) {
		a.suspect(s, time.Now())
		a.adoptExisting(s, err)
	}
	if recovered && s.unsure {
		a.log.Warn("an apply was cut short with its scalerd; a new step goes on", "shard", s.name)
		s.retryAt, s.err = time.Time{}, nil
		return
	}
	s.failures++
	s.retryAt, s.err = again, fmt.Errorf("%s: %w", s.name, explained(err, d.kind))
	if again.IsZero() {
		s.err = nil // the group's failure until a creation succeeds, not this shard's
	}
	if !errors.Is(err, context.Canceled) {
		a.log.Error("step failed", "shard", s.name, "kind", d.kind, "error", err, "retry_at", s.retryAt)
	}
}

// lockRetry is the time between two looks at a lock that somebody else holds.
const lockRetry = 5 * time.Second

// postpone takes the end of a step that changed nothing and will be tried again as
// it is: its record stays open.
func (a *actuator) postpone(s *shard, err error) bool {
	var locked *LockedError
	begun := s.open.Phase == PhaseApplying || s.open.Phase == PhaseRead
	switch {
	case errors.As(err, &locked):
		if s.err == nil {
			a.log.Warn("step waits for a lock", "shard", s.name, "error", err)
		}
		s.retryAt, s.err = time.Now().Add(lockRetry), fmt.Errorf("%s waits: %w", s.name, locked)
	case errors.Is(err, ErrStateMoved):
		s.retryAt, s.err = time.Time{}, nil
	case errors.Is(err, ErrLeftRunning), errors.Is(err, context.Canceled) && !begun: // scalerd ends
	default:
		return false
	}
	return true
}

// conclude journals the end of a step with the state that it left.
func (a *actuator) conclude(s *shard, err error) {
	now, end := time.Now(), PhaseDone
	if err != nil {
		end, s.open.Error = PhaseFailed, err.Error()
	}
	if s.stateErr == nil {
		s.open.enter(PhaseRead, now)
		s.open.State = &StateRecord{Lineage: s.state.Lineage, Serial: s.state.Serial}
	}
	s.open.enter(end, now)
	a.ended = append(a.ended, *s.open)
	s.open = nil
	// Where this fails nothing is done before it succeeds, or the next start resolves it.
	if err := a.journalEnds(context.Background()); err != nil {
		a.log.Warn("journal the end of a step", "shard", s.name, "error", err)
	}
}

// noteCreation remembers that a creation failed and when the next may be tried, or
// that one succeeded.
func (a *actuator) noteCreation(err error, again time.Time) {
	c := &a.creating
	switch {
	case err == nil:
		c.err, c.failures, c.retryAt = nil, 0, time.Time{}
	case !errors.Is(err, context.Canceled):
		c.failures++
		c.err, c.retryAt = err, again
	}
}

// forgetGone drops what is remembered of nodes that no longer exist.
func (a *actuator) forgetGone(ctx context.Context) {
	all, total := make([]*members, len(a.shards)), 0
	for i, s := range a.shards {
		if s.stateErr != nil {
			return
		}
		all[i] = a.membersOf(s)
		total += len(all[i].list)
	}
	if len(a.doomed)+len(a.lost)+len(a.drained)+len(a.kept) == 0 && len(a.created) <= total {
		return
	}
	there := map[string]bool{}
	for _, m := range all {
		for _, n := range m.list {
			there[n.Name] = true
		}
	}
	maps.DeleteFunc(a.doomed, func(name string, _ bool) bool { return !there[name] })
	maps.DeleteFunc(a.lost, func(name, _ string) bool { return !there[name] })
	maps.DeleteFunc(a.drained, func(name string, _ bool) bool { return !there[name] })
	maps.DeleteFunc(a.kept, func(name string, _ time.Time) bool { return !there[name] })
	maps.DeleteFunc(a.outdated, func(name, _ string) bool { return !there[name] })
	var gone []string
	for _, name := range sortedKeys(a.created) {
		if !there[name] {
			gone = append(gone, name)
		}
	}
	if len(gone) > 0 {
		if err := a.store.DeleteNodes(ctx, a.app, a.group, gone); err != nil {
			a.log.Warn("forget nodes", "nodes", gone, "error", err)
			return
		}
		maps.DeleteFunc(a.created, func(name string, _ time.Time) bool { return !there[name] })
	}
}

// backoff is the wait before the n-th try, n from 1: 2 s doubling to 5 min.
func backoff(n int) time.Duration {
	const first, most = 2 * time.Second, 5 * time.Minute
	if n > 8 {
		return most
	}
	return min(first<<(n-1), most)
}
