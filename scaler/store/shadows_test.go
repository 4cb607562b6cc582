package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
)

func TestComparisonsSumUpTicks(t *testing.T) {
	ctx := t.Context()
	db := open(t, filepath.Join(t.TempDir(), "scalerd.db"))
	at := func(minutes int) time.Time { return time.Date(2026, 3, 4, 0, minutes, 0, 0, time.UTC) }
	tick := func(policy string, minute, nodes, to, need int, lasted time.Duration) scaler.ShadowTick {
		return scaler.ShadowTick{Policy: policy, At: at(minute), Lasted: lasted, Nodes: nodes, To: to, Active: 2, ActiveTo: 2, Need: need}
	}
	must(t,
		db.RecordShadows(ctx, "shop", "web", []scaler.ShadowTick{tick("a", 0, 2, 4, 3, 0), tick("b", 0, 2, 2, 3, 0)}),
		db.RecordShadows(ctx, "shop", "web", []scaler.ShadowTick{tick("a", 30, 4, 4, 3, 30*time.Minute), tick("b", 30, 2, 1, 2, 30*time.Minute)}),
		db.RecordShadows(ctx, "shop", "web", []scaler.ShadowTick{tick("a", 60, 4, 1, 3, 30*time.Minute), tick("b", 60, 1, 1, 2, 30*time.Minute)}),
		db.RecordShadows(ctx, "shop", "other", []scaler.ShadowTick{tick("a", 60, 9, 9, 9, time.Hour)}),
	)
	check := func(when string, since time.Time, want []scaler.Comparison) {
		t.Helper()
		got, err := db.Comparisons(ctx, "shop", "web", since)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: Comparisons() (-want +got):\n%s", when, diff)
		}
	}
	check("all", time.Time{}, []scaler.Comparison{
		{Policy: "a", Since: at(0), Until: at(60), Shadow: scaler.Tally{Nodes: 1, NodeHours: 4, Changes: 2}, Active: scaler.Tally{Nodes: 2, NodeHours: 2, Short: time.Hour}},
		{Policy: "b", Since: at(0), Until: at(60), Shadow: scaler.Tally{Nodes: 1, NodeHours: 1.5, Changes: 1, Short: 30 * time.Minute}, Active: scaler.Tally{Nodes: 2, NodeHours: 2}},
	})
	last := scaler.Comparison{Policy: "b", Since: at(60), Until: at(60), Shadow: scaler.Tally{Nodes: 1, NodeHours: 0.5, Short: 30 * time.Minute}, Active: scaler.Tally{Nodes: 2, NodeHours: 1}}
	must(t, db.ForgetShadows(ctx, "shop", "web", []string{"b"}))
	check("the last tick of one", at(31), []scaler.Comparison{last})

	later := tick("b", 60, 1, 1, 1, 0)
	later.At = at(31).Add(scaler.ShadowRetention)
	must(t, db.RecordShadows(ctx, "shop", "web", []scaler.ShadowTick{later}))
	got, err := db.Comparisons(ctx, "shop", "web", time.Time{})
	must(t, err)
	if len(got) != 1 || !got[0].Since.Equal(at(60)) {
		t.Errorf("Comparisons() a week later = %+v, want what is older to be gone", got)
	}
	must(t, db.ForgetShadows(ctx, "shop", "web", nil), db.DeleteGroup(ctx, "shop", "other"))
	check("nothing", time.Time{}, nil)
	if other, err := db.Comparisons(ctx, "shop", "other", time.Time{}); err != nil || len(other) != 0 {
		t.Errorf("Comparisons() of a group that is gone = %+v, %v", other, err)
	}
}
