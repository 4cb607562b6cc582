package scaler

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// rolloutStep is what the replacement of nodes with old settings does next.
type rolloutStep struct {
	// Surge is how many nodes more than wanted are asked for.
	Surge int
	// Drop are the nodes to destroy now.
	Drop []string
	// Reason says what is done or waited for; it is empty where no node is old.
	Reason string
}

// acts reports whether anything is asked for.
func (s rolloutStep) acts() bool { return s.Surge > 0 || len(s.Drop) > 0 }

// nextRollout says how a group goes on from nodes with old settings to new ones:
// first as many new nodes as the surge allows, then, when every new node has been
// ready for the pause, a batch of old ones goes. A new node that does not become
// ready stops it. With a surge of at least a batch, at least the wanted number of
// nodes stays ready throughout. It is pure, and decides from what exists: called
// again after a restart, it goes on.
func nextRollout(nodes []NodeStatus, wanted int, r spec.Rollout, now time.Time) rolloutStep {
	return replace(nodes, wanted, r, now, replacement{"has old settings", "have old settings", "with new settings "})
}

// replacement is how a replacement is told: what one and several nodes have that
// are replaced, and what new ones are.
type replacement struct{ has, have, fresh string }

// replace replaces the nodes that are marked as outdated.
func replace(nodes []NodeStatus, wanted int, r spec.Rollout, now time.Time, words replacement) rolloutStep {
	var old, fresh []NodeStatus
	for _, n := range nodes {
		switch {
		case n.State == StateDraining || n.Protected && n.Outdated != "":
		case n.Outdated != "":
			old = append(old, n)
		default:
			fresh = append(fresh, n)
		}
	}
	if len(old) == 0 || r.Mode == spec.RolloutKeep {
		return rolloutStep{}
	}
	step := rolloutStep{Surge: min(r.Surge, len(old))}
	if wait := notSettled(fresh, r.Pause.AsDuration(), now); wait != "" {
		step.Reason = nodesAre(len(old), words.has, words.have) + "; " + wait
		return step
	}
	if missing := wanted + step.Surge - len(old) - len(fresh); missing > 0 {
		step.Reason = nodesAre(missing, words.fresh+"comes", words.fresh+"come") + " first"
		return step
	}
	slices.SortFunc(old, func(x, y NodeStatus) int {
		return cmp.Or(cmp.Compare(readiness(x), readiness(y)), cmp.Compare(tfgen.NodeNumber(x.Name), tfgen.NodeNumber(y.Name)))
	})
	for _, n := range old[:min(r.Batch, len(old))] {
		step.Drop = append(step.Drop, n.Name)
	}
	step.Reason = fmt.Sprintf("replaces %s of %d (%s)", strings.Join(step.Drop, ", "), len(old), old[0].Outdated)
	step.Surge = min(r.Surge, len(old)-len(step.Drop))
	return step
}

// notSettled says which new node is waited for, if any.
func notSettled(fresh []NodeStatus, pause time.Duration, now time.Time) string {
	for _, n := range fresh {
		if n.State != StateReady {
			return fmt.Sprintf("waits for %s, which is %s, to be ready", n.Name, n.State)
		}
	}
	for _, n := range fresh {
		if left := pause - now.Sub(n.ReadyAt); left > 0 {
			return fmt.Sprintf("pauses %s after %s became ready", elapsed(left), n.Name)
		}
	}
	return ""
}

// readiness orders nodes by what is lost when they go.
func readiness(n NodeStatus) int {
	if n.State == StateReady {
		return 1
	}
	return 0
}

// roll takes the next step of a group's repair, or else of its rollout, as a decision
// of its own.
func (a *application) roll(ctx context.Context, g *group, now time.Time) {
	if a.stored.Paused || g.row.Paused || !g.row.Known || g.actuator.Fleet().Unknown != "" {
		return
	}
	nodes := g.nodeStatuses()
	step, reason := g.nextRepair(nodes, now), ""
	g.repair, g.rollout = step.Reason, ""
	repairs := step.acts()
	if reason = "repair: " + step.Reason; !repairs {
		step = nextRollout(nodes, g.row.Wanted, g.spec.Rollout, now)
		g.rollout, reason = step.Reason, "rollout: "+step.Reason
	}
	if step.Surge == g.row.Surge && len(step.Drop) == 0 {
		return
	}
	if step.Reason == "" {
		reason = "rollout: every node has the description's settings"
	}
	d := Decision{At: now, Application: a.name, Group: g.name, From: g.row.Wanted, To: g.row.Wanted, Drop: step.Drop, Reasons: []string{reason}}
	row := g.row
	row.Surge, row.Dropping = step.Surge, g.dropping(step.Drop)
	replaced, failedBoots := g.replaced, g.failedBoots
	if repairs {
		g.noteReplaced(nodes, step.Drop, now)
		row.Remembered.Replaced, row.Remembered.FailedBoots = g.replaced, g.failedBoots
	}
	id, err := a.config.Store.RecordDecision(ctx, d, row)
	if err != nil {
		g.replaced, g.failedBoots = replaced, failedBoots
		a.log.Error("decision not recorded, so not carried out", "group", g.name, "error", err)
		a.problem = fmt.Sprintf("decisions can't be recorded, so nothing is changed: %v", err)
		return
	}
	g.row, g.history.Dropped = row, row.Dropping
	d.ID = id
	a.countDecision(d)
	a.log.Info("decided", "group", g.name, "decision", id, "surge", step.Surge, "drop", step.Drop, "reasons", d.Reasons)
	g.ask(step.Drop, id)
}

// rolloutNote says which nodes a changed description replaces, and why.
func rolloutNote(outdated map[string]string, r spec.Rollout) string {
	if len(outdated) == 0 {
		return ""
	}
	why := map[string]bool{}
	for _, diff := range outdated {
		why[diff] = true
	}
	reasons := sortedKeys(why)
	if len(reasons) > 3 {
		reasons = append(reasons[:3], fmt.Sprintf("and %d more", len(reasons)-3))
	}
	if r.Mode == spec.RolloutKeep {
		return fmt.Sprintf("%d of its nodes keep the settings that they were created with; new nodes get the new ones (%s)", len(outdated), strings.Join(reasons, "; "))
	}
	return fmt.Sprintf("%d of its nodes will be replaced, %d at a time with %d more than wanted meanwhile: %s", len(outdated), r.Batch, r.Surge, strings.Join(reasons, "; "))
}
