package scaler

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler/policy"
)

// Optimizers are the service's optimizers.
func (s *Service) Optimizers(ctx context.Context) (*Optimizers, error) {
	select {
	case <-s.loaded:
		return s.config.optimizers, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// groupAdvisor is what a group has of its optimizer.
type groupAdvisor struct {
	*Advisor
	queries map[string]string // by metric
	// booted are the boots that ended since the last sample.
	booted []time.Duration
}

// describeOptimizer makes a group's optimizer fit its description; fresh is set for
// a group that had no decision yet.
func (a *application) describeOptimizer(g *group, fresh bool) error {
	o, err := optimizationOf(a.spec, g.spec)
	if err != nil {
		return fmt.Errorf("group %s: %w", g.name, err)
	}
	before := g.advisor
	if o == nil {
		if before != nil {
			a.config.optimizers.retire(before.Advisor)
		}
		g.advisor = nil
		return nil
	}
	isNew := o.config.KnowledgeBase == optimizer.BuildNew
	wasNew := before != nil && before.Config().KnowledgeBase == optimizer.BuildNew
	advisor, err := a.config.optimizers.beside(groupOptimizer(a.name, g.name), o.config, isNew && (fresh || before != nil && !wasNew))
	if err != nil {
		return fmt.Errorf("group %s: %w", g.name, err)
	}
	g.advisor = &groupAdvisor{Advisor: advisor, queries: o.queries}
	if before != nil {
		g.advisor.booted = before.booted
	}
	return nil
}

// booted notes how long a node took from the request for it until it was ready.
func (g *group) booted(created, ready time.Time) {
	if g.advisor != nil && !created.IsZero() {
		g.advisor.booted = append(g.advisor.booted, ready.Sub(created))
	}
}

// consult gives the group's optimizer the tick's sample, and adds its advice to what
// the policies see. It never waits.
func (a *application) consult(g *group, obs *policy.Observation) *optimizer.Advice {
	if g.advisor == nil {
		return nil
	}
	s := g.sample(*obs)
	advice, err := g.advisor.step(s, obs.Now)
	if err != nil {
		a.config.Metrics.optimizers.refused.WithLabelValues(g.advisor.name).Inc()
		a.log.Debug("sample refused", "group", g.name, "error", err)
	}
	g.advisor.booted = nil
	obs.Advice = &policy.Advice{
		Valid: advice.Valid, Phase: string(advice.Phase), Nodes: advice.Nodes,
		Reliability: advice.Reliability, Error: advice.Error, Reasons: advice.Reasons,
	}
	return &advice
}

// sample is what the tick measured. A metric whose query has no value is there as
// not a number.
func (g *group) sample(obs policy.Observation) Sample {
	s := Sample{Sample: optimizer.Sample{At: obs.Now, Nodes: obs.Ready(), Values: map[string]float64{}}, Boots: g.advisor.booted}
	lost, coming := 0, 0
	for _, n := range g.nodeStatuses() {
		switch n.State {
		case StateCreating, StateBooting:
			coming++
		case StateLost:
			lost++
		}
	}
	// Nodes that are wanted and not begun yet are coming too.
	s.Total = max(s.Nodes+coming, g.row.Wanted-lost)
	for metric, query := range g.advisor.queries {
		s.Values[metric] = math.NaN()
		if r := obs.Readings[query]; r.Label == "" && r.Firing == nil {
			s.Values[metric] = r.Value()
		}
	}
	return s
}
