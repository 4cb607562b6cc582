package backtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// Source says which of the plant's metrics stands for a query of a description,
// and what it is multiplied by.
type Source struct {
	Metric string
	Factor float64
}

// ParseSource reads a source: AVG_LAT, or AVG_LAT*0.001 to have it in seconds.
func ParseSource(text string) (Source, error) {
	name, factor, scaled := strings.Cut(text, "*")
	s := Source{Metric: strings.TrimSpace(name), Factor: 1}
	if scaled {
		var err error
		if s.Factor, err = strconv.ParseFloat(strings.TrimSpace(factor), 64); err != nil {
			return Source{}, fmt.Errorf("source %q: %q is no factor; write METRIC or METRIC*0.001", text, factor)
		}
	}
	if !slices.Contains(Metrics(), s.Metric) {
		return Source{}, fmt.Errorf("source %q: there is no metric %q; choose one of %s", text, s.Metric, strings.Join(Metrics(), ", "))
	}
	return s, nil
}

// Described makes the policy that a group of a description has in scalerd: the
// same policies and the same Decide, within the group's min and max. A query takes
// its value from its source, or from the metric of the plant that has its name.
func Described(name string, app *spec.Application, group string, sources map[string]Source) (Maker, error) {
	g := app.Group(group)
	if g == nil {
		return nil, fmt.Errorf("application %s has no group %q", app.Name, group)
	}
	if _, err := newDescribed(name, app, g, sources); err != nil {
		return nil, err
	}
	return func(Group) (Policy, error) { return newDescribed(name, app, g, sources) }, nil
}

// described runs the policies of a group as the control loop does.
type described struct {
	name      string
	group     *spec.Group
	constants map[string]any
	policies  []policy.Policy
	sources   map[string]Source
	history   scaler.History
	userData  map[string][]byte
	wanted    int
	stable    time.Time
}

func newDescribed(name string, app *spec.Application, g *spec.Group, sources map[string]Source) (*described, error) {
	d := &described{
		name: name, group: g, constants: app.GroupConstants(g),
		sources: map[string]Source{}, userData: map[string][]byte{}, wanted: -1,
	}
	for _, p := range g.Policies {
		made, err := policy.New(p, d.constants)
		if err != nil {
			return nil, fmt.Errorf("group %s: %w", g.Name, err)
		}
		d.policies = append(d.policies, made)
		for _, query := range made.Queries() {
			source, ok := sources[query]
			if !ok {
				source, ok = sameName(query)
			}
			if !ok {
				return nil, fmt.Errorf("group %s: query %s has no metric of the simulated nodes: give it one with --metric %s=METRIC, of %s",
					g.Name, query, query, strings.Join(Metrics(), ", "))
			}
			d.sources[query] = source
		}
	}
	return d, nil
}

func sameName(query string) (Source, bool) {
	for _, metric := range Metrics() {
		if strings.EqualFold(metric, query) {
			return Source{Metric: metric, Factor: 1}, true
		}
	}
	return Source{}, false
}

func (d *described) Name() string { return d.name }

func (d *described) Decide(now time.Time, obs Observation) int {
	if d.wanted < 0 {
		d.wanted = obs.Total()
	}
	seen := d.observe(now, obs)
	var proposals []policy.Proposal
	for _, p := range d.policies {
		seen.UserData = d.userData[p.Name()]
		proposal := p.Propose(seen)
		if proposal.UserData != nil {
			d.userData[p.Name()] = proposal.UserData
		}
		proposals = append(proposals, proposal)
	}
	decision, history := scaler.Decide(seen, proposals, d.group.Scaling, d.history)
	d.history, d.wanted = history, decision.To
	return decision.To
}

// observe is the observation as the control loop makes it.
func (d *described) observe(now time.Time, obs Observation) policy.Observation {
	seen := policy.Observation{
		Now: now, Group: d.group.Name, Wanted: d.wanted, Min: d.group.Min, Max: d.group.Max,
		Constants: d.constants, Readings: make(map[string]policy.Reading, len(d.sources)),
		Nodes: make([]policy.Node, len(obs.Nodes)),
	}
	for i, n := range obs.Nodes {
		seen.Nodes[i] = policy.Node{Name: n.Name, ID: n.Name, Ready: !n.Ready.IsZero()}
	}
	for query, source := range d.sources {
		reading := policy.Reading{Missing: policy.NoSeries}
		if v, ok := obs.Metrics[source.Metric]; ok {
			reading = policy.Reading{Samples: []policy.Sample{{Value: v * source.Factor}}}
		}
		seen.Readings[query] = reading
	}
	switch {
	case obs.Ready != d.wanted || d.wanted == 0:
		d.stable = time.Time{}
	case d.stable.IsZero():
		d.stable = now
	}
	seen.ChangedAt = d.stable
	return seen
}
