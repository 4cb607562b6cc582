package scaler_test

import (
	"context"
	"errors"
	"sync"

	"github.com/scalerd/scalerd/scaler"
)

// fuse is where a scalerd dies. Every call that it makes of its store and of terraform
// passes a point before and one after; at the point that it was set to, and ever
// after, calls don't return.
type fuse struct {
	mu sync.Mutex
	// left is how many points are passed before it blows; negative for never.
	left int
	dead bool
	// blown is closed at the crash, over when the test ends: the goroutines of the
	// dead scalerd may end then.
	blown, over chan struct{}
}

func newFuse(over chan struct{}) *fuse {
	return &fuse{left: -1, blown: make(chan struct{}), over: over}
}

var errCrashed = errors.New("this scalerd is dead")

// set makes the fuse blow at the n-th point from now, counted from 1; 0 disarms it.
func (f *fuse) set(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = n - 1
}

// point is where a scalerd may die. It returns an error where it did, after the test.
func (f *fuse) point() error {
	if !f.burns() {
		return nil
	}
	<-f.over
	return errCrashed
}

// burns passes a point, and reports whether the scalerd is dead.
func (f *fuse) burns() bool {
	dead, _ := f.pass()
	return dead
}

// pass passes a point, and reports whether the scalerd is dead, and whether it died
// right here.
func (f *fuse) pass() (dead, here bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return true, false
	}
	if here = f.left == 0; here {
		f.dead = true
		close(f.blown)
	}
	if f.left >= 0 {
		f.left--
	}
	return f.dead, here
}

// mortalStore is the store of a scalerd that dies at its writes.
type mortalStore struct {
	scaler.Store
	fuse *fuse
	disk *platters
}

func (m mortalStore) write(do func() error) error {
	if err := m.fuse.point(); err != nil {
		return err
	}
	err := m.disk.refuses("insert", "scalerd.db")
	if err == nil {
		err = do()
	}
	return errors.Join(err, m.fuse.point())
}

func (m mortalStore) BeginStep(ctx context.Context, s scaler.StepRecord) (id int64, err error) {
	err = m.write(func() error { id, err = m.Store.BeginStep(ctx, s); return err })
	return id, err
}

func (m mortalStore) SaveStep(ctx context.Context, s scaler.StepRecord) error {
	return m.write(func() error { return m.Store.SaveStep(ctx, s) })
}

func (m mortalStore) AddResults(ctx context.Context, step int64, results []scaler.ResourceResult) error {
	return m.write(func() error { return m.Store.AddResults(ctx, step, results) })
}

func (m mortalStore) SaveApplication(ctx context.Context, app scaler.StoredApplication) error {
	return m.write(func() error { return m.Store.SaveApplication(ctx, app) })
}

func (m mortalStore) DeleteApplication(ctx context.Context, name string) error {
	return m.write(func() error { return m.Store.DeleteApplication(ctx, name) })
}

func (m mortalStore) SaveGroup(ctx context.Context, app, group string, row scaler.StoredGroup) error {
	return m.write(func() error { return m.Store.SaveGroup(ctx, app, group, row) })
}

func (m mortalStore) SaveNextNumber(ctx context.Context, app, group string, next int) error {
	return m.write(func() error { return m.Store.SaveNextNumber(ctx, app, group, next) })
}

func (m mortalStore) DeleteGroup(ctx context.Context, app, group string) error {
	return m.write(func() error { return m.Store.DeleteGroup(ctx, app, group) })
}

func (m mortalStore) RecordDecision(ctx context.Context, d scaler.Decision, row scaler.StoredGroup) (id int64, err error) {
	err = m.write(func() error { id, err = m.Store.RecordDecision(ctx, d, row); return err })
	return id, err
}

func (m mortalStore) SaveNodes(ctx context.Context, app, group string, times map[string]scaler.NodeTimes) error {
	return m.write(func() error { return m.Store.SaveNodes(ctx, app, group, times) })
}

func (m mortalStore) SaveDrain(ctx context.Context, app, group, node string, drain scaler.NodeDrain) error {
	return m.write(func() error { return m.Store.SaveDrain(ctx, app, group, node, drain) })
}

func (m mortalStore) DeleteNodes(ctx context.Context, app, group string, nodes []string) error {
	return m.write(func() error { return m.Store.DeleteNodes(ctx, app, group, nodes) })
}
