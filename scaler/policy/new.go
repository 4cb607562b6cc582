package policy

import (
	"errors"
	"fmt"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// New makes the policy that p describes. Constants are the group's, for rules:
// a name in a rule that is neither bound by the rule, built in nor a constant is
// the name of a query. It is an error where p sets none or several of its kinds,
// or where the kind's settings make no sense; all mistakes of a rule are
// reported at once, joined.
func New(p spec.Policy, constants map[string]any) (Policy, error) {
	kinds := 0
	for _, set := range []bool{p.Target != nil, p.Steps != nil, p.Rule != nil, p.Advice != nil, p.Schedule != nil, p.Deadline != nil, p.Activation != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		return nil, fmt.Errorf("policy %q: set exactly one of target, steps, rule, advice, schedule, deadline and activation", p.Name)
	}
	made, err := newKind(p, constants)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", nameOr(p.Name, "of the group"), err)
	}
	answers := spec.DefaultMissing()
	if p.Missing != nil {
		answers = *p.Missing
	}
	return answering{made, answers}, nil
}

func newKind(p spec.Policy, constants map[string]any) (Policy, error) {
	switch {
	case p.Target != nil:
		return newTarget(nameOr(p.Name, "target"), *p.Target)
	case p.Steps != nil:
		return newSteps(nameOr(p.Name, "steps"), *p.Steps)
	case p.Advice != nil:
		return newAdvice(nameOr(p.Name, "advice"), *p.Advice)
	case p.Schedule != nil:
		return newSchedule(nameOr(p.Name, "schedule"), *p.Schedule)
	case p.Deadline != nil:
		return newDeadline(nameOr(p.Name, "deadline"), *p.Deadline)
	case p.Activation != nil:
		return newActivation(nameOr(p.Name, "activation"), *p.Activation)
	default:
		return newRule(nameOr(p.Name, "rule"), *p.Rule, constants)
	}
}

func nameOr(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

var errNoQuery = errors.New("query is not set")
