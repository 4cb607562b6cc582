package scaler

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

var rolloutNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func oldNode(n int) NodeStatus {
	return NodeStatus{Name: tfgen.NodeName("web", n), State: StateReady, ReadyAt: rolloutNow.Add(-time.Hour), Outdated: "ami: 1 -> 2"}
}

func newNode(n int, state string, ready time.Duration) NodeStatus {
	return NodeStatus{Name: tfgen.NodeName("web", n), State: state, ReadyAt: rolloutNow.Add(-ready)}
}

func TestNextRollout(t *testing.T) {
	one := spec.Rollout{Mode: spec.RolloutReplace, Batch: 1, Surge: 1, Pause: spec.Duration(30 * time.Second)}
	lost := oldNode(2)
	lost.State = StateLost
	for _, tt := range []struct {
		does  string
		nodes []NodeStatus
		r     spec.Rollout
		want  rolloutStep
	}{
		{"has nothing to do without old nodes", []NodeStatus{newNode(1, StateReady, 0)}, one, rolloutStep{}},
		{"leaves old nodes that are to be kept", []NodeStatus{oldNode(1)}, spec.Rollout{Mode: spec.RolloutKeep, Batch: 1}, rolloutStep{}},
		{"asks for a new node first", []NodeStatus{oldNode(1), oldNode(2)}, one,
			rolloutStep{Surge: 1, Reason: "1 node with new settings comes first"}},
		{"waits for the new node", []NodeStatus{oldNode(1), oldNode(2), newNode(3, StateBooting, 0)}, one,
			rolloutStep{Surge: 1, Reason: "2 nodes have old settings; waits for web-0003, which is booting, to be ready"}},
		{"pauses", []NodeStatus{oldNode(1), oldNode(2), newNode(3, StateReady, 10*time.Second)}, one,
			rolloutStep{Surge: 1, Reason: "2 nodes have old settings; pauses 20s after web-0003 became ready"}},
		{"drops the oldest node", []NodeStatus{oldNode(2), oldNode(1), newNode(3, StateReady, time.Minute)}, one,
			rolloutStep{Surge: 1, Drop: []string{"web-0001"}, Reason: "replaces web-0001 of 2 (ami: 1 -> 2)"}},
		{"drops a node that does not answer before one that does", []NodeStatus{oldNode(1), lost, newNode(3, StateReady, time.Minute)}, one,
			rolloutStep{Surge: 1, Drop: []string{"web-0002"}, Reason: "replaces web-0002 of 2 (ami: 1 -> 2)"}},
		{"ends without a surge", []NodeStatus{oldNode(1), newNode(3, StateReady, time.Minute), newNode(4, StateReady, time.Minute)}, one,
			rolloutStep{Drop: []string{"web-0001"}, Reason: "replaces web-0001 of 1 (ami: 1 -> 2)"}},
		{"removes before it adds without a surge", []NodeStatus{oldNode(1), oldNode(2)}, spec.Rollout{Mode: spec.RolloutReplace, Batch: 2},
			rolloutStep{Drop: []string{"web-0001", "web-0002"}, Reason: "replaces web-0001, web-0002 of 2 (ami: 1 -> 2)"}},
	} {
		t.Run(tt.does, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, nextRollout(tt.nodes, 2, tt.r, rolloutNow)); diff != "" {
				t.Errorf("nextRollout() (-want +got):\n%s", diff)
			}
		})
	}
}

// TestARolloutEndsAndKeepsTheWantedNodesReady plays a rollout to its end: whatever
// its terms, all nodes are new then, never more than the surge exist above the
// wanted number, and with a surge never fewer than wanted are ready.
func TestARolloutEndsAndKeepsTheWantedNodesReady(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wanted := rapid.IntRange(1, 12).Draw(t, "wanted")
		r := spec.Rollout{Mode: spec.RolloutReplace, Batch: rapid.IntRange(1, 5).Draw(t, "batch"), Pause: spec.Duration(15 * time.Second)}
		if rapid.Bool().Draw(t, "with surge") {
			r.Surge = r.Batch + rapid.IntRange(0, 3).Draw(t, "more")
		}
		var nodes []NodeStatus
		for n := range wanted {
			nodes = append(nodes, oldNode(n+1))
		}
		next, now := wanted+1, rolloutNow
		for range 40 * wanted {
			step := nextRollout(nodes, wanted, r, now)
			if step.Reason == "" {
				if len(nodes) != wanted || step.Surge != 0 {
					t.Fatalf("ended with %d nodes and a surge of %d, want %d and 0", len(nodes), step.Surge, wanted)
				}
				return
			}
			nodes = slices.DeleteFunc(nodes, func(n NodeStatus) bool { return slices.Contains(step.Drop, n.Name) })
			for len(nodes) < wanted+step.Surge {
				nodes = append(nodes, newNode(next, StateBooting, 0))
				next++
			}
			ready := 0
			for _, n := range nodes {
				if n.State == StateReady {
					ready++
				}
			}
			if r.Surge > 0 && ready < wanted {
				t.Fatalf("%d of %d wanted nodes are ready after %q", ready, wanted, step.Reason)
			}
			if len(nodes) > wanted+r.Surge {
				t.Fatalf("%d nodes exist, want at most %d", len(nodes), wanted+r.Surge)
			}
			now = now.Add(15 * time.Second)
			for i := range nodes {
				if nodes[i].State == StateBooting && rapid.Bool().Draw(t, fmt.Sprint("boots ", nodes[i].Name)) {
					nodes[i].State, nodes[i].ReadyAt = StateReady, now
				}
			}
		}
		t.Fatalf("the rollout does not end")
	})
}
