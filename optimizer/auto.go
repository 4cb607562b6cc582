package optimizer

import (
	"math"
	"time"
)

// auto is the method that learns online: load, capacity, boot time and forecast from
// each sample as it comes, and a price of nodes from the budget.
type auto struct {
	cfg        Config
	load       *load
	capacities []*capacity // per target
	forecast   *forecast
	margin     margin
	ages       ages
	skill      skills
	reactive   reactive
	bustle     bustle
	explore    explorer
	challenger *ensemble

	in      held
	overFor int      // samples in a row over a limit
	tables  []whatIf // per target, while the ensemble is in charge
	limits  []limits
	plan    plan
	y       []float64 // the targets of the newest sample in units of their limits; NaN: none
}

// plan is what the newest sample asks for.
type plan struct {
	ready     bool // there is a model to advise
	blind     string
	out, in   int
	near      int
	horizons  [4]int
	warm      int
	over      bool
	highest   float64 // the worst target in units of its limit
	price     float64
	unhelped  bool // not even many nodes hold the limit
	model     string
	booting   int
	extraWarm int
	hold      time.Duration // for how long a count must have been enough
}

// The horizons, in the order of plan.horizons.
const (
	nearBy = iota
	atBoot
	afterBoot
	holding
)

const (
	bootCaution = 1.12
	holdFor     = 210 * time.Second
	inPrice     = 0.5 // of the price, where nodes are given back
	lastingOver = 3   // samples over the limit that no model explains away
	overStep    = 0.3 // of the fleet, for each factor of e over the limit
)

func newAuto(c Config) *auto {
	a := &auto{cfg: c, load: newLoad(len(c.Inputs)), forecast: newForecast(),
		limits: make([]limits, len(c.Targets)), tables: make([]whatIf, len(c.Targets)), y: make([]float64, len(c.Targets))}
	for range c.Targets {
		a.capacities = append(a.capacities, newCapacity(len(c.Inputs)))
	}
	return a
}

// relative is a target's value in units of its limit, larger being worse.
func (t Target) relative(v float64) float64 {
	switch {
	case t.Max != nil && *t.Max > 0:
		return v / *t.Max
	case t.Max != nil:
		return math.Exp(min((v-*t.Max)/t.size(), farLog))
	case *t.Min > 0 && v > 0:
		return *t.Min / v
	default:
		return math.Exp(min((*t.Min-v)/t.size(), farLog))
	}
}

// absolute is the value whose relative is y.
func (t Target) absolute(y float64) float64 {
	switch {
	case t.Max != nil && *t.Max > 0:
		return y * *t.Max
	case t.Max != nil:
		return *t.Max + t.size()*math.Log(y)
	case *t.Min > 0:
		return *t.Min / y
	default:
		return *t.Min - t.size()*math.Log(y)
	}
}

// observe learns from a sample and plans.
func (a *auto) observe(o *Optimizer, r row, gap time.Duration) {
	p := plan{price: a.margin.price(a.cfg.Budget), booting: max(r.total-r.nodes, 0)}
	p.warm = a.ages.observe(r.at, r.nodes)
	measured := a.readTargets(o, r, &p)
	if measured {
		a.margin.observe(p.over, r.total, a.cfg.Budget)
	}
	a.reactive.observe(&p, r, o.samplesIn(holdFor))
	a.bustle.observe(r.total, gap)
	if r.nodes == 0 || !a.load.observe(r.values[:len(a.cfg.Inputs)], r.nodes) {
		p.blind = "no input has a value that goes with load"
		if r.nodes == 0 {
			p.blind = errNoNodes.Error()
		}
		a.plan = p
		return
	}
	a.skill.observe(a.capacities[0], a.load.x, a.y[0], r.nodes, p.warm)
	a.challenge(o, r, &p)
	for t, c := range a.capacities {
		c.observe(a.load, a.y[t], r.nodes, p.warm)
	}
	a.look(o, r, &p)
	a.decide(o, r, &p)
	a.plan = p
}

// readTargets sets y, the worst of it, and whether a limit is exceeded.
func (a *auto) readTargets(o *Optimizer, r row, p *plan) (measured bool) {
	measured = true
	for t, target := range a.cfg.Targets {
		v := r.values[o.cols.inputs+t]
		a.y[t] = math.NaN()
		if math.IsNaN(v) {
			measured = false
			continue
		}
		a.y[t] = target.relative(v)
		p.highest = max(p.highest, a.y[t])
	}
	p.over = p.highest > 1
	a.overFor++
	if !p.over {
		a.overFor = 0
	}
	return measured
}

// look forecasts the load over the horizons that a node's boot sets.
func (a *auto) look(o *Optimizer, r row, p *plan) {
	interval := o.pace.interval
	boot := int(math.Ceil(bootCaution*float64(o.boots.typical())/float64(interval))) + 1
	p.horizons = [4]int{2, boot, boot + o.samplesIn(75*time.Second), boot + o.samplesIn(105*time.Second)}
	a.forecast.pace(interval)
	a.forecast.observe(a.load.x+math.Log(float64(r.nodes)), p.horizons)
}

// samplesIn is how many samples a span takes, at least one.
func (o *Optimizer) samplesIn(d time.Duration) int {
	return max(1, int(math.Round(float64(d)/float64(max(o.pace.interval, time.Millisecond)))))
}

// decide finds the counts to go out and in to.
func (a *auto) decide(o *Optimizer, r row, p *plan) {
	p.ready = true
	p.model = "capacity"
	for t, c := range a.capacities {
		if !c.usable() {
			p.ready = false
		}
		l := &a.limits[t]
		l.at, l.variance, l.ok = c.logLimit(1)
		if a.skill.champion && r.complete() {
			p.model = "ensemble"
			a.tabulate(o, r, t)
			l.at, l.ok = a.tables[t].limit(), true
		}
		if !l.ok {
			p.unhelped = true
		}
	}
	if !p.ready || p.model == "capacity" && !a.skill.earned() {
		p.ready, p.model = false, "reactive"
		return
	}
	f := a.forecast
	most := a.cfg.MaxNodes
	at := func(k int, price float64) int { return need(&f.horizons[k], f.level, a.limits, price, most) }
	p.near = at(nearBy, p.price)
	p.out = max(at(atBoot, p.price), at(afterBoot, p.price))
	in := max(p.out, at(nearBy, inPrice*p.price), at(holding, inPrice*p.price))
	p.hold = a.bustle.hold(holdFor)
	a.in.add(in, o.samplesIn(p.hold))
	p.in = max(a.in.most(), p.out)
	p.extraWarm = a.warmStart(o, r, p)
}

// warmStart is how many nodes beyond p.out are worth it because new nodes are slow
// at first and pull the whole fleet's target up.
func (a *auto) warmStart(o *Optimizer, r row, p *plan) (extra int) {
	h := &a.forecast.horizons[atBoot]
	recent := o.boots.since(r.at - int64(warmFor))
	base := max(p.out, r.total)
	if base == r.total && recent == 0 {
		return 0
	}
	hold, slow := float64(o.samplesIn(holdFor)), float64(o.samplesIn(warmFor))
	best := math.Inf(1)
	for more := range mostExtra {
		n := base + more
		warm := n - r.total + recent
		risk := 0.0
		for t, c := range a.capacities {
			l := a.limits[t]
			l.at += c.warmShift(float64(n), float64(warm))
			risk = max(risk, exceed(h, a.forecast.level, []limits{l}, float64(n)))
		}
		if cost := p.price*hold*float64(more) + slow*risk; cost < best {
			best, extra = cost, more
		}
	}
	return extra
}

// mostExtra bounds what is added for slow beginners.
const mostExtra = 4

// warmShift is by how much the log load at which the limit is reached falls while warm
// of n nodes are new.
func (c *capacity) warmShift(n, warm float64) float64 {
	if warm <= 0 || n <= 0 {
		return 0
	}
	g := c.gauge()
	all, ok := g.logCapacity(1)
	if !ok {
		return 0
	}
	low, high := -1.0, 0.0
	for range 20 {
		if mid := (low + high) / 2; g.predict(all+mid, n, min(warm, n), c.phi.value) < 1 {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}
