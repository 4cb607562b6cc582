package scaler

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/tfgen/spec"
)

func TestNextRepair(t *testing.T) {
	r := spec.Repair{
		UnhealthyAfter: spec.Duration(10 * time.Minute), BootTimeout: spec.Duration(20 * time.Minute),
		AtOnce: 1, MaxPerHour: 2, MaxUnready: 50,
	}
	ago := func(d time.Duration) time.Time { return rolloutNow.Add(-d) }
	fine := func(n int) NodeStatus { return newNode(n, StateReady, time.Hour) }
	lost := func(n int) NodeStatus { return newNode(n, StateLost, time.Hour) }
	never := func(n int) NodeStatus {
		node := newNode(n, StateBooting, 0)
		node.ReadyAt = time.Time{}
		return node
	}
	protected := lost(1)
	protected.Protected = true
	for _, tt := range []struct {
		does     string
		nodes    []NodeStatus
		since    map[string]time.Time
		replaced []time.Time
		want     rolloutStep
	}{
		{"has nothing to do where all work", []NodeStatus{fine(1), fine(2)}, nil, nil, rolloutStep{}},
		{"lets a node be away for a while", []NodeStatus{lost(1), fine(2), fine(3)}, map[string]time.Time{"web-0001": ago(9 * time.Minute)}, nil, rolloutStep{}},
		{"asks for a new node first", []NodeStatus{lost(1), fine(2), fine(3)}, map[string]time.Time{"web-0001": ago(10 * time.Minute)}, nil,
			rolloutStep{Surge: 1, Reason: "1 node more comes first"}},
		{"waits for it", []NodeStatus{lost(1), fine(2), fine(3), never(4)}, map[string]time.Time{"web-0001": ago(time.Hour), "web-0004": ago(time.Minute)}, nil,
			rolloutStep{Surge: 1, Reason: "1 node does not work; waits for web-0004, which is booting, to be ready"}},
		{"drops the old one then", []NodeStatus{lost(1), fine(2), fine(3), fine(4)}, map[string]time.Time{"web-0001": ago(10 * time.Minute)}, nil,
			rolloutStep{Drop: []string{"web-0001"}, Reason: "replaces web-0001 of 1 (not ready for 10m)"}},
		{"gives a new node longer", []NodeStatus{never(1), fine(2), fine(3), fine(4)}, map[string]time.Time{"web-0001": ago(19 * time.Minute)}, nil, rolloutStep{}},
		{"replaces a node that never was ready", []NodeStatus{never(1), fine(2), fine(3), fine(4)}, map[string]time.Time{"web-0001": ago(20 * time.Minute)}, nil,
			rolloutStep{Drop: []string{"web-0001"}, Reason: "replaces web-0001 of 1 (never ready within 20m)"}},
		{"suspects the monitoring when too many are away", []NodeStatus{lost(1), lost(2), fine(3)}, map[string]time.Time{"web-0001": ago(time.Hour)}, nil,
			rolloutStep{Reason: "waits: 2 of 3 nodes are not ready, so monitoring or the network is suspected; nothing is replaced"}},
		{"repairs the only node", []NodeStatus{lost(1)}, map[string]time.Time{"web-0001": ago(time.Hour)}, nil,
			rolloutStep{Surge: 1, Reason: "3 nodes more come first"}},
		{"keeps to its rate", []NodeStatus{lost(1), fine(2), fine(3)}, map[string]time.Time{"web-0001": ago(time.Hour)}, []time.Time{ago(time.Minute), ago(59 * time.Minute)},
			rolloutStep{Reason: "waits: 2 nodes were replaced within an hour"}},
		{"forgets what is longer ago", []NodeStatus{lost(1), fine(2), fine(3)}, map[string]time.Time{"web-0001": ago(time.Hour)}, []time.Time{ago(time.Minute), ago(time.Hour)},
			rolloutStep{Surge: 1, Reason: "1 node more comes first"}},
		{"leaves a protected node", []NodeStatus{protected, fine(2), fine(3)}, map[string]time.Time{"web-0001": ago(time.Hour)}, nil, rolloutStep{}},
	} {
		t.Run(tt.does, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, nextRepair(tt.nodes, tt.since, 3, r, tt.replaced, rolloutNow)); diff != "" {
				t.Errorf("nextRepair() (-want +got):\n%s", diff)
			}
		})
	}
}
