package mlp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/optimize"
)

// Settings bound and shape a training.
type Settings struct {
	Hidden        int     // tanh units of the hidden layer
	Alpha         float64 // L2 penalty on weights, of the summed squared error
	MaxIterations int     // of L-BFGS
	// GradientTolerance ends the training when no component of the gradient is larger,
	// LossTolerance when an iteration improves the loss by less than this part of
	// max(loss, 1).
	GradientTolerance float64
	LossTolerance     float64
}

// Default is the original MiCADO Optimizer's network as scikit-learn trained it: 4
// hidden units, alpha 0.01, at most 250 iterations, tol 1e-8, and scipy's ftol.
func Default() Settings {
	return Settings{Hidden: 4, Alpha: 0.01, MaxIterations: 250, GradientTolerance: 1e-8, LossTolerance: 2.220446049250313e-09}
}

// Fit says how a training ended.
type Fit struct {
	Iterations int     `json:"iterations"`
	Loss       float64 `json:"loss"`
	Stopped    string  `json:"stopped"` // why: a status of gonum/optimize
}

// ErrNotFinite is returned when a sample holds NaN or Inf.
var ErrNotFinite = errors.New("a perceptron needs finite numbers")

// evaluations bound the steps of line searches: per iteration, in the mean.
const evaluations = 4

// corrections is L-BFGS' memory: scipy's, so that iterations are comparable.
const corrections = 10

// Train returns a network fitted to y (n values) at x (n by d), with weight (nil: 1
// each) on the samples. rng draws the initial network. It ends by itself after
// MaxIterations, and with ctx's error when ctx ends first.
func Train(ctx context.Context, x []float64, d int, y, weight []float64, s Settings, rng *rand.Rand) (*Network, Fit, error) {
	if len(y) == 0 {
		return nil, Fit{}, errors.New("no samples to train a perceptron on")
	}
	if len(x) != len(y)*d || weight != nil && len(weight) != len(y) {
		panic(fmt.Sprintf("mlp: %d values and %d weights for %d samples of %d inputs", len(x), len(weight), len(y), d))
	}
	if !finite(x) || !finite(y) || !finite(weight) {
		return nil, Fit{}, ErrNotFinite
	}
	net := New(d, s.Hidden, rng)
	return descend(ctx, net, newLoss(net, x, y, weight, s.Alpha), s)
}

// descend minimises the loss from the network's present parameters.
func descend(ctx context.Context, net *Network, l *loss, s Settings) (*Network, Fit, error) {
	// Value and gradient come from one pass; optimize asks for them one after the other.
	at := make([]float64, len(net.Params))
	grad := make([]float64, len(net.Params))
	value := math.NaN()
	evaluate := func(p []float64) {
		for i, v := range p {
			if v != at[i] || math.IsNaN(value) {
				copy(at, p)
				value = l.value(at, grad)
				return
			}
		}
	}
	problem := optimize.Problem{
		Func: func(p []float64) float64 { evaluate(p); return value },
		Grad: func(g, p []float64) { evaluate(p); copy(g, grad) },
		Status: func() (optimize.Status, error) {
			if err := ctx.Err(); err != nil {
				return optimize.Failure, err
			}
			return optimize.NotTerminated, nil
		},
	}
	settings := &optimize.Settings{
		MajorIterations:   s.MaxIterations,
		FuncEvaluations:   evaluations * s.MaxIterations,
		GradientThreshold: s.GradientTolerance,
		Converger:         &plateau{tolerance: s.LossTolerance},
	}
	method := &optimize.LBFGS{Linesearcher: &optimize.MoreThuente{}, Store: corrections}
	result, err := optimize.Minimize(problem, net.Params, settings, method)
	if cause := ctx.Err(); cause != nil {
		return nil, Fit{}, fmt.Errorf("train perceptron: %w", cause)
	}
	// A line search that finds no better point has arrived at what doubles can tell apart.
	if result == nil || math.IsNaN(result.F) || math.IsInf(result.F, 0) || !finite(result.X) {
		return nil, Fit{}, fmt.Errorf("train perceptron: no finite loss was found: %w", err)
	}
	net.Params = result.X
	return net, Fit{Iterations: result.MajorIterations, Loss: result.F, Stopped: result.Status.String()}, nil
}

// plateau is scipy's ftol rule: stop when (f_k - f_k+1) <= tolerance · max(|f_k|, |f_k+1|, 1).
type plateau struct {
	tolerance, last float64
	started         bool
}

// Init implements optimize.Converger.
func (p *plateau) Init(int) { p.started = false }

// Converged implements optimize.Converger.
func (p *plateau) Converged(l *optimize.Location) optimize.Status {
	last, started := p.last, p.started
	p.last, p.started = l.F, true
	if started && last-l.F <= p.tolerance*max(math.Abs(last), math.Abs(l.F), 1) {
		return optimize.FunctionConvergence
	}
	return optimize.NotTerminated
}

func finite(v []float64) bool {
	for _, f := range v {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return true
}
