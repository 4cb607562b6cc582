package optimizer

import "math"

// gauge is one way to read the load of a node off the metrics, and the curve of a
// target over it: rho = x·d, where d is what one input shows of the work in a unit
// of load, followed as it drifts. Without an input, rho is the load itself.
type gauge struct {
	input  int  // -1: the load itself
	charge bool // it is the one that is asked
	curve  curve

	logD     float64
	jump     float64 // fast mean of what the demand was off by
	seen     int
	first    float64 // logD when the curve was begun, for the relative demand
	c        float64 // correction of log rho by what the curve does not explain
	variance float64 // of log rho of one node; of the fleet's: divided by its nodes
	score    float64 // forgotten mean of squared log residuals
	judged   int
	recent   float64 // forgotten mean of residuals, for a lasting bias
	since    int     // samples since the curve was last faded
}

const (
	demandGain    = 0.08
	jumpGain      = 0.25
	jumpLimit     = 0.1
	demandWarm    = 12 // samples over which the demand is a plain mean
	correctGain   = 1.0 / 30
	varianceGain  = 0.01
	firstVariance = 0.1 * 0.1
	scoreGain     = 0.01
	biasGain      = 1.0 / 12
	biasLimit     = 0.12
	biasEvery     = 24 // samples between fades
	fadeTo        = 0.1
	fitEvery      = 4
	usableAfter   = 12 // samples
	informative   = 0.5
	nearlyFull    = 0.92 // of a utilisation: what it shows of the work ends there
)

func newGauge(input int) gauge {
	return gauge{input: input, curve: newCurve(), variance: firstVariance}
}

// demand is the present demand relative to the first.
func (g *gauge) demand() float64 { return math.Exp(min(max(g.logD-g.first, -farLog), farLog)) }

// rho is the load of a node at x, as the curve counts it, with the correction.
func (g *gauge) rho(x float64) float64 { return math.Exp(min(max(x+g.logD+g.c, -300), 300)) }

// learnDemand follows the demand: log (metric / load).
func (g *gauge) learnDemand(l *load, steady bool) {
	if g.input < 0 {
		return
	}
	m := &l.metrics[g.input]
	ceiling := m.ceiling()
	if math.IsNaN(m.z) || !steady && g.seen > 0 || ceiling > 0 && g.seen > 0 && m.z > math.Log(nearlyFull*ceiling) {
		return
	}
	g.seen++
	d := m.z - m.beta*l.x - (1-m.beta)*l.meanX - g.logD
	gain := max(demandGain, 1/float64(g.seen))
	g.jump += jumpGain * (d - g.jump)
	switch {
	case math.Abs(g.jump) > jumpLimit: // no noise: the service has changed
		gain = max(gain, jumpGain)
	case g.seen > demandWarm:
		d = min(max(d, -clipResidual), clipResidual)
	}
	g.logD += gain * d
}

// begin settles the scale of the curve, once the demand is known a little.
func (g *gauge) begin(l *load) {
	g.first = g.logD
	centre, spread := 2*math.Exp(min(max(l.meanX+g.logD, -200), 200)), 0.7
	if g.input >= 0 {
		if c := l.metrics[g.input].ceiling(); c > 0 {
			centre, spread = c, 0.25
		}
	}
	c := newCurve()
	c.centre, c.spread, c.r0 = centre, spread, centre
	g.curve = c
}

// misjudged says whether it turned out that the input is no utilisation after all.
func (g *gauge) misjudged(l *load) bool {
	return g.input >= 0 && g.curve.spread < 0.5 && l.metrics[g.input].ceiling() != g.curve.centre
}

// predict is y of a fleet of n nodes of which warm are new and as fast as phi.
func (g *gauge) predict(x float64, n, warm, phi float64) float64 {
	rho, d := g.rho(x), g.demand()
	y := g.curve.at(rho, d)
	if warm > 0 && n > 0 {
		y += warm / n * (g.curve.at(rho/phi, d/phi) - y)
	}
	return y
}

// observe learns from a sample: y is the target in units of its limit, n the ready
// nodes, warm how many of them are new.
func (g *gauge) observe(l *load, y, n, warm, phi float64) {
	if g.curve.samples >= usableAfter {
		g.correct(l.x, y, n, warm, phi)
	}
	weight := 1.0
	switch {
	case warm > 0:
		weight = 0.02
	case y < 0.5:
		weight = 0.5
	case y > 2:
		weight = 0.3
	}
	g.curve.add(math.Exp(min(max(l.x+g.logD, -300), 300)), g.demand(), y, weight)
	every := fitEvery
	if !g.charge && g.curve.samples > capUntil {
		every = 4 * fitEvery
	}
	if (g.curve.samples+g.input)%every == 0 || g.curve.samples == usableAfter {
		g.curve.fit()
	}
}

// correct compares the prediction with what was measured.
func (g *gauge) correct(x, y, n, warm, phi float64) {
	e := min(max(math.Log(min(y, curveCeiling))-math.Log(min(g.predict(x, n, warm, phi), curveCeiling)), -1), 1)
	g.judged++
	if y < 2 {
		g.score += max(scoreGain, 1/float64(g.judged)) * (min(e*e, 0.25) - g.score)
	}
	if warm > 0 {
		return
	}
	slope := max(g.curve.slope(g.rho(x), g.demand()), 0)
	info := slope * slope / (slope*slope + informative*informative)
	if y > 2 {
		info *= 0.3
	}
	r := min(max(e/max(slope, informative), -0.3), 0.3)
	g.c = min(max(g.c+correctGain*info*r, -1), 1)
	g.variance += varianceGain * info * (min(n, 30)*r*r - g.variance)
	g.variance = min(max(g.variance, 0.03*0.03), 1)
	g.recent += biasGain * (e - g.recent)
	g.since++
	if math.Abs(g.recent) > biasLimit && g.since > biasEvery && g.judged > 2*biasEvery {
		g.curve.fade(fadeTo)
		g.recent, g.since = 0, 0
	}
}

// logCapacity is the logarithm of the load per node at which y is the given level.
// ok is false where there is no such load.
func (g *gauge) logCapacity(level float64) (c float64, ok bool) {
	rho := g.curve.limit(g.demand(), level)
	if rho <= 0 {
		return 0, false
	}
	c = math.Log(rho) - g.logD - g.c
	return c, isFinite(c)
}
