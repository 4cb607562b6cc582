package optimizer

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// fill gives o n samples of a fleet in the original's metrics.
func fill(tb testing.TB, o *Optimizer, n int) {
	tb.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	values := map[string]float64{}
	for i := range n {
		load := 40 + 30*math.Sin(float64(i)/700) + rng.NormFloat64()
		nodes := max(int(math.Ceil(load/10))+i/20%2, 1)
		per := load / float64(nodes)
		for j, name := range micadoInputs {
			values[name] = per * float64(j+1) * (1 + 0.03*rng.NormFloat64())
		}
		values["SUM_RR"] = load
		rho := per / 15
		values["AVG_LAT_05"] = 1e5 * (1 + rho/(1.2-min(rho, 1.1))) * (1 + 0.04*rng.NormFloat64())
		at := start.Add(time.Duration(i) * 15 * time.Second)
		if err := o.Add(Sample{At: at, Nodes: nodes, Total: nodes, Values: values}); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkTrainPublished2750x9 is the fit alone: nine regressions and the perceptron.
func BenchmarkTrainPublished2750x9(b *testing.B) {
	c := micadoConfig()
	c.Method = Published
	o := newOptimizer(b, c)
	fill(b, o, 2750)
	set := o.trainingSet()
	for b.Loop() {
		if _, err := trainPublished(b.Context(), set, c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHold100000Samples(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		o := newOptimizer(b, micadoConfig())
		fill(b, o, 100_000)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
		runtime.KeepAlive(o)
	}
}

// BenchmarkAdvise is one advice of 13 candidates on 9 metrics, with the ensemble in
// charge, and the sample before it.
func BenchmarkAdvise(b *testing.B) {
	for _, model := range []string{"capacity", "ensemble"} {
		b.Run(model, func(b *testing.B) {
			c := micadoConfig()
			c.Targets[0].Max = limit(2.5e5)
			o := newOptimizer(b, c)
			fill(b, o, 2750)
			trainAndAdopt(b, o)
			if model == "ensemble" {
				o.auto.skill.champion = true
				o.auto.skill.ensemble, o.auto.skill.capacity = tally{0.01, skillLeast}, tally{1, skillLeast}
			}
			values := map[string]float64{}
			for j, name := range o.cols.names {
				values[name] = o.last.values[j]
			}
			s := Sample{At: o.Last().Add(15 * time.Second), Nodes: 7, Total: 7, Values: values}
			if err := o.Add(s); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if a := o.Advise(s.At); a.Model != model || len(a.Candidates) != 13 {
					b.Fatalf("%s advises %d candidates: %s", a.Model, len(a.Candidates), a.Error)
				}
			}
		})
	}
}

// BenchmarkAdd is what one sample costs auto: learning, forecast and plan.
func BenchmarkAdd(b *testing.B) {
	o := newOptimizer(b, micadoConfig())
	fill(b, o, 3000)
	values := map[string]float64{}
	for j, name := range o.cols.names {
		values[name] = o.last.values[j]
	}
	at := o.Last()
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(15 * time.Second)
		if err := o.Add(Sample{At: at, Nodes: 7, Total: 7, Values: values}); err != nil {
			b.Fatal(err)
		}
	}
}
