package scaler

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// planSource is where a group's plan starts from.
type planSource struct {
	name string
	// described is nil for a group that goes.
	described *spec.Group
	before    *spec.Group
	// dir is the running group's folder, or "".
	dir      string
	row      StoredGroup
	from, to int
	// drop are nodes that go, whatever the sizes are.
	drop []string
	// generated is set where terraform is not asked.
	generated bool
}

func newSource(g *spec.Group) planSource {
	return planSource{name: g.Name, described: g, to: min(max(g.Initial, g.Min), g.Max)}
}

// planSources is called in the application's goroutine.
func (a *application) planSources(described *spec.Application) []planSource {
	var sources []planSource
	for i := range described.Groups {
		d := &described.Groups[i]
		g := a.group(d.Name)
		if g == nil {
			sources = append(sources, newSource(d))
			continue
		}
		sources = append(sources, planSource{
			name: d.Name, described: d, before: g.spec, dir: g.actuator.dir, row: g.row,
			from: g.row.Wanted, to: min(max(g.row.Wanted, d.Min), d.Max),
		})
	}
	for _, g := range a.groups {
		if described.Group(g.name) == nil {
			sources = append(sources, planSource{name: g.name, before: g.spec, dir: g.actuator.dir, row: g.row, from: g.row.Wanted})
		}
	}
	return sources
}

// planGroup lets an actuator rewrite a copy of the group, and plans the copy.
func planGroup(ctx context.Context, described *spec.Application, tf Terraform, checks Checks, source planSource, dir string) (GroupPlan, error) {
	plan := GroupPlan{Name: source.name, From: source.from, To: source.to, Removed: source.described == nil}
	if err := copyGroup(source.dir, dir); err != nil {
		return plan, err
	}
	// What is known of the states is planned on, as files: a plan of ours needs no
	// lock and makes nothing in a backend.
	local := *described
	local.Backend = nil
	described = &local
	a := &actuator{app: described.Name, group: source.name, dir: dir, tf: tf, store: dryStore{row: source.row}, checks: checks, log: slog.New(slog.DiscardHandler)}
	var desc *description
	if source.described != nil {
		plan.Cloud = string(source.described.Cloud)
		desc = &description{described, source.described}
	}
	if err := a.load(ctx, desc); err != nil {
		return plan, err
	}
	a.basePlanned = true
	a.wish = &wish{nodes: source.to}
	if a.desc != nil && a.desc.group.Drain != nil { // a plan waits for no drain
		group := *a.desc.group
		group.Drain = nil
		a.desc = &description{a.desc.app, &group}
	}
	edits := map[*shard]tfgen.Nodes{}
	for _, name := range source.drop {
		a.doomed[name] = true
		for _, s := range a.shards {
			if _, there := s.nodes[name]; there {
				delete(edit(edits, s), name)
			}
		}
	}
	alive := a.alive()
	if diff := source.to - len(alive); diff > 0 {
		if err := a.grow(ctx, edits, diff, time.Now()); err != nil {
			return plan, err
		}
	} else {
		a.shrink(edits, alive, -diff, time.Now())
	}
	plan.Notes = notes(source, a)
	for s, nodes := range edits {
		if err := s.writeNodes(nodes); err != nil {
			return plan, err
		}
	}
	return plan, a.planRoots(ctx, &plan, source.generated)
}

// planRoots plans the base and every shard whose node set differs from its state.
func (a *actuator) planRoots(ctx context.Context, plan *GroupPlan, generated bool) error {
	for _, s := range a.roots() {
		e := s.expect(a.module)
		if generated || s != a.base && a.module.TakesShared() && a.handed() == nil {
			// What the base will hand over is not known before it is applied.
			plan.generated(e, s == a.base, a.shared)
			continue
		}
		switch {
		case s.stateErr != nil:
			return s.stateErr
		case s == a.base && (a.dismissed || !a.needsBase):
			for _, address := range e.Delete {
				plan.Changes = append(plan.Changes, Change{Address: address, Action: ActionDelete})
			}
			continue
		case s == a.base:
			e = Expect{Shared: a.shared}
		case e.empty() && !s.stale():
			continue
		}
		changes, err := a.planned(ctx, s, e)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			plan.Shards++
		}
		plan.Changes = append(plan.Changes, changes...)
	}
	return nil
}

// planned plans a root module, and asks the checks where there are any.
func (a *actuator) planned(ctx context.Context, s *shard, e Expect) ([]Change, error) {
	if a.checks != nil {
		return a.tf.Check(ctx, a.root(s), e, nil, a.policies(s))
	}
	changes, err := a.tf.Plan(ctx, a.root(s))
	if err != nil {
		return nil, err
	}
	return changes, e.Check(changes)
}

// generated adds what is known without terraform of a root module.
func (plan *GroupPlan) generated(e Expect, base bool, shared []string) {
	const note = "terraform was not asked: these changes are known from what is generated"
	if !slices.Contains(plan.Notes, note) {
		plan.Notes = append(plan.Notes, note)
	}
	plan.Shards++
	if base {
		e = Expect{Create: shared}
	}
	for _, address := range e.Create {
		plan.Changes = append(plan.Changes, Change{Address: address, Action: ActionCreate})
	}
	if e.Within != nil {
		for _, node := range e.Within.Create {
			plan.Changes = append(plan.Changes, e.Within.change(node, ActionCreate))
		}
	}
}

// notes tell what the list of changes does not show.
func notes(source planSource, a *actuator) []string {
	var notes []string
	if source.described == nil {
		return []string{"the group is not in the description any more: all it has is destroyed"}
	}
	if note := rolloutNote(a.outdated, source.described.Rollout); note != "" {
		notes = append(notes, note)
	}
	if b := source.before; b != nil && (b.Min != source.described.Min || b.Max != source.described.Max) {
		notes = append(notes, fmt.Sprintf("min..max changes from %d..%d to %d..%d", b.Min, b.Max, source.described.Min, source.described.Max))
	}
	return notes
}
