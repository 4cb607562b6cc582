package scaler

import (
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
)

// out is the size to grow to from base, where wish is larger.
func (d *deciding) out(base, wish int) int {
	if d.cooling("cooldown_out", time.Duration(d.limits.CooldownOut), d.history.LastOut, "growth") {
		return base
	}
	if step := d.limits.MaxStepOut; step > 0 && wish-base > step {
		d.say("max_step_out: at most %d of %d added", step, wish-base)
		return base + step
	}
	return wish
}

// in is the size to shrink to from base, where wish is at most that and victims
// are named to go.
func (d *deciding) in(base, wish int, victims []string) int {
	to := base
	if wish < base {
		to = d.stabilised(base, wish)
	}
	if to == base && len(victims) == 0 {
		return base
	}
	last := d.history.LastIn
	if d.history.LastOut.After(last) {
		last = d.history.LastOut
	}
	if d.cooling("cooldown_in", time.Duration(d.limits.CooldownIn), last, "change") {
		return base
	}
	least := d.obs.Min
	if step := d.limits.MaxStepIn; step > 0 && base-step > least {
		least = base - step
		if base-min(to, base-len(victims)) > step {
			d.say("max_step_in: at most %d of %d removed", step, base-min(to, base-len(victims)))
		}
	}
	d.drop = d.spare(victims, base-least)
	return max(least, min(to, base-len(d.drop)))
}

// spare is as many of the victims as may go.
func (d *deciding) spare(victims []string, most int) []string {
	if len(victims) > most {
		d.say("drop: %s cannot go now", strings.Join(victims[most:], ", "))
		victims = victims[:most]
	}
	if len(victims) > 0 {
		d.say("drop: %s", strings.Join(victims, ", "))
	}
	return victims
}

// victims are the nodes that the policies name to go, each once, in the order of
// the policies.
func (d *deciding) victims(proposals []policy.Proposal) []string {
	var found []string
	for _, name := range namedVictims(proposals) {
		switch {
		case slices.Contains(found, name):
		case !hasNode(d.obs, name):
			d.say("drop: %s does not exist", name)
		case slices.Contains(d.history.Dropped, name):
			d.say("drop: %s is on its way out already", name)
		default:
			found = append(found, name)
		}
	}
	return found
}

func namedVictims(proposals []policy.Proposal) []string {
	var names []string
	for _, p := range proposals {
		if !p.Hold {
			names = append(names, p.Drop...)
		}
	}
	return names
}

// putOff says which nodes do not go because the group is to grow.
func (d *deciding) putOff(proposals []policy.Proposal) {
	if names := namedVictims(proposals); len(names) > 0 {
		d.say("drop: %s cannot go while the group is to grow", strings.Join(names, ", "))
	}
}

// cooling is whether the last change is too recent for another.
func (d *deciding) cooling(name string, cooldown time.Duration, last time.Time, what string) bool {
	since := d.obs.Now.Sub(last)
	if last.IsZero() || since >= cooldown {
		return false
	}
	d.say("%s: %s of %s passed since the last %s", name, elapsed(since), elapsed(cooldown), what)
	return true
}

// appendDesired adds the size n that the policies ask for now to the sizes that they
// asked for before, and forgets those that were over before the window began.
func appendDesired(before []Desired, now time.Time, n int, window time.Duration) []Desired {
	all := append(slices.Clone(before), Desired{At: now, Nodes: n})
	start := now.Add(-window)
	for len(all) > 1 && !all[1].At.After(start) {
		all = all[1:]
	}
	return all
}

// stabilised is the size to shrink to from base: the largest that was asked for
// within the window, and base where the window began before anything was asked.
func (d *deciding) stabilised(base, wish int) int {
	window := time.Duration(d.limits.Stabilisation)
	asked := d.history.Desired
	if known := d.obs.Now.Sub(asked[0].At); known < window {
		d.say("stabilisation: proposals are known for %s of %s", elapsed(known), elapsed(window))
		return base
	}
	largest := asked[0]
	for _, a := range asked {
		if a.Nodes >= largest.Nodes {
			largest = a
		}
	}
	if largest.Nodes <= wish {
		return wish
	}
	d.say("stabilisation: %s proposed %s ago", nodesAre(largest.Nodes, "was", "were"), elapsed(d.obs.Now.Sub(largest.At)))
	return min(base, largest.Nodes)
}
