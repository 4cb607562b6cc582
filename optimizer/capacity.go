package optimizer

import "math"

// capacity is the plain capacity model of one target: the queue's curve over the load,
// read in several ways that compete by how well they predicted the samples to come.
type capacity struct {
	gauges []gauge
	best   int
	seen   int
	most   float64 // largest load per node at which the target held, logarithm
	phi    warmth
}

// bonus makes a metric that is a utilisation win where there is nothing between it and
// others: it shows the work in a request, so it sees a drift of it first.
const (
	utilisationBonus = 0.9
	hysteresisBonus  = 0.92
	capUntil         = 100 // samples until the curve is trusted beyond what was seen
	capBeyond        = 0.35
)

func newCapacity(inputs int) *capacity {
	c := &capacity{most: math.Inf(-1), phi: newWarmth()}
	for j := -1; j < inputs; j++ {
		c.gauges = append(c.gauges, newGauge(j))
	}
	return c
}

// observe learns from a sample: y is the target relative to its limit, n ready nodes,
// warm how many are new.
func (c *capacity) observe(l *load, y float64, n, warm int) {
	c.seen++
	steady := warm == 0
	for i := range c.gauges {
		g := &c.gauges[i]
		g.learnDemand(l, steady)
		if c.seen == 4 || c.seen > 4 && g.misjudged(l) {
			g.begin(l)
		}
	}
	if c.seen < 4 || !isFinite(y) || y <= 0 {
		return
	}
	y = max(y, 1e-3)
	if y <= 1 {
		c.most = max(c.most, l.x)
	}
	nodes, fresh := float64(n), float64(warm)
	c.phi.observe(&c.gauges[c.best], l.x, y, nodes, fresh)
	for i := range c.gauges {
		c.gauges[i].observe(l, y, nodes, fresh, c.phi.value)
	}
	if c.seen%fitEvery == 0 {
		c.choose(l)
	}
}

// choose puts the gauge in charge that predicted best.
func (c *capacity) choose(l *load) {
	best, least := c.best, math.Inf(1)
	for i := range c.gauges {
		g := &c.gauges[i]
		if g.judged == 0 && i != c.best || g.input >= 0 && (l.metrics[g.input].beta < leastBeta || g.seen < demandWarm) {
			continue
		}
		s := g.score + 0.02*0.02
		if g.input >= 0 && l.metrics[g.input].ceiling() > 0 {
			s *= utilisationBonus
		}
		if i == c.best {
			s *= hysteresisBonus
		}
		if s < least {
			best, least = i, s
		}
	}
	c.gauges[c.best].charge = false
	c.best = best
	c.gauges[c.best].charge = true
}

// gauge is the one in charge.
func (c *capacity) gauge() *gauge { return &c.gauges[c.best] }

// usable says whether the model has seen enough to be asked.
func (c *capacity) usable() bool { return c.gauge().curve.samples >= usableAfter }

// logLimit is the logarithm of the load per node at which the target reaches the level,
// and the variance of a node about it. ok is false where not even an idle node holds it.
func (c *capacity) logLimit(level float64) (limit, variance float64, ok bool) {
	g := c.gauge()
	limit, ok = g.logCapacity(level)
	if !ok {
		return 0, g.variance, false
	}
	if c.seen < capUntil && isFinite(c.most) {
		limit = min(limit, c.most+capBeyond*float64(c.seen)/capUntil)
	}
	return limit, g.variance, true
}

// warmth is the speed of a node in its first minute, relative to what it will be: the
// value of a grid that predicts the fleet best while nodes are new.
type warmth struct {
	value  float64
	scores [warmGrid]float64
	weight float64
}

const (
	warmGrid   = 12
	warmLow    = 0.45
	warmPrior  = 0.75
	warmSpread = 0.15
	warmGain   = 0.02
)

func (w *warmth) grid(i int) float64 { return warmLow + (1-warmLow)*float64(i)/(warmGrid-1) }

func newWarmth() warmth { return warmth{value: warmPrior} }

func (w *warmth) observe(g *gauge, x, y, n, warm float64) {
	if warm == 0 || g.curve.samples < 3*usableAfter || y > 2 {
		return
	}
	w.weight = w.weight*(1-warmGain) + 1
	best := math.Inf(1)
	for i := range w.scores {
		e := math.Log(y) - math.Log(g.predict(x, n, warm, w.grid(i)))
		w.scores[i] = w.scores[i]*(1-warmGain) + min(e*e, 0.5)
		z := (w.grid(i) - warmPrior) / warmSpread
		if s := w.scores[i]/(2*curveNoise*curveNoise) + z*z/2; s < best {
			best, w.value = s, w.grid(i)
		}
	}
}
