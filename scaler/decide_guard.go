package scaler

import (
	"fmt"
	"slices"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
)

// Holding is since when a policy holds for want of a metric.
type Holding struct {
	Policy string
	Since  time.Time
}

// Breaker is the state of the circuit breaker: zero while it is closed. While it is
// open the group does not grow, but for one node at each probe.
type Breaker struct {
	OpenedAt, ProbedAt time.Time
}

// String is closed as an empty text, open, or half open when a probe was made.
func (b Breaker) String() string {
	switch {
	case b.OpenedAt.IsZero():
		return ""
	case b.ProbedAt.After(b.OpenedAt):
		return "half open"
	}
	return "open"
}

// turnsWithin is the time in which turns are counted.
const turnsWithin = time.Hour

// answered are the proposals, with the floor in place of holds that lasted too
// long. It remembers since when each policy holds.
func (d *deciding) answered(proposals []policy.Proposal) []policy.Proposal {
	before := d.history.Holding
	d.history.Holding = nil
	answered := slices.Clone(proposals)
	for i, p := range answered {
		if !p.Hold || p.Missing == policy.Present {
			continue
		}
		h := Holding{p.Policy, d.obs.Now}
		if at := slices.IndexFunc(before, func(h Holding) bool { return h.Policy == p.Policy }); at >= 0 {
			h.Since = before[at].Since
		}
		d.history.Holding = append(d.history.Holding, h)
		if p.HoldFor > 0 && d.obs.Now.Sub(h.Since) >= p.HoldFor {
			answered[i] = p.AtFloor(d.obs, fmt.Sprintf("held for %s, so it goes to the floor", elapsed(p.HoldFor)))
		}
	}
	return answered
}

// narrow puts the group's min and max where the proposals clamp them. They stay
// within those of the description; where two clamps leave no room the larger size
// wins.
func (d *deciding) narrow(proposals []policy.Proposal) {
	least, most := d.obs.Min, d.obs.Max
	for _, p := range proposals {
		if p.Min != nil && *p.Min > least {
			least, d.minBy = min(*p.Min, d.obs.Max), p.Policy+" min"
		}
		if p.Max != nil && *p.Max < most {
			most, d.maxBy = max(*p.Max, d.obs.Min), p.Policy+" max"
		}
	}
	if least > most {
		d.clampedBy("%s: %d wins over %s of %d", d.minBy, least, d.maxBy, most)
		most, d.maxBy = least, d.minBy
	}
	d.obs.Min, d.obs.Max = least, most
}

// step is the most nodes that one decision may change of n, and 0 for no bound.
func step(most int, percent float64, n int) int {
	if percent <= 0 {
		return most
	}
	share := max(1, int(percent/100*float64(n)))
	if most == 0 {
		return share
	}
	return min(most, share)
}

// broken is how many nodes may be added while steps fail, and -1 for any number.
func (d *deciding) broken() int {
	b, why := &d.history.Breaker, d.failing()
	if why == "" {
		return -1
	}
	probe := d.limits.BreakerProbe.AsDuration()
	since := d.obs.Now.Sub(b.ProbedAt)
	if since < probe {
		d.clampedBy("breaker: open since %s, probes again in %s", why, elapsed(probe-since))
		return 0
	}
	b.ProbedAt = d.obs.Now
	d.clampedBy("breaker: half open after %s, probes with 1 node", why)
	return 1
}

// failing is why the breaker is not closed, and empty while it is.
func (d *deciding) failing() string {
	after := d.limits.BreakerAfter
	switch {
	case after == 0:
		return ""
	case d.obs.PlanRefused:
		return "a plan was refused"
	case d.obs.FailedSteps >= after:
		return fmt.Sprintf("%d steps failed in a row", d.obs.FailedSteps)
	}
	return ""
}

// watchBreaker opens the breaker and closes it.
func (d *deciding) watchBreaker() {
	b := &d.history.Breaker
	switch {
	case d.failing() == "":
		*b = Breaker{}
	case b.OpenedAt.IsZero():
		*b = Breaker{OpenedAt: d.obs.Now, ProbedAt: d.obs.Now}
	}
}

// oscillating is whether the size turned so often lately that it is not to shrink.
func (d *deciding) oscillating() bool {
	turns, most := d.history.Turns, d.limits.MaxTurns
	if most == 0 || len(turns) < most {
		return false
	}
	again := turnsWithin - d.obs.Now.Sub(turns[len(turns)-most])
	d.clampedBy("max_turns: the size turned %d times between growing and shrinking within %s, not shrunk for another %s", len(turns), elapsed(turnsWithin), elapsed(again))
	return true
}

// guarded is the size to shrink to, so far that no policy would ask for more at
// once.
func (d *deciding) guarded(base, to int, proposals []policy.Proposal) int {
	for _, p := range proposals {
		if !p.Hold && p.Least > to && to < base {
			least := min(p.Least, base)
			d.clampedBy("flap guard: with %s %s would ask for more, so %d stay", nodesText(to), p.Policy, least)
			to = least
		}
	}
	return to
}

func nodesText(n int) string {
	if n == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", n)
}

// turned are the turns of the size within the last hour, now included where the
// change to size to is one.
func (d *deciding) turned(to int) []time.Time {
	h := d.history
	turns := h.Turns
	grew := h.LastOut.After(h.LastIn)
	shrank := h.LastIn.After(h.LastOut)
	if to > d.obs.Wanted && shrank || to < d.obs.Wanted && grew {
		turns = append(turns, d.obs.Now)
	}
	return turns
}
