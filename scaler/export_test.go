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

// OptimizationOf is what the group's optimizer is configured with, as JSON would
// show it, and its queries.
func OptimizationOf(app *spec.Application, group string) (*optimizer.Config, map[string]string, error) {
	o, err := optimizationOf(app, app.Group(group))
	if o == nil {
		return nil, nil, err
	}
	return &o.config, o.queries, err
}
