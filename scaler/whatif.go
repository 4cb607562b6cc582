package scaler

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/scalerd/scalerd/scaler/policy"
)

// Supposed is what a question assumes in place of what was seen.
type Supposed struct {
	// Nodes is the size of the group, all of them ready.
	Nodes *int `json:"nodes,omitempty"`
	// Set are values of queries, alerts and constants by name.
	Set map[string]any `json:"set,omitempty"`
}

// WhatIf is what the last tick would have decided about a group if what is supposed
// had been so. Nothing is recorded and nothing is done.
func (s *Service) WhatIf(ctx context.Context, app, name string, supposed Supposed) (Decision, error) {
	return s.orderDecision(ctx, app, name, func(_ context.Context, a *application, g *group) (Decision, error) {
		if g.seen == nil {
			return Decision{}, fmt.Errorf("group %s has not been looked at yet, wait for a tick: %w", name, ErrRefused)
		}
		obs, err := a.suppose(g, *g.seen, supposed)
		if err != nil {
			return Decision{}, fmt.Errorf("%w: %w", err, ErrRefused)
		}
		problems := g.problems
		proposals := g.propose(obs, a.memory(g))
		g.problems = problems
		d, _ := Decide(obs, proposals, g.spec.Scaling, g.history)
		d.Application = a.name
		return d, nil
	})
}

// suppose changes a copy of what was seen.
func (a *application) suppose(g *group, obs policy.Observation, supposed Supposed) (policy.Observation, error) {
	if n := supposed.Nodes; n != nil {
		if *n < 0 || *n > g.spec.Max {
			return obs, fmt.Errorf("%d nodes is outside 0..%d", *n, g.spec.Max)
		}
		obs.Wanted = *n
		var nodes []policy.Node
		for i := range *n {
			node := policy.Node{Name: fmt.Sprintf("%s-supposed-%d", g.name, i+1)}
			if i < len(obs.Nodes) {
				node = obs.Nodes[i]
			}
			node.Ready = true
			nodes = append(nodes, node)
		}
		obs.Nodes = nodes
	}
	obs.Readings, obs.Constants = maps.Clone(obs.Readings), maps.Clone(obs.Constants)
	for _, name := range sortedKeys(supposed.Set) {
		if _, constant := obs.Constants[name]; constant {
			obs.Constants[name] = supposed.Set[name]
			continue
		}
		if _, used := obs.Readings[name]; !used {
			return obs, fmt.Errorf("%s is no query, alert or constant that the policies of group %s use; they use %s", name, g.name, strings.Join(append(sortedKeys(obs.Readings), sortedKeys(obs.Constants)...), ", "))
		}
		label := obs.Readings[name].Label
		r, err := policy.ParseReading(supposed.Set[name])
		if err != nil {
			return obs, fmt.Errorf("%s %w", name, err)
		}
		if label != "" && r.Label != "" {
			r = r.WithLabel(label)
		}
		obs.Readings[name] = r
	}
	return obs, nil
}
