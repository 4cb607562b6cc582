package policy

import (
	"fmt"
	"math"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// target keeps a query at a value.
type target struct {
	name string
	spec spec.Target
}

// newTarget makes a target of one query, or of several.
func newTarget(name string, t spec.Target) (Policy, error) {
	if len(t.Queries) == 0 {
		return newSingleTarget(name, t)
	}
	several := targets{name: name}
	for i, q := range t.Queries {
		one, err := newSingleTarget(name, spec.Target{Query: q.Query, Value: q.Value, Kind: q.Kind, Tolerance: t.Tolerance})
		if err != nil {
			return nil, fmt.Errorf("queries[%d]: %w", i, err)
		}
		several.each = append(several.each, one)
	}
	return several, nil
}

func newSingleTarget(name string, t spec.Target) (Policy, error) {
	if t.Kind == "" {
		t.Kind = spec.TargetAverage
	}
	switch {
	case t.Query == "":
		return nil, errNoQuery
	case !(t.Value > 0) || math.IsInf(t.Value, 0):
		return nil, fmt.Errorf("target value is %v, must be above 0", t.Value)
	case !(t.Tolerance >= 0 && t.Tolerance <= 1):
		return nil, fmt.Errorf("tolerance is %v, must be within 0..1", t.Tolerance)
	case t.Kind != spec.TargetAverage && t.Kind != spec.TargetTotal:
		return nil, fmt.Errorf("kind is %q, must be average or total", t.Kind)
	}
	return target{name: name, spec: t}, nil
}

func (t target) Name() string      { return t.name }
func (t target) Queries() []string { return []string{t.spec.Query} }

func (t target) Propose(o Observation) Proposal {
	ready := o.Ready()
	if t.spec.Kind == spec.TargetAverage && ready == 0 && o.Wanted == 0 {
		return t.keep(o, "no node is wanted, and a mean over no nodes can't ask for the first one (kind: total can)")
	}
	v, missing := o.value(t.spec.Query)
	if missing != "" {
		return t.hold(missing)
	}
	if t.spec.Kind == spec.TargetTotal {
		return t.total(o, v, ready)
	}
	return t.average(o, v, ready)
}

// average takes v for a mean over the ready nodes. A node that still boots
// neither carries load nor is in the mean, so it is not counted.
//
// More load never means fewer nodes: below the goal the answer is at most ready,
// near it at least that, and above it at least the answer near it.
func (t target) average(o Observation, v float64, ready int) Proposal {
	if ready == 0 {
		return t.hold(noneReady(o))
	}
	text := o.is(t.spec.Query, v)
	need := ceilNodes(float64(ready) * v / t.spec.Value)
	enough := max(o.Wanted, ready)
	switch {
	case t.near(v, t.spec.Value) && ready > o.Wanted:
		// The surplus nodes are on their way out, and the load needs them.
		return t.propose(ready, "%s, goal %s: within %s%%, so all %d ready nodes are needed",
			text, number(t.spec.Value), number(t.spec.Tolerance*100), ready)
	case t.near(v, t.spec.Value):
		return t.keep(o, fmt.Sprintf("%s, goal %s: within %s%%, no change", text, number(t.spec.Value), number(t.spec.Tolerance*100)))
	case v > t.spec.Value && need < enough:
		return t.propose(enough, "%s, goal %s: %s %s %d, and %d are wanted already",
			text, number(t.spec.Value), count(ready, "ready node"), verb(ready), need, enough)
	}
	return t.propose(need, "%s, goal %s: %s %s %d", text, number(t.spec.Value), count(ready, "ready node"), verb(ready), need)
}

// total takes v for a sum over the group, which does not depend on who serves it.
func (t target) total(o Observation, v float64, ready int) Proposal {
	text := o.is(t.spec.Query, v)
	need := ceilNodes(v / t.spec.Value)
	switch {
	case t.near(v, float64(o.Wanted)*t.spec.Value):
		return t.keep(o, fmt.Sprintf("%s, %s a node: within %s%% of what %s carry, no change",
			text, number(t.spec.Value), number(t.spec.Tolerance*100), nodes(o.Wanted)))
	case ready == 0 && o.Wanted > 0 && need < o.Wanted:
		// A sum over nodes that do not answer yet looks like no load.
		return t.hold(noneReady(o))
	}
	return t.propose(need, "%s, %s a node: %s needed", text, number(t.spec.Value), nodes(need))
}

// near is whether v is so close to goal that nothing changes.
func (t target) near(v, goal float64) bool {
	if goal == 0 {
		return v == 0
	}
	return math.Abs(v/goal-1) <= t.spec.Tolerance+roundingSlack
}

func (t target) propose(n int, format string, args ...any) Proposal {
	return Proposal{Policy: t.name, Nodes: n, Reason: fmt.Sprintf(format, args...)}
}

func (t target) keep(o Observation, reason string) Proposal {
	return Proposal{Policy: t.name, Nodes: o.Wanted, Reason: reason}
}

func (t target) hold(reason string) Proposal {
	return Proposal{Policy: t.name, Hold: true, Reason: reason}
}

func noneReady(o Observation) string {
	if len(o.Nodes) == 0 {
		return fmt.Sprintf("%s wanted and none exists yet", nodes(o.Wanted))
	}
	return fmt.Sprintf("none of %s is ready yet", nodes(len(o.Nodes)))
}

func verb(n int) string {
	if n == 1 {
		return "needs"
	}
	return "need"
}
