package scaler

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// ApplicationPlan is what applying a description would do, as Terraform plans it.
type ApplicationPlan struct {
	Application string `json:"application"`
	// New is set where the application does not run yet.
	New    bool        `json:"new"`
	Groups []GroupPlan `json:"groups"`
}

// GroupPlan is the part of one group.
type GroupPlan struct {
	Name  string `json:"name"`
	Cloud string `json:"cloud,omitempty"`
	// From and To are the wanted nodes before and after.
	From int `json:"from"`
	To   int `json:"to"`
	// Removed is set where the description does not have the group any more.
	Removed bool `json:"removed,omitempty"`
	// Shards is the number of root modules that the plan touches.
	Shards int `json:"shards"`
	// Changes are Terraform's, in the order of shards.
	Changes []Change `json:"changes,omitempty"`
	// Cost is what the group's nodes cost before and after, where a price list was
	// given that says it.
	Cost *Cost `json:"cost,omitempty"`
	// Notes say what a reader of the changes would not see.
	Notes []string `json:"notes,omitempty"`
}

// Cost is what a group's nodes cost an hour.
type Cost struct {
	Before   float64 `json:"before_per_hour"`
	After    float64 `json:"after_per_hour"`
	Currency string  `json:"currency"`
}

// Changes reports whether applying would change any resource.
func (p ApplicationPlan) Changes() bool {
	return slices.ContainsFunc(p.Groups, func(g GroupPlan) bool { return len(g.Changes) > 0 })
}

// Plan says what submitting the description would do now. It changes nothing.
func (s *Service) Plan(ctx context.Context, source Source) (ApplicationPlan, error) {
	described, err := s.Validate(source)
	if err != nil {
		return ApplicationPlan{}, err
	}
	a, err := s.application(ctx, described.Name)
	if errors.Is(err, ErrNotFound) {
		return PlanNew(ctx, described, s.config.Terraform, s.config.Checks, true)
	}
	if err != nil {
		return ApplicationPlan{}, err
	}
	var sources []planSource
	var notes []string
	err = a.order(ctx, func(context.Context) error {
		sources = a.planSources(described)
		if a.spec != nil && !a.spec.Backend.Same(described.Backend) {
			notes = append(notes, fmt.Sprintf("the Terraform states move from %s to %s", a.spec.Backend, described.Backend))
		}
		return a.moves(described)
	})
	if err != nil {
		return ApplicationPlan{}, err
	}
	for i := range sources {
		if err := s.number(ctx, described.Name, &sources[i]); err != nil {
			return ApplicationPlan{}, err
		}
	}
	plan, err := planAll(ctx, described, s.config.Terraform, s.config.Checks, sources, false)
	for i := range plan.Groups {
		plan.Groups[i].Notes = append(plan.Groups[i].Notes, notes...)
	}
	return plan, err
}

// PlanNew says what a first submission of the description would do. Without access
// to the clouds, terraform is asked about local groups only; what the others would
// create is known from what is generated. Checks that are not nil are asked about
// every plan that terraform makes.
func PlanNew(ctx context.Context, described *spec.Application, tf Terraform, checks Checks, access bool) (ApplicationPlan, error) {
	var sources []planSource
	for i := range described.Groups {
		source := newSource(&described.Groups[i])
		source.generated = !access && source.described.Cloud != spec.CloudLocal
		sources = append(sources, source)
	}
	return planAll(ctx, described, tf, checks, sources, true)
}

func planAll(ctx context.Context, described *spec.Application, tf Terraform, checks Checks, sources []planSource, isNew bool) (ApplicationPlan, error) {
	plan := ApplicationPlan{Application: described.Name, New: isNew}
	dir, err := os.MkdirTemp("", "scalerd-plan-")
	if err != nil {
		return plan, fmt.Errorf("plan: %w", err)
	}
	defer os.RemoveAll(dir)
	for _, source := range sources {
		group, err := planGroup(ctx, described, tf, checks, source, filepath.Join(dir, source.name))
		if err != nil {
			return plan, fmt.Errorf("plan group %s: %w", source.name, err)
		}
		plan.Groups = append(plan.Groups, group)
	}
	return plan, nil
}
