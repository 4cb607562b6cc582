package backtest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/tfgen/spec"
)

var monday = defaultStart

// fleetOf is an observation of ready nodes that have been so for an hour, and of
// booting ones.
func fleetOf(now time.Time, ready, booting int, cpu float64) Observation {
	obs := Observation{Ready: ready, Metrics: map[string]float64{MetricCPU: cpu}}
	for range ready {
		obs.Nodes = append(obs.Nodes, Node{Name: "old", Created: now.Add(-2 * time.Hour), Ready: now.Add(-time.Hour)})
	}
	for range booting {
		obs.Nodes = append(obs.Nodes, Node{Name: "new", Created: now.Add(-time.Minute)})
	}
	return obs
}

func made(t *testing.T, m Maker) Policy {
	t.Helper()
	p, err := m(Group{Limit: 250 * time.Millisecond, Tick: 15 * time.Second, Min: 1, Max: 50})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestHPAFormula(t *testing.T) {
	for _, test := range []struct {
		name           string
		ready, booting int
		cpu            float64
		want           int
	}{
		{"on target", 10, 0, 50, 10},
		{"within a tenth", 10, 0, 54.9, 10},
		{"above: 10 x 60/50", 10, 0, 60, 12},
		{"above, rounded up: 10 x 61/50 = 12.2", 10, 0, 61, 13},
		{"booting nodes count as idle: (10 x 70)/(12 x 50) = 1.17, of 12", 10, 2, 70, 14},
		{"booting nodes are enough: (10 x 60)/(12 x 50) = 1", 10, 2, 60, 12},
		{"booting nodes are more than enough: no change of direction", 10, 6, 60, 16},
		{"far above: at most twice as many", 10, 0, 200, 20},
		{"far above from one: at most four more", 1, 0, 500, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := made(t, HPA(50))
			if got := p.Decide(monday, fleetOf(monday, test.ready, test.booting, test.cpu)); got != test.want {
				t.Errorf("Decide() = %d, want %d", got, test.want)
			}
		})
	}
}

func TestHPAShrinksToTheLargestOfFiveMinutes(t *testing.T) {
	p := made(t, HPA(50))
	now := monday
	p.Decide(now, fleetOf(now, 10, 0, 50))
	for range 20 { // 5 minutes
		now = now.Add(15 * time.Second)
		if got := p.Decide(now, fleetOf(now, 10, 0, 25)); got != 10 {
			t.Fatalf("after %s: Decide() = %d, want 10", now.Sub(monday), got)
		}
	}
	now = now.Add(15 * time.Second)
	if got := p.Decide(now, fleetOf(now, 10, 0, 20)); got != 5 {
		t.Errorf("Decide() = %d, want 5: the largest asked for since is 10 x 25/50", got)
	}
}

// decisions drives a policy with a constant CPU and gives its answers by the minute.
func decisions(p Policy, minutes int, ready, booting int, cpu float64) []int {
	var byMinute []int
	for i := 1; i <= 4*minutes; i++ {
		now := monday.Add(time.Duration(i) * 15 * time.Second)
		n := p.Decide(now, fleetOf(now, ready, booting, cpu))
		if i%4 == 0 {
			byMinute = append(byMinute, n)
		} else if n != ready+booting {
			byMinute = append(byMinute, -1) // between datapoints
		}
	}
	return byMinute
}

func TestAlarmsOfTargetTracking(t *testing.T) {
	for _, test := range []struct {
		name           string
		ready, booting int
		cpu            float64
		minutes        int
		want           int // in that minute, and no change before
	}{
		{"three minutes above scale out in proportion", 10, 0, 75, 3, 15},
		{"what boots is not asked for again", 10, 5, 75, 3, 15},
		{"fifteen minutes below nine tenths scale in", 10, 0, 25, 15, 5},
		{"between nine tenths and the target nothing happens", 10, 0, 46, 20, 10},
		{"nothing goes while a node boots", 10, 1, 25, 20, 11},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := decisions(made(t, TargetTracking(50)), test.minutes, test.ready, test.booting, test.cpu)
			for minute, n := range got[:len(got)-1] {
				if n != test.ready+test.booting {
					t.Fatalf("minute %d: %d nodes, want no change yet", minute+1, n)
				}
			}
			if last := got[len(got)-1]; last != test.want || len(got) != test.minutes {
				t.Errorf("after %d minutes: %d nodes, want %d", test.minutes, last, test.want)
			}
		})
	}
}

func TestNothingGoesWhileANodeIsNew(t *testing.T) {
	now := monday
	obs := fleetOf(now, 2, 0, 10)
	if warming(now, obs) {
		t.Error("nodes of an hour count as new")
	}
	obs.Nodes[1].Ready = now.Add(-299 * time.Second)
	if !warming(now, obs) {
		t.Error("a node of 299 s does not count as new")
	}
}

func TestStepsOfStepScaling(t *testing.T) {
	for _, test := range []struct {
		name    string
		cpu     float64
		minutes int
		want    int
	}{
		{"two minutes above 70", 75, 2, 11},
		{"above 80", 85, 2, 12},
		{"above 90", 95, 2, 14},
		{"between the bands", 60, 9, 10},
		{"five minutes below 40", 30, 5, 9},
		{"nothing within the cooldown", 75, 6, 10},
		{"again after it", 75, 7, 11},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := decisions(made(t, StepScaling), test.minutes, 10, 0, test.cpu)
			if last := got[len(got)-1]; last != test.want {
				t.Errorf("after %d minutes: %d nodes, want %d (%v)", test.minutes, last, test.want, got)
			}
		})
	}
}

func TestPoliciesKeepTheirSizeWithoutMetrics(t *testing.T) {
	for _, e := range BuiltIn() {
		if e.Learns {
			continue // they have their own answers
		}
		p := made(t, e.Make)
		if p.Name() != e.Name {
			t.Errorf("%s calls itself %s", e.Name, p.Name())
		}
		obs := fleetOf(monday, 0, 3, 0)
		delete(obs.Metrics, MetricCPU)
		for i := range 100 {
			if got := p.Decide(monday.Add(time.Duration(i)*15*time.Second), obs); got != 3 {
				t.Fatalf("%s: Decide() = %d without metrics, want 3", e.Name, got)
			}
		}
	}
}

// shop is a group whose rule keeps one node per 10 requests/s.
func shop(source string) *spec.Application {
	return &spec.Application{Name: "shop", Groups: []spec.Group{{
		Name: "web", Min: 2, Max: 8, Policies: []spec.Policy{{Name: "rule", Rule: &spec.Rule{Source: source, File: "shop.yaml", Line: 1, Column: 1}}},
		Scaling: spec.Scaling{Stabilisation: spec.Duration(time.Minute)},
	}}}
}

func TestADescriptionDecidesAsInTheDaemon(t *testing.T) {
	app := shop("m_node_count = ceil(requests / 10)\nm_userdata = (m_userdata or 0) + 1\n")
	m, err := Described("shop/web", app, "web", map[string]Source{"requests": {Metric: MetricSumRequests, Factor: 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	p := made(t, m)
	now := monday
	step := func(rate float64, ready int) int {
		now = now.Add(15 * time.Second)
		obs := fleetOf(now, ready, 0, 0)
		obs.Metrics[MetricSumRequests] = rate
		return p.Decide(now, obs)
	}
	if got := step(100, 2); got != 5 {
		t.Errorf("Decide() = %d, want 5: half of 100, 10 a node", got)
	}
	if got := step(1000, 5); got != 8 {
		t.Errorf("Decide() = %d, want the group's max of 8", got)
	}
	for range 4 { // 8 were asked for until 15 s after, and a minute must pass since
		if got := step(60, 8); got != 8 {
			t.Errorf("Decide() = %d, want 8 for the minute of stabilisation", got)
		}
	}
	if got := step(60, 8); got != 3 {
		t.Errorf("Decide() = %d, want 3 once stabilised", got)
	}
	if got := string(p.(*described).userData["rule"]); got != "7" {
		t.Errorf("the rule's user data is %s after 7 decisions", got)
	}
}

func TestAQueryNeedsASource(t *testing.T) {
	_, err := Described("shop/web", shop("m_node_count = ceil(requests / 10)"), "web", nil)
	if err == nil || !strings.Contains(err.Error(), "--metric requests=METRIC") {
		t.Errorf("Described() = %v, want what to do about the query", err)
	}
	if _, err := Described("shop/web", shop("m_node_count = ceil(sum_rr / 10)"), "web", nil); err != nil {
		t.Errorf("Described() = %v, want the metric of the query's name", err)
	}
	if _, err := Described("shop/db", shop(""), "db", nil); err == nil || !strings.Contains(err.Error(), `no group "db"`) {
		t.Errorf("Described() = %v, want that there is no group db", err)
	}
}

func TestSourcesAndSpansAreRead(t *testing.T) {
	for text, want := range map[string]Source{
		"CPU":           {MetricCPU, 1},
		"AVG_LAT*0.001": {MetricLatency, 0.001},
	} {
		if got, err := ParseSource(text); err != nil || got != want {
			t.Errorf("ParseSource(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "cpu", "CPU*x"} {
		if got, err := ParseSource(text); err == nil {
			t.Errorf("ParseSource(%q) = %v, want an error", text, got)
		}
	}
	for text, want := range map[string][2]time.Duration{
		"45d-48d":   {45 * day, 48 * day},
		"6h-18h30m": {6 * time.Hour, 18*time.Hour + 30*time.Minute},
		"1.5d-":     {36 * time.Hour, 0},
	} {
		if from, to, err := ParseSpan(text); err != nil || from != want[0] || to != want[1] {
			t.Errorf("ParseSpan(%q) = %s, %s, %v", text, from, to, err)
		}
	}
	for _, text := range []string{"", "3d", "5d-3d", "x-3d", "-1h-2h", "1d-xd", "NaNd-2d"} {
		if _, _, err := ParseSpan(text); err == nil {
			t.Errorf("ParseSpan(%q) took it", text)
		}
	}
}

func TestTheStaircaseGoesUpAndDown(t *testing.T) {
	var s staircase
	total, turns := 1, []int{1}
	for range 8 * stair {
		if n := s.next(total, 1, 4); n != total {
			turns, total = append(turns, n), n
		}
	}
	if want := []int{1, 2, 3, 4, 3, 2, 1, 2, 3}; !slices.Equal(turns, want) {
		t.Errorf("the staircase goes %v, want %v", turns, want)
	}
}

// TestTheOptimizerIsDriven: the published method climbs its staircase until it has
// its samples, and one that rehearsed gives advice from the first tick on.
func TestTheOptimizerIsDriven(t *testing.T) {
	w := worldOf(t, DefaultPlant(), slices.Repeat([]float64{60}, 400)...)
	r, err := w.Try(Advised("published", optimizer.Published))
	if err != nil {
		t.Fatal(err)
	}
	for tick := range 299 {
		if change := r.Nodes[tick+1] - r.Nodes[tick]; change != 0 && (tick+1)%stair != 0 {
			t.Fatalf("the size changed by %d in tick %d of the staircase", change, tick+1)
		}
	}
	if r.Actions < 300/stair-1 {
		t.Errorf("%d actions, want at least the stairs", r.Actions)
	}
	m, err := Trained("trained", optimizer.Published, 600)(w.Group())
	if err != nil {
		t.Fatal(err)
	}
	a := m.(*advised)
	if got := a.optimizer.Samples(); got != 600 {
		t.Errorf("%d samples after a rehearsal of 600", got)
	}
	if advice := a.optimizer.Advise(a.optimizer.Last()); !advice.Valid {
		t.Errorf("no advice after the rehearsal: %s", advice.Error)
	}
	w.Run(m) // takes its samples without a panic: its clock goes on from the rehearsal's
}
