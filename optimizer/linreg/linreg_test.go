package linreg_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/optimizer/linreg"
)

func TestFitMatchesNumbersWorkedByHand(t *testing.T) {
	for _, tt := range []struct {
		name      string
		x         []float64
		d         int
		y         []float64
		intercept float64
		coef      []float64
		rank      int
	}{
		{"a line through two points", []float64{1, 3}, 1, []float64{5, 9}, 3, []float64{2}, 1},
		// Means 2 and 3; Sxy = (-1)(-2)+0·1+1·1 = 3, Sxx = 2.
		{"a line between three points", []float64{1, 2, 3}, 1, []float64{1, 4, 4}, 0, []float64{1.5}, 1},
		{"a plane", []float64{0, 0, 1, 0, 0, 1, 1, 1}, 2, []float64{1, 3, 0, 2}, 1, []float64{2, -1}, 2},
		{"one sample: its value, no slope", []float64{7}, 1, []float64{2}, 2, []float64{0}, 0},
		{"a constant input: no slope", []float64{4, 4, 4}, 1, []float64{1, 2, 6}, 3, []float64{0}, 0},
		// y = 1 + 2a with b = a: minimum norm gives each half of the slope.
		{"two equal inputs share the slope", []float64{1, 1, 2, 2, 3, 3}, 2, []float64{3, 5, 7}, 1, []float64{1, 1}, 1},
		// Two samples, three coefficients: the centred direction (1, 2), slope 5 along it.
		{"fewer samples than coefficients", []float64{0, 0, 1, 2}, 2, []float64{0, 5}, 0, []float64{1, 2}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := linreg.Fit(tt.x, tt.d, tt.y)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(m.Intercept-tt.intercept) > 1e-12 || m.Rank != tt.rank || m.Samples != len(tt.y) {
				t.Errorf("Fit() = %+v, want intercept %v, rank %d", m, tt.intercept, tt.rank)
			}
			for i, want := range tt.coef {
				if math.Abs(m.Coef[i]-want) > 1e-12 {
					t.Errorf("coefficients %v, want %v", m.Coef, tt.coef)
				}
			}
		})
	}
}

func TestFitRefusesWhatHasNoFit(t *testing.T) {
	if _, err := linreg.Fit(nil, 2, nil); !errors.Is(err, linreg.ErrNoSamples) {
		t.Errorf("no samples: %v", err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		if _, err := linreg.Fit([]float64{1, bad}, 1, []float64{1, 2}); !errors.Is(err, linreg.ErrNotFinite) {
			t.Errorf("input %v: %v", bad, err)
		}
		if _, err := linreg.Fit([]float64{1, 2}, 1, []float64{1, bad}); !errors.Is(err, linreg.ErrNotFinite) {
			t.Errorf("value %v: %v", bad, err)
		}
	}
}

// TestFitIsOptimal: no other coefficients have a smaller squared error, and among
// equals none a smaller norm.
func TestFitIsOptimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.IntRange(1, 4).Draw(t, "d")
		n := rapid.IntRange(1, 12).Draw(t, "n")
		value := rapid.Float64Range(-100, 100)
		x := rapid.SliceOfN(value, n*d, n*d).Draw(t, "x")
		y := rapid.SliceOfN(value, n, n).Draw(t, "y")
		m, err := linreg.Fit(x, d, y)
		if err != nil {
			t.Fatal(err)
		}
		best := squaredError(m, x, d, y)
		for j := range d {
			for _, step := range []float64{-1e-3, 1e-3} {
				other := m
				other.Coef = append([]float64(nil), m.Coef...)
				other.Coef[j] += step
				if e := squaredError(other, x, d, y); e < best*(1-1e-7)-1e-6 {
					t.Fatalf("moving coefficient %d by %v improves the error %v to %v", j, step, best, e)
				}
			}
		}
	})
}

func squaredError(m linreg.Model, x []float64, d int, y []float64) (sum float64) {
	for i, v := range y {
		e := m.Predict(x[i*d:(i+1)*d]) - v
		sum += e * e
	}
	return sum
}

func TestFitPriorGoesFromThePriorToTheData(t *testing.T) {
	prior := linreg.Prior{Mean: []float64{0, 1}, Strength: []float64{2, 2}}
	m, err := linreg.FitPrior(nil, 1, nil, nil, prior)
	if err != nil || m.Intercept != 0 || m.Coef[0] != 1 {
		t.Errorf("without samples %+v, %v, want the prior", m, err)
	}
	// One sample x=1, y=3: minimise (3-a-b)² + 2a² + 2(b-1)²; a = (b-1), 2b... a = 0.5, b = 1.5.
	m, err = linreg.FitPrior([]float64{1}, 1, []float64{3}, nil, prior)
	if err != nil || math.Abs(m.Intercept-0.5) > 1e-12 || math.Abs(m.Coef[0]-1.5) > 1e-12 {
		t.Errorf("with one sample %+v, %v, want 0.5 and 1.5", m, err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var x, y, w []float64
	for range 4000 {
		v := rng.NormFloat64()
		x, y, w = append(x, v), append(y, 4-3*v+0.1*rng.NormFloat64()), append(w, 1)
	}
	x, y, w = append(x, 1), append(y, 1e6), append(w, 0) // weightless
	m, err = linreg.FitPrior(x, 1, y, w, prior)
	if err != nil || math.Abs(m.Intercept-4) > 0.02 || math.Abs(m.Coef[0]+3) > 0.02 {
		t.Errorf("with 4000 samples %+v, %v, want the data's 4 and -3", m, err)
	}
}

func TestFitPriorRefusesDependentInputsWithoutAPrior(t *testing.T) {
	_, err := linreg.FitPrior([]float64{1, 1}, 1, []float64{1, 2}, nil, linreg.Prior{Mean: make([]float64, 2), Strength: make([]float64, 2)})
	if err == nil {
		t.Error("no error for a singular system")
	}
}
