// Package linreg fits linear models by least squares: plain ones of minimum norm, as
// scikit-learn's LinearRegression does, and ones that are shrunk towards a prior.
//
// Samples are given as a flat slice: x is n samples by d inputs, row-major.
package linreg

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// ErrNoSamples is returned when there is nothing to fit to.
var ErrNoSamples = errors.New("no samples to fit a linear model to")

// ErrNotFinite is returned when a sample holds NaN or Inf, or when the fit would.
var ErrNotFinite = errors.New("a linear model needs finite numbers")

// rankTolerance is the singular value, relative to the largest, below which a
// direction of the inputs counts as absent. The same rule as LAPACK's gelsd with
// numpy's default: machine epsilon times the larger dimension.
const rankTolerance = 0x1p-52

// conditionLimit is where normal equations have no correct digit left.
const conditionLimit = 1e15

// Model is y = Intercept + Coef·x.
type Model struct {
	Intercept float64   `json:"intercept"`
	Coef      []float64 `json:"coef"`
	// Rank is the number of independent directions among the centred inputs.
	Rank int `json:"rank"`
	// Samples is the number of samples fitted to.
	Samples int `json:"samples"`
}

// Predict returns the model's value at x, of length len(m.Coef).
func (m Model) Predict(x []float64) float64 {
	y := m.Intercept
	for i, c := range m.Coef {
		y += c * x[i]
	}
	return y
}

// Fit returns the least-squares model of y (n values) on x (n by d) with an
// intercept. Where the inputs are dependent, or fewer than the coefficients, it is the
// solution of minimum norm over centred inputs, so it exists for every finite input.
func Fit(x []float64, d int, y []float64) (Model, error) {
	n, err := check(x, d, y)
	if err != nil {
		return Model{}, err
	}
	xMean, yMean := means(x, d, y)
	a := mat.NewDense(max(n, d), d, nil) // padded with zero rows, which change nothing
	b := mat.NewVecDense(max(n, d), nil)
	for i := range n {
		row := a.RawRowView(i)
		for j := range d {
			row[j] = x[i*d+j] - xMean[j]
		}
		b.SetVec(i, y[i]-yMean)
	}
	coef, rank := minimumNorm(a, b)
	m := Model{Intercept: yMean, Coef: coef, Rank: rank, Samples: n}
	for j := range d {
		m.Intercept -= coef[j] * xMean[j]
	}
	return m, m.finite()
}

// minimumNorm solves min |a·w - b| by the singular values of a.
func minimumNorm(a *mat.Dense, b *mat.VecDense) (w []float64, rank int) {
	rows, d := a.Dims()
	w = make([]float64, d)
	var svd mat.SVD
	if d == 0 || !svd.Factorize(a, mat.SVDThin) {
		return w, 0
	}
	s := svd.Values(nil)
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	for k := range d {
		if s[k] <= s[0]*rankTolerance*float64(rows) || s[k] == 0 {
			break
		}
		rank++
		dot := mat.Dot(u.ColView(k), b)
		for j := range d {
			w[j] += v.At(j, k) * dot / s[k]
		}
	}
	return w, rank
}

// Prior is what the coefficients are believed to be before any sample: mean
// Mean[j] with the weight of Strength[j] unit-variance samples, for the intercept
// (index 0) and then each input.
type Prior struct {
	Mean     []float64
	Strength []float64
}

// FitPrior returns the coefficients (intercept first) that minimise
// Σ weight_i (y_i - w·[1 x_i])² + Σ_j Strength_j (w_j - Mean_j)². weight may be nil, for 1
// each. With positive strengths a solution exists for any number of samples, none included.
func FitPrior(x []float64, d int, y, weight []float64, p Prior) (Model, error) {
	if len(p.Mean) != d+1 || len(p.Strength) != d+1 {
		panic(fmt.Sprintf("linreg: prior of %d means and %d strengths for %d coefficients", len(p.Mean), len(p.Strength), d+1))
	}
	n := len(y)
	if n > 0 {
		if _, err := check(x, d, y); err != nil {
			return Model{}, err
		}
	}
	a := mat.NewSymDense(d+1, nil)
	b := mat.NewVecDense(d+1, nil)
	for j := range d + 1 {
		a.SetSym(j, j, p.Strength[j])
	}
	row := make([]float64, d+1)
	row[0] = 1
	for i := range n {
		wt := 1.0
		if weight != nil {
			wt = weight[i]
		}
		copy(row[1:], x[i*d:(i+1)*d])
		// Solving for the departure from the prior keeps it exact where nothing is known.
		res := y[i]
		for j, v := range row {
			res -= v * p.Mean[j]
		}
		for j := range d + 1 {
			b.SetVec(j, b.AtVec(j)+wt*row[j]*res)
			for k := j; k < d+1; k++ {
				a.SetSym(j, k, a.At(j, k)+wt*row[j]*row[k])
			}
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(a) || chol.Cond() > conditionLimit {
		return Model{}, fmt.Errorf("fit %d coefficients to %d samples: the inputs are dependent and the prior does not settle them", d+1, n)
	}
	var w mat.VecDense
	if err := chol.SolveVecTo(&w, b); err != nil && !errors.As(err, new(mat.Condition)) { // ill-conditioned is still a solution
		return Model{}, fmt.Errorf("fit %d coefficients to %d samples: %w", d+1, n, err)
	}
	m := Model{Intercept: p.Mean[0] + w.AtVec(0), Coef: make([]float64, d), Rank: d, Samples: n}
	for j := range d {
		m.Coef[j] = p.Mean[j+1] + w.AtVec(j+1)
	}
	return m, m.finite()
}

func (m Model) finite() error {
	s := m.Intercept
	for _, c := range m.Coef {
		s += c
	}
	if math.IsNaN(s) || math.IsInf(s, 0) {
		return ErrNotFinite
	}
	return nil
}

func check(x []float64, d int, y []float64) (n int, err error) {
	n = len(y)
	if d < 0 || len(x) != n*d {
		panic(fmt.Sprintf("linreg: %d values for %d samples of %d inputs", len(x), n, d))
	}
	if n == 0 {
		return 0, ErrNoSamples
	}
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, ErrNotFinite
		}
	}
	for _, v := range y {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, ErrNotFinite
		}
	}
	return n, nil
}

func means(x []float64, d int, y []float64) (xMean []float64, yMean float64) {
	xMean = make([]float64, d)
	for i, v := range y {
		yMean += v
		for j := range d {
			xMean[j] += x[i*d+j]
		}
	}
	n := float64(len(y))
	for j := range xMean {
		xMean[j] /= n
	}
	return xMean, yMean / n
}
