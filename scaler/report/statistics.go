package report

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/optimizer/linreg"
	"github.com/scalerd/scalerd/scaler"
)

var noPrediction = optimizer.Prediction{Value: math.NaN(), Low: math.NaN(), High: math.NaN()}

// predicted compares what advices expected of a target with what came.
func predicted(f scaler.OptimizerFacts, samples []optimizer.Sample, target int) Predicted {
	horizon := horizonOf(f)
	p := Predicted{Horizon: span(horizon)}
	name := f.Config.Targets[target].Name
	var errors, relative []float64
	within, running, next := 0, math.NaN(), 0
	for _, s := range samples {
		for next < len(f.Advices) && !f.Advices[next].At.After(s.At.Add(-horizon)) {
			next++
		}
		expect := noPrediction
		if next > 0 && s.At.Sub(f.Advices[next-1].At) <= 2*horizon+time.Minute {
			expect = expected(f.Advices[next-1], s.Nodes, target)
		}
		measured := s.Values[name]
		if e := math.Abs(math.Log(expect.Value / measured)); !math.IsNaN(e) && !math.IsInf(e, 0) {
			errors = append(errors, e)
			relative = append(relative, math.Abs(expect.Value-measured)/math.Abs(measured))
			if expect.Low <= measured && measured <= expect.High {
				within++
			}
			if math.IsNaN(running) {
				running = e
			}
			running += (e - running) / 30
		}
		p.Value, p.Low, p.High = append(p.Value, Number(expect.Value)), append(p.Low, Number(expect.Low)), append(p.High, Number(expect.High))
		p.Error = append(p.Error, Number(running))
	}
	p.Judged = len(errors)
	p.Coverage, p.MedianRelative = Number(float64(within)/float64(len(errors))), Number(median(relative))
	p.Recent, p.Before = Number(math.NaN()), Number(math.NaN())
	if cut := len(errors) - max(len(errors)/10, 1); cut > 10 {
		p.Recent, p.Before = Number(stat.Mean(errors[cut:], nil)), Number(stat.Mean(errors[:cut], nil))
	}
	return p
}

// horizonOf is how far ahead an advice's predictions look: until a node asked for then
// would be ready or, by the published method, its lag.
func horizonOf(f scaler.OptimizerFacts) time.Duration {
	if f.Config.Method != optimizer.Published {
		return f.Boot
	}
	if n := len(f.Samples); n > 1 {
		step := f.Samples[n-1].At.Sub(f.Samples[0].At) / time.Duration(n-1)
		return step * time.Duration(f.Config.ActionLag)
	}
	return f.Config.Interval
}

// expected is what an advice expected of a count.
func expected(a scaler.AdviceRecord, nodes, target int) optimizer.Prediction {
	for i := range a.Candidates {
		if c := &a.Candidates[i]; c.Nodes == nodes && target < len(c.Targets) {
			return c.Targets[target]
		}
	}
	return noPrediction
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// correlations are Pearson's r of each pair of metrics, over the samples that have
// both; NaN where one does not vary.
func correlations(columns [][]float64) [][]Number {
	all := make([][]Number, len(columns))
	for i := range columns {
		all[i] = make([]Number, len(columns))
		for j := range columns {
			all[i][j] = Number(pearson(columns[i], columns[j]))
		}
	}
	return all
}

func pearson(a, b []float64) float64 {
	var x, y []float64
	for i := range a {
		if !math.IsNaN(a[i]) && !math.IsNaN(b[i]) {
			x, y = append(x, a[i]), append(y, b[i])
		}
	}
	if len(x) < 3 {
		return math.NaN()
	}
	return stat.Correlation(x, y, nil)
}

// Regression is what the published method's regression says of one input across
// scaling events from V to V' nodes: m_est = w0 + w1·m·V/(V+V') + w2·m·V'/(V+V')
// (D6.4 section 7.2).
type Regression struct {
	Metric string `json:"metric"`
	Events int    `json:"events"`
	W0     Number `json:"w0"`
	W1     Number `json:"w1"`
	W2     Number `json:"w2"`
	// R is Pearson's r of estimate and measurement, Persistence that of the value
	// before and the value after: an R no better has learned nothing about scaling.
	R           Number `json:"r"`
	Persistence Number `json:"persistence"`
	// Estimated and Measured are the points behind R.
	Estimated []Number `json:"estimated"`
	Measured  []Number `json:"measured"`
	Problem   string   `json:"problem,omitempty"`
}

// mostPoints bounds the points of a scatter.
const mostPoints = 400

func regression(name string, samples []optimizer.Sample, m []float64, lag int) Regression {
	none := Number(math.NaN())
	r := Regression{Metric: name, W0: none, W1: none, W2: none, R: none, Persistence: none}
	var terms, before, after []float64
	for i := 0; i+lag < len(samples); i++ {
		v, w := float64(samples[i].Nodes), float64(samples[i+1].Nodes)
		if v == w || math.IsNaN(m[i]) || math.IsNaN(m[i+lag]) {
			continue
		}
		terms = append(terms, m[i]*v/(v+w), m[i]*w/(v+w))
		before, after = append(before, m[i]), append(after, m[i+lag])
	}
	r.Events = len(after)
	if r.Events < 3 {
		r.Problem = "too few scaling events"
		return r
	}
	model, err := linreg.Fit(terms, 2, after)
	if err != nil {
		r.Problem = err.Error()
		return r
	}
	estimates := make([]float64, len(after))
	for i := range after {
		estimates[i] = model.Predict(terms[2*i : 2*i+2])
	}
	r.W0, r.W1, r.W2 = Number(model.Intercept), Number(model.Coef[0]), Number(model.Coef[1])
	r.R, r.Persistence = Number(pearson(estimates, after)), Number(pearson(before, after))
	for i := max(0, len(after)-mostPoints); i < len(after); i++ {
		r.Estimated, r.Measured = append(r.Estimated, Number(estimates[i])), append(r.Measured, Number(after[i]))
	}
	return r
}
