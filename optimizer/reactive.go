package optimizer

import "fmt"

// reactive is the policy in charge until a model has earned it: more nodes when a
// target is near its limit, one fewer when all have been far below it for long.
type reactive struct {
	calm, window int
}

const (
	reactiveOut = 0.85 // of the limit
	reactiveIn  = 0.45
	reactiveUp  = 0.15 // of the fleet, at the limit
)

func (c *reactive) observe(p *plan, r row, window int) {
	c.window = window
	if p.highest < reactiveIn && p.highest > 0 && p.booting == 0 {
		c.calm++
	} else {
		c.calm = 0
	}
}

func (c *reactive) advise(o *Optimizer, adv *Advice, p *plan, total int) int {
	n := total
	switch {
	case p.highest > reactiveOut && p.booting == 0:
		n += max(1, min(int(reactiveUp*float64(total)*p.highest*p.highest+0.5), o.cfg.MaxUpscaleDelta))
		adv.Reasons = append(adv.Reasons, fmt.Sprintf("no model yet: a target is at %.0f %% of its limit", 100*p.highest))
	case c.calm > c.window:
		n--
		c.calm = 0
		adv.Reasons = append(adv.Reasons, "no model yet: all targets have been far below their limits")
	default:
		adv.Reasons = append(adv.Reasons, "no model yet: nothing calls for a change")
	}
	return n
}

// fillReactive says of each candidate what "in proportion to the load per node" says.
func (a *auto) fillReactive(o *Optimizer, found []Candidate) {
	for i := range found {
		cand := &found[i]
		cand.Holds = true
		for t, target := range o.cfg.Targets {
			y := a.y[t] * float64(max(o.last.nodes, 1)) / float64(cand.Nodes)
			v := target.absolute(max(y, 1e-9))
			cand.Targets[t] = logInterval(v, 0.3)
			cand.Holds = cand.Holds && target.in(v)
			cand.Risk = max(cand.Risk, 1-normalCDF(logRatio(1, y)/0.3))
		}
	}
}
