package backtest

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/trace"
	"github.com/scalerd/scalerd/tfgen/spec"
)

func TestALoadIsScaledToItsPeak(t *testing.T) {
	tr := trace.Trace{}
	for i := range 240 {
		tr.Seconds, tr.Rates = append(tr.Seconds, float64(60*i)), append(tr.Rates, 10)
		if i >= 100 && i < 110 {
			tr.Rates[i] = 40
		}
	}
	l, err := NewLoad("hump", tr, DefaultPlant(), 250*time.Millisecond, 24, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(l.Rates); got != 4*240 {
		t.Errorf("%d ticks, want 4 a minute", got)
	}
	// The peak carries 24 x 15.4 = 370 requests/s, give or take what chance gives in 5 minutes.
	if got := l.peak(15 * time.Second); math.Abs(got/369.6-1) > 0.02 {
		t.Errorf("the peak is %.1f requests/s, want 369.6", got)
	}
	// The rest is a quarter of it; the mean over n requests is within 4 of its deviations.
	sum := 0.0
	for _, r := range l.Rates[:360] {
		sum += r
	}
	if got := sum / 360; math.Abs(got-92.4) > 4*math.Sqrt(92.4/(360*15)) {
		t.Errorf("the mean before is %.2f requests/s, want 92.4", got)
	}
	unscaled, err := NewLoad("hump", tr, DefaultPlant(), 250*time.Millisecond, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if unscaled.Nodes != 3 { // 40 / 15.4
		t.Errorf("unscaled the peak needs %d nodes, want 3", unscaled.Nodes)
	}
	again, err := NewLoad("hump", tr, DefaultPlant(), 250*time.Millisecond, 24, 1)
	if err != nil || !slices.Equal(l.Rates, again.Rates) {
		t.Errorf("the same seed gave another load (%v)", err)
	}
}

func TestASpikeIsCutAtTwiceThePeak(t *testing.T) {
	tr := trace.Trace{}
	for i := range 400 {
		tr.Seconds, tr.Rates = append(tr.Seconds, float64(15*i)), append(tr.Rates, 1)
	}
	tr.Rates[200] = 1000
	l, err := NewLoad("spike", tr, DefaultPlant(), 250*time.Millisecond, 24, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Max(l.Rates); math.Abs(got-2*24*15.4) > 2 {
		t.Errorf("the highest tick has %.1f requests/s, want 739: twice what the peak carries", got)
	}
}

func TestALoadThatCannotBeIsRefused(t *testing.T) {
	flat := trace.Trace{Seconds: []float64{0, 60}, Rates: []float64{1, 1}}
	for _, test := range []struct {
		name  string
		trace trace.Trace
		limit time.Duration
		want  string
	}{
		{"a limit that an idle node breaks", flat, 90 * time.Millisecond, "an idle node takes 100ms"},
		{"a trace of a second", trace.Trace{Seconds: []float64{0, 1}, Rates: []float64{1, 1}}, 250 * time.Millisecond, "less than two ticks"},
		{"a window without load", trace.Trace{Seconds: []float64{0, 60}, Rates: []float64{0, 0}}, 250 * time.Millisecond, "has no load"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewLoad("x", test.trace, DefaultPlant(), test.limit, 24, 1)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("NewLoad() = %v, want %q in it", err, test.want)
			}
		})
	}
}

// A day of 15 s ticks of one group takes well under a second.
func BenchmarkDay(b *testing.B) {
	l := Load{Name: "day", Rates: hills(5760, 300), Nodes: 24}
	w, err := NewWorld(DefaultPlant(), l, 250*time.Millisecond, 1)
	if err != nil {
		b.Fatal(err)
	}
	w.Fixed(w.Max) // draws the weather, which is part of the first run only
	for _, e := range BuiltIn() {
		b.Run(e.Name, func(b *testing.B) {
			for b.Loop() {
				if _, err := w.Try(e.Make); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	app := withTarget("requests", 12, map[string]spec.Query{"requests": {Expr: `sum(rate(apache_accesses_total{group="web"}[1m]))`}})
	app.Groups[0].Max = w.Max
	b.Run("description with PromQL", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.Try(func(g Group) (Policy, error) { return newDescribed("shop/web", app, app.Group("web"), nil, g) }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("references with their weather", func(b *testing.B) {
		for b.Loop() {
			w, err := NewWorld(DefaultPlant(), l, 250*time.Millisecond, 1)
			if err != nil {
				b.Fatal(err)
			}
			w.Clairvoyant()
			w.BestFixed()
		}
	})
}
