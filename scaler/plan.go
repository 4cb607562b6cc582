package scaler

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// ApplicationPlan is what applying a description would do, as Terraform plans it.
type ApplicationPlan struct {
	Application string `json:"application"`
	// New is set where the application does not run yet.
	New    bool        `json:"new"`
	Groups []GroupPlan `json:"groups"`
}

// GroupPlan is the part of one group.
type GroupPlan struct {
	Name  string `json:"name"`
	Cloud string `json:"cloud,omitempty"`
	// From and To are the wanted nodes before and after.
	From int `json:"from"`
	To   int `json:"to"`
	// Removed is set where the description does not have the group any more.
	Removed bool `json:"removed,omitempty"`
	// Shards is the number of root modules that the plan touches.
	Shards int `json:"shards"`
	// Changes are Terraform's, in the order of shards.
	Changes []Change `json:"changes,omitempty"`
	// Cost is what the group's nodes cost before and after, where a price list was
	// given that says it.
	Cost *Cost `json:"cost,omitempty"`
	// Notes say what a reader of the changes would not see.
	Notes []string `json:"notes,omitempty"`
}

// Cost is what a group's nodes cost an hour.
type Cost struct {
	Before   float64 `json:"before_per_hour"`
	After    float64 `json:"after_per_hour"`
	Currency string  `json:"currency"`
}

// Changes reports whether applying would change any resource.
func (p ApplicationPlan) Changes() bool {
	return slices.ContainsFunc(p.Groups, func(g GroupPlan) bool { return len(g.Changes) > 0 })
}

// Plan says what submitting the description would do now. It changes nothing.
func (s *Service) Plan(ctx context.Context, source Source) (ApplicationPlan, error) {
	described, err := s.Validate(source)
	if err != nil {
		return ApplicationPlan{}, err
	}
	a, err := s.application(ctx, described.Name)
	if errors.Is(err, ErrNotFound) {
		return PlanNew(ctx, described, s.config.Terraform, s.config.Checks, true)
	}
	if err != nil {
		return ApplicationPlan{}, err
	}
	var sources []planSource
	err = a.order(ctx, func(context.Context) error {
		sources = a.planSources(described)
		return a.moves(described)
	})
	if err != nil {
		return ApplicationPlan{}, err
	}
	for i := range sources {
		if err := s.number(ctx, described.Name, &sources[i]); err != nil {
			return ApplicationPlan{}, err
		}
	}
	return planAll(ctx, described, s.config.Terraform, s.config.Checks, sources, false)
}

// PlanNew says what a first submission of the description would do. Without access
// to the clouds, terraform is asked about local groups only; what the others would
// create is known from what is generated. Checks that are not nil are asked about
// every plan that terraform makes.
func PlanNew(ctx context.Context, described *spec.Application, tf Terraform, checks Checks, access bool) (ApplicationPlan, error) {
	var sources []planSource
	for i := range described.Groups {
		source := newSource(&described.Groups[i])
		source.generated = !access && source.described.Cloud != spec.CloudLocal
		sources = append(sources, source)
	}
	return planAll(ctx, described, tf, checks, sources, true)
}

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

func planAll(ctx context.Context, described *spec.Application, tf Terraform, checks Checks, sources []planSource, isNew bool) (ApplicationPlan, error) {
	plan := ApplicationPlan{Application: described.Name, New: isNew}
	dir, err := os.MkdirTemp("", "scalerd-plan-")
	if err != nil {
		return plan, fmt.Errorf("plan: %w", err)
	}
	defer os.RemoveAll(dir)
	for _, source := range sources {
		group, err := planGroup(ctx, described, tf, checks, source, filepath.Join(dir, source.name))
		if err != nil {
			return plan, fmt.Errorf("plan group %s: %w", source.name, err)
		}
		plan.Groups = append(plan.Groups, group)
	}
	return plan, nil
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

// copyGroup copies what terraform needs for a plan: the modules, node sets and
// states, but no plugins.
func copyGroup(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fmt.Errorf("copy group: %w", err)
	}
	if from == "" {
		return nil
	}
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case entry.IsDir() && entry.Name() == ".terraform":
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(target, 0o700)
		case !entry.Type().IsRegular() || !copied(entry.Name()):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if entry.Name() == RemoteStateFile {
			target = filepath.Join(filepath.Dir(target), "terraform.tfstate")
		}
		return os.WriteFile(target, text, 0o600)
	})
}

func copied(name string) bool {
	return name != tfgen.BackendFile && (strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".tfstate") ||
		strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".yaml"))
}

// dryStore is a Store for a plan: it remembers nothing.
type dryStore struct {
	Store
	row StoredGroup
}

func (d dryStore) Group(context.Context, string, string) (StoredGroup, error) { return d.row, nil }

func (d dryStore) Nodes(context.Context, string, string) (map[string]NodeTimes, error) {
	return nil, nil
}

// OpenSteps are none: a plan finishes nothing that a killed scalerd left.
func (d dryStore) OpenSteps(context.Context, string, string) ([]StepRecord, error) { return nil, nil }

func (d dryStore) SaveNextNumber(context.Context, string, string, int) error { return nil }

func (d dryStore) SaveNodes(context.Context, string, string, map[string]NodeTimes) error { return nil }

func (d dryStore) SaveDrain(context.Context, string, string, string, NodeDrain) error { return nil }
