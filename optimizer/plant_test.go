package optimizer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// smallPlant is a fleet under a daily load, enough to close the loop in a test: nodes of
// two servers, a boot delay, a slow first minute, metrics with noise.
type smallPlant struct {
	rng       *rand.Rand
	interval  time.Duration
	boot      time.Duration
	service   float64     // seconds
	extra     float64     // seconds of latency without work
	unit      float64     // of the latency shown
	peak      float64     // requests/s
	ready     []time.Time // when each node is ready, oldest first
	now       time.Time
	noTotal   bool
	names     [3]string // load per node, total load, utilisation
	over, all int
	nodeTicks int
}

func newSmallPlant(seed uint64) *smallPlant {
	p := &smallPlant{rng: rand.New(rand.NewPCG(seed, 9)), interval: 15 * time.Second, boot: 2 * time.Minute,
		service: 0.1, unit: 1000, peak: 200, now: start, names: [3]string{"each", "all", "busy"}}
	for range 8 {
		p.ready = append(p.ready, start.Add(-time.Hour))
	}
	return p
}

func (p *smallPlant) config() Config {
	c := Default()
	c.Inputs = append(append([]string{}, p.names[:]...), "temperature", "constant")
	c.Targets = []Target{{Name: "latency", Max: limit(0.25 * p.unit)}}
	c.MaxNodes = 40
	return c
}

// rate is the load at the present instant: a day of a sine, from a quarter to the peak.
func (p *smallPlant) rate() float64 {
	day := p.now.Sub(start).Hours() / 24
	return p.peak * (0.625 - 0.375*math.Cos(2*math.Pi*(day+0.1))) * (1 + 0.03*p.rng.NormFloat64())
}

// tick serves one interval and returns the sample of it.
func (p *smallPlant) tick() Sample {
	rate := p.rate()
	n, latency := 0, 0.0
	for _, r := range p.ready {
		if !r.After(p.now) {
			n++
		}
	}
	each := rate / float64(max(n, 1))
	for _, r := range p.ready {
		if age := p.now.Sub(r); age >= 0 {
			s := p.service
			if age < time.Minute {
				s /= 0.7
			}
			rho := each * s / 2
			latency += (s*(1+waiting(min(rho, 0.98))) + 5*max(rho-0.98, 0)) / float64(n)
		}
	}
	latency = (latency + p.extra) * (1 + 0.04*p.rng.NormFloat64())
	noise := func() float64 { return 1 + 0.03*p.rng.NormFloat64() }
	p.all++
	if latency > 0.25 {
		p.over++
	}
	p.nodeTicks += len(p.ready)
	p.now = p.now.Add(p.interval)
	s := Sample{At: p.now, Nodes: n, Total: len(p.ready), Values: map[string]float64{
		p.names[0]: each * noise(), p.names[1]: rate * noise(), p.names[2]: min(100, 2+98*each*p.service/2*noise()),
		"temperature": 20 + 5*p.rng.Float64(), "constant": 7, "latency": latency * p.unit,
	}}
	if p.noTotal {
		s.Total = 0
	}
	return s
}

func (p *smallPlant) resize(n int) {
	for len(p.ready) < n {
		p.ready = append(p.ready, p.now.Add(time.Duration(float64(p.boot)*(1+0.1*p.rng.NormFloat64()))))
	}
	p.ready = p.ready[:n]
}

// drive closes the loop for a number of samples.
func (p *smallPlant) drive(tb testing.TB, o *Optimizer, samples int) {
	tb.Helper()
	for range samples {
		if err := o.Add(p.tick()); err != nil {
			tb.Fatal(err)
		}
		a := o.Advise(p.now)
		checkAdvice(tb, o, a)
		if a.Valid {
			p.resize(a.Nodes)
		}
	}
}

// checkAdvice holds what is true of every advice.
func checkAdvice(tb testing.TB, o *Optimizer, a Advice) {
	tb.Helper()
	c := o.cfg
	bad := ""
	switch {
	case a.Nodes < c.MinNodes || a.Nodes > c.MaxNodes:
		bad = fmt.Sprintf("%d nodes, allowed are %d..%d", a.Nodes, c.MinNodes, c.MaxNodes)
	case !(a.Reliability >= 0 && a.Reliability <= 100):
		bad = fmt.Sprintf("reliability %v", a.Reliability)
	case a.Valid == (a.Error != ""):
		bad = fmt.Sprintf("valid %v with error %q", a.Valid, a.Error)
	case a.Valid && len(a.Reasons) == 0:
		bad = "no reasons"
	}
	for _, cand := range a.Candidates {
		if !(cand.Risk >= 0 && cand.Risk <= 1) {
			bad = fmt.Sprintf("candidate %+v", cand)
		}
		for _, t := range cand.Targets {
			if !isFinite(t.Value) || !isFinite(t.Low) || !isFinite(t.High) || t.Low > t.High {
				bad = fmt.Sprintf("candidate %+v", cand)
			}
		}
	}
	if bad != "" {
		tb.Fatalf("advice at %s: %s (%+v)", stamp(a.At), bad, a)
	}
}
