package scaler

import (
	"context"
	"errors"
	"time"
)

// resolve takes up the steps that a killed scalerd left open. Of those that did not
// reach terraform's apply nothing was changed: where the node set is on disk it is
// planned anew, else the step is undone. An apply is waited for, or taken over.
func (a *actuator) resolve(ctx context.Context) error {
	open, err := a.store.OpenSteps(ctx, a.app, a.group)
	if err != nil {
		return err
	}
	for _, record := range open {
		s := a.named(record.Shard)
		if s == nil {
			s = &shard{} // it was killed before the root module was made
		}
		if s.open != nil { // it was killed between two steps
			if err := a.close(ctx, s, PhaseUndone, errors.New("a later step took its place and carries it out too")); err != nil {
				return err
			}
		}
		s.open = &record
		switch {
		case s.name == "" || record.Phase == PhaseIntent && record.NodeSet != s.nodeSet:
			err = a.close(ctx, s, PhaseUndone, errors.New("scalerd ended before anything was written"))
		case record.Phase == PhaseIntent:
			s.unsettled = true // it may have been killed right before that
		case record.Phase == PhaseApplying || record.Phase == PhaseRead:
			s.recovering = true
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// named is the root module of that name, or nil.
func (a *actuator) named(name string) *shard {
	for _, s := range a.roots() {
		if s.name == name {
			return s
		}
	}
	return nil
}

// recoverOpen takes over the applies of a killed scalerd. Nothing is decided about
// the group's nodes until they have ended.
func (a *actuator) recoverOpen(ctx context.Context, now time.Time) {
	for _, s := range a.roots() {
		if !s.recovering || s.busy || now.Before(s.retryAt) {
			continue
		}
		a.launch(ctx, s, StepStatus{Create: len(s.open.Add), Delete: len(s.open.Remove)}, func(ctx context.Context, root Root, watch Watcher) error {
			return a.tf.Recover(ctx, root, watch)
		})
	}
}
