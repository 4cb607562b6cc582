package mlp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func TestPredictMatchesNumbersWorkedByHand(t *testing.T) {
	// One unit: 0.5 + 2·tanh(0.1 + 0.3·1 - 0.2·2) = 0.5 + 2·tanh(0) = 0.5.
	n := &Network{Inputs: 2, Hidden: 1, Params: []float64{0.3, -0.2, 0.1, 2, 0.5}}
	if got := n.Predict([]float64{1, 2}); math.Abs(got-0.5) > 1e-15 {
		t.Errorf("Predict() = %v, want 0.5", got)
	}
	// tanh(0.1 + 0.9 - 0.0) = tanh(1) = 0.7615941559557649.
	if got, want := n.Predict([]float64{3, 0}), 0.5+2*0.7615941559557649; math.Abs(got-want) > 1e-15 {
		t.Errorf("Predict() = %v, want %v", got, want)
	}
}

func TestTanhAgreesWithTheLibrary(t *testing.T) {
	for z := -800.0; z <= 800; z += 0.37 {
		if got, want := tanh(z/20), math.Tanh(z/20); math.Abs(got-want) > 1e-15 {
			t.Fatalf("tanh(%v) = %v, want %v", z/20, got, want)
		}
	}
}

func TestLossMatchesScikitsDefinition(t *testing.T) {
	n := &Network{Inputs: 1, Hidden: 1, Params: []float64{0.5, 0, 3, 1}}
	// f(0) = 1, f(2) = 1 + 3·tanh(1) = 3.2847824678672947; y = 2 and 3.
	// Errors 1 and 0.2847...: (1 + 0.0811)/4; penalty 0.1·(0.25 + 9)/4.
	l := newLoss(n, []float64{0, 2}, []float64{2, 3}, nil, 0.1)
	e := 3.2847824678672947 - 3
	want := (1+e*e)/4 + 0.1*9.25/4
	if got := l.value(n.Params, nil); math.Abs(got-want) > 1e-15 {
		t.Errorf("loss %v, want %v", got, want)
	}
}

func TestGradientMatchesFiniteDifferences(t *testing.T) {
	for _, weighted := range []bool{false, true} {
		t.Run(fmt.Sprintf("weighted=%v", weighted), func(t *testing.T) {
			rng := seeded(7)
			x, y := problem(rng, 40, 3)
			var weight []float64
			if weighted {
				for range y {
					weight = append(weight, rng.Float64())
				}
			}
			n := New(3, 4, rng)
			l := newLoss(n, x, y, weight, 0.05)
			grad := make([]float64, len(n.Params))
			l.value(n.Params, grad)
			for i := range n.Params {
				const h = 1e-6
				p := slices.Clone(n.Params)
				p[i] += h
				up := l.value(p, nil)
				p[i] -= 2 * h
				if want := (up - l.value(p, nil)) / (2 * h); math.Abs(grad[i]-want) > 1e-8 {
					t.Errorf("gradient of parameter %d is %v, finite difference %v", i, grad[i], want)
				}
			}
		})
	}
}

// problem is n samples of a tanh network with 2 units and some noise.
func problem(rng *rand.Rand, n, d int) (x, y []float64) {
	for range n {
		row := make([]float64, d)
		for i := range row {
			row[i] = 2*rng.Float64() - 1
		}
		x = append(x, row...)
		y = append(y, 0.3+1.5*math.Tanh(2*row[0]-row[1])-math.Tanh(row[d-1]+0.4)+0.01*rng.NormFloat64())
	}
	return x, y
}

func TestTrainRecoversAKnownNetwork(t *testing.T) {
	x, y := problem(seeded(3), 1000, 3)
	s := Default()
	s.Alpha = 1e-4
	n, fit, err := Train(t.Context(), x, 3, y, nil, s, seeded(4))
	if err != nil {
		t.Fatal(err)
	}
	probe, truth := problem(seeded(5), 500, 3)
	var sum float64
	for i, want := range truth {
		e := n.Predict(probe[i*3:i*3+3]) - want
		sum += e * e
	}
	if rmse := math.Sqrt(sum / 500); rmse > 0.02 {
		t.Errorf("error on samples never seen %v, want the noise's 0.01 (%+v)", rmse, fit)
	}
	if fit.Iterations < 5 || fit.Iterations > 250 || fit.Stopped == "" {
		t.Errorf("fit %+v", fit)
	}
}

func TestTrainIsDeterministicForASeed(t *testing.T) {
	x, y := problem(seeded(3), 200, 3)
	a, _, errA := Train(t.Context(), x, 3, y, nil, Default(), seeded(9))
	b, _, errB := Train(t.Context(), x, 3, y, nil, Default(), seeded(9))
	c, _, errC := Train(t.Context(), x, 3, y, nil, Default(), seeded(10))
	if err := errors.Join(errA, errB, errC); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Params, b.Params) {
		t.Error("equal seeds gave different networks")
	}
	if slices.Equal(a.Params, c.Params) {
		t.Error("different seeds gave equal networks")
	}
}

func TestTrainEndsWithItsContext(t *testing.T) {
	x, y := problem(seeded(3), 200, 3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Train(ctx, x, 3, y, nil, Default(), seeded(9)); !errors.Is(err, context.Canceled) {
		t.Errorf("Train() = %v, want context.Canceled", err)
	}
}

func TestTrainSurvivesPoorSamples(t *testing.T) {
	constant := []float64{1, 1, 1, 1}
	n, _, err := Train(t.Context(), constant, 1, constant, nil, Default(), seeded(1))
	if err != nil || math.Abs(n.Predict([]float64{1})-1) > 0.2 {
		t.Errorf("constant samples: %v", err)
	}
	if _, _, err := Train(t.Context(), []float64{math.NaN()}, 1, []float64{1}, nil, Default(), seeded(1)); !errors.Is(err, ErrNotFinite) {
		t.Errorf("NaN: %v", err)
	}
	if _, _, err := Train(t.Context(), nil, 1, nil, nil, Default(), seeded(1)); err == nil {
		t.Error("no samples: no error")
	}
	if n, _, err := Train(t.Context(), []float64{1e300, -1e300}, 1, []float64{1, -1}, nil, Default(), seeded(1)); err == nil && !finite(n.Params) {
		t.Error("huge inputs gave a network that is not finite")
	}
}

func BenchmarkTrain2750x9(b *testing.B) {
	x, y := problem(seeded(3), 2750, 9)
	for i := range y { // noise that keeps L-BFGS at work for all its iterations
		y[i] += 0.3 * math.Sin(float64(i*i))
	}
	iterations := 0
	for b.Loop() {
		_, fit, err := Train(b.Context(), x, 9, y, nil, Default(), seeded(9))
		if err != nil {
			b.Fatal(err)
		}
		iterations = fit.Iterations
	}
	b.ReportMetric(float64(iterations), "iterations")
}

func BenchmarkPredict(b *testing.B) {
	n := New(9, 4, seeded(1))
	x := make([]float64, 9)
	b.ReportAllocs()
	for b.Loop() {
		n.Predict(x)
	}
}
