package scaler_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
)

func edited(text string, changes ...string) string {
	return strings.NewReplacer(changes...).Replace(text)
}

// TestProtectedNodesStay runs a group down to one node, of which the newest is
// protected.
func TestProtectedNodesStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 35)
		w.submit(edited(shop, "stabilisation: 60s", "stabilisation: 60s, victims: {protected: [web-0004]}"))
		pass(time.Minute)
		if diff := cmp.Diff([]string{"web-0001", "web-0002", "web-0003", "web-0004"}, sorted(w.exist("web"))); diff != "" {
			t.Fatalf("nodes (-want +got):\n%s", diff)
		}
		if _, err := w.Drop(t.Context(), "shop", "web-0004", false); !errors.Is(err, scaler.ErrRefused) {
			t.Errorf("Drop() of a protected node = %v, want ErrRefused", err)
		}
		w.meters.set("demand", 5)
		pass(3 * time.Minute)
		if diff := cmp.Diff([]string{"web-0004"}, w.exist("web")); diff != "" {
			t.Errorf("nodes (-want +got):\n%s", diff)
		}
		if got := w.group("web").Warmup; got == nil || got.Nodes != 2 || got.P90 < 3*time.Second {
			t.Errorf("Warmup = %+v, want the two nodes that were not ready at the first look, each once", got)
		}
		w.stop()
	})
}

func sorted(names []string) []string {
	slices.Sort(names)
	return names
}

// TestTheBreakerStopsGrowth fails every creation, and mends the cloud.
func TestTheBreakerStopsGrowth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 15)
		w.submit(edited(shop, "stabilisation: 60s", "stabilisation: 60s, breaker_after: 3, breaker_probe: 10m"))
		pass(time.Minute)
		w.cloud.failing(func(c scaler.Change) bool { return c.Action == scaler.ActionCreate })
		w.meters.set("demand", 25)
		pass(2 * time.Minute)
		w.meters.set("demand", 75)
		pass(time.Minute)
		g := w.group("web")
		if g.Breaker == "" || g.Wanted != 3 || len(g.Decision.Clamps) == 0 {
			t.Errorf("breaker %q, %d wanted (%q), want it open and 3", g.Breaker, g.Wanted, g.Decision.Clamps)
		}
		w.cloud.failing(nil)
		pass(10 * time.Minute)
		if g := w.group("web"); g.Breaker != "" || g.Ready != 8 {
			t.Errorf("breaker %q, %d ready, want it closed and 8", g.Breaker, g.Ready)
		}
		w.stop()
	})
}

const alerted = `name: shop
interval: 10s
monitoring:
  prometheus: {url: "http://prometheus.example:9090", alerts: receive}
alerts:
  - {alert: hot, expr: cpu > 80}
groups:
  - name: web
    cloud: local
    max: 9
    policies: [rule: "m_node_count = 5 if hot else 2"]
    scaling: {cooldown_in: 0s, stabilisation: 0s}
  - name: workers
    cloud: local
    max: 9
    policies: [rule: "m_node_count = 4 if hot else 1"]
    scaling: {cooldown_in: 0s, stabilisation: 0s}
`

// TestReceivedAlertsAreLevels fires and resolves alerts, with a restart in between:
// an alert is true at every tick until all of its name are resolved.
func TestReceivedAlertsAreLevels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(alerted)
		notify := func(alerts ...scaler.NotifiedAlert) {
			t.Helper()
			if taken, ignored, err := w.Notify(t.Context(), alerts); err != nil || taken != len(alerts) {
				t.Errorf("Notify() = %d, %q, %v, want %d taken", taken, ignored, err, len(alerts))
			}
		}
		sizes := func(when string, web, workers int) {
			t.Helper()
			pass(30 * time.Second)
			if got := [2]int{w.group("web").Wanted, w.group("workers").Wanted}; got != [2]int{web, workers} {
				t.Errorf("%s: %v wanted, want %d and %d (%q)", when, got, web, workers, w.group("web").Decision.Reasons)
			}
		}
		sizes("nothing fires", 2, 1)
		notify(scaler.NotifiedAlert{Name: "hot", Firing: true, Key: "a", Application: "shop"}, scaler.NotifiedAlert{Name: "hot", Firing: true, Key: "b", Group: "web"})
		sizes("both fire", 5, 4)
		notify(scaler.NotifiedAlert{Name: "hot", Key: "a"})
		sizes("one is resolved", 5, 1)
		w.restart()
		sizes("after a restart", 5, 1)
		notify(scaler.NotifiedAlert{Name: "hot", Key: "b", Group: "web"})
		sizes("all are resolved", 2, 1)
		if taken, ignored, err := w.Notify(t.Context(), []scaler.NotifiedAlert{{Name: "cold", Firing: true}, {Name: "hot", Application: "other", Firing: true}}); taken != 0 || !slices.Equal(ignored, []string{"cold", "hot"}) || err != nil {
			t.Errorf("Notify() of unknown alerts = %d, %q, %v, want them ignored", taken, ignored, err)
		}
		w.stop()
	})
}

// TestAReceivedAlertEndsWithoutAWord fires alerts whose end nobody tells of, with a
// restart in between.
func TestAReceivedAlertEndsWithoutAWord(t *testing.T) {
	for _, test := range []struct {
		name       string
		timeout    string
		ends       time.Duration // after the notification, 0 where it says nothing
		repeated   time.Duration
		until, not time.Duration // fires, and does not any more
	}{
		{"at its own end", "", 20 * time.Minute, 0, 19 * time.Minute, 21 * time.Minute},
		{"at the default timeout", "", 0, 0, 9*time.Hour - time.Minute, 9*time.Hour + time.Minute},
		{"at the description's", ", alert_timeout: 1h", 0, 0, 59 * time.Minute, 61 * time.Minute},
		{"a repetition goes on", ", alert_timeout: 1h", 0, 50 * time.Minute, 109 * time.Minute, 111 * time.Minute},
		{"never", ", alert_timeout: 0s", 0, 0, 200 * time.Hour, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.submit(edited(alerted, "alerts: receive", "alerts: receive"+test.timeout))
				began := time.Now()
				notify := func() {
					hot := scaler.NotifiedAlert{Name: "hot", Firing: true, Key: "a", Since: time.Now()}
					if test.ends > 0 {
						hot.Ends = time.Now().Add(test.ends)
					}
					if taken, _, err := w.Notify(t.Context(), []scaler.NotifiedAlert{hot}); taken != 1 || err != nil {
						t.Fatalf("Notify() = %d, %v, want it taken", taken, err)
					}
				}
				notify()
				if test.repeated > 0 {
					time.Sleep(test.repeated)
					notify()
				}
				w.stop()
				time.Sleep(test.until - time.Minute - time.Since(began))
				w.start()
				time.Sleep(test.until - time.Since(began))
				synctest.Wait()
				if got := w.group("web").Wanted; got != 5 {
					t.Errorf("%d wanted after %v, want 5: the alert fires", got, test.until)
				}
				if test.not > 0 {
					time.Sleep(test.not - time.Since(began))
					synctest.Wait()
					if got := w.group("web").Wanted; got != 2 {
						t.Errorf("%d wanted after %v, want 2: the alert is over", got, test.not)
					}
				}
				w.stop()
			})
		})
	}
}

// TestShadowPoliciesAreEvaluatedAndNotActedOn runs a policy that would have twice
// as many nodes beside the one in charge.
func TestShadowPoliciesAreEvaluatedAndNotActedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 35)
		w.submit(edited(shop, "      - target: {query: demand, kind: total, value: 10}",
			"      - target: {query: demand, kind: total, value: 10}\n      - {name: ample, shadow: true, target: {query: demand, kind: total, value: 5}}\n"+
				"      - {name: mean, shadow: true, rule: \"m_node_count = 1\"}"))
		pass(time.Hour)
		g := w.group("web")
		if g.Wanted != 4 || len(g.Decision.Proposals) != 1 {
			t.Errorf("%d wanted from %+v, want 4 from the policy in charge alone", g.Wanted, g.Decision.Proposals)
		}
		got := map[string][3]int{}
		for _, c := range g.Shadows {
			got[c.Policy] = [3]int{c.Shadow.Nodes, int(c.Shadow.NodeHours + 0.5), int(c.Shadow.Short.Minutes())}
			if c.Active.Nodes != 4 || c.Active.Short != 0 {
				t.Errorf("Active = %+v, want 4 nodes, never short", c.Active)
			}
		}
		want := map[string][3]int{"ample": {7, 7, 0}, "mean": {1, 1, 59}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("size, node-hours and minutes short of the shadow policies (-want +got):\n%s", diff)
		}
		w.meters.set("demand", 44)
		pass(20 * time.Second)
		decisions, err := w.Decisions(t.Context(), "shop", "web", 50)
		if err != nil || len(decisions[0].Shadows) != 2 || decisions[0].Shadows[0].To != 9 {
			t.Errorf("the newest decision has %+v, %v, want the shadows' sizes", decisions[0].Shadows, err)
		}
		w.stop()
	})
}

// TestWhatIf asks about other values than those seen, and does nothing.
func TestWhatIf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 35)
		w.submit(shop)
		pass(time.Minute)
		number := func(n int) *int { return &n }
		for _, test := range []struct {
			supposed scaler.Supposed
			from, to int
		}{
			{scaler.Supposed{}, 4, 4},
			{scaler.Supposed{Set: map[string]any{"demand": 75.0}}, 4, 8},
			{scaler.Supposed{Nodes: number(2)}, 2, 4},
			{scaler.Supposed{Nodes: number(2), Set: map[string]any{"demand": "stale"}}, 2, 2},
		} {
			d, err := w.WhatIf(t.Context(), "shop", "web", test.supposed)
			if err != nil || d.From != test.from || d.To != test.to {
				t.Errorf("WhatIf(%+v) = %d to %d, %v, want %d to %d: %q", test.supposed, d.From, d.To, err, test.from, test.to, d.Reasons)
			}
		}
		for _, wrong := range []scaler.Supposed{{Nodes: number(99)}, {Set: map[string]any{"load": 1}}, {Set: map[string]any{"demand": "much"}}} {
			if _, err := w.WhatIf(t.Context(), "shop", "web", wrong); !errors.Is(err, scaler.ErrRefused) {
				t.Errorf("WhatIf(%+v) = %v, want ErrRefused", wrong, err)
			}
		}
		if g := w.group("web"); g.Wanted != 4 {
			t.Errorf("%d wanted after the questions, want 4", g.Wanted)
		}
		w.stop()
	})
}
