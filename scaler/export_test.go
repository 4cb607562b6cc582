package scaler

import (
	"context"
	"time"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// TickNow makes one tick, with everything that run does around it.
func (s *Service) TickNow(ctx context.Context, name string, now time.Time) error {
	a, err := s.application(ctx, name)
	if err != nil {
		return err
	}
	return a.order(ctx, func(ctx context.Context) error {
		a.tickTimed(ctx, now)
		a.publish(now)
		return nil
	})
}

// Meanwhile calls do while the application's goroutine is busy with it.
func (s *Service) Meanwhile(ctx context.Context, name string, do func()) error {
	a, err := s.application(ctx, name)
	if err != nil {
		return err
	}
	return a.order(ctx, func(context.Context) error {
		do()
		return nil
	})
}

// HoldTrainings keeps trainings from running until the returned function is called.
func (s *Service) HoldTrainings() func() {
	slots := s.config.optimizers.slots
	for range cap(slots) {
		slots <- struct{}{}
	}
	return func() {
		for range cap(slots) {
			<-slots
		}
	}
}

// What changes on disk at once, for OnDisk.
const (
	DiskReplace = string(diskReplace)
	DiskFolder  = string(diskFolder)
	DiskRemove  = string(diskRemove)
	DiskSettle  = string(diskSettle)
)

// OnDisk puts something around every change of a file of the data folder.
func (c *Config) OnDisk(around func(change, path string, do func() error) error) {
	c.disk.around = func(c diskChange, path string, do func() error) error { return around(string(c), path, do) }
}

// OptimizationOf is what the group's optimizer is configured with, as JSON would
// show it, and its queries.
func OptimizationOf(app *spec.Application, group string) (*optimizer.Config, map[string]string, error) {
	o, err := optimizationOf(app, app.Group(group))
	if o == nil {
		return nil, nil, err
	}
	return &o.config, o.queries, err
}
