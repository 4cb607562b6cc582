package optimizer

import (
	"fmt"
	"math"
	"time"
)

// adviseAuto fills the advice from the plan of the newest sample.
func (o *Optimizer) adviseAuto(adv *Advice) {
	a := o.auto
	p := &a.plan
	total := o.last.total
	adv.Model = p.model
	if p.ready {
		adv.Phase = Production
	} else {
		adv.Model = "reactive"
	}
	if p.blind != "" {
		adv.Error = p.blind
		return
	}
	if err := o.noTarget(); err != nil {
		adv.Error = err.Error()
		return
	}
	adv.Valid = true
	adv.Candidates = o.candidates(total)
	if !p.ready {
		adv.Nodes = a.reactive.advise(o, adv, p, total)
		a.fillReactive(o, adv.Candidates)
		return
	}
	adv.Nodes = a.choose(o, adv, p, total)
	a.fill(o, adv.Candidates)
}

// noTarget says which target has no value.
func (o *Optimizer) noTarget() error {
	for t, target := range o.cfg.Targets {
		if math.IsNaN(o.auto.y[t]) {
			return fmt.Errorf("target %s has no finite value in the sample of %s", target.Name, stamp(o.last.time()))
		}
	}
	return nil
}

// choose is the count the plan asks for, within the steps allowed.
func (a *auto) choose(o *Optimizer, adv *Advice, p *plan, total int) int {
	say := func(format string, args ...any) { adv.Reasons = append(adv.Reasons, fmt.Sprintf(format, args...)) }
	h := &a.forecast.horizons[atBoot]
	say("load %+.0f %% ± %.0f %% expected when a node asked for now is ready (%s)",
		100*(math.Exp(h.ahead)-1), 100*h.sigma, o.boots.typical().Round(time.Second))
	n := total
	switch {
	case p.out > total || p.extraWarm > 0:
		n = max(p.out, total) + p.extraWarm
		say("%d nodes needed then; a node must cut the risk of a violation by %.1f %%", p.out, 100*p.price)
		if p.extraWarm > 0 {
			say("%d more because new nodes are slow at first", p.extraWarm)
		}
	case p.in < total && a.in.full() && !p.over && !a.explore.holds(adv.At.UnixNano()):
		n = p.in
		say("%d nodes are enough, and have been for %s", p.in, p.hold)
	default:
		say("%d nodes are needed then and %d to be safe to give one back", p.out, p.in)
		if extra, reason := a.explore.step(o, adv.At); extra > 0 && !p.over {
			n += extra
			say("%s", reason)
		}
	}
	if p.over && n <= total && p.booting == 0 && (p.near > total || a.overFor >= lastingOver) {
		n = total + max(1, int(overStep*float64(total)*math.Log(p.highest)))
		say("over the limit now and nothing is coming")
	}
	if p.unhelped {
		say("the limit cannot be held: an idle node is above it")
	}
	if a.margin.spent(a.cfg.Budget) {
		say("the budget of %.1f %% cannot be kept at a boot time of %s: the load changes faster than nodes come; over the limit for %.1f %% of the time",
			100*(1-a.cfg.Budget), o.boots.typical().Round(time.Second), 100*a.margin.share)
	}
	low, high := total-o.cfg.MaxDownscaleDelta, total+o.cfg.MaxUpscaleDelta
	if bounded := min(max(n, low), high); bounded != n {
		say("%d nodes in one step, %d at most", n, bounded)
		n = bounded
	}
	return n
}

// fill predicts the candidates at the boot horizon.
func (a *auto) fill(o *Optimizer, found []Candidate) {
	f := a.forecast
	h := &f.horizons[atBoot]
	for i := range found {
		cand := &found[i]
		n := float64(cand.Nodes)
		cand.Holds = true
		cand.Risk = exceed(h, f.level, a.limits, n)
		x := f.level + h.ahead - math.Log(n)
		for t, target := range o.cfg.Targets {
			s := z80 * math.Sqrt(h.sigma*h.sigma+a.limits[t].variance/n)
			pred := Prediction{a.value(t, x, n), a.value(t, x-s, n), a.value(t, x+s, n)}
			if pred.Low > pred.High {
				pred.Low, pred.High = pred.High, pred.Low
			}
			cand.Targets[t] = pred
			cand.Holds = cand.Holds && target.in(pred.Value)
		}
	}
}

// farTarget is how many times its limit a target is predicted to be at most.
const farTarget = 1e4

// value is what the model in charge predicts of a target at a log load per node.
func (a *auto) value(t int, x, n float64) float64 {
	y := 0.0
	if a.plan.model == "ensemble" {
		y = math.Exp(a.tables[t].at(x))
	} else {
		y = a.capacities[t].gauge().predict(x, n, 0, 1)
	}
	if math.IsNaN(y) {
		y = farTarget
	}
	return a.cfg.Targets[t].absolute(min(max(y, 1/farTarget), farTarget))
}
