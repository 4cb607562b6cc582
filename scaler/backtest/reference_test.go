package backtest

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/optimizer"
)

// hills is a load of two hills and a step, in requests/s.
func hills(ticks int, height float64) []float64 {
	rates := make([]float64, ticks)
	for t := range rates {
		x := float64(t) / float64(ticks)
		rates[t] = height * (0.15 + 0.6*math.Pow(math.Sin(2*math.Pi*x), 2))
		if x > 0.7 && x < 0.72 {
			rates[t] += 0.25 * height
		}
	}
	return rates
}

func TestTheBestFixedFleetIsTheSmallest(t *testing.T) {
	w := worldOf(t, DefaultPlant(), hills(1440, 150)...)
	best := w.BestFixed()
	n := best.Nodes[0]
	if !best.Feasible() {
		t.Fatalf("%d nodes are over the limit for %.2f%% of the time", n, 100*best.TimeOver)
	}
	if smaller := w.Fixed(n - 1); smaller.Feasible() {
		t.Errorf("%d nodes would do, %d were found", n-1, n)
	}
}

func TestMoreNodesAreNeverOverTheLimitForLonger(t *testing.T) {
	w := worldOf(t, quiet(), hills(480, 150)...)
	before := math.Inf(1)
	for n := 1; n <= 14; n++ {
		r := w.Fixed(n)
		if r.TimeOver > before {
			t.Errorf("%d nodes are over the limit for %.3f of the time, one fewer for %.3f", n, r.TimeOver, before)
		}
		before = r.TimeOver
	}
}

// TestTheClairvoyantIsTheCheapest: no policy that keeps the limit costs less.
func TestTheClairvoyantIsTheCheapest(t *testing.T) {
	for seed := range uint64(3) {
		p := DefaultPlant()
		p.Drift = 1.25
		load := Load{Name: "hills", Rates: hills(2880, 180), Nodes: 12}
		w, err := NewWorld(p, load, 250*time.Millisecond, seed)
		if err != nil {
			t.Fatal(err)
		}
		report, err := w.Compare(t.Context(), makers(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if c := report.Results[0]; !c.Feasible() || c.Policy != NameClairvoyant {
			t.Fatalf("seed %d: %s is over the limit for %.2f%% of the time", seed, c.Policy, 100*c.TimeOver)
		}
		feasible := 0
		for _, r := range report.Results[1:] {
			if !r.Feasible() {
				continue
			}
			feasible++
			if r.OverClairvoyant < 0 {
				t.Errorf("seed %d: %s costs %s and keeps the limit", seed, r.Policy, signed(r.OverClairvoyant))
			}
		}
		if feasible < 2 {
			t.Errorf("seed %d: only %d policies keep the limit, which shows nothing", seed, feasible)
		}
	}
}

// makers are all built-in policies but those that learn.
func makers() []Maker {
	var all []Maker
	for _, e := range BuiltIn() {
		if !e.Learns {
			all = append(all, e.Make)
		}
	}
	return all
}

func TestTheClairvoyantHasWhatItNeedsWhereNothingIsByChance(t *testing.T) {
	p := quiet()
	p.WarmUp = 0 // a cold node with an equal share is over the limit even if it is not needed
	w := worldOf(t, p, hills(960, 150)...)
	need := w.need()
	r := w.follow(need, 0)
	if r.TimeOver > 0 {
		t.Errorf("over the limit for %.3f of the time", r.TimeOver)
	}
	for tick, n := range need {
		if r.Ready[tick] < n {
			t.Errorf("tick %d needs %d nodes, %d are ready", tick, n, r.Ready[tick])
		}
	}
}

func TestGapsShorterThanABootAreKept(t *testing.T) {
	p := quiet()
	p.Boot, p.WarmUp = 30*time.Second, 0
	w := worldOf(t, p, make([]float64, 12)...)
	need := []int{1, 1, 2, 1, 1, 2, 1, 1, 1, 1, 2, 1}
	got := w.launches(need, 0)
	//                 launched 2 ahead, kept over 2, launched 2 ahead again
	if want := []int{2, 2, 2, 2, 2, 2, 1, 1, 2, 2, 2, 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("launches(%v) = %v, want %v", need, got, want)
	}
}

// TestTheSameSeedGivesTheSameBytes, also where another policy was run before.
func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	run := func(seed uint64, warm bool) []byte {
		w := worldOf(t, DefaultPlant(), hills(480, 150)...)
		w, err := NewWorld(w.Plant, w.Load, w.Limit, seed)
		if err != nil {
			t.Fatal(err)
		}
		if warm {
			w.Fixed(w.Max)
		}
		report, err := w.Compare(t.Context(), append(makers(), Advised("auto", optimizer.Auto)), Options{Price: 0.1, Hindsight: true})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := json.NewEncoder(&out).Encode(report); err != nil {
			t.Fatal(err)
		}
		if err := report.Plot(&out, "svg"); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	first := run(7, false)
	if !bytes.Equal(first, run(7, true)) {
		t.Error("the same seed gave different bytes")
	}
	if bytes.Equal(first, run(8, false)) {
		t.Error("another seed gave the same bytes")
	}
}

func TestTheWeatherDoesNotDependOnWhoAsksFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		n := rapid.IntRange(0, 8).Draw(t, "slot")
		a, b := newWeather(DefaultPlant(), 50, seed), newWeather(DefaultPlant(), 50, seed)
		b.slot(12)
		if !reflect.DeepEqual(*a.slot(n), *b.slot(n)) {
			t.Fatalf("slot %d differs", n)
		}
	})
}

func TestHindsightKeepsTheLimitAtLeastCost(t *testing.T) {
	w := worldOf(t, DefaultPlant(), hills(1440, 180)...)
	r := w.Hindsight()
	if !r.Feasible() {
		t.Fatalf("over the limit for %s of the time", share(r.TimeOver))
	}
	if c := w.Clairvoyant(); r.NodeHours < c.NodeHours {
		t.Errorf("%.1f node-hours, fewer than the clairvoyant's %.1f", r.NodeHours, c.NodeHours)
	}
	if f := w.BestFixed(); r.NodeHours > f.NodeHours {
		t.Errorf("%.1f node-hours, more than the %.1f of a fixed fleet", r.NodeHours, f.NodeHours)
	}
}

func TestTheSlopeIsPerTick(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 0}, {[]float64{1, 3, 5}, 2}, {[]float64{4, 4, 4, 4}, 0}, {[]float64{0, 3, 0}, 0},
	} {
		if got := slope(test.values); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("slope(%v) = %g, want %g", test.values, got, test.want)
		}
	}
}
