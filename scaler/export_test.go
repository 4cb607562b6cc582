package scaler

import (
	"context"
	"time"
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
