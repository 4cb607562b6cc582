package scaler

import (
	"context"
	"errors"
	"fmt"
)

// ErrChanged is returned where an order was given for a version of an application
// that is not the present one any more.
var ErrChanged = errors.New("changed meanwhile")

// Condition decides whether an order is still wanted, seeing what is stored of the
// application and whether there is one.
type Condition func(stored StoredApplication, exists bool) error

// Follow is the application's state, and a channel that is closed when there is a
// newer one or the application is gone.
func (s *Service) Follow(ctx context.Context, name string) (ApplicationStatus, <-chan struct{}, error) {
	a, err := s.application(ctx, name)
	if err != nil {
		return ApplicationStatus{}, nil, err
	}
	v := a.published.Load()
	return v.status, v.replaced, nil
}

// Stored is the application as it was submitted, with its state at the same
// instant.
func (s *Service) Stored(ctx context.Context, name string) (StoredApplication, ApplicationStatus, error) {
	a, err := s.application(ctx, name)
	if err != nil {
		return StoredApplication{}, ApplicationStatus{}, err
	}
	v := a.published.Load()
	return v.stored, v.status, nil
}

// DecisionsBefore are the newest decisions with smaller IDs, of one group or, with an
// empty name, of all; with an application of an empty name of all applications.
func (s *Service) DecisionsBefore(ctx context.Context, app, group string, before int64, limit int) ([]Decision, error) {
	if app != "" {
		if _, err := s.application(ctx, app); err != nil {
			return nil, err
		}
	}
	return s.config.Store.DecisionsBefore(ctx, app, group, before, limit)
}

// StepsBefore are the newest steps with smaller IDs, of one group or, with an empty
// name, of all.
func (s *Service) StepsBefore(ctx context.Context, app, group string, before int64, limit int) ([]StepRecord, error) {
	if _, err := s.application(ctx, app); err != nil {
		return nil, err
	}
	return s.config.Store.StepsBefore(ctx, app, group, before, limit)
}

// Samples are what the optimizer of a group has learned from, the oldest first.
func (s *Service) Samples(ctx context.Context, app, group string) ([]StoredSample, error) {
	a, err := s.application(ctx, app)
	if err != nil {
		return nil, err
	}
	for _, g := range a.published.Load().status.Groups {
		if g.Name == group {
			return s.config.Store.Samples(ctx, groupOptimizer(app, group))
		}
	}
	return nil, fmt.Errorf("group %s of application %s: %w", group, app, ErrNotFound)
}
