package scaler_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// TestDriftIsRepairedOrReported loses a node, changes another and writes a state
// behind scalerd's back.
func TestDriftIsRepairedOrReported(t *testing.T) {
	rows := []struct {
		name, policy string
		act          func(*cloud, string)
		// kind is the finding that is left, empty for none; nodes are what exists then.
		kind  scaler.DriftKind
		nodes string
	}{
		{"a lost node is replaced", "", (*cloud).lose, "", "web-0002 web-0003"},
		{"a lost node is only reported", "drift: {on_deleted: report}", (*cloud).lose, scaler.DriftDeleted, "web-0001 web-0002"},
		{"a changed node is reported", "", (*cloud).change, scaler.DriftChanged, "web-0001 web-0002"},
		{"a changed node is changed back", "drift: {on_changed: repair}", (*cloud).change, "", "web-0001 web-0002"},
		{"a check has its own interval", "drift: {every: 1h}", (*cloud).change, "", "web-0001 web-0002"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.submit(strings.Replace(shop, "    shard_size: 3\n", "    shard_size: 3\n    "+r.policy+"\n", 1))
				w.meters.set("demand", 20)
				pass(30 * time.Second)
				r.act(w.cloud, "web-0001")
				pass(10 * time.Minute)
				var kinds []scaler.DriftKind
				for _, f := range w.group("web").Drift {
					kinds = append(kinds, f.Kind)
				}
				if want := []scaler.DriftKind{r.kind}; r.kind == "" && len(kinds) > 0 || r.kind != "" && !slices.Equal(kinds, want) {
					t.Errorf("findings are %v, want %q", kinds, r.kind)
				}
				nodes := w.cloud.nodes("web")
				slices.Sort(nodes)
				if got := strings.Join(nodes, " "); got != r.nodes {
					t.Errorf("nodes are %s, want %s", got, r.nodes)
				}
				if r.kind == "" && strings.Contains(r.policy, "repair") && w.cloud.isChanged("web-0001") {
					t.Error("web-0001 is still changed")
				}
			})
		})
	}
}

func TestAForeignWriterIsNamedAndItsStateUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(shop)
		w.meters.set("demand", 20)
		pass(30 * time.Second)
		w.cloud.write("web")
		pass(6 * time.Second)
		drift := w.group("web").Drift
		if len(drift) != 1 || drift[0].Kind != scaler.DriftForeign || !strings.Contains(drift[0].Detail, "from serial") {
			t.Fatalf("findings are %+v, want a foreign writer with the serials", drift)
		}
		w.meters.set("demand", 40)
		pass(30 * time.Second)
		if n := len(w.cloud.nodes("web")); n != 4 {
			t.Errorf("%d nodes after the foreign writer, want 4", n)
		}
	})
}
