package scaler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/scalerd/scalerd/optimizer"
)

// Optimizers are the optimizers at work: those of node groups, and those that an
// external loop made for itself. Its methods are safe for concurrent use.
type Optimizers struct {
	store   Knowledge
	metrics *optimizerMetrics
	log     *slog.Logger
	// jobs are what run does in goroutines of its own; ended is closed when it does
	// no more.
	jobs  chan func(context.Context)
	ended chan struct{}
	// slots bound the trainings that run at once.
	slots chan struct{}
	dirty chan struct{}

	mu  sync.Mutex
	all map[string]*Advisor
}

const (
	// longestTraining bounds one training.
	longestTraining = 2 * time.Minute
	// saveEvery is how long samples are gathered before they are written.
	saveEvery = 250 * time.Millisecond
	// mostOptimizers bounds those that belong to no group.
	mostOptimizers = 100
)

func newOptimizers(c Config) *Optimizers {
	return &Optimizers{
		store: c.Store, metrics: c.Metrics.optimizers, log: c.Log,
		jobs: make(chan func(context.Context)), ended: make(chan struct{}),
		slots: make(chan struct{}, max(1, runtime.NumCPU()/2)),
		dirty: make(chan struct{}, 1),
		all:   map[string]*Advisor{},
	}
}

// run does the jobs until ctx ends, then waits for them and writes what is not in
// the store yet.
func (o *Optimizers) run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { o.write(ctx) })
	for {
		select {
		case job := <-o.jobs:
			wg.Go(func() { job(ctx) })
		case <-ctx.Done():
			close(o.ended)
			wg.Wait()
			return
		}
	}
}

// do hands a job to run, or calls dropped where that has ended.
func (o *Optimizers) do(job func(context.Context), dropped func()) {
	select {
	case o.jobs <- job:
	case <-o.ended:
		dropped()
	}
}

// write keeps the store up to date.
func (o *Optimizers) write(ctx context.Context) {
	for {
		select {
		case <-o.dirty:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(saveEvery):
		case <-ctx.Done():
			return
		}
		o.flush(ctx)
	}
}

func (o *Optimizers) flush(ctx context.Context) {
	for _, a := range o.Advisors() {
		if err := a.flush(ctx); err != nil && ctx.Err() == nil {
			o.log.Warn("samples not kept", "optimizer", a.name, "error", err)
		}
	}
}

// close writes what the last ticks left. It is called when nobody adds any more.
func (o *Optimizers) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	o.flush(ctx)
}

func (o *Optimizers) wake() {
	select {
	case o.dirty <- struct{}{}:
	default:
	}
}

// Advisors are all optimizers, by name.
func (o *Optimizers) Advisors() []*Advisor {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make([]*Advisor, 0, len(o.all))
	for _, name := range sortedKeys(o.all) {
		all = append(all, o.all[name])
	}
	return all
}

// train runs a training in a goroutine of its own. The advisor's lock is held.
func (o *Optimizers) train(a *Advisor, job *training) {
	stop, cancel := context.WithCancel(context.Background())
	job.cancel = cancel
	o.do(func(ctx context.Context) {
		ctx, end := context.WithCancel(ctx)
		defer end()
		defer context.AfterFunc(stop, end)()
		trained, err := o.inTurn(ctx, job.trainer)
		cancel()
		o.finish(a, job, trained, err)
	}, func() {
		cancel()
		job.done, job.err = true, context.Canceled
		close(job.ended)
	})
}

// inTurn waits for a slot and trains.
func (o *Optimizers) inTurn(ctx context.Context, t optimizer.Trainer) (*optimizer.Trained, error) {
	select {
	case o.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-o.slots }()
	ctx, release := context.WithTimeout(ctx, longestTraining)
	defer release()
	return trainSafely(ctx, t)
}

// trainSafely turns a panic over odd samples into a failed training.
func trainSafely(ctx context.Context, t optimizer.Trainer) (trained *optimizer.Trained, err error) {
	defer func() {
		if r := recover(); r != nil {
			trained, err = nil, fmt.Errorf("training panicked: %v", r)
		}
	}()
	return t.Train(ctx)
}

func (o *Optimizers) finish(a *Advisor, job *training, trained *optimizer.Trained, err error) {
	took := time.Since(job.since)
	o.metrics.trained(a.name, err, took)
	if err != nil && !errors.Is(err, context.Canceled) {
		o.log.Warn("training failed, the model before it is kept", "optimizer", a.name, "error", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	job.done, job.trained, job.err = true, trained, err
	a.status.TrainingSeconds = took.Seconds()
	close(job.ended)
}

var optimizerName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`)

// isGroups reports whether a name is that of a group's optimizer.
func isGroups(name string) bool { return strings.Contains(name, ".") }

// groupOptimizer is the name of a group's optimizer.
func groupOptimizer(app, group string) string { return app + "." + group }

// Get is the optimizer of that name, or ErrNotFound. It waits until the samples that
// were stored before a start are learned again; for a group's it does not wait.
func (o *Optimizers) Get(ctx context.Context, name string) (*Advisor, error) {
	o.mu.Lock()
	a, ok := o.all[name]
	o.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("optimizer %s: %w", name, ErrNotFound)
	}
	if a.Owned() {
		return a, nil
	}
	select {
	case <-a.loaded:
		return a, nil
	case <-o.ended:
		return nil, context.Canceled
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Configure makes an optimizer that belongs to no group, or gives the one of that
// name another configuration: its samples are learned again then, or forgotten where
// the configuration says build_new. The error of a wrong configuration joins
// *optimizer.Mistake.
func (o *Optimizers) Configure(ctx context.Context, name string, config optimizer.Config) (*Advisor, error) {
	if !optimizerName.MatchString(name) {
		return nil, fmt.Errorf("optimizer name %q: use lower-case letters, digits and dashes, at most 40; a name with a dot is that of a group's: %w", name, ErrRefused)
	}
	if err := config.Validate(); err != nil {
		return nil, err
	}
	a, err := o.open(name, config, mostOptimizers)
	if err != nil {
		return nil, err
	}
	if err := o.store.SaveOptimizer(ctx, StoredOptimizer{Name: name, Config: config}); err != nil {
		return nil, err
	}
	if config.KnowledgeBase == optimizer.BuildNew {
		if err := a.Forget(ctx); err != nil {
			return nil, err
		}
	}
	return a, a.rebuild(ctx, config, nil)
}

// open is the optimizer of that name, made where there is none.
func (o *Optimizers) open(name string, config optimizer.Config, most int) (*Advisor, error) {
	opt, err := optimizer.New(config)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if a, ok := o.all[name]; ok {
		return a, nil
	}
	if most > 0 && len(o.all) >= most {
		return nil, fmt.Errorf("there are %d optimizers, the most that are kept; delete one: %w", most, ErrRefused)
	}
	a := &Advisor{name: name, shared: o, config: config, opt: opt, loading: true, building: true, loaded: make(chan struct{})}
	o.all[name] = a
	return a, nil
}

// Delete forgets an optimizer that belongs to no group, and its samples.
func (o *Optimizers) Delete(ctx context.Context, name string) error {
	a, err := o.Get(ctx, name)
	if err != nil {
		return err
	}
	if a.Owned() {
		return errNotOwner
	}
	o.retire(a)
	return o.store.DeleteOptimizer(ctx, name)
}

// retire takes an optimizer out of use; its samples stay.
func (o *Optimizers) retire(a *Advisor) {
	o.mu.Lock()
	delete(o.all, a.name)
	o.mu.Unlock()
	a.mu.Lock()
	a.closed = true
	a.stopTraining()
	a.mu.Unlock()
	o.metrics.forget(a.name)
}

// beside is the optimizer of that name. Where it is new, or configured anew, its
// samples are learned again beside.
func (o *Optimizers) beside(name string, config optimizer.Config, buildNew bool) (*Advisor, error) {
	a, err := o.open(name, config, 0)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	same := !a.loading && reflect.DeepEqual(a.config, config)
	a.mu.Unlock()
	if same && !buildNew {
		return a, nil
	}
	o.do(func(ctx context.Context) {
		if buildNew {
			if err := a.Forget(ctx); err != nil {
				o.log.Warn("samples not forgotten", "optimizer", name, "error", err)
			}
		}
		if err := a.rebuild(ctx, config, nil); err != nil && ctx.Err() == nil {
			o.log.Warn("stored samples not used", "optimizer", name, "error", err)
		}
	}, func() {})
	return a, nil
}

// restore begins to load the optimizers that belong to no group.
func (o *Optimizers) restore(ctx context.Context) error {
	stored, err := o.store.StoredOptimizers(ctx)
	if err != nil {
		return err
	}
	for _, row := range stored {
		if _, err := o.beside(row.Name, row.Config, false); err != nil {
			o.log.Error("stored optimizer is not valid", "optimizer", row.Name, "error", err)
		}
	}
	return nil
}
