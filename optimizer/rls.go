package optimizer

// rls is recursive least squares with forgetting: y ≈ w·f.
type rls struct {
	w, p   []float64 // coefficients; covariance, row-major
	forget float64
	gain   []float64
}

// newRLS begins at the coefficients w with the given deviation of each.
func newRLS(w []float64, deviation, forget float64) *rls {
	d := len(w)
	r := &rls{w: append([]float64(nil), w...), p: make([]float64, d*d), forget: forget, gain: make([]float64, d)}
	for i := range d {
		r.p[i*d+i] = deviation * deviation
	}
	return r
}

func (r *rls) predict(f []float64) float64 {
	var y float64
	for i, v := range f {
		y += r.w[i] * v
	}
	return y
}

// update moves the coefficients towards y at f, whose noise has the given variance.
func (r *rls) update(f []float64, y, variance float64) {
	d := len(r.w)
	denominator := variance
	for i := range d {
		var g float64
		for j := range d {
			g += r.p[i*d+j] * f[j]
		}
		r.gain[i] = g
		denominator += f[i] * g
	}
	if denominator <= 0 || !isFinite(denominator) {
		return
	}
	e := y - r.predict(f)
	for i := range d {
		r.w[i] += r.gain[i] * e / denominator
	}
	for i := range d {
		for j := range i + 1 {
			v := (r.p[i*d+j] - r.gain[i]*r.gain[j]/denominator)
			r.p[i*d+j], r.p[j*d+i] = v, v
		}
	}
	r.loosen()
}

// loosen forgets, but never beyond mostCovariance, so that directions which are not
// excited for long do not blow up.
func (r *rls) loosen() {
	const mostCovariance = 4
	d := len(r.w)
	for i := range d {
		if r.p[i*d+i]/r.forget > mostCovariance {
			return
		}
	}
	for i := range r.p {
		r.p[i] /= r.forget
	}
}
