package policy

import (
	"fmt"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// schedule bounds the size by the clock. It proposes no size: what it says is a
// clamp on what the others propose.
type schedule struct {
	name string
	spec spec.Schedule
	zone *time.Location
}

func newSchedule(name string, s spec.Schedule) (Policy, error) {
	if s.TimeZone == "" {
		s.TimeZone = "UTC"
	}
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time zone: %w", err)
	}
	if len(s.Windows) == 0 {
		return nil, fmt.Errorf("schedule has no windows")
	}
	return schedule{name, s, zone}, nil
}

func (s schedule) Name() string    { return s.name }
func (schedule) Queries() []string { return nil }

// Propose says what is in force now. Of two windows that are open the one that
// happens once wins: it was made for this day.
func (s schedule) Propose(o Observation) Proposal {
	p := Proposal{Policy: s.name, Nodes: o.Wanted, Abstain: true}
	for _, returns := range []bool{false, true} {
		for _, w := range s.spec.Windows {
			if (w.Cron != "") != returns {
				continue
			}
			if spell, open := w.SpellAt(o.Now, s.zone); open {
				return s.bound(p, w.Bounds(), fmt.Sprintf("until %s (%s)", spell.To.Format(spec.WindowTime), s.spec.TimeZone))
			}
		}
	}
	if s.spec.Otherwise != nil {
		return s.bound(p, *s.spec.Otherwise, "outside of all windows")
	}
	p.Reason = "outside of all windows, no opinion"
	return p
}

// bound puts bounds into a proposal.
func (s schedule) bound(p Proposal, b spec.Bounds, when string) Proposal {
	p.Min, p.Max = b.Min, b.Max
	text := ""
	switch {
	case b.Count != nil:
		p.Min, p.Max = b.Count, b.Count
		text = nodes(*b.Count)
	case b.Max == nil:
		text = "at least " + nodes(*b.Min)
	case b.Min == nil:
		text = "at most " + nodes(*b.Max)
	default:
		text = fmt.Sprintf("%d to %s", *b.Min, nodes(*b.Max))
	}
	p.Reason = text + " " + when
	return p
}

// activation takes a group from zero nodes and keeps it from going there.
type activation struct {
	name string
	spec spec.Activation
}

func newActivation(name string, a spec.Activation) (Policy, error) {
	if a.Query == "" {
		return nil, errNoQuery
	}
	a.Nodes = max(a.Nodes, 1)
	return activation{name, a}, nil
}

func (a activation) Name() string      { return a.name }
func (a activation) Queries() []string { return []string{a.spec.Query} }

func (a activation) Propose(o Observation) Proposal {
	v, missing := o.value(a.spec.Query)
	if missing != "" {
		return Proposal{Policy: a.name, Hold: true, Reason: missing}
	}
	p := Proposal{Policy: a.name, Nodes: o.Wanted, Abstain: true}
	text := o.is(a.spec.Query, v)
	if v <= a.spec.Above {
		p.Reason = fmt.Sprintf("%s, not above %s: not active, no opinion", text, number(a.spec.Above))
		return p
	}
	p.Min = &a.spec.Nodes
	p.Reason = fmt.Sprintf("%s, above %s: active, at least %s", text, number(a.spec.Above), nodes(a.spec.Nodes))
	return p
}
