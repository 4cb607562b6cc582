package optimizer

import "math"

// load finds the load of the fleet from whatever metrics there are: a consensus of all
// inputs that go with one another, in which each counts by how closely it follows the rest.
//
// Each input is taken as m = e^a · x^beta per node, x the load per node. What kind of
// metric it is (a mean per node, which dilutes as nodes are added, or a total, which does
// not) is learned from what happens to it when the number of nodes changes, with the
// prior that it dilutes: the idea of the published regression with its weights
// shrunk towards the physical values.
type load struct {
	metrics []loadMetric
	x       float64 // log load per ready node; 0 is that of the first sample
	n       int     // samples seen
	varX    float64 // slow variance of x
	meanX   float64
	history []instant // a ring of the newest samples
}

// loadMetric is what is known of one input.
type loadMetric struct {
	total    bool    // a total over the fleet, not a mean per node
	a, beta  float64 // log m = a + beta·x per node
	variance float64 // of the residual
	seen     int

	meanZ, cov float64          // for beta
	kind       [len(spans)]tilt // log m against log nodes, over two spans
	most       float64          // largest value seen
	z          float64          // log m per node of the newest sample; NaN: none
}

// tilt is a regression through the origin.
type tilt struct{ xy, xx float64 }

// instant is what kinds are learned from.
type instant struct {
	logNodes float64
	logs     []float64 // of the raw values; NaN: none
}

// spans are the samples over which the effect of a change of nodes is looked for: soon,
// before the load itself has changed, and late, for metrics that are means over minutes.
var spans = [...]int{3, 10}

const (
	loadGain      = 0.02
	slowGain      = 0.002
	kindPrior     = 0.01  // squared log change of nodes that "it dilutes" is worth
	kindLimit     = -0.3  // slopes: -1 dilutes, 0 is a total; growth with the load adds up to 0.5
	betaPrior     = 0.004 // variance of x that "in proportion" is worth
	leastBeta     = 0.3   // below it a metric does not go with load
	leastResidual = 0.01
	clipResidual  = 0.15
)

func newLoad(inputs int) *load {
	l := &load{metrics: make([]loadMetric, inputs), history: make([]instant, spans[len(spans)-1]+1)}
	for i := range l.history {
		l.history[i].logs = make([]float64, inputs)
	}
	for j := range l.metrics {
		l.metrics[j] = loadMetric{beta: 1, variance: 0.05 * 0.05}
	}
	return l
}

// observe takes a sample with at least one ready node. It returns false where no
// input says anything.
func (l *load) observe(values []float64, nodes int) bool {
	logNodes := math.Log(float64(nodes))
	l.learnKinds(values, logNodes)
	var sum, weight float64
	for j := range l.metrics {
		m := &l.metrics[j]
		m.z = math.NaN()
		if v := values[j]; v > 0 {
			m.most = max(m.most, v)
			m.z = math.Log(v)
			if m.total {
				m.z -= logNodes
			}
			if m.seen == 0 {
				m.a, m.meanZ = m.z-m.beta*l.x, m.z
			}
			w := m.weight()
			sum += w * (m.z - m.a) / m.beta
			weight += w
		}
	}
	if weight == 0 {
		return false
	}
	l.x = sum / weight
	l.n++
	l.learnShape()
	return true
}

// weight is how much a metric's word counts.
func (m *loadMetric) weight() float64 {
	if m.beta < leastBeta {
		return 1e-6 // alone it still counts
	}
	return m.beta * m.beta / (m.variance + leastResidual*leastResidual)
}

// learnShape moves each metric's a, beta and variance towards the newest sample.
func (l *load) learnShape() {
	slow := max(slowGain, 1/float64(l.n))
	dx := l.x - l.meanX
	l.meanX += slow * dx
	l.varX += slow * (dx*(l.x-l.meanX) - l.varX)
	steepest := 0.0
	for j := range l.metrics {
		m := &l.metrics[j]
		if math.IsNaN(m.z) {
			continue
		}
		m.seen++
		r := m.z - m.a - m.beta*l.x
		m.a += max(loadGain, 1/float64(m.seen+1)) * min(max(r, -clipResidual), clipResidual)
		m.variance += max(loadGain, 1/float64(m.seen+20)) * (min(r*r, 1) - m.variance)
		m.meanZ += slow * (m.z - m.meanZ)
		m.cov += slow * ((m.z-m.meanZ)*dx - m.cov)
		if m.variance < 0.1*0.1 {
			steepest = max(steepest, m.slope(l.varX))
		}
	}
	for j := range l.metrics {
		if m := &l.metrics[j]; steepest > 0 && m.seen > 1 {
			// A metric with an offset, as of an idle node, grows slower than the load;
			// the one that grows fastest is taken to have none.
			m.setBeta(min(max(m.slope(l.varX)/steepest, 0.1), 1), l.x)
		}
	}
}

func (m *loadMetric) slope(varX float64) float64 { return (m.cov + betaPrior) / (varX + betaPrior) }

// setBeta turns the metric's line about the present load.
func (m *loadMetric) setBeta(beta, x float64) {
	m.a += (m.beta - beta) * x
	m.beta = beta
}

// learnKinds compares a sample with earlier ones of another number of nodes.
func (l *load) learnKinds(values []float64, logNodes float64) {
	size := len(l.history)
	now := &l.history[l.n%size]
	now.logNodes = logNodes
	for j, v := range values[:len(l.metrics)] {
		now.logs[j] = math.NaN()
		if v > 0 {
			now.logs[j] = math.Log(v)
		}
	}
	for s, span := range spans {
		if l.n < span {
			continue
		}
		then := &l.history[(l.n-span)%size]
		dn := logNodes - then.logNodes
		if dn == 0 {
			continue
		}
		for j := range l.metrics {
			if d := now.logs[j] - then.logs[j]; !math.IsNaN(d) {
				t := &l.metrics[j].kind[s]
				t.xy += d * dn / float64(span)
				t.xx += dn * dn / float64(span)
			}
		}
	}
	for j := range l.metrics {
		l.metrics[j].settleKind(logNodes)
	}
}

// exponent is how the metric goes with the number of nodes at one load: -1 dilutes.
func (m *loadMetric) exponent() float64 {
	least := math.Inf(1)
	for _, t := range m.kind {
		least = min(least, (t.xy-kindPrior)/(t.xx+kindPrior))
	}
	return least
}

func (m *loadMetric) settleKind(logNodes float64) {
	const hysteresis = 0.08
	e := m.exponent()
	switch {
	case !m.total && e > kindLimit+hysteresis:
		m.total = true
		m.a -= logNodes
		m.meanZ -= logNodes
	case m.total && e < kindLimit-hysteresis:
		m.total = false
		m.a += logNodes
		m.meanZ += logNodes
	}
}

// ceiling is the value at which a metric that is a utilisation ends: 1 or 100; 0 where
// it is none, which is so if it was ever larger or never near.
func (m *loadMetric) ceiling() float64 {
	switch {
	case m.total:
		return 0
	case m.most > 0.2 && m.most <= 1.0001:
		return 1
	case m.most > 20 && m.most <= 100.01:
		return 100
	}
	return 0
}
