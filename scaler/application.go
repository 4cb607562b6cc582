package scaler

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// Monitor answers the queries of one application. Implementations are safe for
// concurrent use.
type Monitor interface {
	// Query evaluates a PromQL expression at an instant. It never fails: a missing
	// value is part of the Reading.
	Query(ctx context.Context, promql string, at time.Time) policy.Reading
	// Watch replaces the endpoints to scrape. An unchanged list costs nothing.
	Watch(targets []Target) error
	Close() error
}

// application is the runtime of one application. One goroutine, run, owns all of
// it but what is published.
type application struct {
	name   string
	config Config
	log    *slog.Logger
	// wg counts the actuators' goroutines.
	wg sync.WaitGroup

	orders  chan order
	changed chan struct{}
	// started is closed when the first view is published, ended when run returns.
	started, ended chan struct{}

	stored   StoredApplication
	spec     *spec.Application
	monitor  Monitor
	groups   []*group
	problem  string
	tickedAt time.Time
	// received are the alerts that an Alertmanager told of.
	received received
	// sharedData is the m_userdata of all rules, where they share it.
	sharedData []byte
	// destroyed is set when nothing is left.
	destroyed bool

	published atomic.Pointer[view]
	shown     shown
	observed  observations
	// publishNext is when a change of a group is published again: the larger the
	// application, the more changes one view shows, and at most a third of the time
	// goes into views.
	publishNext time.Time
	heart       heartbeat
}

// view is what readers of an application see; it is never changed.
type view struct {
	status ApplicationStatus
	nodes  []NodeStatus
	stored StoredApplication
	drift  []GroupDrift
	// replaced is closed when there is a newer view, or the application is gone.
	replaced chan struct{}
}

// order is something to do between two ticks, in the application's goroutine.
type order struct {
	do   func(context.Context) error
	done chan error
}

func newApplication(config Config, stored StoredApplication, described *spec.Application) *application {
	a := &application{
		name:    stored.Name,
		config:  config,
		log:     config.Log.With("application", stored.Name),
		orders:  make(chan order),
		changed: make(chan struct{}, 1),
		started: make(chan struct{}),
		ended:   make(chan struct{}),
		stored:  stored,
		spec:    described,
	}
	a.published.Store(&view{status: ApplicationStatus{Name: stored.Name}, stored: stored, replaced: make(chan struct{})})
	return a
}

func (a *application) dir() string { return filepath.Join(a.config.Data, "apps", a.name) }

// order runs do in the application's goroutine and waits for it.
func (a *application) order(ctx context.Context, do func(context.Context) error) error {
	o := order{do: do, done: make(chan error, 1)}
	select {
	case a.orders <- o:
	case <-a.ended:
		return fmt.Errorf("application %s: %w", a.name, ErrNotFound)
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run ticks until ctx ends or the application is destroyed; then it waits for its
// actuators.
func (a *application) run(ctx context.Context) {
	defer close(a.ended)
	defer a.wg.Wait()
	defer a.keepLastObserved(ctx)
	if err := a.start(ctx); err != nil {
		a.log.Error("application is not complete", "error", err)
		a.problem = err.Error()
	}
	defer func() {
		if a.monitor != nil {
			a.monitor.Close()
		}
	}()
	a.sweep(ctx) // of one that goes, all may be gone but its row
	a.publish(time.Now())
	close(a.started)
	ticker := time.NewTicker(a.interval())
	defer ticker.Stop()
	var late <-chan time.Time
	for !a.destroyed {
		a.heart.beat(time.Now(), a.interval())
		select {
		case <-ctx.Done():
			return
		case o := <-a.orders:
			interval := a.interval()
			incomplete := a.complete(ctx)
			err := o.do(ctx)
			if incomplete != nil && errors.Is(err, ErrNotFound) {
				err = incomplete // the group is there, and could not be brought up
			}
			a.publish(time.Now()) // who gave the order sees what it did
			o.done <- err
			if a.interval() != interval {
				ticker.Reset(a.interval())
			}
		case <-a.changed:
			a.sweep(ctx)
			if wait := time.Until(a.publishNext); wait > 0 && !a.destroyed {
				if late == nil {
					late = time.After(wait)
				}
				continue
			}
		case <-late:
		case now := <-ticker.C:
			a.tickTimed(ctx, now)
			a.sweep(ctx) // what could not be forgotten, on a full disk
		}
		late = nil
		start := time.Now()
		a.publish(start)
		a.publishNext = time.Now().Add(2 * time.Since(start))
	}
}

func (a *application) interval() time.Duration {
	if a.spec == nil {
		return time.Minute
	}
	return time.Duration(a.spec.Interval)
}

// start brings up what is stored: the described groups, and those whose removal
// was interrupted.
func (a *application) start(ctx context.Context) error {
	if err := a.config.disk.folder(a.dir()); err != nil {
		return fmt.Errorf("application folder: %w", err)
	}
	if a.stored.Destroying {
		return a.dismissUndescribed(ctx)
	}
	if err := a.received.load(a.dir()); err != nil {
		a.log.Warn("received alerts", "error", err)
	}
	if a.spec == nil {
		return nil // its description can't be read: its nodes are left alone
	}
	return a.describe(ctx, a.spec)
}

// describe makes the runtime fit a description: the first one, or a changed one.
func (a *application) describe(ctx context.Context, described *spec.Application) error {
	var errs []error
	if err := a.openMonitor(described); err != nil {
		errs = append(errs, err) // tried again at each tick
	}
	a.spec = described
	if w, ok := a.monitor.(alertWriter); ok {
		if err := w.WriteAlerts(described); err != nil {
			errs = append(errs, err)
		}
	}
	for i := range described.Groups {
		if err := a.describeGroup(ctx, &described.Groups[i]); err != nil {
			errs = append(errs, err)
		}
	}
	if err := a.dismissUndescribed(ctx); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// complete brings up the groups that could not be before, as on a full disk.
func (a *application) complete(ctx context.Context) error {
	if a.spec == nil || a.stored.Destroying {
		return nil
	}
	var errs []error
	for i := range a.spec.Groups {
		if g := a.group(a.spec.Groups[i].Name); g == nil || g.removing || !g.row.Known {
			errs = append(errs, a.describeGroup(ctx, &a.spec.Groups[i]))
		}
	}
	return errors.Join(errs...)
}

// openMonitor replaces the monitor where the description asks for another one.
func (a *application) openMonitor(described *spec.Application) error {
	if a.monitor != nil && a.spec != nil && sameMonitoring(a.spec, described) {
		return nil
	}
	monitor, err := a.config.Monitor(described, a.dir())
	if err != nil {
		return fmt.Errorf("monitoring: %w", err)
	}
	if a.monitor != nil {
		if err := a.monitor.Close(); err != nil {
			a.log.Warn("close monitoring", "error", err)
		}
	}
	a.monitor = monitor
	return nil
}

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
