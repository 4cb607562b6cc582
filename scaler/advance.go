package scaler

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen"
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
	if a.adopting != nil {
		if err := a.adopt(*a.adopting); err != nil {
			return err
		}
		a.adopting = nil
	}
	a.rereadStates()
	a.advanceBase(ctx, now)
	a.forgetGone(ctx)
	a.finishWritten(ctx, now)
	if a.wish != nil && !a.uncertain() {
		if err := a.reconcile(ctx, now); err != nil {
			return err
		}
	}
	if a.dismissed && a.gone() {
		return a.remove(ctx)
	}
	a.checkDrift(ctx, now)
	return nil
}

// rereadStates looks at the states of all shards without a step in flight, so that
// one that was lost behind our back is noticed before anything is decided on it,
// and one that was restored is used again.
func (a *actuator) rereadStates() {
	for _, s := range a.roots() {
		if !s.busy {
			s.readState(a.tf)
		}
	}
}

// rereadEvery is the longest time without a look at the states.
const rereadEvery = 5 * time.Second

// uncertain reports whether the true size is unknown, or a step that may have
// been interrupted is not finished: nothing new is decided about nodes then.
func (a *actuator) uncertain() bool {
	return slices.ContainsFunc(a.shards, func(s *shard) bool { return s.stateErr != nil || s.unsure })
}

func (a *actuator) idle(s *shard, now time.Time) bool {
	return !s.busy && s.stateErr == nil && !now.Before(s.retryAt)
}

// advanceBase brings what the shards share in line with the description, and
// destroys it when it is not needed any more.
func (a *actuator) advanceBase(ctx context.Context, now time.Time) {
	s := a.base
	if s == nil || !a.idle(s, now) {
		return
	}
	switch {
	case a.dismissed || !a.needsBase:
		if len(s.state.Resources) > 0 && (!a.dismissed || a.shardsEmpty()) {
			a.start(ctx, s, Expect{Delete: sortedKeys(s.state.Resources), Destroy: true})
		}
	case !a.basePlanned || len(a.deadShared) > 0:
		a.start(ctx, s, Expect{Shared: a.shared, Replace: slices.Clone(a.deadShared)})
	}
}

// baseReady reports whether new nodes can rely on what the shards share.
func (a *actuator) baseReady() bool {
	return a.base == nil || !a.needsBase || a.basePlanned
}

// finishWritten starts the steps of shards whose node set is written and not
// carried out: after a restart, and after a failure.
func (a *actuator) finishWritten(ctx context.Context, now time.Time) {
	for _, s := range a.shards {
		if !a.idle(s, now) || s.stale() && !a.baseReady() {
			continue
		}
		if s.pending(a.module) {
			a.start(ctx, s, s.expect(a.module))
		} else {
			s.unsure, s.failures, s.retryAt, s.err = false, 0, time.Time{}, nil
		}
	}
}

// reconcile rewrites node sets until they fit the wish.
func (a *actuator) reconcile(ctx context.Context, now time.Time) error {
	edits := map[*shard]tfgen.Nodes{}
	a.dropDoomed(edits)
	alive := a.alive()
	switch diff := a.wish.nodes - len(alive); {
	case diff > 0 && a.desc != nil && a.baseReady() && !now.Before(a.creating.retryAt):
		if err := a.grow(ctx, edits, diff, now); err != nil {
			return err
		}
	case diff < 0:
		a.shrink(edits, alive, -diff)
	}
	if a.creating.err != nil && a.done() {
		a.noteCreation(nil) // what failed is not wanted any more
	}
	for _, s := range a.shards {
		if nodes, ok := edits[s]; ok {
			if err := a.rewrite(ctx, s, nodes); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropDoomed takes the nodes that must go out of the node sets of shards that
// have no step in flight.
func (a *actuator) dropDoomed(edits map[*shard]tfgen.Nodes) {
	for _, s := range a.shards {
		if s.busy {
			continue
		}
		for name := range s.nodes {
			if a.doomed[name] || s.broken(a.module, name) {
				a.doomed[name] = true
				delete(edit(edits, s), name)
			}
		}
	}
}

// edit returns the node set of the shard to change, a copy at first.
func edit(edits map[*shard]tfgen.Nodes, s *shard) tfgen.Nodes {
	if _, ok := edits[s]; !ok {
		edits[s] = maps.Clone(s.nodes)
	}
	return edits[s]
}

// member is a node and the shard that it is in.
type member struct {
	name  string
	shard *shard
}

// alive lists the nodes that are written and not doomed.
func (a *actuator) alive() []member {
	var alive []member
	for _, s := range a.shards {
		for _, name := range sortedKeys(s.nodes) {
			if !a.doomed[name] {
				alive = append(alive, member{name, s})
			}
		}
	}
	return alive
}

// grow writes n new nodes, into shards that have room and no step in flight, else
// into new shards: a scale-out waits for nothing.
func (a *actuator) grow(ctx context.Context, edits map[*shard]tfgen.Nodes, n int, now time.Time) error {
	first := a.next
	if err := a.store.SaveNextNumber(ctx, a.app, a.group, first+n); err != nil {
		return err
	}
	a.next = first + n
	for number := first; number < first+n; number++ {
		name := tfgen.NodeName(a.group, number)
		s, err := a.roomy(edits, now)
		if err != nil {
			return err
		}
		if err := a.store.SaveNode(ctx, a.app, a.group, name, NodeTimes{CreatedAt: now}); err != nil {
			return err
		}
		a.created[name] = now
		edit(edits, s)[name] = a.settings(number).Decided(a.decision())
	}
	return nil
}

// decision is the decision that is carried out, 0 where there is none.
func (a *actuator) decision() int64 {
	if a.wish == nil {
		return 0
	}
	return a.wish.decision
}

// roomy finds or makes a shard that takes one more node now.
func (a *actuator) roomy(edits map[*shard]tfgen.Nodes, now time.Time) (*shard, error) {
	for _, s := range a.shards {
		size := len(s.nodes)
		if nodes, ok := edits[s]; ok {
			size = len(nodes)
		}
		if a.idle(s, now) && size < a.desc.group.ShardSize {
			return s, nil
		}
	}
	name := tfgen.ShardName(len(a.shards))
	s := &shard{name: name, dir: filepath.Join(a.dir, name), nodes: tfgen.Nodes{}}
	if err := s.writeModule(a.module, a.handed()); err != nil {
		return nil, err
	}
	s.readState(a.tf)
	a.shards = append(a.shards, s)
	return s, s.stateErr
}

// shrink takes n nodes out of the node sets: those that do not exist yet first,
// then those with old settings, then the newest; protected nodes never. Nodes of a shard with a step in
// flight wait for its end.
func (a *actuator) shrink(edits map[*shard]tfgen.Nodes, alive []member, n int) {
	rank := func(m member) int {
		switch {
		case !m.shard.exists(a.module, m.name):
			return 0
		case a.outdated[m.name] != "":
			return 1
		default:
			return 2
		}
	}
	if a.desc != nil {
		alive = slices.DeleteFunc(alive, func(m member) bool { return protected(a.desc.group.Scaling.Victims, m.name) })
	}
	slices.SortFunc(alive, func(x, y member) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(tfgen.NodeNumber(y.name), tfgen.NodeNumber(x.name)))
	})
	for _, victim := range alive[:min(n, len(alive))] {
		if !victim.shard.busy {
			delete(edit(edits, victim.shard), victim.name)
		}
	}
}

// rewrite journals the intent, replaces the node set on disk and starts the step.
func (a *actuator) rewrite(ctx context.Context, s *shard, nodes tfgen.Nodes) error {
	if err := a.store.Journal(ctx, a.entry(s, "intent", difference(s.nodes, nodes))); err != nil {
		return err
	}
	if err := s.writeNodes(nodes); err != nil {
		return err
	}
	e := s.expect(a.module)
	if s.err != nil && e.creations() > 0 {
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

// checkDrift starts the drift check of the shard that waited longest, one at a
// time, where it is due.
func (a *actuator) checkDrift(ctx context.Context, now time.Time) {
	if a.checking != nil || a.driftEvery <= 0 || a.dismissed {
		return
	}
	var next *shard
	for _, s := range a.roots() {
		if s.busy || s.stateErr != nil || len(s.state.Resources) == 0 {
			continue
		}
		if _, ok := a.checked[s.name]; !ok {
			a.checked[s.name] = now // what was just applied is not checked at once
		}
		if now.Sub(a.checked[s.name]) >= a.driftEvery && (next == nil || a.checked[s.name].Before(a.checked[next.name])) {
			next = s
		}
	}
	if next == nil {
		return
	}
	a.checking = next
	root, addresses, written := a.root(next), sortedKeys(next.state.Resources), a.written(next)
	go func() {
		r := result{shard: next, check: true, dead: a.inspect.Dead(root.Dir, addresses)}
		r.drift, r.err = a.tf.Drift(ctx, root)
		a.reap(ctx, root.Dir, written)
		a.results <- r
	}()
}

// roots are the base, where there is one, and the shards.
func (a *actuator) roots() []*shard {
	if a.base == nil {
		return a.shards
	}
	return append([]*shard{a.base}, a.shards...)
}

func (a *actuator) shardsEmpty() bool {
	return !slices.ContainsFunc(a.shards, func(s *shard) bool { return s.busy || !s.empty() })
}

// gone reports whether a dismissed group has nothing left.
func (a *actuator) gone() bool {
	return len(a.steps) == 0 && a.checking == nil && a.shardsEmpty() &&
		(a.base == nil || len(a.base.state.Resources) == 0)
}

func (a *actuator) remove(ctx context.Context) error {
	if err := os.RemoveAll(a.dir); err != nil {
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
		if s.pending(a.module) {
			return false
		}
	}
	return len(a.doomed) == 0 && len(a.alive()) == a.wish.nodes
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
	for _, s := range a.roots() {
		sooner(s.retryAt)
		if at, ok := a.checked[s.name]; ok && a.driftEvery > 0 {
			sooner(at.Add(a.driftEvery))
		}
	}
	return max(wait, 10*time.Millisecond)
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
