package optimizer

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/scalerd/scalerd/optimizer/mlp"
)

// ensemble is the challenger of the capacity model: perceptrons that predict the
// logarithm of each target from the logarithms of the inputs,
// scaled robustly and never asked beyond what they saw. Their median is the prediction;
// their differences and the held-out error give its interval.
type ensemble struct {
	layout  ensembleLayout
	inputs  []robust // of the transformed features
	targets []memberSet
}

// memberSet predicts one target.
type memberSet struct {
	nets  []*mlp.Network
	y     robust  // of the log target
	sigma float64 // deviation of the held-out log error
	bias  float64 // followed since the training
}

// ensembleLayout is what the search over layouts chooses from.
type ensembleLayout struct {
	Hidden int     `json:"hidden"`
	Alpha  float64 `json:"alpha"`
}

const (
	members         = 5
	memberRows      = 2000 // bound the time of a training
	memberShare     = 0.8  // of blocks of samples that a member sees
	memberBlock     = 20
	robustRounds    = 2
	farOff          = 4.0 // times the middle error
	memberIteration = 80
)

// layouts are tried now and then; the first is the one to begin with.
var layouts = []ensembleLayout{{4, 1}, {2, 1}, {8, 1}, {4, 0.1}, {4, 10}, {2, 100}}

// robust scales by the median and the spread of the middle 80 %, and clips.
type robust struct{ centre, scale, low, high float64 }

func fitRobust(v []float64) robust {
	r := robust{low: quantile(v, 0.005), high: quantile(v, 0.995), centre: median(v)}
	r.scale = (quantile(v, 0.9) - quantile(v, 0.1)) / 2
	if r.scale < 1e-9 {
		r.scale = 1
	}
	return r
}

func (r robust) apply(v float64) float64 { return (min(max(v, r.low), r.high) - r.centre) / r.scale }

// feature is the transform of an input: a logarithm that bears zero and negatives.
func feature(v float64) float64 { return math.Asinh(v * 100) }

// features fills into with the transformed inputs.
func (e *ensemble) features(values, into []float64) []float64 {
	for j, s := range e.inputs {
		into[j] = s.apply(feature(values[j]))
	}
	return into[:len(e.inputs)]
}

// predict returns the logarithm of target t at features, and the members' deviation.
func (e *ensemble) predict(features []float64, t int) (logY, spread float64) {
	s := &e.targets[t]
	var all [members]float64
	n := 0
	for _, net := range s.nets {
		all[n] = net.Predict(features)
		n++
	}
	v := all[:n]
	slices.Sort(v)
	return s.y.centre + s.y.scale*v[n/2], s.y.scale * (v[n-1] - v[0]) / 2.33 // of 5 normal draws
}

// logError is the mean error of the first target on a sample.
func (e *ensemble) logError(r row, inputs int, s *scratch) float64 {
	y := r.values[inputs]
	if y <= 0 {
		return 0
	}
	p, _ := e.predict(e.features(r.values[:inputs], s.scaled), 0)
	return math.Abs(math.Log(y) - p)
}

// fitEnsemble trains a layout on the samples of a set.
func fitEnsemble(ctx context.Context, set trainingSet, layout ensembleLayout, seed uint64, count int) (*ensemble, error) {
	n, d := set.len(), set.inputs
	e := &ensemble{layout: layout}
	column := make([]float64, n)
	for j := range d {
		for i := range n {
			column[i] = feature(set.row(i)[j])
		}
		e.inputs = append(e.inputs, fitRobust(column))
	}
	x := make([]float64, n*d)
	for i := range n {
		e.features(set.row(i)[:set.inputs], x[i*d:(i+1)*d])
	}
	for t := range set.width - set.inputs {
		m := memberSet{sigma: 0.3}
		for i := range n {
			column[i] = logRatio(set.target(i, t), 1)
		}
		m.y = fitRobust(slices.Clone(column))
		y := make([]float64, n)
		for i, v := range column {
			y[i] = m.y.apply(v)
		}
		for k := range count {
			net, err := fitMember(ctx, x, d, y, layout, rand.New(rand.NewPCG(seed, uint64(1+t*members+k))))
			if err != nil {
				return nil, fmt.Errorf("target %s: %w", set.names[set.inputs+t], err)
			}
			m.nets = append(m.nets, net)
		}
		e.targets = append(e.targets, m)
	}
	return e, nil
}

// fitMember trains one perceptron on blocks of the samples drawn by rng, later ones
// weighing more, in rounds that each give less weight to samples far off the round before:
// the fit goes to the middle of the samples, not to the tail.
func fitMember(ctx context.Context, x []float64, d int, y []float64, layout ensembleLayout, rng *rand.Rand) (*mlp.Network, error) {
	n := len(y)
	keep := min(memberShare, float64(memberRows)/float64(n))
	var px, py, age []float64
	for from := 0; from < n; from += memberBlock {
		if rng.Float64() >= keep && from+memberBlock < n {
			continue
		}
		to := min(from+memberBlock, n)
		px, py = append(px, x[from*d:to*d]...), append(py, y[from:to]...)
		for i := from; i < to; i++ {
			age = append(age, math.Exp(-1.5*float64(n-1-i)/float64(n)))
		}
	}
	settings := mlp.Default()
	settings.Hidden, settings.Alpha, settings.MaxIterations, settings.LossTolerance = layout.Hidden, layout.Alpha, memberIteration, 1e-6
	weight := slices.Clone(age)
	var net *mlp.Network
	seed := rng.Uint64()
	for range robustRounds {
		var err error
		if net, _, err = mlp.Train(ctx, px, d, py, weight, settings, rand.New(rand.NewPCG(seed, 0))); err != nil {
			return nil, err
		}
		reweigh(net, px, d, py, age, weight)
	}
	return net, nil
}

// reweigh gives samples the weights that turn squares into absolute values far beyond
// the middle error (Huber's loss by iteratively reweighted least squares).
func reweigh(net *mlp.Network, x []float64, d int, y, base, weight []float64) {
	errs := make([]float64, len(y))
	for i, v := range y {
		errs[i] = math.Abs(net.Predict(x[i*d:(i+1)*d]) - v)
	}
	middle := max(median(slices.Clone(errs)), 1e-3)
	for i, e := range errs {
		weight[i] = base[i] / max(e/(farOff*middle), 1)
	}
}

// trainEnsemble validates and trains the challenger; now and then it looks for a better
// layout on samples held out within the training part.
func (t Trainer) trainEnsemble(ctx context.Context, done *Trained) error {
	layout := t.layout
	if t.round%layoutEvery == 1 {
		var err error
		if layout, err = t.searchLayout(ctx, layout); err != nil {
			return err
		}
	}
	quality, sigmas, err := validate(ctx, t.set, fmt.Sprintf("ensemble of %d x %d", members, layout.Hidden), func(ctx context.Context, set trainingSet) (predictor, error) {
		return t.ensemblePredictor(ctx, set, layout, members)
	})
	if err != nil {
		return err
	}
	e, err := fitEnsemble(ctx, t.set, layout, t.cfg.Seed, members)
	if err != nil {
		return err
	}
	for i := range e.targets {
		e.targets[i].sigma = sigmas[i]
	}
	done.quality, done.ensemble = quality, e
	return nil
}

func (t Trainer) ensemblePredictor(ctx context.Context, set trainingSet, layout ensembleLayout, count int) (predictor, error) {
	e, err := fitEnsemble(ctx, set, layout, t.cfg.Seed, count)
	if err != nil {
		return nil, err
	}
	scratch := make([]float64, set.inputs)
	return func(set trainingSet, i, target int) float64 {
		p, _ := e.predict(e.features(set.row(i)[:set.inputs], scratch), target)
		return math.Exp(p)
	}, nil
}

// layoutGain is by how much of its error a layout must be better to be adopted.
const layoutGain = 0.03

// searchLayout judges the layouts on the newest part of what the validation trains on.
func (t Trainer) searchLayout(ctx context.Context, present ensembleLayout) (ensembleLayout, error) {
	set := t.set.slice(0, t.set.len()-int(heldOutShare*float64(t.set.len())))
	errorOf := func(l ensembleLayout) (float64, error) {
		q, _, err := validate(ctx, set, "", func(ctx context.Context, part trainingSet) (predictor, error) {
			return t.ensemblePredictor(ctx, part, l, 2)
		})
		if err != nil {
			return 0, err
		}
		return q[0].LogError, nil
	}
	best := present
	least, err := errorOf(present)
	if err != nil {
		return present, err
	}
	for _, l := range layouts {
		if l == present {
			continue
		}
		e, err := errorOf(l)
		if err != nil {
			return present, err
		}
		if e < least*(1-layoutGain) {
			best, least = l, e
		}
	}
	return best, nil
}
