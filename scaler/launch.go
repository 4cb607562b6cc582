package scaler

import (
	"context"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

// rewrite journals the intent, replaces the node set on disk and starts the step.
func (a *actuator) rewrite(ctx context.Context, s *shard, nodes tfgen.Nodes) error {
	if err := a.store.Journal(ctx, a.entry(s, "intent", difference(s.nodes, nodes))); err != nil {
		return err
	}
	if err := s.writeNodes(nodes); err != nil {
		return err
	}
	e := s.expect(a.module)
	if s.suspect != nil || s.err != nil && e.creations() > 0 {
		return nil // what failed before goes on failing: its retry does this too
	}
	s.failures, s.retryAt, s.err = 0, time.Time{}, nil
	if !e.empty() {
		a.start(ctx, s, e)
	}
	return nil
}

// start runs a step of the shard in a goroutine of its own; run and drain wait
// for it.
func (a *actuator) start(ctx context.Context, s *shard, expect Expect) {
	s.busy = true
	a.steps[s.name] = StepStatus{
		Shard:     s.name,
		Create:    expect.creations(),
		Delete:    expect.deletions(),
		StartedAt: time.Now(),
	}
	written, root, digest := a.written(s), a.root(s), s.written
	go func() {
		_, err := a.tf.Step(ctx, root, expect, func(p Progress) {
			a.results <- result{shard: s, progress: &p}
		})
		a.reap(ctx, root.Dir, written)
		a.results <- result{shard: s, digest: digest, err: err}
	}()
}

// written are the addresses that a root module's files ask for.
func (a *actuator) written(s *shard) []string {
	if s == a.base {
		return a.shared
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

func (a *actuator) entry(s *shard, phase, detail string) Entry {
	e := Entry{At: time.Now(), Application: a.app, Group: a.group, Shard: s.name, Phase: phase, Detail: detail}
	if a.wish != nil {
		e.Decision = a.wish.decision
	}
	return e
}

// journal notes what happened; the intent before it is already on disk, so a
// failure here is only logged.
func (a *actuator) journal(s *shard, phase, detail string) {
	if err := a.store.Journal(context.Background(), a.entry(s, phase, detail)); err != nil {
		a.log.Warn("journal", "shard", s.name, "phase", phase, "error", err)
	}
}

// difference lists the nodes that a rewrite adds and removes: "+web-0004 -web-0001".
func difference(before, after tfgen.Nodes) string {
	var parts []string
	for _, name := range sortedKeys(after) {
		if _, ok := before[name]; !ok {
			parts = append(parts, "+"+name)
		}
	}
	for _, name := range sortedKeys(before) {
		if _, ok := after[name]; !ok {
			parts = append(parts, "-"+name)
		}
	}
	return strings.Join(parts, " ")
}
