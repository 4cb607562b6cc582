package operation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// kept bounds the operations that are remembered: the oldest that ended go first.
const kept = 1000

// ErrEnded is returned to who waits when the service ends.
var ErrEnded = errors.New("scalerd ends; it goes on after its next start")

// Registry starts and remembers operations. It is safe for concurrent use.
type Registry struct {
	service *scaler.Service
	spawn   chan *followed
	ended   chan struct{}

	mu   sync.Mutex
	seq  int64
	byID map[string]*followed
	all  []*followed // oldest first
}

// New returns a Registry of the service's operations, whose Run has to be called.
func New(service *scaler.Service) *Registry {
	return &Registry{service: service, spawn: make(chan *followed), ended: make(chan struct{}), byID: map[string]*followed{}}
}

// Run follows operations until ctx ends.
func (r *Registry) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(r.ended)
	for {
		select {
		case f := <-r.spawn:
			wg.Go(func() { f.follow(ctx, r.service) })
		case <-ctx.Done():
			return nil
		}
	}
}

// Submit starts or updates an application as scaler.Service.SubmitIf does, which
// returns the errors.
func (r *Registry) Submit(ctx context.Context, by string, source scaler.Source, condition scaler.Condition) (Operation, error) {
	described, err := r.service.Validate(source)
	if err != nil {
		return Operation{}, err
	}
	f := r.prepare(ctx, by, Submit, described.Name, "")
	f.op.Warnings = scaler.LeakNotes(source)
	_, err = r.service.SubmitIf(ctx, source, func(stored scaler.StoredApplication, exists bool) error {
		if exists {
			f.op.Kind = Update
		}
		return condition(stored, exists)
	})
	return r.start(ctx, f, err)
}

// Destroy begins the end of an application, as scaler.Service.DestroyIf does.
func (r *Registry) Destroy(ctx context.Context, by, app string, condition scaler.Condition) (Operation, error) {
	f := r.prepare(ctx, by, Destroy, app, "")
	return r.start(ctx, f, r.service.DestroyIf(ctx, app, condition))
}

// Scale sets the size of a group once.
func (r *Registry) Scale(ctx context.Context, by, app, group string, nodes int) (Operation, error) {
	f := r.prepare(ctx, by, Scale, app, group)
	d, err := r.service.Scale(ctx, app, group, nodes)
	f.op.Decision = &d
	return r.start(ctx, f, err)
}

// Drop destroys one node, given by its name, identifier or address.
func (r *Registry) Drop(ctx context.Context, by, app, node string, replace bool) (Operation, error) {
	f := r.prepare(ctx, by, Drop, app, "")
	d, err := r.service.Drop(ctx, app, node, replace)
	f.op.Group, f.op.Decision = d.Group, &d
	return r.start(ctx, f, err)
}

// Drift checks all shards of an application or, with a name, of one of its groups for
// drift.
func (r *Registry) Drift(ctx context.Context, by, app, group string) (Operation, error) {
	f := r.prepare(ctx, by, Drift, app, group)
	return r.start(ctx, f, r.service.CheckDrift(ctx, app, group, f.op.StartedAt))
}

// prepare notes what fails before the order is given.
func (r *Registry) prepare(ctx context.Context, by string, kind Kind, app, group string) *followed {
	f := &followed{
		op:    Operation{ID: rand.Text()[:16], Kind: kind, Application: app, Group: group, Status: Running, StartedAt: time.Now(), By: by},
		ended: make(chan struct{}), changed: make(chan struct{}), last: map[string]string{},
	}
	if status, _, err := r.service.Follow(ctx, app); err == nil {
		f.before = failures(status)
	}
	return f
}

// start remembers and follows an operation whose order was taken.
func (r *Registry) start(ctx context.Context, f *followed, err error) (Operation, error) {
	if err != nil {
		return Operation{}, err
	}
	r.remember(f)
	select {
	case r.spawn <- f:
	case <-r.ended:
	case <-ctx.Done():
		f.end(Failed, "who asked for it left before it was followed; it is carried out all the same")
	}
	return f.snapshot(), nil
}

func (r *Registry) remember(f *followed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, older := range r.all {
		if op := older.snapshot(); op.Status == Running && supersedes(f.op, op) {
			older.end(Superseded, "superseded by operation "+f.op.ID)
		}
	}
	r.seq++
	f.seq = r.seq
	r.all, r.byID[f.op.ID] = append(r.all, f), f
	if len(r.all) <= kept {
		return
	}
	oldest := max(0, slices.IndexFunc(r.all, func(f *followed) bool { return f.snapshot().Status != Running }))
	delete(r.byID, r.all[oldest].op.ID)
	r.all = slices.Delete(r.all, oldest, oldest+1)
}

func (r *Registry) find(id string) (*followed, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, ok := r.byID[id]
	if !ok {
		return nil, fmt.Errorf("operation %s (operations are forgotten at a restart, and after %d newer ones): %w", id, kept, scaler.ErrNotFound)
	}
	return f, nil
}

// Get is an operation, or scaler.ErrNotFound.
func (r *Registry) Get(id string) (Operation, error) {
	f, err := r.find(id)
	if err != nil {
		return Operation{}, err
	}
	return f.snapshot(), nil
}

// Before are at most limit operations that are older than the one of that number,
// or the newest where it is 0, the newest first, of one application or, with an
// empty name, of all those that wanted keeps; and the number to go on from, 0 at
// the end.
func (r *Registry) Before(number int64, limit int, wanted func(Operation) bool) ([]Operation, int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	operations := []Operation{}
	last := int64(0)
	for _, f := range slices.Backward(r.all) {
		if number > 0 && f.seq >= number {
			continue
		}
		op := f.snapshot()
		if !wanted(op) {
			continue
		}
		if len(operations) == limit {
			return operations, last
		}
		operations, last = append(operations, op), f.seq
	}
	return operations, 0
}

// Watch calls report with the events after a number and the operation, now and at
// every change, until the operation ended, report fails or ctx ends.
func (r *Registry) Watch(ctx context.Context, id string, after int, report func([]Event, Operation) error) error {
	f, err := r.find(id)
	if err != nil {
		return err
	}
	for {
		events, op, changed := f.since(after)
		if err := report(events, op); err != nil {
			return err
		}
		if len(events) > 0 {
			after = events[len(events)-1].Number
		}
		if op.Status != Running {
			return nil
		}
		select {
		case <-changed:
		case <-r.ended:
			return ErrEnded
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Wait returns the operation when it ended.
func (r *Registry) Wait(ctx context.Context, id string) (Operation, error) {
	var last Operation
	err := r.Watch(ctx, id, 0, func(_ []Event, op Operation) error {
		last = op
		return nil
	})
	return last, err
}
