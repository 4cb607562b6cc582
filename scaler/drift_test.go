package scaler_test

import (
	"context"
	"errors"
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

// TestDriftIsCheckedWhenItIsAskedFor asks for checks that are not due for a day.
func TestDriftIsCheckedWhenItIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(strings.Replace(shop, "    shard_size: 3\n", "    shard_size: 3\n    drift: {every: 24h}\n", 1))
		w.meters.set("demand", 50)
		pass(30 * time.Second)
		found := func() scaler.GroupDrift {
			t.Helper()
			groups, err := w.Drift(t.Context(), "shop", "")
			if err != nil || len(groups) != 1 {
				t.Fatalf("Drift() = %+v, %v, want one group", groups, err)
			}
			return groups[0]
		}
		ask := func() time.Time {
			t.Helper()
			at := time.Now()
			if err := w.CheckDrift(t.Context(), "shop", "web", at); err != nil {
				t.Fatal(err)
			}
			return at
		}
		w.cloud.change("web-0001")
		if d := found(); len(d.Checks) != 0 || len(d.Findings) != 0 || time.Duration(d.Every) != 24*time.Hour {
			t.Errorf("before it is asked for there are %+v, want no checks and findings, every 24h", d)
		}
		asked := ask()
		pass(5 * time.Second)
		d := found()
		if len(d.Checks) != 2 || d.Checks[0].Shard != "shard-000" || d.Checks[1].At.Before(asked) {
			t.Errorf("checks are %+v, want one of each shard after %s", d.Checks, asked)
		}
		if len(d.Findings) != 1 || d.Findings[0].Kind != scaler.DriftChanged || d.Findings[0].Shard != "shard-000" {
			t.Errorf("findings are %+v, want the change of shard-000", d.Findings)
		}
		if o := w.group("web").DriftOrder; o == nil || !o.At.Equal(asked) || o.Problem != "" {
			t.Errorf("the order is %+v, want it over without a problem", o)
		}

		// A shard that a step keeps busy is waited for, and a newer order is one of its own.
		w.cloud.taking(time.Minute)
		w.meters.set("demand", 80)
		pass(15 * time.Second)
		first := ask()
		pass(10 * time.Second)
		second := ask()
		pass(10 * time.Second)
		if o := w.group("web").DriftOrder; !o.At.Before(first) {
			t.Errorf("the order of %s is over while a step is under way", o.At)
		}
		pass(2 * time.Minute)
		if o := w.group("web").DriftOrder; !o.At.Equal(second) {
			t.Errorf("the order of %s is over, want that of %s", o.At, second)
		}

		w.cloud.blinded(errors.New("the cloud is away"))
		third := ask()
		pass(10 * time.Second)
		if o := w.group("web").DriftOrder; !o.At.Equal(third) || !strings.Contains(o.Problem, "the cloud is away") {
			t.Errorf("the order is %+v, want that of %s with the problem", o, third)
		}
		if d := found(); len(d.Checks) != 3 || d.Checks[2].Problem == "" {
			t.Errorf("checks are %+v, want three with problems", d.Checks)
		}
		if _, err := w.Drift(t.Context(), "shop", "none"); !errors.Is(err, scaler.ErrNotFound) {
			t.Errorf("Drift() of no group = %v, want ErrNotFound", err)
		}
	})
}

// TestADriftCheckThatAStepOverlappedSaysNothing drops a node while its shard is
// compared with what exists: it is gone then, and nobody else took it away.
func TestADriftCheckThatAStepOverlappedSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(strings.Replace(shop, "    shard_size: 3\n", "    shard_size: 3\n    drift: {every: 24h, on_deleted: report}\n", 1))
		w.meters.set("demand", 20)
		pass(30 * time.Second)
		w.cloud.lookingFor(20 * time.Second)
		asked := time.Now()
		if err := w.CheckDrift(t.Context(), "shop", "web", asked); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if _, err := w.Drop(t.Context(), "shop", "web-0002", false); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		if got := w.exist("web"); len(got) != 1 {
			t.Fatalf("%v exist while the check goes on, want one node: the test tests nothing", got)
		}
		pass(20 * time.Second)
		g := w.group("web")
		if len(g.Drift) != 0 {
			t.Errorf("findings are %+v, want none of what the step did", g.Drift)
		}
		if g.DriftOrder != nil {
			t.Errorf("the order is over (%+v) by a check that says nothing", g.DriftOrder)
		}
		pass(30 * time.Second)
		if o := w.group("web").DriftOrder; o == nil || !o.At.Equal(asked) {
			t.Errorf("the order is %+v after another check, want it over", o)
		}
		if drift := w.group("web").Drift; len(drift) != 0 {
			t.Errorf("findings are %+v, want none", drift)
		}
	})
}

// TestWhatChecksFoundIsToldWhileTheApplicationIsBusy reads it as a page does that is
// loaded in the middle of a long tick.
func TestWhatChecksFoundIsToldWhileTheApplicationIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(shop)
		w.meters.set("demand", 20)
		w.cloud.change("web-0001")
		pass(5 * time.Minute)
		var groups []scaler.GroupDrift
		var err error
		if err := w.Meanwhile(t.Context(), "shop", func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			groups, err = w.Drift(ctx, "shop", "web")
		}); err != nil {
			t.Fatal(err)
		}
		if err != nil || len(groups) != 1 || len(groups[0].Checks) != 1 || len(groups[0].Findings) != 1 || groups[0].Cloud != "local" {
			t.Errorf("Drift() = %+v, %v, want the check and the finding of web", groups, err)
		}
	})
}
