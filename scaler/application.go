package scaler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
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
