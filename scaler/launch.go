package scaler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

// rewrite journals the intent, replaces the node set on disk and starts the step.
func (a *actuator) rewrite(ctx context.Context, s *shard, nodes tfgen.Nodes) error {
	text, err := nodes.Encode()
	if err != nil {
		return err
	}
	record := a.record(s)
	record.Add, record.Remove = difference(s.nodes, nodes)
	record.NodeSet = fileDigest(text)
	record.Reason = cmp.Or(a.reason(record.Remove), otherOfferings(s.nodes, nodes))
	if err := a.begin(ctx, s, record); err != nil {
		return err
	}
	before := s.nodes
	err = s.writeNodes(nodes)
	s.noteRemoved(before) // also where the new one may not outlast a power cut
	if err != nil {
		return err
	}
	e := s.expect(a.module)
	if s.err != nil && e.creations() > 0 {
		return a.enter(ctx, s, PhaseWritten) // what failed before goes on failing: its retry does this too
	}
	s.failures, s.retryAt, s.err = 0, time.Time{}, nil
	if e.empty() {
		return a.close(ctx, s, PhaseDone, nil)
	}
	return a.start(ctx, s, e)
}

// begin journals a step before anything is done about it. One that was written and
// not carried out yet is part of it.
func (a *actuator) begin(ctx context.Context, s *shard, record StepRecord) error {
	record.enter(PhaseIntent, time.Now())
	id, err := a.store.BeginStep(ctx, record)
	if err != nil {
		return err
	}
	record.ID = id
	replaced := s.open
	if s.open = &record; replaced == nil {
		return nil
	}
	replaced.enter(PhaseUndone, time.Now())
	replaced.Error = fmt.Sprintf("step %d took its place and carries it out too", id)
	a.ended = append(a.ended, *replaced)
	return a.journalEnds(ctx)
}

// journalEnds journals the ends of steps that could not be journalled yet.
func (a *actuator) journalEnds(ctx context.Context) error {
	for len(a.ended) > 0 {
		if err := a.store.SaveStep(ctx, a.ended[0]); err != nil {
			return err
		}
		a.ended = a.ended[1:]
	}
	return nil
}

// enter journals that the open step enters a phase.
func (a *actuator) enter(ctx context.Context, s *shard, p Phase) error {
	s.open.enter(p, time.Now())
	return a.store.SaveStep(ctx, *s.open)
}

// close journals the end of the open step.
func (a *actuator) close(ctx context.Context, s *shard, p Phase, why error) error {
	record := *s.open
	record.enter(p, time.Now())
	if why != nil {
		record.Error = why.Error()
	}
	if err := a.store.SaveStep(ctx, record); err != nil {
		return err
	}
	s.open = nil
	return nil
}

// start runs the open step of the shard, or a new one, in a goroutine of its own;
// run and drain wait for it.
func (a *actuator) start(ctx context.Context, s *shard, expect Expect) error {
	if err := s.settle(); err != nil {
		return err
	}
	if s.open == nil {
		record := a.record(s)
		if len(expect.Replace) > 0 {
			record.Reason = "replaces " + strings.Join(expect.Replace, ", ")
		} else if len(expect.Import) > 0 {
			record.Reason = "adopts " + strings.Join(expect.Import, ", ")
		}
		if err := a.begin(ctx, s, record); err != nil {
			return err
		}
	}
	s.open.Module = s.written
	if err := a.enter(ctx, s, PhaseWritten); err != nil {
		return err
	}
	a.launch(ctx, s, StepStatus{Create: expect.creations(), Delete: expect.deletions()}, func(ctx context.Context, root Root, watch Watcher) error {
		_, err := a.tf.Step(ctx, root, expect, watch)
		return err
	})
	return nil
}

// launch runs the shard's open step by do.
func (a *actuator) launch(ctx context.Context, s *shard, status StepStatus, do func(context.Context, Root, Watcher) error) {
	s.busy = true
	status.Shard, status.StartedAt = s.name, time.Now()
	a.steps[s.name] = status
	root, written := a.root(s), a.written(s)
	watch := &stepWatch{
		record: *s.open,
		store:  a.store,
		log:    a.log,
		progress: func(p Progress) {
			a.results <- result{shard: s, progress: &p}
		},
		policies: a.policies(s),
	}
	go func() {
		stepping, step := span(ctx, "step", a.app, a.group, watch.record.Decision)
		err := do(stepping, root, watch)
		endSpan(step, err)
		if !elsewhere(err) {
			a.reap(ctx, root.Dir, written)
		}
		a.results <- result{shard: s, record: &watch.record, err: err}
	}()
}

// elsewhere reports whether another terraform may be at work in the root module.
func elsewhere(err error) bool {
	return errors.As(err, new(*LockedError)) || errors.Is(err, ErrStateMoved) || errors.Is(err, ErrLeftRunning)
}

// written are the addresses that a root module's files ask for.
func (a *actuator) written(s *shard) []string {
	if s == a.base {
		return slices.Clone(a.shared)
	}
	var addresses []string
	for _, node := range sortedKeys(s.nodes) {
		addresses = append(addresses, a.module.Addresses(node)...)
	}
	return addresses
}

// reap ends what neither the files nor the state know. It runs in the goroutine of
// a step or a check, and does nothing where the state can't be read.
func (a *actuator) reap(ctx context.Context, dir string, written []string) {
	state, err := a.tf.State(dir)
	if err != nil {
		return
	}
	reaped, err := a.inspect.Reap(context.WithoutCancel(ctx), dir, append(written, sortedKeys(state.Resources)...))
	if err != nil {
		a.log.Warn("end what an interrupted creation left", "dir", dir, "error", err)
	}
	if len(reaped) > 0 {
		a.log.Warn("ended what an interrupted creation left", "dir", dir, "nodes", reaped)
	}
}

// record is a new step of the shard, as it is on disk.
func (a *actuator) record(s *shard) StepRecord {
	return StepRecord{Application: a.app, Group: a.group, Shard: s.name, Decision: a.decision(), NodeSet: s.nodeSet, Module: s.written}
}

// reason tells which of the nodes go because they are gone already.
func (a *actuator) reason(remove []string) string {
	var lost []string
	for _, name := range remove {
		if address, ok := a.lost[name]; ok {
			lost = append(lost, address)
		}
	}
	if len(lost) == 0 {
		return ""
	}
	return "gone behind Terraform's back: " + strings.Join(lost, ", ")
}

// difference lists the nodes that a rewrite adds and removes.
func difference(before, after tfgen.Nodes) (add, remove []string) {
	for _, name := range sortedKeys(after) {
		if _, ok := before[name]; !ok {
			add = append(add, name)
		}
	}
	for _, name := range sortedKeys(before) {
		if _, ok := after[name]; !ok {
			remove = append(remove, name)
		}
	}
	return add, remove
}
