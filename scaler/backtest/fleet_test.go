package backtest

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// quiet is a plant in which nothing is by chance.
func quiet() Plant {
	p := DefaultPlant()
	p.BootSpread, p.SpeedSpread, p.SpeedWander, p.Imbalance, p.LatencyNoise, p.MetricNoise = 0, 0, 0, 0, 0, 0
	p.NeighbourEvery = 0
	return p
}

// worldOf is a world whose ticks have the given rates.
func worldOf(t testing.TB, p Plant, rates ...float64) *World {
	t.Helper()
	peak := int(math.Ceil(slices.Max(rates) / 15.4))
	w, err := NewWorld(p, Load{Name: "test", Rates: rates, Nodes: max(1, peak)}, 250*time.Millisecond, 1)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// watched is a policy that follows sizes and keeps what it saw.
type watched struct {
	sizes []int
	seen  []map[string]float64
	nodes [][]Node
}

func (w *watched) Name() string { return "watched" }

func (w *watched) Decide(_ time.Time, obs Observation) int {
	copied := map[string]float64{}
	for k, v := range obs.Metrics {
		copied[k] = v
	}
	w.seen, w.nodes = append(w.seen, copied), append(w.nodes, slices.Clone(obs.Nodes))
	return w.sizes[min(len(w.seen), len(w.sizes))-1]
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-3*max(1, math.Abs(want)) {
		t.Errorf("%s = %.4f, want %.4f", what, got, want)
	}
}

func TestAnOverloadedNodeQueuesAndDrops(t *testing.T) {
	// One node serves 20 requests/s. 30 arrive: 150 requests are left over after each
	// tick of 15 s, and no more than 10 s of them, 200, are kept.
	w := worldOf(t, quiet(), 10, 30, 30, 0, 0)
	w.Initial = 1
	p := &watched{sizes: []int{1}}
	r := w.Run(p)
	const atEnd = 2.4279 // the law's waiting time at its end
	for i, want := range []float64{
		0.13661,              // half load
		0.1 + atEnd + 75./20, // (0+150)/2 requests ahead in the mean
		10,                   // 0.1 + 2.43 + (150+200)/2/20 = 11.3, but none waits for longer
		0.1 + 100./20,        // no arrivals: the mean of 200 and 0 left over
		0.1,
	} {
		near(t, "latency", r.Latencies[i], want)
	}
	near(t, "dropped", r.DroppedRequests, 100)
	near(t, "served", r.Served, (10+30+30)*15-100)
	near(t, "CPU at half load", p.seen[0][MetricCPU], 51)
	near(t, "CPU at full load", p.seen[1][MetricCPU], 100)
	near(t, "AVG_LAT", p.seen[0][MetricLatency], 136.61)
	near(t, "share of time over", r.TimeOver, 3./5)
	near(t, "share of requests over", r.RequestsOver, 60./70)
	if r.Feasible() {
		t.Error("Feasible() although three of five ticks were over the limit")
	}
}

func TestANodeBootsWarmsUpAndIsPaidFor(t *testing.T) {
	rates := slices.Repeat([]float64{10}, 20)
	w := worldOf(t, quiet(), rates...)
	w.Initial = 1
	p := &watched{sizes: []int{2}} // asked for after the first tick
	r := w.Run(p)
	// Launched at 15 s, ready at 135 s, which is the beginning of tick 9.
	for tick, want := range map[int]int{0: 1, 1: 1, 8: 1, 9: 2, 19: 2} {
		if r.Ready[tick] != want {
			t.Errorf("ready in tick %d = %d, want %d", tick, r.Ready[tick], want)
		}
	}
	near(t, "node-hours: from the launch on", r.NodeHours, (1+19*2)*15./3600)
	// Cold for 60 s: 5 requests/s on 14, a request taking 100/0.7 ms.
	cold := (0.1/0.7)*(1+math.Pow(5./14, 1.4495)/(2*(1-5./14)))/2 + 0.5*(0.1*(1+math.Pow(0.25, 1.4495)/1.5))
	near(t, "latency in tick 12", r.Latencies[12], cold)
	near(t, "latency in tick 13", r.Latencies[13], 0.1*(1+math.Pow(0.25, 1.4495)/1.5))
	last := p.nodes[19]
	if !last[1].Created.Equal(w.Start.Add(15*time.Second)) || !last[1].Ready.Equal(w.Start.Add(135*time.Second)) {
		t.Errorf("the second node was created at %s and ready at %s", last[1].Created, last[1].Ready)
	}
	if !p.nodes[7][1].Ready.IsZero() {
		t.Error("a booting node has an instant at which it was ready")
	}
	if r.Actions != 1 || r.Launches != 1 {
		t.Errorf("%d actions and %d launches, want 1 of each", r.Actions, r.Launches)
	}
}

func TestSlowStartSparesANewNode(t *testing.T) {
	p := quiet()
	p.Boot, p.WarmUp, p.SlowStart = 0, 0, time.Minute
	w := worldOf(t, p, slices.Repeat([]float64{12}, 8)...)
	w.Initial = 1
	r := w.Run(&watched{sizes: []int{2}})
	// Half of a full share first: 8 and 4 requests/s of 12.
	law := func(rate float64) float64 { return p.Response(rate / 20) }
	near(t, "latency at first", r.Latencies[1], (8*law(8)+4*law(4))/12)
	near(t, "latency after the slow start", r.Latencies[5], law(6))
}

func TestDriftAndExtraLatencyComeHalfWay(t *testing.T) {
	p := quiet()
	p.Drift, p.ExtraLatency = 1.25, 60*time.Millisecond
	w := worldOf(t, p, slices.Repeat([]float64{10}, 4)...)
	w.Initial = 1
	r := w.Run(&watched{sizes: []int{1}})
	near(t, "latency before", r.Latencies[1], 0.13661)
	rho := 0.625
	near(t, "latency after", r.Latencies[2], 0.06+0.125*(1+math.Pow(rho, 1.4495)/(2*(1-rho))))
}

func TestWithoutNodesEverythingIsDropped(t *testing.T) {
	w := worldOf(t, quiet(), 10, 10, 10)
	w.Min, w.Initial = 0, 1
	p := &watched{sizes: []int{0}}
	r := w.Run(p)
	near(t, "latency", r.Latencies[2], 10)
	near(t, "dropped", r.DroppedRequests, 300)
	if _, ok := p.seen[2][MetricCPU]; ok {
		t.Error("there is a CPU metric without a node")
	}
	near(t, "SUM_RR", p.seen[2][MetricSumRequests], 10)
}

// TestRequestsAreConserved: what arrives is served, dropped or left over, whatever
// the plant, the load and the policy do.
func TestRequestsAreConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlant(t)
		rates := rapid.SliceOfN(rapid.Float64Range(0, 300), 2, 60).Draw(t, "rates")
		w, err := NewWorld(p, Load{Name: "drawn", Rates: rates, Nodes: 5}, 250*time.Millisecond, rapid.Uint64().Draw(t, "seed"))
		if err != nil {
			t.Fatal(err)
		}
		w.Min = 0
		r := w.Run(&watched{sizes: rapid.SliceOfN(rapid.IntRange(0, 15), 1, 60).Draw(t, "sizes")})
		if got := r.Served + r.DroppedRequests + r.Left; math.Abs(got-r.Arrived) > 1e-6*max(1, r.Arrived) {
			t.Fatalf("served %.3f + dropped %.3f + left %.3f = %.3f, but %.3f arrived", r.Served, r.DroppedRequests, r.Left, got, r.Arrived)
		}
		if r.Served < 0 || r.DroppedRequests < 0 || r.Left < 0 {
			t.Fatalf("served %g, dropped %g, left %g", r.Served, r.DroppedRequests, r.Left)
		}
		for tick, latency := range r.Latencies {
			if !(latency > 0 && latency <= p.Timeout.Seconds()) {
				t.Fatalf("latency in tick %d is %g s", tick, latency)
			}
		}
	})
}

func drawPlant(t *rapid.T) Plant {
	p := DefaultPlant()
	p.Law = rapid.SampledFrom(Laws()).Draw(t, "law")
	p.Cores = rapid.IntRange(1, 8).Draw(t, "cores")
	p.Boot = time.Duration(rapid.IntRange(0, 400).Draw(t, "boot")) * time.Second
	p.SlowStart = time.Duration(rapid.IntRange(0, 120).Draw(t, "slow start")) * time.Second
	p.Drift = rapid.Float64Range(0.5, 2).Draw(t, "drift")
	return p
}
