package backtest

import (
	"fmt"
	"maps"
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

// Described makes the policy that a group of a description has in scalerd: the same
// policies and the same Decide, every interval of the description, within the group's
// min and max, with its alerts and its choice of the nodes that go.
//
// A query takes its value from its source where it has one. Else its PromQL is
// evaluated on the series of the simulated nodes, whose names are SeriesNames; a
// query that selects others is an error, unless it has the name of one of Metrics.
func Described(name string, app *spec.Application, group string, sources map[string]Source) (Maker, error) {
	g := app.Group(group)
	if g == nil {
		return nil, fmt.Errorf("application %s has no group %q", app.Name, group)
	}
	if _, err := newDescribed(name, app, g, sources, Group{}); err != nil {
		return nil, err
	}
	return func(world Group) (Policy, error) { return newDescribed(name, app, g, sources, world) }, nil
}

// described runs the policies of a group as the control loop does.
type described struct {
	name      string
	interval  time.Duration // 0: every tick
	decided   time.Time
	group     *spec.Group
	shared    bool // m_userdata is one for all rules
	constants map[string]any
	policies  []policy.Policy
	questions *questions
	history   scaler.History
	userData  map[string][]byte
	wanted    int
	drop      []string
	stable    time.Time
	boots     map[string]time.Duration // by node
}

func newDescribed(name string, app *spec.Application, g *spec.Group, sources map[string]Source, world Group) (*described, error) {
	d := &described{
		name: name, interval: app.Interval.AsDuration(), group: g, shared: app.SharedUserData, constants: app.GroupConstants(g),
		userData: map[string][]byte{}, wanted: -1, boots: map[string]time.Duration{},
	}
	if world.Tick > 0 && d.interval%world.Tick != 0 {
		return nil, fmt.Errorf("%s decides every %s, which is no whole number of ticks of %s: choose a --tick that divides it", name, d.interval, world.Tick)
	}
	var used []string
	for _, p := range g.Policies {
		if p.Shadow {
			continue
		}
		if p.Advice != nil {
			return nil, fmt.Errorf("group %s: policy %s follows the description's optimizer, which a backtest does not run: compare with --policy auto, and try the group without it", g.Name, p.Name)
		}
		made, err := policy.New(p, d.constants)
		if err != nil {
			return nil, fmt.Errorf("group %s: %w", g.Name, err)
		}
		d.policies = append(d.policies, made)
		used = append(used, made.Queries()...)
	}
	if v := g.Scaling.Victims; v != nil && v.Query != "" {
		used = append(used, v.Query)
	}
	var err error
	d.questions, err = newQuestions(app, g, used, sources, world)
	return d, err
}

func (d *described) Name() string { return d.name }

// Chosen implements Chooser.
func (d *described) Chosen() []string {
	drop := d.drop
	d.drop = nil
	return drop
}

func (d *described) Decide(now time.Time, obs Observation) int {
	if d.wanted < 0 {
		d.wanted = obs.Total()
	}
	if !d.decided.IsZero() && now.Sub(d.decided) < d.interval {
		return d.wanted
	}
	d.decided = now
	seen := d.observe(now, obs)
	var proposals []policy.Proposal
	for _, p := range d.policies {
		key := p.Name()
		if d.shared {
			key = ""
		}
		seen.UserData = d.userData[key]
		proposal := p.Propose(seen)
		if proposal.UserData != nil {
			d.userData[key] = proposal.UserData
		}
		proposals = append(proposals, proposal)
	}
	decision, history := scaler.Decide(seen, proposals, d.group.Scaling, d.history)
	d.history, d.wanted, d.drop = history, decision.To, decision.Drop
	return decision.To
}

// observe is the observation as the control loop makes it.
func (d *described) observe(now time.Time, obs Observation) policy.Observation {
	seen := policy.Observation{
		Now: now, Group: d.group.Name, Wanted: d.wanted, Min: d.group.Min, Max: d.group.Max, Initial: d.group.Initial,
		Constants: d.constants, Readings: d.questions.ask(now, obs), Lead: d.lead(obs),
		Nodes: make([]policy.Node, len(obs.Nodes)),
	}
	for i, n := range obs.Nodes {
		seen.Nodes[i] = policy.Node{Name: n.Name, ID: n.Name, Ready: !n.Ready.IsZero()}
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

// leadBoots is of how many of the latest boots the lead is taken.
const leadBoots = 100

// lead is how long nine of ten nodes took to boot.
func (d *described) lead(obs Observation) time.Duration {
	for _, n := range obs.Nodes {
		if boot := n.Ready.Sub(n.Created); !n.Ready.IsZero() && boot > 0 {
			d.boots[n.Name] = boot
		}
	}
	if len(d.boots) == 0 {
		return 0
	}
	names := slices.Sorted(maps.Keys(d.boots))
	for _, old := range names[:max(0, len(names)-leadBoots)] {
		delete(d.boots, old)
	}
	took := slices.Sorted(maps.Values(d.boots))
	return took[(len(took)*90+99)/100-1]
}
