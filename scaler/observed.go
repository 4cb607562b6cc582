package scaler

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// Observed is what one tick saw of a group: its size and its metrics.
type Observed struct {
	Group string
	At    time.Time
	// Wanted, Existing and Ready count nodes. Existing are those of Terraform's state
	// and those that are being created.
	Wanted, Existing, Ready int
	// Values are those of the queries that had one.
	Values map[string]float64
}

// Histories keep what ticks saw. Implementations are safe for concurrent use.
type Histories interface {
	// RecordObserved keeps what ticks saw of an application's groups, and drops what
	// is older than ObservedRetention.
	RecordObserved(ctx context.Context, app string, seen []Observed) error
	// Observed is what ticks from..to saw of a group, oldest first.
	Observed(ctx context.Context, app, group string, from, to time.Time) ([]Observed, error)
}

// ObservedRetention is how long what ticks saw is kept.
const ObservedRetention = 7 * 24 * time.Hour

const (
	// observedEvery is the longest that what was seen is in memory only, where ticks
	// are closer: a kill costs charts no more, and a quick tick no write to disk.
	observedEvery = 10 * time.Second
	// observedPending bounds it where it can't be written.
	observedPending = 20000
)

// observations are what was seen and is not on disk yet. It is safe for concurrent
// use.
type observations struct {
	mu      sync.Mutex
	pending []Observed
}

func (o *observations) add(seen Observed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending = append(o.pending, seen)
	if len(o.pending) > observedPending {
		o.pending = slices.Clone(o.pending[len(o.pending)/2:])
	}
}

func (o *observations) all() []Observed {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.pending)
}

// kept forgets the first n, which are on disk.
func (o *observations) kept(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending = slices.Clone(o.pending[n:])
}

// seenOf is what is kept of an observation.
func (a *application) seenOf(g *group, obs policy.Observation) Observed {
	seen := Observed{
		Group: g.name, At: obs.Now, Wanted: g.row.Wanted,
		Existing: len(g.actuator.Fleet().Nodes), Ready: obs.Ready(), Values: map[string]float64{},
	}
	for name, r := range obs.Readings {
		if v := r.Value(); r.Label == "" && !math.IsNaN(v) && !math.IsInf(v, 0) {
			seen.Values[name] = v
		}
	}
	return seen
}

// keepObserved writes what was seen to disk, unless there is time for it at the next
// tick. What can't be written is tried again; charts are no reason to stop.
func (a *application) keepObserved(ctx context.Context, now time.Time) {
	pending := a.observed.all()
	if len(pending) == 0 || now.Add(a.interval()).Sub(pending[0].At) < observedEvery {
		return
	}
	a.writeObserved(ctx, pending)
}

// keepLastObserved writes the rest at the end, for which ctx is too late.
func (a *application) keepLastObserved(ctx context.Context) {
	pending := a.observed.all()
	if len(pending) == 0 || a.destroyed {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	a.writeObserved(ctx, pending)
}

func (a *application) writeObserved(ctx context.Context, pending []Observed) {
	if err := a.config.Store.RecordObserved(ctx, a.name, pending); err != nil {
		a.log.Warn("what was seen is not kept", "error", err)
		return
	}
	a.observed.kept(len(pending))
}

// MetricOf is a metric of a group's history, and what it is to the group.
type MetricOf struct {
	Name string `json:"name"`
	// Expr is the PromQL expression.
	Expr string `json:"expr,omitempty"`
	// Target is set for a metric that is held in a range.
	Target bool `json:"target,omitempty"`
	// Min and Max are the range of a target.
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
	// PerNode is one node's share of a metric that is a sum over the group.
	PerNode *float64 `json:"per_node,omitempty"`
}

// History is what ticks from..to saw of a group, oldest first, and its metrics in the
// order of their names.
func (s *Service) History(ctx context.Context, app, name string, from, to time.Time) ([]Observed, []MetricOf, error) {
	a, err := s.application(ctx, app)
	if err != nil {
		return nil, nil, err
	}
	var metrics []MetricOf
	if err := s.orderGroup(ctx, app, name, func(_ context.Context, a *application, g *group) error {
		metrics = a.metricsOf(g)
		return nil
	}); err != nil {
		return nil, nil, err
	}
	// In this order: what is written in between is seen twice, not never.
	pending := a.observed.all()
	seen, err := s.config.Store.Observed(ctx, app, name, from, to)
	if err != nil {
		return nil, nil, err
	}
	var last time.Time
	if len(seen) > 0 {
		last = seen[len(seen)-1].At
	}
	for _, o := range pending {
		if o.Group == name && o.At.After(last) && !o.At.Before(from) && !o.At.After(to) {
			seen = append(seen, o)
		}
	}
	return seen, metrics, nil
}

// metricsOf says what the metrics of a group's policies and optimizer are.
func (a *application) metricsOf(g *group) []MetricOf {
	queries := a.queries(g)
	metrics := make([]MetricOf, 0, len(queries))
	at := map[string]int{}
	for _, name := range sortedKeys(queries) {
		if queries[name].Label != "" {
			continue
		}
		at[name] = len(metrics)
		metrics = append(metrics, MetricOf{Name: name, Expr: queries[name].Expr})
	}
	of := func(name string) *MetricOf {
		if i, ok := at[name]; ok {
			return &metrics[i]
		}
		return &MetricOf{} // of a query that is not used
	}
	for _, p := range g.spec.Policies {
		if p.Target == nil || p.Shadow {
			continue
		}
		for _, t := range append(slices.Clone(p.Target.Queries), spec.TargetQuery{Query: p.Target.Query, Value: p.Target.Value, Kind: p.Target.Kind}) {
			m, value := of(t.Query), t.Value
			if t.Kind == spec.TargetTotal {
				m.PerNode = &value
			} else {
				m.Target, m.Max = true, &value
			}
		}
	}
	if g.advisor != nil {
		for _, t := range g.advisor.Config().Targets {
			m := of(g.advisor.queries[t.Name])
			m.Target, m.Min, m.Max = true, t.Min, t.Max
		}
	}
	return metrics
}
