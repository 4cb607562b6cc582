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
	if most := step(d.limits.MaxStepOut, d.limits.MaxStepOutPercent, base); most > 0 && wish-base > most {
		d.clampedBy("max_step_out: at most %d of %d added", most, wish-base)
		wish = base + most
	}
	if most := d.broken(); most >= 0 {
		wish = min(wish, base+most)
	}
	return wish
}

// in is the size to shrink to from base, where wish is at most that.
func (d *deciding) in(base, wish int, proposals []policy.Proposal) int {
	to, victims := base, d.victims(proposals)
	if wish < base {
		to = d.guarded(base, d.stabilised(base, wish), proposals)
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
	if d.oscillating() {
		return base
	}
	least := d.obs.Min
	if most := step(d.limits.MaxStepIn, d.limits.MaxStepInPercent, base); most > 0 && base-most > least {
		least = base - most
		if base-min(to, base-len(victims)) > most {
			d.clampedBy("max_step_in: at most %d of %d removed", most, base-min(to, base-len(victims)))
		}
	}
	d.drop = d.spare(victims, base-least)
	return max(least, min(to, base-len(d.drop)))
}

// spare is as many of the victims as may go.
func (d *deciding) spare(victims []string, most int) []string {
	if len(victims) > most {
		d.clampedBy("drop: %s cannot go now", strings.Join(victims[most:], ", "))
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
		case protected(d.limits.Victims, name):
			d.clampedBy("protected: %s stays", name)
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
		d.clampedBy("drop: %s cannot go while the group is to grow", strings.Join(names, ", "))
	}
}

// cooling is whether the last change is too recent for another.
func (d *deciding) cooling(name string, cooldown time.Duration, last time.Time, what string) bool {
	since := d.obs.Now.Sub(last)
	if last.IsZero() || since >= cooldown {
		return false
	}
	d.clampedBy("%s: %s of %s passed since the last %s", name, elapsed(since), elapsed(cooldown), what)
	return true
}

// appendDesired adds the size n that the policies ask for now to the sizes that they
// asked for before, and forgets those that were over before the window began. It may
// write to what before shares.
func appendDesired(before []Desired, now time.Time, n int, window time.Duration) []Desired {
	all := append(before, Desired{At: now, Nodes: n})
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
		d.clampedBy("stabilisation: proposals are known for %s of %s", elapsed(known), elapsed(window))
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
	d.clampedBy("stabilisation: %s proposed %s ago", nodesAre(largest.Nodes, "was", "were"), elapsed(d.obs.Now.Sub(largest.At)))
	return min(base, largest.Nodes)
}
