package optimizer

import "math"

// curve is how a target grows with the load of a node, as a queue has it:
//
//	y(rho) = b + k·d·(1 + g(rho/r0)),   g(r) = r^(√6-1) / (2(1-r))
//
// y in units of the limit, d the demand of a request relative to its first, g the
// waiting of a queue with two servers (Sakasegawa 1977). It is fitted to sums over
// logarithmic bins of rho, which are forgotten exponentially.
type curve struct {
	bins    []bin
	unit    float64 // weight of a sample now; grows instead of old weights shrinking
	centre  float64 // prior of r0
	spread  float64 // its deviation, of the logarithm
	r0      float64
	b, k    float64
	weight  float64 // of all bins
	samples int
}

// bin holds weighted sums over samples of like load.
type bin struct{ w, rho, d, y float64 }

const (
	binCount     = 96
	binWidth     = 0.07 // of log rho
	curveHalf    = 480  // samples
	curveCeiling = 3    // times the limit, where y is clipped
	gridPoints   = 36
	gridLow      = 0.45
	gridHigh     = 3.0
	queuePower   = 1.4494897427831779 // √6 - 1
	queueEnd     = 0.985
	curveNoise   = 0.15 // deviation of log y of one sample, for the weight of the priors
	offsetPrior  = 0.4  // deviation of b
)

func newCurve() curve {
	return curve{bins: make([]bin, binCount), unit: 1, centre: 1, spread: 0.25, r0: 1, k: 0.3}
}

// waiting is g(r), continued straight past queueEnd.
func waiting(r float64) float64 {
	if r <= 0 {
		return 0
	}
	return waitingOf(r, math.Pow(min(r, queueEnd), queuePower))
}

// waitingOf is waiting where r^queuePower is known.
func waitingOf(r, power float64) float64 {
	if r < queueEnd {
		return power / (2 * (1 - r))
	}
	const at = queueEndPower / (2 * (1 - queueEnd))
	return at + at*(queuePower/queueEnd+1/(1-queueEnd))*(r-queueEnd)
}

const queueEndPower = 0.978331154006537 // queueEnd^queuePower

// at is y at a load and a demand.
func (c *curve) at(rho, d float64) float64 { return c.b + c.k*d*(1+waiting(rho/c.r0)) }

// slope is d log y / d log rho.
func (c *curve) slope(rho, d float64) float64 {
	const h = 0.01
	return (math.Log(c.at(rho*(1+h), d)) - math.Log(c.at(rho*(1-h), d))) / (2 * h)
}

// limit is the load at which y is the given level, 0 where even an idle node is above it.
func (c *curve) limit(d, level float64) float64 {
	want := (level-c.b)/(c.k*d) - 1
	if want <= 0 {
		return 0
	}
	low, high := 0.0, 1.0
	for waiting(high) < want && high < 100 {
		high *= 2
	}
	for range 40 {
		if mid := (low + high) / 2; waiting(mid) < want {
			low = mid
		} else {
			high = mid
		}
	}
	return low * c.r0
}

// add takes a sample.
func (c *curve) add(rho, d, y, weight float64) {
	c.unit *= math.Exp2(1.0 / curveHalf)
	if c.unit > 1e9 {
		c.scale(1 / c.unit)
		c.unit = 1
	}
	c.samples++
	i := min(max(int(math.Round(math.Log(rho/c.centre)/binWidth))+binCount*5/8, 0), binCount-1)
	w := weight * c.unit
	b := &c.bins[i]
	b.w += w
	b.rho += w * rho
	b.d += w * d
	b.y += w * min(y, curveCeiling)
	c.weight += w
}

func (c *curve) scale(f float64) {
	for i := range c.bins {
		b := &c.bins[i]
		b.w, b.rho, b.d, b.y = b.w*f, b.rho*f, b.d*f, b.y*f
	}
	c.weight *= f
}

// fade makes what was learned count for a part only.
func (c *curve) fade(to float64) { c.scale(to) }

// fit chooses r0 on a grid, b and k by weighted least squares at each: the largest
// posterior under the priors on r0 and b.
func (c *curve) fit() {
	var used [binCount]point
	n := 0
	for i := range c.bins {
		if b := &c.bins[i]; b.w > 1e-3*c.unit {
			y := b.y / b.w
			used[n] = point{rho: b.rho / b.w, power: math.Pow(b.rho/b.w, queuePower), d: b.d / b.w, y: y, logY: math.Log(y), w: b.w / c.unit}
			n++
		}
	}
	if n == 0 {
		return
	}
	best := math.Inf(1)
	step := math.Pow(gridHigh/gridLow, 1.0/(gridPoints-1))
	for r := gridLow; r <= gridHigh*1.001; r *= step {
		r0 := r * c.centre
		b, k := line(used[:n], r0)
		if k <= 0 {
			continue
		}
		z := math.Log(r) / c.spread
		score := z*z/2 + b*b/(2*offsetPrior*offsetPrior)
		for _, p := range used[:n] {
			e := math.Log(b+k*p.g) - p.logY
			if score += p.w * min(e*e, 0.25) / (2 * curveNoise * curveNoise); score > best {
				break
			}
		}
		if score < best {
			best, c.r0, c.b, c.k = score, r0, b, k
		}
	}
}

// point is a bin's mean; g is d·(1 + waiting) at the r0 in question.
type point struct{ rho, power, d, y, logY, w, g float64 }

// line fits y = b + k·g with b in [0, 0.95 of the least y], relative errors counting.
func line(points []point, r0 float64) (b, k float64) {
	const ridge = 1 / (offsetPrior * offsetPrior) * curveNoise * curveNoise
	var s1, sg, sgg, sy, sgy float64
	s1 = ridge
	scale := math.Pow(r0, -queuePower)
	for i := range points {
		p := &points[i]
		p.g = p.d * (1 + waitingOf(p.rho/r0, p.power*scale))
		u := p.w / (p.y * p.y)
		s1 += u
		sg += u * p.g
		sgg += u * p.g * p.g
		sy += u * p.y
		sgy += u * p.g * p.y
	}
	if det := s1*sgg - sg*sg; det > 1e-12*s1*sgg {
		b, k = (sy*sgg-sg*sgy)/det, (s1*sgy-sg*sy)/det
	}
	if b < 0 || k <= 0 {
		b, k = 0, sgy/sgg
	}
	return b, k
}
