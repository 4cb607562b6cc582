package backtest

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// asking is a policy that keeps the answers to the questions of a description.
type asking struct {
	*described
	readings map[string]policy.Reading
}

func (a *asking) Decide(now time.Time, obs Observation) int {
	a.readings = a.questions.ask(now, obs)
	return obs.Total()
}

// keeping is a description's policy whose fleet is kept.
type keeping struct {
	*described
	nodes [][]string
}

func (k *keeping) Decide(now time.Time, obs Observation) int {
	var names []string
	for _, n := range obs.Nodes {
		names = append(names, n.Name)
	}
	k.nodes = append(k.nodes, names)
	return k.described.Decide(now, obs)
}

// described is a group with a target policy over the query of that name.
func withTarget(query string, value float64, queries map[string]spec.Query) *spec.Application {
	return &spec.Application{Name: "shop", Queries: queries, Groups: []spec.Group{{
		Name: "web", Min: 1, Max: 20,
		Policies: []spec.Policy{{Name: "target", Target: &spec.Target{Query: query, Value: value, Kind: spec.TargetTotal}}},
	}}}
}

func describedIn(t *testing.T, w *World, app *spec.Application) *described {
	t.Helper()
	d, err := newDescribed("shop/web", app, app.Group("web"), nil, w.Group())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestPromQLIsAnsweredByTheNodes: 30 requests/s on 3 nodes of 2 cores and 100 ms load
// each to a half.
func TestPromQLIsAnsweredByTheNodes(t *testing.T) {
	w := worldOf(t, quiet(), slices.Repeat([]float64{30}, 60)...)
	w.Initial = 3
	for query, want := range map[string]float64{
		`sum(rate(apache_accesses_total{group="web"}[1m]))`:                                                         30,
		`sum by (node) (rate(http_requests_total{application="shop"}[1m]))`:                                         10,
		`100 * avg(1 - rate(node_cpu_seconds_total{group="web", mode="idle"}[2m]))`:                                 2 + 98*0.5,
		`sum(rate(http_request_duration_seconds_sum[1m])) / sum(rate(http_request_duration_seconds_count[1m]) > 0)`: w.Plant.Response(0.5),
		`count(up == 1)`:              3,
		`avg(node_load1{job="node"})`: 10 * w.Plant.Response(0.5),
		`AVG_LAT{group="web"} / 1000`: w.Plant.Response(0.5),
		`time() - ` + "1767571200":    60 * 15,
		`sum(rate(node_network_transmit_bytes_total{device="eth0"}[1m])) / 1024`: 3 * (2 + 14*10),
	} {
		a := &asking{described: describedIn(t, w, withTarget("q", 1e9, map[string]spec.Query{"q": {Expr: query}}))}
		w.Run(a)
		got := a.readings["q"]
		if got.Missing != policy.Present || math.Abs(got.Value()-want) > 1e-6*want {
			t.Errorf("%s = %+v, want %v", query, got, want)
		}
	}
}

func TestQueriesThatNoNodeAnswersAreRefused(t *testing.T) {
	for query, wants := range map[string][]string{
		"sum(rate(mysql_questions[1m]))":              {"query q asks for mysql_questions, which the simulated nodes don't have", "apache_accesses_total", "--metric q=METRIC", "AVG_RR"},
		`sum(rate(http_requests_total{pod="x"}[1m]))`: {`selects http_requests_total{pod="x"}, which no simulated node matches`, `group="web"`, "--metric q=METRIC"},
	} {
		_, err := Described("shop/web", withTarget("q", 1, map[string]spec.Query{"q": {Expr: query}}), "web", nil)
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Described() with %s = %v, want %q in it", query, err, want)
			}
		}
		if _, err := Described("shop/web", withTarget("q", 1, map[string]spec.Query{"q": {Expr: query}}), "web", map[string]Source{"q": {MetricSumRequests, 1}}); err != nil {
			t.Errorf("Described() with a source for %s = %v", query, err)
		}
	}
}

func TestADescriptionDecidesAtItsOwnInterval(t *testing.T) {
	rates := make([]float64, 240)
	for i := range rates {
		rates[i] = 10 + float64(i)
	}
	w := worldOf(t, quiet(), rates...)
	app := withTarget("sum_rr", 10, nil)
	app.Interval = spec.Duration(time.Minute)
	r, err := w.Try(func(g Group) (Policy, error) { return newDescribed("shop/web", app, app.Group("web"), nil, g) })
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(r.Nodes); i++ {
		if r.Nodes[i] != r.Nodes[i-1] && (i-1)%4 != 0 {
			t.Fatalf("the size changed in tick %d, which is none of a minute", i)
		}
	}
	if r.Actions < 5 {
		t.Errorf("%d actions: nothing was decided", r.Actions)
	}
	app.Interval = spec.Duration(20 * time.Second)
	if _, err := newDescribed("shop/web", app, app.Group("web"), nil, w.Group()); err == nil || !strings.Contains(err.Error(), "every 20s, which is no whole number of ticks of 15s") {
		t.Errorf("newDescribed() = %v, want that ticks don't fit", err)
	}
}

func TestAlertsFireAfterTheirTime(t *testing.T) {
	w := worldOf(t, quiet(), slices.Repeat([]float64{30}, 40)...)
	w.Initial = 2
	app := shop("if hot:\n  m_node_count = 5\n")
	app.Groups[0].Scaling = spec.Scaling{}
	app.Alerts = []spec.Alert{{Name: "hot", Expr: "avg(rate(node_cpu_seconds_total{mode=\"user\"}[1m])) > 0.5", For: spec.Duration(2 * time.Minute)}}
	k := &keeping{described: describedIn(t, w, app)}
	w.Run(k)
	first := slices.IndexFunc(k.nodes, func(names []string) bool { return len(names) == 5 })
	// The rate over a minute is above a half from the fourth scrape on, holds for 8 ticks
	// more, and the nodes are there in the tick after the decision.
	if first != 12 {
		t.Errorf("the fleet grew in tick %d, want 12: two minutes after the condition began to hold", first)
	}
}

func TestADescriptionNamesTheNodesThatGo(t *testing.T) {
	rates := append(slices.Repeat([]float64{60}, 40), slices.Repeat([]float64{20}, 40)...)
	for _, test := range []struct {
		name    string
		victims *spec.Victims
		want    func(before []string, totals map[string]Totals) []string
	}{
		{"the newest where it says nothing", nil, func(before []string, _ map[string]Totals) []string { return before[:2] }},
		{"the oldest", &spec.Victims{Order: spec.VictimsOldest}, func(before []string, _ map[string]Totals) []string { return before[4:] }},
		{"not a protected one", &spec.Victims{Order: spec.VictimsOldest, Protected: []string{"node-0002"}}, func(before []string, _ map[string]Totals) []string {
			return []string{before[1], before[5]}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := worldOf(t, quiet(), rates...)
			app := withTarget("sum_rr", 10, nil)
			w.Initial, app.Groups[0].Scaling.Victims = 6, test.victims
			w.Plant.RateWindow = w.Plant.Tick
			w.weather.plant = w.Plant
			k := &keeping{described: describedIn(t, w, app)}
			w.Run(k)
			before, after := k.nodes[30], k.nodes[len(k.nodes)-1]
			if want := test.want(before, nil); !slices.Equal(after, want) {
				t.Errorf("of %v stay %v, want %v", before, after, want)
			}
		})
	}
}

// TestTheLeastBusyNodeGoes: by PromQL over the nodes' own meters, of which a slow
// node is the busiest.
func TestTheLeastBusyNodeGoes(t *testing.T) {
	p := quiet()
	p.SpeedSpread = 0.2
	rates := append(slices.Repeat([]float64{60}, 40), slices.Repeat([]float64{50}, 40)...)
	w := worldOf(t, p, rates...)
	w.Initial = 6
	app := withTarget("sum_rr", 10, map[string]spec.Query{"busy": {Expr: `sum by (node) (rate(node_cpu_seconds_total{mode="user"}[1m]))`}})
	app.Groups[0].Scaling.Victims = &spec.Victims{Order: spec.VictimsLeastBusy, Query: "busy"}
	k := &keeping{described: describedIn(t, w, app)}
	w.Run(k)
	before, after := k.nodes[30], k.nodes[len(k.nodes)-1]
	fastest, most := "", 0.0
	for i, name := range before {
		if speed := float64(w.weather.slot(i).speed[0]); speed > most {
			fastest, most = name, speed
		}
	}
	if fastest == before[len(before)-1] {
		t.Fatal("the fastest node is the newest: the test can't tell")
	}
	if len(after) != 5 || slices.Contains(after, fastest) {
		t.Errorf("of %v stay %v, want all but %s", before, after, fastest)
	}
}

func TestAnAdvicePolicyIsRefused(t *testing.T) {
	app := withTarget("cpu", 50, nil)
	app.Groups[0].Policies = append(app.Groups[0].Policies, spec.Policy{Name: "advice", Advice: &spec.Advice{}})
	if _, err := Described("shop/web", app, "web", nil); err == nil || !strings.Contains(err.Error(), "which a backtest does not run") {
		t.Errorf("Described() = %v, want that the optimizer is not run", err)
	}
	app.Groups[0].Policies[1].Shadow = true
	if _, err := Described("shop/web", app, "web", nil); err != nil {
		t.Errorf("Described() with a shadow = %v, want that shadows are left out", err)
	}
}
