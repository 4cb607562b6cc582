package scaler

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// PlanScale says what Scale would do now, as Terraform plans it. It changes nothing.
func (s *Service) PlanScale(ctx context.Context, app, name string, nodes int) (GroupPlan, error) {
	return s.planOrder(ctx, app, name, func(g *group) (int, []string, error) {
		return nodes, nil, g.mayScale(nodes)
	})
}

// PlanDrop says what Drop would do now, as Terraform plans it. It changes nothing.
func (s *Service) PlanDrop(ctx context.Context, app, node string, replace bool) (GroupPlan, error) {
	chosen, err := s.chosen(ctx, app, node)
	if err != nil {
		return GroupPlan{}, err
	}
	return s.planOrder(ctx, app, chosen.Group, func(g *group) (int, []string, error) {
		to, err := g.mayDrop(chosen.Name, replace)
		return to, []string{chosen.Name}, err
	})
}

// planOrder plans a size, and nodes that go, in a copy of the group's folder.
func (s *Service) planOrder(ctx context.Context, app, name string, order func(*group) (to int, drop []string, err error)) (GroupPlan, error) {
	var source planSource
	var described *spec.Application
	err := s.orderGroup(ctx, app, name, func(_ context.Context, a *application, g *group) error {
		to, drop, err := order(g)
		described = a.spec
		source = planSource{name: name, described: g.spec, before: g.spec, dir: g.actuator.dir, row: g.row, from: g.row.Wanted, to: to, drop: drop}
		return err
	})
	if err != nil {
		return GroupPlan{}, err
	}
	if err := s.number(ctx, app, &source); err != nil {
		return GroupPlan{}, err
	}
	dir, err := os.MkdirTemp("", "scalerd-plan-")
	if err != nil {
		return GroupPlan{}, fmt.Errorf("plan: %w", err)
	}
	defer os.RemoveAll(dir)
	return planGroup(ctx, described, s.config.Terraform, s.config.Checks, source, filepath.Join(dir, name))
}

// number sets the number of the next node's name, which only the actuator counts, so
// that a plan shows the names that its step would give.
func (s *Service) number(ctx context.Context, app string, source *planSource) error {
	row, err := s.config.Store.Group(ctx, app, source.name)
	source.row.NextNumber = row.NextNumber
	return err
}
