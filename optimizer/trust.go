package optimizer

import (
	"math"
	"time"
)

// trust calibrates the chance that targets hold: it remembers how often they did after
// advices of a like chance.
type trust struct {
	bins    [trustBins]trustBin
	pending []promise
}

type trustBin struct{ held, total, claimed float64 }

// promise is an advice whose outcome is not known yet.
type promise struct {
	due    int64
	chance float64
}

const (
	trustBins   = 12
	trustForget = 0.999
	trustPrior  = 8 // advices that the model's own word is worth
	maxPromises = 1024
)

func newTrust() *trust { return &trust{} }

// bin is the place of a chance on a scale fine towards 1, where advices are.
func (t *trust) bin(chance float64) int {
	z := math.Log(chance+0.003) - math.Log(1-chance+0.003) // -5.8..5.8
	return min(max(int((z+6)/12*trustBins), 0), trustBins-1)
}

// reliability returns the calibrated chance in percent.
func (t *trust) reliability(chance float64) float64 {
	if !isFinite(chance) {
		chance = 0.5
	}
	chance = min(max(chance, 0), 1)
	b := t.bins[t.bin(chance)]
	return min(100*(b.held+trustPrior*chance)/(b.total+trustPrior), 100)
}

// expect notes an advice whose outcome is seen when new nodes would be ready.
func (t *trust) expect(o *Optimizer, a *Advice) {
	due := o.last.at + int64(o.boots.typical()+o.pace.interval)
	if n := len(t.pending); n >= maxPromises || n > 0 && t.pending[n-1].due >= due {
		return
	}
	t.pending = append(t.pending, promise{due, min(max(o.heldChance(a), 0), 1)})
}

// observe settles the promises that are due.
func (t *trust) observe(o *Optimizer, r row) {
	n := 0
	for n < len(t.pending) && t.pending[n].due <= r.at {
		n++
	}
	if n == 0 {
		return
	}
	held, known := o.held(r)
	for _, p := range t.pending[:n] {
		if late := time.Duration(r.at - p.due); !known || late > o.staleAfter() {
			continue
		}
		b := &t.bins[t.bin(p.chance)]
		b.total, b.held, b.claimed = b.total*trustForget+1, b.held*trustForget, b.claimed*trustForget+p.chance
		if held {
			b.held++
		}
	}
	t.pending = t.pending[:copy(t.pending, t.pending[n:])]
}

// held says whether the targets are within the limits that advices are held to: the
// published method's whole range, else the limit that more nodes help to keep.
func (o *Optimizer) held(r row) (held, known bool) {
	held = true
	for t, target := range o.cfg.Targets {
		v := r.values[o.cols.inputs+t]
		if math.IsNaN(v) {
			return false, false
		}
		if o.auto != nil && target.Max != nil {
			held = held && v <= *target.Max
		} else {
			held = held && target.in(v)
		}
	}
	return held, true
}

// Calibration is how often targets held after advices of a like claimed chance.
type Calibration struct {
	Claimed float64 `json:"claimed"` // mean chance, 0..1
	Held    float64 `json:"held"`    // share, 0..1
	Advices float64 `json:"advices"` // how many, older ones counting less
}

// Calibration returns the reliability diagram's points, by growing claim.
func (o *Optimizer) Calibration() []Calibration {
	var all []Calibration
	for _, b := range o.trust.bins {
		if b.total > 0 {
			all = append(all, Calibration{b.claimed / b.total, b.held / b.total, b.total})
		}
	}
	return all
}
