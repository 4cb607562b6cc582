package optimizer

import (
	"math"
	"slices"
)

// pearson is the correlation of a and b, 0 where either is constant: never NaN.
func pearson(a, b []float64) float64 {
	n := float64(len(a))
	if n < 2 {
		return 0
	}
	var ma, mb float64
	for i := range a {
		ma += a[i] / n
		mb += b[i] / n
	}
	var saa, sbb, sab float64
	for i := range a {
		da, db := a[i]-ma, b[i]-mb
		saa += da * da
		sbb += db * db
		sab += da * db
	}
	if r := sab / math.Sqrt(saa*sbb); !math.IsNaN(r) {
		return min(max(r, -1), 1)
	}
	return 0
}

// median returns the middle of v, which it sorts; 0 for none.
func median(v []float64) float64 { return quantile(v, 0.5) }

// quantile returns the q-quantile of v, which it sorts; 0 for none.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	at := q * float64(len(v)-1)
	low := int(at)
	if low+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[low] + (at-float64(low))*(v[low+1]-v[low])
}

func normalCDF(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// z80 bounds the middle 80 % of a normal distribution.
const z80 = 1.2815515655446004

// logRatio is log(a/b), for values that may be zero or of different signs large but finite.
func logRatio(a, b float64) float64 {
	switch {
	case a > 0 && b > 0:
		return min(max(math.Log(a)-math.Log(b), -farLog), farLog)
	case a > 0:
		return farLog
	case b > 0:
		return -farLog
	}
	return 0
}

// farLog is the logarithm of a ratio beyond all sense.
const farLog = 20

// logInterval is v with its 80 % interval for a log-normal error of deviation sigma.
func logInterval(v, sigma float64) Prediction {
	f := math.Exp(min(z80*sigma, farLog))
	if v < 0 {
		return Prediction{v, v * f, v / f}
	}
	return Prediction{v, v / f, v * f}
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
