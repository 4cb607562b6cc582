package policy

import (
	"fmt"
	"math"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
	"go.starlark.net/starlark"
)

// advice follows the group's optimizer.
type advice struct {
	name string
	spec spec.Advice
}

func newAdvice(name string, a spec.Advice) (Policy, error) {
	if !(a.MinReliability >= 0 && a.MinReliability <= 100) {
		return nil, fmt.Errorf("min_reliability is %v, must be within 0..100", a.MinReliability)
	}
	return advice{name, a}, nil
}

func (p advice) Name() string { return p.name }

// Queries are none: the optimizer's own queries are asked whether or not a policy
// uses its advice.
func (p advice) Queries() []string { return nil }

// Propose proposes what is advised. An optimizer that still learns has no opinion,
// so that other policies decide until then; one that has learned and can't tell
// now holds.
func (p advice) Propose(o Observation) Proposal {
	a := o.advice()
	proposal := Proposal{Policy: p.name, Nodes: a.Nodes}
	switch {
	case !a.Valid && a.Phase == PhaseTraining:
		proposal.Abstain, proposal.Reason = true, "no advice yet: "+a.Error
	case !a.Valid:
		proposal.Hold, proposal.Reason = true, "no advice: "+a.Error
	case a.Reliability < p.spec.MinReliability:
		proposal.Abstain = true
		proposal.Reason = fmt.Sprintf("%s advised, but its reliability of %s is below %s", nodes(a.Nodes), number(a.Reliability), number(p.spec.MinReliability))
	default:
		proposal.Reason = fmt.Sprintf("%s advised (%s, reliability %s)", nodes(a.Nodes), a.Phase, number(a.Reliability))
		if len(a.Reasons) > 0 {
			proposal.Reason += ": " + strings.Join(a.Reasons, "; ")
		}
	}
	return proposal
}

// advice is the optimizer's, or one that says that there is none.
func (o Observation) advice() Advice {
	if o.Advice != nil {
		return *o.Advice
	}
	return Advice{
		Phase: PhaseTraining, Nodes: o.Wanted,
		Error: fmt.Sprintf("group %s has no optimizer: add optimizer: to it, or constants m_opt_init_*, queries m_opt_input_* and m_opt_target_query_*", o.Group),
	}
}

// adviceFunction is m_opt_advice(), which answers MiCADO's dict in every case.
func adviceFunction(o Observation) starlark.Value {
	return starlark.NewBuiltin(nameAdvice, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 0); err != nil {
			return nil, err
		}
		a := o.advice()
		reliability := a.Reliability
		if math.IsNaN(reliability) || math.IsInf(reliability, 0) {
			reliability = 0
		}
		return mapToStarlark(map[string]any{
			"valid": a.Valid, "phase": a.Phase, "vm_number": a.Nodes, "reliability": reliability, "error_msg": a.Error,
		})
	})
}
