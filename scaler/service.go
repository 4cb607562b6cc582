package scaler

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/scalerd/scalerd/tfgen/price"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// Config is what a Service works with. Every exported field but Checks, Prices and
// Decided is required.
type Config struct {
	// Data is the folder with everything on disk.
	Data      string
	Store     Store
	Terraform Terraform
	// Monitor opens the monitoring of an application, whose folder is appDir.
	Monitor   func(app *spec.Application, appDir string) (Monitor, error)
	Inspector Inspector
	// CheckQuery says what is wrong with a PromQL expression.
	CheckQuery func(promql string) error
	// DriftEvery is the time between two drift checks of a shard.
	DriftEvery time.Duration
	// DriftPerHour and DriftAtOnce bound the drift checks of all groups; 0 is no limit.
	DriftPerHour, DriftAtOnce int
	// LookupEvery is the time between two looks in the cloud for machines that no
	// state tells of, 0 for none without cause; LookupGrace is how long a cloud may take
	// to show what it made, and to hide what it deleted.
	LookupEvery, LookupGrace time.Duration
	Metrics                  *Metrics
	Log                      *slog.Logger
	// Checks are asked about every plan; nil for none.
	Checks  Checks
	Drainer Drainer
	// Prices says what nodes cost; it is nil where only descriptions say it.
	Prices *price.List
	// Decided hears of every decision that changes something, after it was recorded; it
	// may be nil.
	Decided func(Decision)

	optimizers  *Optimizers
	driftBudget *driftBudget
	disk        disk
}

// Service runs any number of applications, each in goroutines of its own, so that
// one that fails or waits never delays another. Its methods are safe for
// concurrent use; all but Run wait until Run has loaded what is stored.
type Service struct {
	config Config
	loaded chan struct{}
	spawn  chan *application

	mu   sync.Mutex
	apps map[string]*application
}

// NewService returns a Service that does nothing until Run.
func NewService(config Config) *Service {
	config.optimizers = newOptimizers(config)
	config.driftBudget = newDriftBudget(config.DriftAtOnce, config.DriftPerHour)
	return &Service{
		config: config,
		loaded: make(chan struct{}),
		spawn:  make(chan *application),
		apps:   map[string]*application{},
	}
}

// Run loads the stored applications and runs them until ctx ends; then it waits
// for the terraform processes in flight, which are interrupted gracefully.
func (s *Service) Run(ctx context.Context) error {
	defer s.config.optimizers.close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { s.config.optimizers.run(ctx) })
	run := func(a *application) {
		wg.Go(func() {
			a.run(ctx)
			s.forget(a)
		})
	}
	if err := s.config.disk.sweepStrays(filepath.Join(s.config.Data, "apps"), 3); err != nil {
		s.config.Log.Warn("what was cut short is left on disk", "error", err)
	}
	stored, err := s.config.Store.Applications(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load applications: %w", err)
	}
	for _, row := range stored {
		a := s.restore(row)
		run(a)
		<-a.started
	}
	if err := s.config.optimizers.restore(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("load optimizers: %w", err)
	}
	close(s.loaded)
	for {
		select {
		case a := <-s.spawn:
			run(a)
		case <-ctx.Done():
			return nil
		}
	}
}

// restore makes the runtime of a stored application. One whose description can't
// be read any more is shown with that problem, and its nodes are left alone.
func (s *Service) restore(row StoredApplication) *application {
	// A price that is gone since is no reason to leave a fleet alone: Decide answers it.
	described, _, err := Validate(Source{File: row.File, Text: row.Text, Params: row.Params, Name: row.Name}, s.config.CheckQuery)
	a := newApplication(s.config, row, described)
	if err != nil {
		a.problem = fmt.Sprintf("the stored description is not valid any more, so its nodes are left alone: %v", err)
		s.config.Log.Error("stored description is not valid", "application", row.Name, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[row.Name] = a
	return a
}

func (s *Service) forget(a *application) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.destroyed && s.apps[a.name] == a {
		delete(s.apps, a.name)
		close(a.published.Load().replaced)
	}
}

// Loaded is closed when the stored applications run.
func (s *Service) Loaded() <-chan struct{} { return s.loaded }

func (s *Service) application(ctx context.Context, name string) (*application, error) {
	select {
	case <-s.loaded:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.apps[name]
	if !ok {
		return nil, fmt.Errorf("application %s: %w", name, ErrNotFound)
	}
	return a, nil
}

// Applications are the states of all applications, by name.
func (s *Service) Applications() []ApplicationStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	statuses := make([]ApplicationStatus, 0, len(s.apps))
	for _, a := range s.apps {
		statuses = append(statuses, a.published.Load().status)
	}
	slices.SortFunc(statuses, func(x, y ApplicationStatus) int { return cmp.Compare(x.Name, y.Name) })
	return statuses
}

// Application is the state of one application, or ErrNotFound.
func (s *Service) Application(ctx context.Context, name string) (ApplicationStatus, error) {
	a, err := s.application(ctx, name)
	if err != nil {
		return ApplicationStatus{}, err
	}
	return a.published.Load().status, nil
}

// Nodes are the application's nodes by group and name.
func (s *Service) Nodes(ctx context.Context, name string) ([]NodeStatus, error) {
	a, err := s.application(ctx, name)
	if err != nil {
		return nil, err
	}
	return a.published.Load().nodes, nil
}

// GroupOrphans is what the clouds have of a group and no state tells of.
type GroupOrphans struct {
	Application string `json:"application"`
	Group       string `json:"group"`
	Cloud       string `json:"cloud"`
	LookupStatus
}

// Orphans are those of one group or, with an empty name, of all groups of the
// application.
func (s *Service) Orphans(ctx context.Context, app, group string) ([]GroupOrphans, error) {
	status, err := s.Application(ctx, app)
	if err != nil {
		return nil, err
	}
	all := []GroupOrphans{}
	for _, g := range status.Groups {
		if group == "" || group == g.Name {
			all = append(all, GroupOrphans{Application: app, Group: g.Name, Cloud: g.Cloud, LookupStatus: g.Lookup})
		}
	}
	if group != "" && len(all) == 0 {
		return nil, fmt.Errorf("group %s of application %s: %w", group, app, ErrNotFound)
	}
	return all, nil
}

// Decisions are the newest decisions first, of one group or, with an empty name,
// of all. Ticks that changed nothing are not kept.
func (s *Service) Decisions(ctx context.Context, app, group string, limit int) ([]Decision, error) {
	if _, err := s.application(ctx, app); err != nil {
		return nil, err
	}
	return s.config.Store.Decisions(ctx, app, group, limit)
}

// Steps are the newest steps first, of one group or, with an empty name, of all.
func (s *Service) Steps(ctx context.Context, app, group string, limit int) ([]StepRecord, error) {
	if _, err := s.application(ctx, app); err != nil {
		return nil, err
	}
	return s.config.Store.Steps(ctx, app, group, limit)
}

// Decision is one decision with the steps that carried it out, oldest first.
func (s *Service) Decision(ctx context.Context, id int64) (Decision, []StepRecord, error) {
	d, err := s.config.Store.Decision(ctx, id)
	if err != nil {
		return Decision{}, nil, err
	}
	steps, err := s.config.Store.StepsOf(ctx, id)
	return d, steps, err
}
