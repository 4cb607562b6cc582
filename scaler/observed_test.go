package scaler_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

func TestAHistoryOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 20)
		w.submit(shop)
		time.Sleep(5 * time.Minute)
		w.meters.set("demand", 45)
		time.Sleep(5 * time.Minute)
		before := time.Now()
		w.restart()
		time.Sleep(time.Minute)
		now := time.Now()
		seen, metrics, err := w.History(t.Context(), "shop", "web", now.Add(-time.Hour), now)
		if err != nil {
			t.Fatal(err)
		}
		if len(metrics) != 1 || metrics[0].Name != "demand" || metrics[0].PerNode == nil || *metrics[0].PerNode != 10 || metrics[0].Target {
			t.Errorf("metrics = %+v, want demand, 10 of which are a node's share", metrics)
		}
		older := 0
		for i, o := range seen {
			if i > 0 && !o.At.After(seen[i-1].At) {
				t.Errorf("%v is listed after %v", o.At, seen[i-1].At)
			}
			if o.At.Before(before) {
				older++
			}
		}
		// Ticks come every ten seconds.
		if older < 58 || len(seen) < older+5 {
			t.Errorf("%d instants, %d of them before the restart, want all 60 and those since", len(seen), older)
		}
		first, last := seen[2], seen[len(seen)-1]
		if first.Values["demand"] != 20 || first.Wanted != 2 || last.Values["demand"] != 45 || last.Wanted != 5 || last.Ready != 5 || last.Existing != 5 {
			t.Errorf("seen %+v at first and %+v at last", first, last)
		}
	})
}

// What is on disk is what a kill leaves.
func TestAKillCostsTenSecondsOfAHistoryAtMost(t *testing.T) {
	for interval, most := range map[string]time.Duration{"1s": 10 * time.Second, "10s": 0, "15s": 0} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.meters.set("demand", 20)
			begin := time.Now()
			w.submit(strings.Replace(shop, "interval: 10s", "interval: "+interval, 1))
			time.Sleep(5*time.Minute + 500*time.Millisecond)
			synctest.Wait()
			seen, _, err := w.History(t.Context(), "shop", "web", begin, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			kept, err := w.db.Observed(t.Context(), "shop", "web", begin, time.Now())
			if err != nil || len(kept) < 10 || len(seen) < 20 {
				t.Fatalf("ticks every %s: %d of %d are on disk, %v", interval, len(kept), len(seen), err)
			}
			if lost := seen[len(seen)-1].At.Sub(kept[len(kept)-1].At); lost > most {
				t.Errorf("ticks every %s: a kill costs %s, want at most %s", interval, lost, most)
			}
		})
	}
}

func TestAnOrderIsPlannedAndNotCarriedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 20)
		w.submit(shop)
		time.Sleep(time.Minute)
		counts := func(p scaler.GroupPlan) [2]int {
			var n [2]int
			for _, c := range p.Changes {
				switch c.Action {
				case scaler.ActionCreate:
					n[0]++
				case scaler.ActionDelete:
					n[1]++
				}
			}
			return n
		}
		for _, test := range []struct {
			what string
			plan func() (scaler.GroupPlan, error)
			want [2]int
		}{
			{"two more", func() (scaler.GroupPlan, error) { return w.PlanScale(t.Context(), "shop", "web", 4) }, [2]int{2, 0}},
			{"one less", func() (scaler.GroupPlan, error) { return w.PlanScale(t.Context(), "shop", "web", 1) }, [2]int{0, 1}},
			{"the same", func() (scaler.GroupPlan, error) { return w.PlanScale(t.Context(), "shop", "web", 2) }, [2]int{}},
			{"one dropped", func() (scaler.GroupPlan, error) { return w.PlanDrop(t.Context(), "shop", "web-0001", false) }, [2]int{0, 1}},
			{"one replaced", func() (scaler.GroupPlan, error) { return w.PlanDrop(t.Context(), "shop", "id-web-0001", true) }, [2]int{1, 1}},
		} {
			plan, err := test.plan()
			if got := counts(plan); err != nil || got != test.want {
				t.Errorf("%s: creates and deletes %v, %v, want %v: %+v", test.what, got, err, test.want, plan.Changes)
			}
		}
		if _, err := w.Scale(t.Context(), "shop", "web", 3); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		if _, err := w.Drop(t.Context(), "shop", "web-0003", false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		plan, err := w.PlanScale(t.Context(), "shop", "web", 3)
		if err != nil || len(plan.Changes) != 1 || plan.Changes[0].Address != `terraform_data.node["web-0004"]` {
			t.Errorf("one more after web-0003 is gone: %+v, %v, want web-0004: a name is never used again", plan.Changes, err)
		}
		if _, err := w.PlanScale(t.Context(), "shop", "web", 10); !errors.Is(err, scaler.ErrRefused) {
			t.Errorf("PlanScale(10) = %v, want a refusal: max is 9", err)
		}
		time.Sleep(time.Minute)
		if n := len(w.cloud.nodes("web")); n != 2 || w.group("web").Wanted != 2 {
			t.Errorf("%d nodes after plans, want 2 as before", n)
		}
	})
}
