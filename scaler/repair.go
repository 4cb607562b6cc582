package scaler

import (
	"fmt"
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// unready is a node that exists and does not work, and since when.
type unready struct {
	node NodeStatus
	// since is when it was first seen so; overdue is set when that is too long ago.
	since   time.Time
	overdue bool
}

// watchHealth remembers since when nodes that exist are not ready. After a restart it
// begins anew: nothing is known of the time in between.
func (g *group) watchHealth(nodes []NodeStatus, now time.Time) {
	seen := map[string]time.Time{}
	for _, n := range nodes {
		if n.State != StateLost && n.State != StateBooting {
			continue
		}
		seen[n.Name] = now
		if since, known := g.unready[n.Name]; known && !since.After(now) {
			seen[n.Name] = since
		}
	}
	g.unready = seen
}

// nextRepair says how a group goes on from nodes that do not work to others: by the
// same steps as a rollout, the new node first, so that it is pure too. replaced are
// when nodes were replaced lately.
func nextRepair(nodes []NodeStatus, since map[string]time.Time, wanted int, r spec.Repair, replaced []time.Time, now time.Time) rolloutStep {
	sick, exist := unreadyNodes(nodes, since, r, now)
	if !slices.ContainsFunc(sick, func(u unready) bool { return u.overdue && !u.node.Protected }) {
		return rolloutStep{}
	}
	if len(sick) > 1 && float64(len(sick)) > r.MaxUnready/100*float64(exist) {
		return rolloutStep{Reason: fmt.Sprintf("waits: %d of %d nodes are not ready, so monitoring or the network is suspected; nothing is replaced", len(sick), exist)}
	}
	left := r.MaxPerHour - recent(replaced, now)
	if left <= 0 {
		return rolloutStep{Reason: fmt.Sprintf("waits: %d nodes were replaced within an hour", r.MaxPerHour)}
	}
	marked := slices.Clone(nodes)
	for i := range marked {
		marked[i].Outdated = ""
		for _, u := range sick {
			if u.overdue && u.node.Name == marked[i].Name && !u.node.Protected {
				marked[i].Outdated = why(u, now)
			}
		}
	}
	batch := min(r.AtOnce, left)
	return replace(marked, wanted, spec.Rollout{Mode: spec.RolloutReplace, Batch: batch, Surge: batch}, now,
		replacement{"does not work", "do not work", "more "})
}

// nextRepair is that of the group, where it is to be repaired. It waits while the
// breaker is open: what is made then does not work either.
func (g *group) nextRepair(nodes []NodeStatus, now time.Time) rolloutStep {
	g.watchHealth(nodes, now)
	if g.spec.Repair == nil {
		return rolloutStep{}
	}
	step := nextRepair(nodes, g.unready, g.row.Wanted, *g.spec.Repair, g.replaced, now)
	if step.acts() && g.history.Breaker.String() != "" {
		return rolloutStep{Reason: "waits while the breaker is " + g.history.Breaker.String()}
	}
	return step
}

// noteReplaced remembers the nodes that a repair drops, and how many that never were
// ready were dropped since one was.
func (g *group) noteReplaced(nodes []NodeStatus, drop []string, now time.Time) {
	g.replaced = slices.DeleteFunc(slices.Clone(g.replaced), func(t time.Time) bool { return now.Sub(t) >= time.Hour })
	for _, n := range nodes {
		if !slices.Contains(drop, n.Name) {
			continue
		}
		g.replaced = append(g.replaced, now)
		if n.ReadyAt.IsZero() {
			g.failedBoots++
		}
	}
}

// unreadyNodes are the nodes that exist and are not ready, and how many exist.
func unreadyNodes(nodes []NodeStatus, since map[string]time.Time, r spec.Repair, now time.Time) (sick []unready, exist int) {
	for _, n := range nodes {
		if n.State == StateDraining || n.State == StateCreating {
			continue
		}
		exist++
		at, known := since[n.Name]
		patience := r.UnhealthyAfter.AsDuration()
		if n.ReadyAt.IsZero() {
			patience = r.BootTimeout.AsDuration()
		}
		late := known && now.Sub(at) >= patience
		if n.State == StateLost || n.State == StateBooting && late {
			sick = append(sick, unready{node: n, since: at, overdue: late})
		}
	}
	return sick, exist
}

// why says what is wrong with a node.
func why(u unready, now time.Time) string {
	if u.node.ReadyAt.IsZero() {
		return fmt.Sprintf("never ready within %s", elapsed(now.Sub(u.since)))
	}
	return fmt.Sprintf("not ready for %s", elapsed(now.Sub(u.since)))
}

// recent is how many of the instants lie within the last hour.
func recent(at []time.Time, now time.Time) int {
	n := 0
	for _, t := range at {
		if now.Sub(t) < time.Hour {
			n++
		}
	}
	return n
}
