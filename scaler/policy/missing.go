package policy

import (
	"maps"
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// answering gives the answer that the description has for queries without a value.
type answering struct {
	Policy
	answers spec.Missing
}

// Propose asks the policy, with 0 for the queries that are to be taken for it. A
// hold for lack of a value is answered as the description says, by the strongest of
// the answers where several queries have none: hold, then floor, then abstain.
func (a answering) Propose(o Observation) Proposal {
	o, missing := a.zeroed(o)
	p := a.Policy.Propose(o)
	if !p.Hold || p.Error != "" || len(missing) == 0 {
		return p
	}
	answer := spec.AnswerAbstain
	for _, why := range missing {
		switch got := a.answer(why); {
		case got == spec.AnswerHold:
			answer, p.Missing = got, why
		case got == spec.AnswerFloor && answer != spec.AnswerHold:
			answer, p.Missing = got, why
		}
		if answer == spec.AnswerHold {
			break
		}
	}
	p.Floor = a.answers.Floor
	switch answer {
	case spec.AnswerAbstain:
		p.Hold, p.Abstain, p.Nodes, p.Drop = false, true, o.Wanted, nil
		p.Reason += "; no opinion without it"
	case spec.AnswerFloor:
		p = p.AtFloor(o, "so it goes to the floor")
	default:
		p.HoldFor = time.Duration(a.answers.HoldFor)
	}
	return p
}

// AtFloor is the proposal of a policy that holds no longer: its floor. Where none
// was chosen it is the group's initial size, and never less than it has: a
// monitoring that is down for long does not look like no load.
func (p Proposal) AtFloor(o Observation, why string) Proposal {
	p.Hold, p.Drop = false, nil
	p.Nodes = max(o.Initial, o.Wanted)
	if p.Floor != nil {
		p.Nodes = *p.Floor
	}
	p.Reason += "; " + why + " of " + nodes(p.Nodes)
	return p
}

// zeroed is the observation with 0 for the queries that are to be taken for it, and
// why the others that the policy asks for have no value.
func (a answering) zeroed(o Observation) (Observation, []Missing) {
	var missing []Missing
	copied := false
	for _, query := range a.Queries() {
		r, asked := o.Readings[query]
		if _, constant := o.Constants[query]; constant || !asked || r.Missing == Present || r.isText() {
			continue
		}
		if a.answer(r.Missing) != spec.AnswerZero {
			missing = append(missing, r.Missing)
			continue
		}
		if !copied {
			o.Readings, copied = maps.Clone(o.Readings), true
		}
		o.Readings[query] = Reading{Samples: []Sample{{Value: 0}}}
	}
	return o, slices.Compact(missing)
}

func (a answering) answer(why Missing) spec.Answer {
	answer := spec.AnswerHold
	switch why {
	case NoSeries:
		answer = a.answers.NoSeries
	case NaN:
		answer = a.answers.NaN
	case Stale:
		answer = a.answers.Stale
	case QueryError:
		answer = a.answers.Error
	case Unreachable:
		answer = a.answers.Unreachable
	}
	if answer == "" {
		return spec.AnswerHold
	}
	return answer
}
