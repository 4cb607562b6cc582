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

func (a *actuator) takeProgress(r result) {
	step := a.steps[r.shard.name]
	step.Progress = *r.progress
	a.steps[r.shard.name] = step
}

// finish takes the end of a step: the state is read back whatever happened.
func (a *actuator) finish(r result) {
	if r.check {
		a.takeDrift(r)
		return
	}
	s := r.shard
	s.busy = false
	step := a.steps[s.name]
	delete(a.steps, s.name)
	s.readState(a.tf)
	a.metrics.step(a.app, a.group, r.err, time.Since(step.StartedAt))
	err := r.err
	if err == nil {
		err = s.noteApplied(r.digest)
	}
	if err == nil && s.stateErr == nil && s != a.base && s.pending(a.module) && s.written == r.digest {
		err = fmt.Errorf("terraform ended without an error, but %s differs from its node set", s.name)
	}
	a.journal(s, phaseOf(err), fmt.Sprint(orNothing(err)))
	if step.Create > 0 {
		a.noteCreation(err)
	}
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
	s.failures++
	s.retryAt = time.Now().Add(backoff(s.failures))
	if errors.Is(err, ErrStateMoved) {
		s.retryAt = time.Time{} // the state is known again: nothing is to wait for
	}
	s.err = fmt.Errorf("%s: %w", s.name, err)
	if !errors.Is(err, context.Canceled) {
		a.log.Error("step failed", "shard", s.name, "error", err, "retry_at", s.retryAt)
	}
}

// noteCreation remembers that a creation failed, or that one succeeded.
func (a *actuator) noteCreation(err error) {
	c := &a.creating
	switch {
	case err == nil:
		c.err, c.failures, c.retryAt = nil, 0, time.Time{}
	case !errors.Is(err, context.Canceled):
		c.failures++
		c.err, c.retryAt = err, time.Now().Add(backoff(c.failures))
	}
}

// forgetGone drops what is remembered of nodes that no longer exist.
func (a *actuator) forgetGone(ctx context.Context) {
	there := map[string]bool{}
	for _, s := range a.shards {
		if s.stateErr != nil {
			return
		}
		for _, name := range a.nodesOf(s) {
			there[name] = true
		}
	}
	maps.DeleteFunc(a.doomed, func(name string, _ bool) bool { return !there[name] })
	maps.DeleteFunc(a.outdated, func(name, _ string) bool { return !there[name] })
	for name := range a.created {
		if there[name] {
			continue
		}
		if err := a.store.DeleteNode(ctx, a.app, a.group, name); err != nil {
			a.log.Warn("forget node", "node", name, "error", err)
			continue
		}
		delete(a.created, name)
	}
}

func phaseOf(err error) string {
	if err != nil {
		return "failed"
	}
	return "done"
}

func orNothing(err error) any {
	if err == nil {
		return ""
	}
	return err
}

// backoff is the wait before the n-th try, n from 1: 2 s doubling to 5 min.
func backoff(n int) time.Duration {
	const first, most = 2 * time.Second, 5 * time.Minute
	if n > 8 {
		return most
	}
	return min(first<<(n-1), most)
}
