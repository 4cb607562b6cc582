package scaler

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// Decision is what will be done about a group at one tick, and why.
type Decision struct {
	ID          int64     `json:"id"`
	Application string    `json:"application"`
	Group       string    `json:"group"`
	At          time.Time `json:"at"`
	// From and To are the wanted number of nodes before and after.
	From int `json:"from"`
	To   int `json:"to"`
	// Drop names the nodes that go, where a policy or the user chose them; the
	// actuator chooses the others.
	Drop []string `json:"drop,omitempty"`
	// Held is set where a missing metric or a failing rule kept the size.
	Held bool `json:"held,omitempty"`
	// Reasons are sentences, in the order in which they shaped To.
	Reasons []string `json:"reasons"`
	// Clamps are the reasons that are limits: those that kept To from what the
	// policies proposed.
	Clamps []string `json:"clamps,omitempty"`
	// Proposals are what each policy said.
	Proposals []policy.Proposal `json:"proposals,omitempty"`
	// Shadows are what the shadow policies would have decided.
	Shadows []ShadowDecision `json:"shadows,omitempty"`
	// Readings are the metrics that the policies saw.
	Readings map[string]policy.Reading `json:"readings,omitempty"`
	// Cost is what the decision costs, where it is known what a node costs.
	Cost *CostChange `json:"cost,omitempty"`
	// Advice is what the group's optimizer advised, where it has one.
	Advice *optimizer.Advice `json:"advice,omitempty"`
}

// History is what Decide remembers of a group from tick to tick.
type History struct {
	// LastOut and LastIn are when the wanted number last grew and shrank.
	LastOut, LastIn time.Time
	// Desired are the sizes that the policies asked for within the stabilisation
	// window, oldest first, and the last one before it. Each is in force until the
	// next: also while a policy holds, and while nobody decides.
	Desired []Desired
	// Dropped are the nodes that were named to go and still exist, sorted. It
	// keeps a policy that names them at every tick from counting twice.
	Dropped []string
	// Holding are the policies that hold for want of a metric.
	Holding []Holding
	// Turns are when the size turned from growing to shrinking or back within the
	// last hour, oldest first.
	Turns []time.Time
	// Breaker stops growth while steps fail.
	Breaker Breaker
}

// Desired is the size that the policies asked for at one tick, clamped to min
// and max.
type Desired struct {
	At    time.Time
	Nodes int
}

// Decide combines what the policies of a group propose into one decision, and
// returns the history to give to the next call. It is pure: it changes none of
// its arguments, and the same arguments give the same decision.
//
// The rules, in the order in which they apply:
//
//   - A policy that holds for want of a metric longer than it may goes to its floor.
//   - Schedules and activations clamp: they put min and max closer together.
//   - A budget lowers max to the largest size that it pays for: an hour, and with what
//     was spent of the month, until the month's end. It wins over schedules, and
//     never goes below the min of the description.
//   - A wanted size outside min..max, as after an update, is put within at once.
//   - The largest proposal wins. So a group grows when one policy asks for it and
//     shrinks when all do that have an opinion; where none has, it stays.
//   - A group is not shrunk while a policy holds. The others may still grow it.
//   - Growth waits for cooldown_out since the last growth and is cut to
//     max_step_out. While the breaker is open it stops, but for a node at a time.
//   - Nodes that a policy names go without stabilisation, as far as min,
//     max_step_in and cooldown_in allow and the group is not growing. Protected
//     nodes stay.
//   - Shrinking goes to the largest size that was asked for throughout the
//     stabilisation window, and not before the window is covered: a history that
//     starts later shrinks nothing. It waits for cooldown_in since any change,
//     stops while the size turns too often, is cut to max_step_in, and spares what
//     a policy would ask for again at once.
//
// ID, Application and Advice of the decision are left to the caller.
func Decide(obs policy.Observation, proposals []policy.Proposal, limits spec.Scaling, h History) (Decision, History) {
	d := deciding{obs: obs, limits: limits, history: h.at(obs), minBy: "min", maxBy: "max"}
	proposals = d.answered(proposals)
	d.watchBreaker()
	d.narrow(proposals)
	d.afford(obs.Min)
	base := d.bounds()
	wish, hold := d.combine(proposals, base)
	if !hold || wish > base {
		d.history.Desired = appendDesired(d.history.Desired, obs.Now, wish, time.Duration(limits.Stabilisation))
	}
	to := base
	switch {
	case wish > base:
		to = d.out(base, wish)
		d.putOff(proposals)
	case hold:
		d.clampedBy("held: a group is not shrunk while a policy can't tell")
	default:
		to = d.in(base, wish, proposals)
	}
	d.choose(to)
	decision := Decision{
		Group: obs.Group, At: obs.Now, From: obs.Wanted, To: to,
		Drop: d.drop, Held: hold && to <= base, Reasons: d.reasons, Clamps: d.clamps,
		Proposals: proposals, Readings: maps.Clone(obs.Readings), Cost: d.costs(to),
	}
	return decision, d.remember(to)
}

// deciding is one decision in the making.
type deciding struct {
	obs     policy.Observation
	limits  spec.Scaling
	history History
	drop    []string
	reasons []string
	clamps  []string
	// minBy and maxBy name what sets the least and the largest size.
	minBy, maxBy string
	// maxWhy goes on after a clamp to the largest size.
	maxWhy string
}

func (d *deciding) say(format string, args ...any) {
	d.reasons = append(d.reasons, fmt.Sprintf(format, args...))
}

// clampedBy says a reason that is a limit.
func (d *deciding) clampedBy(format string, args ...any) {
	d.say(format, args...)
	d.clamps = append(d.clamps, d.reasons[len(d.reasons)-1])
}

// at is a copy of the history as it stands at the observation: nothing in it
// lies in the future, as it would after the clock was set back, and nodes that
// are gone, or no longer on their way out, are forgotten.
func (h History) at(obs policy.Observation) History {
	next := History{LastOut: notAfter(h.LastOut, obs.Now), LastIn: notAfter(h.LastIn, obs.Now)}
	next.Breaker = Breaker{notAfter(h.Breaker.OpenedAt, obs.Now), notAfter(h.Breaker.ProbedAt, obs.Now)}
	for _, turn := range h.Turns {
		next.Turns = append(next.Turns, notAfter(turn, obs.Now))
	}
	for len(next.Turns) > 0 && obs.Now.Sub(next.Turns[0]) >= turnsWithin {
		next.Turns = next.Turns[1:]
	}
	for _, holding := range h.Holding {
		holding.Since = notAfter(holding.Since, obs.Now)
		next.Holding = append(next.Holding, holding)
	}
	if len(h.Desired) > 0 {
		next.Desired = make([]Desired, 0, len(h.Desired)+1)
	}
	for _, desired := range h.Desired {
		desired.At = notAfter(desired.At, obs.Now)
		next.Desired = append(next.Desired, desired)
	}
	if len(obs.Nodes) > obs.Wanted {
		for _, name := range h.Dropped {
			if hasNode(obs, name) {
				next.Dropped = append(next.Dropped, name)
			}
		}
	}
	return next
}

func notAfter(t, now time.Time) time.Time {
	if t.After(now) {
		return now
	}
	return t
}

func hasNode(obs policy.Observation, name string) bool {
	return slices.ContainsFunc(obs.Nodes, func(n policy.Node) bool { return n.Name == name })
}

// clamp puts n within the group's min and max, and says so with what n is.
func (d *deciding) clamp(n int, what string) int {
	switch {
	case n < d.obs.Min:
		d.clampedBy("%s: %s %s, at least %d must be", d.minBy, nodesAre(n, "is", "are"), what, d.obs.Min)
		return d.obs.Min
	case n > d.obs.Max:
		d.clampedBy("%s: %s %s, at most %d may be%s", d.maxBy, nodesAre(n, "is", "are"), what, d.obs.Max, d.maxWhy)
		return d.obs.Max
	}
	return n
}

// bounds is the wanted size within min and max.
func (d *deciding) bounds() int { return d.clamp(d.obs.Wanted, "wanted") }

// combine is the largest proposal within min and max, and whether any holds. A
// proposal that names nodes says nothing else about the size.
func (d *deciding) combine(proposals []policy.Proposal, base int) (wish int, hold bool) {
	if len(proposals) == 0 {
		d.say("no policy: the size stays %d", base)
		return base, false
	}
	known := false
	for _, p := range proposals {
		d.say("%s: %s", p.Policy, p.Reason)
		if p.Hold {
			hold = true
			continue
		}
		if p.Abstain {
			continue
		}
		n := p.Nodes
		if len(p.Drop) > 0 {
			n = base
		}
		if !known || n > wish {
			wish, known = n, true
		}
	}
	if !known {
		return base, hold
	}
	if wish == base {
		return base, hold
	}
	return d.clamp(wish, "proposed"), hold
}

// remember is the history after the decision to go to size to.
func (d *deciding) remember(to int) History {
	h := d.history
	h.Turns = d.turned(to)
	if to > d.obs.Wanted {
		h.LastOut = d.obs.Now
	}
	if to < d.obs.Wanted {
		h.LastIn = d.obs.Now
	}
	h.Dropped = slices.Sorted(slices.Values(append(h.Dropped, d.drop...)))
	return h
}

// nodesAre is "1 node is" or "3 nodes are", given both verbs.
func nodesAre(n int, one, many string) string {
	if n == 1 {
		return "1 node " + one
	}
	return fmt.Sprintf("%d nodes %s", n, many)
}

// elapsed writes a length of time as people do: 42s, 3m10s, 5m.
func elapsed(d time.Duration) string {
	if d >= time.Second {
		d = d.Round(time.Second)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
