package scaler

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
)

func (a *application) group(name string) *group {
	for _, g := range a.groups {
		if g.name == name {
			return g
		}
	}
	return nil
}

func (a *application) describeGroup(ctx context.Context, described *spec.Group) error {
	policies, err := newPolicies(a.spec, described)
	if err != nil {
		return err
	}
	g := a.group(described.Name)
	if g != nil && g.actuator.Fleet().Removed {
		a.forgetRemoved()
		g = nil
	}
	var before []*shadow
	if g != nil {
		before = g.shadows
	}
	shadows, err := newShadows(a.spec, described, before)
	if err != nil {
		return err
	}
	if g == nil {
		if g, err = a.openGroup(ctx, described.Name, &description{a.spec, described}); err != nil {
			return err
		}
	} else {
		g.actuator.describe(description{a.spec, described})
	}
	if err := a.restoreShadows(ctx, g, shadows); err != nil {
		return err
	}
	g.spec, g.policies, g.shadows, g.removing, g.statuses = described, policies, shadows, false, nil
	if err := a.describeOptimizer(g, !g.row.Known); err != nil {
		return err
	}
	if !g.row.Known {
		return a.decideFirst(ctx, g)
	}
	g.ask(g.row.Dropping, 0)
	return nil
}

// openGroup loads a group from disk and starts its actuator.
func (a *application) openGroup(ctx context.Context, name string, d *description) (*group, error) {
	row, err := a.config.Store.Group(ctx, a.name, name)
	if err != nil {
		return nil, err
	}
	times, err := a.config.Store.Nodes(ctx, a.name, name)
	if err != nil {
		return nil, err
	}
	installation, err := a.config.Store.Installation(ctx)
	if err != nil {
		return nil, err
	}
	act := &actuator{
		app: a.name, group: name,
		dir:        filepath.Join(a.dir(), name),
		disk:       a.config.disk,
		tf:         a.config.Terraform,
		store:      a.config.Store,
		inspect:    a.config.Inspector,
		driftEvery: a.config.DriftEvery, driftBudget: a.config.driftBudget,

		installation: installation,
		lookupEvery:  a.config.LookupEvery,
		lookupGrace:  a.config.LookupGrace,
		metrics:      a.config.Metrics,
		log:          a.log.With("group", name),
		rnd:          newRand(a.name, name),
		checks:       a.config.Checks,
		drainer:      a.config.Drainer,
		changed: func() {
			select {
			case a.changed <- struct{}{}:
			default:
			}
		},
	}
	if err := act.load(ctx, d); err != nil {
		return nil, fmt.Errorf("group %s: %w", name, err)
	}
	now := time.Now()
	g := &group{name: name, row: row, actuator: act, history: row.history(), prices: a.config.Prices, account: row.Remembered.Spending, pending: maps.Clone(row.Remembered.Pending), ready: map[string]time.Time{}, up: map[string]bool{}}
	for node, t := range times {
		if !t.ReadyAt.IsZero() {
			g.ready[node] = notAfter(t.ReadyAt, now)
		}
	}
	for _, at := range row.Remembered.Replaced {
		g.replaced = append(g.replaced, notAfter(at, now))
	}
	g.failedBoots = row.Remembered.FailedBoots
	for name, since := range g.pending {
		g.pending[name] = notAfter(since, now)
	}
	g.warmup.restore(times)
	a.groups = append(a.groups, g)
	a.restoreShared(row)
	a.wg.Go(func() { act.run(ctx) })
	return g, nil
}

// dismissUndescribed removes the groups that the description does not have (any
// more): those that run, and those whose folder is there.
func (a *application) dismissUndescribed(ctx context.Context) error {
	if a.spec == nil && !a.stored.Destroying {
		return nil
	}
	names, err := groupDirs(a.dir())
	if err != nil {
		return err
	}
	for _, g := range a.groups {
		names = append(names, g.name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if a.spec != nil && !a.stored.Destroying && a.spec.Group(name) != nil {
			continue
		}
		g := a.group(name)
		if g == nil {
			if g, err = a.openGroup(ctx, name, nil); err != nil {
				return err
			}
		}
		g.removing = true
		g.actuator.dismissGroup()
	}
	return nil
}

// sweep forgets groups that are gone, and the application with the last one of a
// destroyed one.
func (a *application) sweep(ctx context.Context) {
	if wanted := a.forgetRemoved(); wanted {
		if err := a.complete(ctx); err != nil { // tried again at each tick
			a.problem = err.Error()
			a.log.Error("application is not complete", "error", err)
		}
	}
	if !a.stored.Destroying || len(a.groups) > 0 {
		return
	}
	// One that could not be opened, as on a full disk, has its machines and its states.
	if err := a.dismissUndescribed(ctx); err != nil {
		a.problem = err.Error()
		a.log.Error("groups can't be removed", "error", err)
		return
	}
	if len(a.groups) > 0 {
		return
	}
	if err := errors.Join(a.config.disk.remove(a.dir()), a.config.Store.DeleteApplication(ctx, a.name)); err != nil {
		a.problem = err.Error()
		a.log.Error("application can't be removed", "error", err)
		return
	}
	a.log.Info("application destroyed")
	a.destroyed = true
}

// forgetRemoved forgets the groups that are gone. It reports whether one of them is
// wanted: described again when its actuator could not take that any more.
func (a *application) forgetRemoved() (wanted bool) {
	a.groups = slices.DeleteFunc(a.groups, func(g *group) bool {
		if !g.actuator.Fleet().Removed {
			return false
		}
		wanted = wanted || !g.removing
		a.config.Metrics.forget(a.name, g.name)
		if g.advisor != nil {
			a.config.optimizers.retire(g.advisor.Advisor)
		}
		a.log.Info("group removed", "group", g.name)
		return true
	})
	return wanted
}

// groupDirs lists the groups that have a folder.
func groupDirs(appDir string) ([]string, error) {
	entries, err := os.ReadDir(appDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), goneMark) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
