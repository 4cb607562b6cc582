package scaler

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/price"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// group is the runtime of one node group. It is owned by its application's
// goroutine.
type group struct {
	name string
	// spec is nil for a group whose removal was interrupted.
	spec     *spec.Group
	policies []policy.Policy
	row      StoredGroup
	history  History
	actuator *actuator
	// prices may be nil; account is what the nodes cost, as of the last tick.
	prices  *price.List
	account Spending
	// shadows are the policies that are evaluated and not acted on.
	shadows []*shadow
	// seen is what the last tick's policies saw.
	seen     *policy.Observation
	removing bool
	// ready is when each node was first ready; up is who answered at the last tick.
	ready map[string]time.Time
	up    map[string]bool
	// statuses is what nodeStatuses gave last for statusesOf; nil where something else
	// than the fleet has changed.
	statuses   []NodeStatus
	statusesOf []FleetNode
	// stableSince is MiCADO's stability clock.
	stableSince time.Time
	last        *Decision
	problems    []string
	// pending is since when each alert's expression has had a result.
	pending map[string]time.Time
	// warmup is what was measured of the time until nodes are ready.
	warmup warmup
	// rollout is what the rollout does or waits for.
	rollout string
	// repair is what the repair does or waits for; unready is since when nodes that
	// exist are not ready, replaced when nodes were replaced within the last hour, and
	// failedBoots how many were since one became ready for the first time.
	repair      string
	unready     map[string]time.Time
	replaced    []time.Time
	failedBoots int
	// advisor is nil where the group has no optimizer.
	advisor *groupAdvisor
}

// forgetReady drops what is remembered of nodes that are gone, as soon as there are
// more of these than of those that come.
func (g *group) forgetReady() {
	nodes := g.actuator.Fleet().Nodes
	if len(g.ready) <= len(nodes) {
		return
	}
	there := make(map[string]bool, len(nodes))
	for i := range nodes {
		there[nodes[i].Name] = true
	}
	maps.DeleteFunc(g.ready, func(node string, _ time.Time) bool { return !there[node] && !g.up[node] })
}

// ask hands what was decided last to the actuator.
func (g *group) ask(drop []string, decision int64) {
	g.actuator.ask(g.row.Wanted+g.row.Surge, drop, decision)
}

// newPolicies makes the policies that are in charge of a group.
func newPolicies(app *spec.Application, g *spec.Group) ([]policy.Policy, error) {
	var policies []policy.Policy
	for _, p := range g.Policies {
		if p.Shadow {
			continue
		}
		made, err := policy.New(p, app.GroupConstants(g))
		if err != nil {
			return nil, fmt.Errorf("group %s: %w", g.Name, err)
		}
		policies = append(policies, made)
	}
	return policies, nil
}

func sameMonitoring(a, b *spec.Application) bool {
	return a.Interval == b.Interval && reflect.DeepEqual(a.Monitoring, b.Monitoring)
}

// nodeStatuses joins what Terraform and what the monitoring know of the group's
// nodes. Nobody changes the slice, which is the same while nothing has changed.
func (g *group) nodeStatuses() []NodeStatus {
	fleet := g.actuator.Fleet()
	if g.statuses != nil && sameSlice(fleet.Nodes, g.statusesOf) {
		return g.statuses
	}
	nodes := make([]NodeStatus, 0, len(fleet.Nodes))
	for _, n := range fleet.Nodes {
		status := NodeStatus{
			Name: n.Name, Group: g.name, Shard: n.Shard,
			ID: n.State.ID, PrivateIP: n.State.PrivateIP, PublicIP: n.State.PublicIP, Port: n.State.Port,
			CreatedAt: n.CreatedAt, ReadyAt: g.ready[n.Name], Outdated: n.Outdated, Zone: n.Zone, Offering: n.Offered,
		}
		status.Protected = g.spec != nil && protected(g.spec.Scaling.Victims, n.Name)
		switch {
		case n.Presence == Leaving:
			status.State = StateDraining
		case n.Presence == Creating:
			status.State = StateCreating
		case g.up[n.Name]:
			status.State = StateReady
		case status.ReadyAt.IsZero():
			status.State = StateBooting
		default:
			status.State = StateLost
		}
		nodes = append(nodes, status)
	}
	byName(nodes)
	g.statuses, g.statusesOf = nodes, fleet.Nodes
	return nodes
}

// CompareNodes orders the names of a group's nodes by their numbers: web-9999 comes
// before web-10000.
func CompareNodes(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// byName sorts a group's nodes, which mostly are in order already.
func byName(nodes []NodeStatus) {
	for i := 1; i < len(nodes); i++ { // by index: a NodeStatus is large
		if CompareNodes(nodes[i].Name, nodes[i-1].Name) < 0 {
			slices.SortFunc(nodes, func(x, y NodeStatus) int { return CompareNodes(x.Name, y.Name) })
			return
		}
	}
}

// sameSlice reports whether two slices are of the same elements in memory.
func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// dropping are the nodes on their way out by name: those of before that are still
// there, and the given ones.
func (g *group) dropping(more []string) []string {
	if len(g.row.Dropping)+len(more) == 0 {
		return nil
	}
	there := map[string]bool{}
	for _, n := range g.actuator.Fleet().Nodes {
		there[n.Name] = true
	}
	var dropping []string
	for _, name := range slices.Concat(g.row.Dropping, more) {
		if there[name] && !slices.Contains(dropping, name) {
			dropping = append(dropping, name)
		}
	}
	return dropping
}

func (g *group) status(nodes []NodeStatus) GroupStatus {
	fleet := g.actuator.Fleet()
	s := GroupStatus{
		Name: g.name, Wanted: g.row.Wanted, Paused: g.row.Paused, Removing: g.removing,
		Settled: g.actuator.settled(),
		Problem: fleet.Problem, RetryAt: fleet.RetryAt,
		Steps: fleet.Steps, Drift: fleet.Drift, DriftOrder: fleet.DriftOrder, Lookup: fleet.Lookup, Offerings: fleet.Offerings, Decision: g.last, PolicyProblems: g.problems, Rollout: g.rollout, Repair: g.repair,
	}
	if fleet.Unknown != "" {
		s.Problem = "the number of nodes is unknown, so nothing is changed: " + fleet.Unknown
	}
	s.Shadows, s.Cost = g.comparisons(), g.costStatus()
	s.Warmup, s.Breaker = g.warmup.status(), g.history.Breaker.String()
	if g.spec != nil {
		s.Cloud, s.Min, s.Max = string(g.spec.Cloud), g.spec.Min, g.spec.Max
	}
	if g.removing {
		s.Wanted = 0
	}
	if g.advisor != nil {
		status := g.advisor.Status()
		s.Optimizer = &status
	}
	for _, n := range nodes {
		if n.Outdated != "" && g.spec != nil && g.spec.Rollout.Mode == spec.RolloutReplace {
			s.Settled = false
		}
		switch n.State {
		case StateCreating:
			s.Creating++
		case StateBooting:
			s.Booting++
		case StateReady:
			s.Ready++
		case StateLost:
			s.Lost++
		case StateDraining:
			s.Draining++
		}
	}
	return s
}

// observe gathers what the group's policies may know. Readings are by the
// group's query names.
func (g *group) observe(app *spec.Application, readings map[string]policy.Reading, now time.Time) policy.Observation {
	obs := policy.Observation{
		Now: now, Group: g.name,
		Wanted: g.row.Wanted, Min: g.spec.Min, Max: g.spec.Max, Initial: g.spec.Initial,
		Lead: g.warmup.lead(), FailedSteps: g.actuator.Fleet().Failures + g.failedBoots, PlanRefused: g.actuator.Fleet().Refused != "",
		Readings: readings, Constants: app.GroupConstants(g.spec),
	}
	prices := g.pricesByNode()
	for _, n := range g.nodeStatuses() {
		if n.State == StateCreating || n.State == StateDraining {
			continue
		}
		obs.Nodes = append(obs.Nodes, policy.Node{Name: n.Name, Address: n.PrivateIP, ID: n.ID, Ready: n.State == StateReady, Zone: n.Zone, PerHour: prices[n.Name]})
	}
	obs.Cost = g.cost(now)
	if obs.Ready() != g.row.Wanted || g.row.Wanted == 0 {
		g.stableSince = time.Time{}
	} else if g.stableSince.IsZero() {
		g.stableSince = now
	}
	obs.ChangedAt = g.stableSince
	return obs
}

// propose asks every policy, each with what it remembers.
func (g *group) propose(obs policy.Observation, memory memory) []policy.Proposal {
	var proposals []policy.Proposal
	g.problems = nil
	for _, p := range g.policies {
		obs.UserData = memory.recall(p.Name())
		proposal := p.Propose(obs)
		memory.remember(p.Name(), proposal.UserData)
		if proposal.Error != "" {
			g.problems = append(g.problems, fmt.Sprintf("policy %s: %s", p.Name(), proposal.Error))
		}
		proposals = append(proposals, proposal)
	}
	return proposals
}
