package optimizer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/scalerd/scalerd/optimizer/linreg"
	"github.com/scalerd/scalerd/optimizer/mlp"
)

// publishedModel is the method of D6.4, section 7.2: what scaling does to each input by
// linear regression, what the inputs do to each target by a perceptron.
type publishedModel struct {
	scaling []scalingModel // per input
	in      minMax         // of the inputs
	out     []minMax       // per target, of one column
	nets    []*mlp.Network // per target
	fits    []mlp.Fit
	events  int
	sigma   []float64 // per target: standard deviation of the held-out log error
}

// scalingModel estimates an input after scaling from V to V' nodes:
//
//	m_est = w0 + w1·m·V/(V+V') + w2·m·V'/(V+V')
//
// (D6.4 section 7.2; MLscale, Wajahat et al. 2019, has the same terms).
type scalingModel struct {
	linreg.Model
	pearson float64 // of estimate and measurement over the events fitted to
}

func scalingTerms(m float64, before, after int) (a, b float64) {
	v, w := float64(before), float64(after)
	return m * v / (v + w), m * w / (v + w)
}

func (s scalingModel) estimate(m float64, before, after int) float64 {
	a, b := scalingTerms(m, before, after)
	return s.Intercept + s.Coef[0]*a + s.Coef[1]*b
}

// minMax maps what it was fitted to onto [-1, 1].
type minMax struct{ low, span []float64 }

func fitMinMax(values []float64, width int) minMax {
	s := minMax{low: make([]float64, width), span: make([]float64, width)}
	high := make([]float64, width)
	for i, v := range values {
		j := i % width
		if i < width {
			s.low[j], high[j] = v, v
		}
		s.low[j], high[j] = min(s.low[j], v), max(high[j], v)
	}
	for j := range high {
		s.span[j] = high[j] - s.low[j]
		if s.span[j] <= 0 { // a constant, as scikit-learn's MinMaxScaler has it
			s.span[j] = 1
		}
	}
	return s
}

func (s minMax) scale(j int, v float64) float64   { return 2*(v-s.low[j])/s.span[j] - 1 }
func (s minMax) unscale(j int, v float64) float64 { return (v+1)/2*s.span[j] + s.low[j] }

// ErrFewEvents says that there were too few changes of the number of nodes to learn
// what scaling does.
var ErrFewEvents = errors.New("too few scaling events")

// coefficients of a scalingModel.
const scalingCoefficients = 3

// trainPublished fits the method to samples that are complete.
func trainPublished(ctx context.Context, set trainingSet, c Config) (*publishedModel, error) {
	m := &publishedModel{}
	if err := m.fitScaling(set, c.ActionLag); err != nil {
		return nil, err
	}
	return m, m.fitTargets(ctx, set, c)
}

func (m *publishedModel) fitScaling(set trainingSet, lag int) error {
	events := set.events(lag)
	m.events = len(events)
	if m.events < scalingCoefficients {
		return fmt.Errorf("%w: the number of nodes changed %d times in %d samples, %d changes are needed for as many coefficients",
			ErrFewEvents, m.events, set.len(), scalingCoefficients)
	}
	x, y := make([]float64, 2*len(events)), make([]float64, len(events))
	estimates := make([]float64, len(events))
	for j := range set.inputs {
		for i, e := range events {
			x[2*i], x[2*i+1] = scalingTerms(set.row(e.before)[j], e.from, e.to)
			y[i] = set.row(e.after)[j]
		}
		fit, err := linreg.Fit(x, 2, y)
		if err != nil {
			return fmt.Errorf("regression of %s: %w", set.names[j], err)
		}
		for i := range events {
			estimates[i] = fit.Predict(x[2*i : 2*i+2])
		}
		m.scaling = append(m.scaling, scalingModel{fit, pearson(estimates, y)})
	}
	return nil
}

func (m *publishedModel) fitTargets(ctx context.Context, set trainingSet, c Config) error {
	n, d := set.len(), set.inputs
	x := make([]float64, 0, n*d)
	for i := range n {
		x = append(x, set.row(i)[:d]...)
	}
	m.in = fitMinMax(x, d)
	for i := range x {
		x[i] = m.in.scale(i%d, x[i])
	}
	y := make([]float64, n)
	settings := mlp.Default()
	settings.Hidden = c.HiddenUnits
	for t := d; t < set.width; t++ {
		for i := range n {
			y[i] = set.row(i)[t]
		}
		out := fitMinMax(y, 1)
		for i := range y {
			y[i] = out.scale(0, y[i])
		}
		net, fit, err := mlp.Train(ctx, x, d, y, nil, settings, rand.New(rand.NewPCG(c.Seed, uint64(t-d))))
		if err != nil {
			return fmt.Errorf("target %s: %w", set.names[t], err)
		}
		m.out, m.nets, m.fits = append(m.out, out), append(m.nets, net), append(m.fits, fit)
	}
	return nil
}

// predict returns target t at the inputs x; scratch is as long as x.
func (m *publishedModel) predict(x []float64, t int, scratch []float64) float64 {
	for j, v := range x {
		scratch[j] = m.in.scale(j, v)
	}
	return m.out[t].unscale(0, m.nets[t].Predict(scratch))
}

// choose sets the candidates' predictions, each from the measured inputs, and returns
// the position of the smallest count whose targets are all in range; where there is
// none, the one nearest to the range, of equals the smaller (D6.4 section 7.2, steps 4-6).
func (m *publishedModel) choose(c Config, measured row, found []Candidate, scratch *publishedScratch) (best int, holds bool) {
	d := len(c.Inputs)
	nearest := math.Inf(1)
	for i := range found {
		cand := &found[i]
		inputs := scratch.inputs[:d]
		for j := range inputs {
			inputs[j] = measured.values[j]
			if cand.Nodes != measured.nodes { // without a scaling event there is nothing to estimate
				inputs[j] = m.scaling[j].estimate(measured.values[j], measured.nodes, cand.Nodes)
			}
		}
		away := 0.0
		for t, target := range c.Targets {
			v := m.predict(inputs, t, scratch.scaled[:d])
			cand.Targets[t] = logInterval(v, m.sigma[t])
			away += target.distance(v) / target.size()
		}
		cand.Holds = away == 0
		cand.Risk = m.risk(c, cand)
		if away < nearest {
			best, nearest = i, away
		}
	}
	return best, nearest == 0
}

type publishedScratch struct{ inputs, scaled []float64 }

// risk is the chance that a target is out of its limits, from the held-out error.
func (m *publishedModel) risk(c Config, cand *Candidate) float64 {
	held := 1.0
	for t, target := range c.Targets {
		v, s := cand.Targets[t].Value, m.sigma[t]
		p := 1.0
		if target.Max != nil {
			p = normalCDF(logRatio(*target.Max, v) / s)
		}
		if target.Min != nil {
			p -= normalCDF(logRatio(*target.Min, v) / s)
		}
		held *= min(max(p, 0), 1)
	}
	return 1 - held
}

// size is a magnitude to compare distances of several targets by.
func (t Target) size() float64 {
	size := 0.0
	for _, v := range []*float64{t.Min, t.Max} {
		if v != nil {
			size = max(size, math.Abs(*v))
		}
	}
	if size == 0 {
		return 1
	}
	return size
}
