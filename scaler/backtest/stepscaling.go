package backtest

import "time"

// The bands of the step policy, in percent of CPU.
const (
	stepOut      = 70
	stepIn       = 40
	stepOutFor   = 2 // datapoints of a minute
	stepInFor    = 5
	stepCooldown = 300 * time.Second
)

// stepScaling is AWS step scaling as people set it up: CPU above 70 % for two
// minutes adds a node, above 80 % two and above 90 % four; below 40 % for five
// minutes removes one; 300 seconds of cooldown after each.
type stepScaling struct {
	minute  minute
	changed time.Time
}

// StepScaling makes the policy.
func StepScaling(g Group) (Policy, error) {
	return &stepScaling{minute: newMinute(g.Tick, stepInFor)}, nil
}

func (p *stepScaling) Name() string { return "step" }

func (p *stepScaling) Decide(now time.Time, obs Observation) int {
	total := obs.Total()
	cpu, ok := obs.Metrics[MetricCPU]
	if !ok || !p.minute.add(cpu) || !p.changed.IsZero() && now.Sub(p.changed) < stepCooldown {
		return total
	}
	change := 0
	switch latest := p.minute.latest(); {
	case p.minute.last(stepOutFor, func(v float64) bool { return v > stepOut }):
		change = 1
		if latest > stepOut+10 {
			change = 2
		}
		if latest > stepOut+20 {
			change = 4
		}
	case p.minute.last(stepInFor, func(v float64) bool { return v < stepIn }):
		change = -1
	}
	if change != 0 {
		p.changed = now
	}
	return total + change
}
