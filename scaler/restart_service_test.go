package scaler_test

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
)

// TestABudgetHoldsOverARestart runs a group into its month's budget, with the daemon
// down for days in between, while its nodes cost on.
func TestABudgetHoldsOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t) // the clock begins at 2000-01-01 00:00 UTC
		w.meters.set("demand", 35)
		priced := edited(shop, "    policies:", "    price_per_hour: 0.5\n    budget: {max_per_hour: 3, max_per_month: 1500, currency: EUR}\n    policies:")
		w.submit(priced)
		pass(time.Hour)
		g := w.group("web")
		if g.Wanted != 4 || g.Cost == nil || g.Cost.Currency != "EUR" || g.Cost.PerHour != 2 || math.Abs(g.Cost.Forecast-4*0.5*744) > 5 {
			t.Fatalf("%d wanted, cost %+v, want 4 at 2 EUR an hour", g.Wanted, g.Cost)
		}
		w.meters.set("demand", 90)
		pass(time.Minute)
		if g := w.group("web"); g.Wanted != 4 || !strings.HasPrefix(strings.Join(g.Decision.Clamps, "\n"), "budget max_per_month: 9 nodes are proposed, at most 4 may be") {
			t.Errorf("%d wanted with %q, want the month's budget to keep 4", g.Wanted, g.Decision.Clamps)
		}
		before := w.group("web").Cost.Month
		w.stop()
		time.Sleep(10 * 24 * time.Hour)
		w.start()
		pass(time.Minute)
		g = w.group("web")
		if spent := g.Cost.Month - before; math.Abs(spent-10*24*2) > 0.1 {
			t.Errorf("ten days without the daemon cost %.2f, want %d: nodes cost on", spent, 10*24*2)
		}
		if c := g.Decision.Cost; c == nil || c.Forecast > 1500 || c.MaxPerMonth != 1500 {
			t.Errorf("cost of the last decision %+v, want a forecast within 1500", c)
		}
		w.stop()
		time.Sleep(22 * 24 * time.Hour)
		w.start()
		pass(time.Minute)
		if g := w.group("web"); g.Cost.Month > 200 || g.Cost.Month == 0 {
			t.Errorf("%v spent in February, want it to have begun at nothing", g.Cost.Month)
		}
		w.stop()
	})
}

// TestABudgetNeedsAPrice submits budgets that nothing can be told about, and ones
// that do not pay for their group.
func TestABudgetNeedsAPrice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, test := range []struct{ settings, want string }{
			{"budget: {max_per_hour: 3}", "groups[0].budget: needs the price of a node, and nothing says it; write price_per_hour in the group, or give scalerd a price list that has it with --prices"},
			{"price_per_hour: 2\n    budget: {max_per_hour: 1}", "pays for 1.00 USD an hour, and min 1 nodes cost 2.00; raise max_per_hour or lower min"},
			{"price_per_hour: 2\n    budget: {max_per_hour: 3}", "pays for 3.00 USD an hour, and initial 2 nodes cost 4.00; raise max_per_hour or lower initial"},
			{"price_per_hour: 2\n    budget: {max_per_month: 1000}", "pays for 1000.00 USD a month, and min 1 nodes cost 1344.00 in the shortest; raise max_per_month or lower min"},
			{"price_per_hour: 2\n    budget: {currency: USD}", "has neither max_per_hour nor max_per_month"},
			{"price_per_hour: 0", "groups[0].price_per_hour: is 0; write an amount above 0"},
			{"price_per_hour: 2\n    budget: {max_per_hour: -1}", "groups[0].budget.max_per_hour: is -1; write an amount above 0"},
		} {
			text := edited(shop, "    policies:", "    "+test.settings+"\n    policies:")
			if _, err := w.Submit(t.Context(), scaler.Source{File: "shop.yaml", Text: []byte(text)}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Submit() with %q = %v, want %q", test.settings, err, test.want)
			}
		}
		w.stop()
	})
}

// TestAHoldGoesOnOverARestart loses a metric and restarts twice: the hold ends when
// it would have without, and does not begin anew.
func TestAHoldGoesOnOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 65)
		w.submit(edited(shop, "value: 10}", "value: 10}\n        missing: {hold_for: 30m, floor: 2}"))
		pass(10 * time.Minute)
		w.meters.miss("demand", policy.Unreachable)
		for range 2 {
			pass(10 * time.Minute)
			w.restart()
		}
		pass(9 * time.Minute)
		if g := w.group("web"); g.Wanted != 7 {
			t.Errorf("%d wanted after 29 minutes of a hold of 30, want 7", g.Wanted)
		}
		pass(8 * time.Minute)
		if g := w.group("web"); g.Wanted != 2 {
			t.Errorf("%d wanted after 37 minutes of a hold of 30, want the floor of 2: %q", g.Wanted, g.Decision.Reasons)
		}
		w.stop()
	})
}

// TestTheBreakerStaysOpenOverARestart fails every creation and restarts.
func TestTheBreakerStaysOpenOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 15)
		w.submit(edited(shop, "stabilisation: 60s", "stabilisation: 60s, breaker_after: 3, breaker_probe: 10m"))
		pass(time.Minute)
		w.cloud.failing(func(c scaler.Change) bool { return c.Action == scaler.ActionCreate })
		w.meters.set("demand", 25)
		pass(2 * time.Minute)
		if g := w.group("web"); g.Breaker != "open" {
			t.Fatalf("breaker %q, want it open", g.Breaker)
		}
		row, err := w.db.Group(t.Context(), "shop", "web")
		if err != nil || row.Remembered.Breaker.OpenedAt.IsZero() {
			t.Errorf("the group's row remembers %+v, %v, want when the breaker opened", row.Remembered, err)
		}
		w.stop()
	})
}

// TestShadowsGoOnOverARestart compares a policy's ticks before and after one.
func TestShadowsGoOnOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 35)
		text := edited(shop, "      - target: {query: demand, kind: total, value: 10}",
			"      - target: {query: demand, kind: total, value: 10}\n      - {name: ample, shadow: true, target: {query: demand, kind: total, value: 5}}\n"+
				"      - {name: mean, shadow: true, rule: \"m_userdata = 1 if m_userdata == None else m_userdata + 1\\nm_node_count = 1\\nprint(m_userdata)\"}")
		w.submit(text)
		pass(time.Hour)
		w.restart()
		pass(time.Hour)
		for when, all := range map[string][]scaler.Comparison{"status": w.group("web").Shadows, "compare": compared(t, w, 100*time.Hour)} {
			if len(all) != 2 {
				t.Fatalf("%s: %d comparisons, want 2: %+v", when, len(all), all)
			}
			ample, mean := all[0], all[1]
			if ample.Shadow.Nodes != 7 || math.Abs(ample.Shadow.NodeHours-14) > 0.2 || math.Abs(ample.Active.NodeHours-8) > 0.2 || ample.Shadow.Short != 0 {
				t.Errorf("%s: ample = %+v, want 7 nodes beside 4 for two hours", when, ample)
			}
			if mean.Shadow.Nodes != 1 || mean.Shadow.Short < 117*time.Minute {
				t.Errorf("%s: mean = %+v, want 1 node, short all the time", when, mean)
			}
		}
		if d := w.group("web").Decision; len(d.Shadows) != 2 || len(d.Shadows[1].Proposal.Prints) != 1 || d.Shadows[1].Proposal.Prints[0] < "7" {
			t.Errorf("shadows of the last tick = %+v, want m_userdata to count over the restart", d.Shadows)
		}
		if last := compared(t, w, 30*time.Minute); len(last) != 2 || math.Abs(last[0].Shadow.NodeHours-3.5) > 0.1 {
			t.Errorf("the last half hour = %+v, want 3.5 node-hours of ample", last)
		}
		w.submit(edited(text, "value: 5}", "value: 4}"))
		pass(time.Minute)
		if again := compared(t, w, 100*time.Hour); again[0].Shadow.NodeHours > 0.2 || again[1].Shadow.NodeHours < 1.9 {
			t.Errorf("after a change of ample = %+v, want it to begin anew, and mean to go on", again)
		}
		w.stop()
	})
}

func compared(t *testing.T, w *world, within time.Duration) []scaler.Comparison {
	t.Helper()
	all, err := w.Compare(t.Context(), "shop", time.Now().Add(-within))
	if err != nil {
		t.Fatal(err)
	}
	return all["web"]
}
