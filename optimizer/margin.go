package optimizer

import "math"

// margin sets the price of a node so that the budget of time over the limit is spent
// and not exceeded: a node more must cut the chance of a violation by at least the
// price. It is a controller on the budget: each sample over the limit makes nodes cheaper,
// each within makes them a little dearer.
type margin struct {
	logPrice float64 // relative to basePrice
	share    float64 // forgotten share of samples over the limit
	judged   int
	typical  float64 // log of the usual fleet size
}

const (
	basePrice   = 0.05 // for a fleet of usualFleet nodes
	usualFleet  = 9.0
	marginGain  = 0.03
	marginAim   = 0.75         // of the budget
	marginRange = 2 * math.Ln2 // of the logarithm: a quarter to four times
	shareGain   = 1.0 / 2000
	fleetGain   = 1.0 / 3000
)

// observe takes whether a sample was over the limit, and how many nodes were needed.
func (m *margin) observe(over bool, nodes int, budget float64) {
	m.judged++
	v := 0.0
	if over {
		v = 1
	}
	m.share += max(shareGain, 1/float64(m.judged)) * (v - m.share)
	m.logPrice = min(max(m.logPrice+marginGain*(marginAim*(1-budget)-v)*0.01/(1-budget), -marginRange), marginRange)
	m.typical += max(fleetGain, 1/float64(m.judged)) * (math.Log(max(float64(nodes), 1)) - m.typical)
}

// price is the cut of the chance of a violation, per sample, that a node must be worth.
func (m *margin) price(budget float64) float64 {
	size := math.Exp(m.typical) / usualFleet
	return basePrice * (1 - budget) / 0.01 * math.Exp(m.logPrice) / math.Sqrt(max(size, 0.5))
}

// spent says whether the budget is exceeded for long though nodes could hardly be cheaper.
func (m *margin) spent(budget float64) bool {
	return m.judged > enoughJudged && m.share > 1.3*(1-budget) && m.logPrice < -0.8*marginRange
}

// enoughJudged samples tell a share of time.
const enoughJudged = 500
