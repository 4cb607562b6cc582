package optimizer

import "math"

// followGain is how fast the ensemble's prediction follows its lasting error.
const followGain = 1.0 / 20

// follow learns from a sample after it was predicted.
func (m *memberSet) follow(logY, predicted float64) {
	m.bias += followGain * min(max(logY-predicted-m.bias, -1), 1)
}

// whatIf is the ensemble's answer to "what if the load per node were another", for one
// target: its log in units of the limit at steps of the log load about the present one,
// made to grow with the load.
type whatIf struct {
	x     float64 // the present log load per node
	logs  [tableSteps]float64
	sigma float64
}

const (
	tableSteps = 33
	tableReach = 1.2 // of the log load, either way
)

func tableStep(i int) float64 { return tableReach * (2*float64(i)/(tableSteps-1) - 1) }

// at is the log of the target in units of its limit at a log load per node.
func (t *whatIf) at(x float64) float64 {
	p := (min(max((x-t.x)/tableReach, -1), 1) + 1) / 2 * (tableSteps - 1)
	i := min(int(p), tableSteps-2)
	return t.logs[i] + (p-float64(i))*(t.logs[i+1]-t.logs[i])
}

// limit is the log load per node at which the target reaches its limit: the ends of the
// table where it does so beyond.
func (t *whatIf) limit() float64 {
	for i, v := range t.logs {
		if v >= 0 {
			if i == 0 {
				return t.x + tableStep(0)
			}
			a := t.logs[i-1]
			return t.x + tableStep(i-1) + (tableStep(i)-tableStep(i-1))*(-a)/(v-a)
		}
	}
	return t.x + tableReach
}

// tabulate asks the ensemble what becomes of a target as the load per node changes, each
// input going with the load as was learned of it.
func (a *auto) tabulate(o *Optimizer, r row, t int) {
	e, tab := a.challenger, &a.tables[t]
	d := len(a.cfg.Inputs)
	target := a.cfg.Targets[t]
	tab.x = a.load.x
	for i := range tab.logs {
		step := tableStep(i)
		for j := range d {
			o.scratch.inputs[j] = r.values[j] * math.Exp(step*a.load.metrics[j].beta)
		}
		logY, _ := e.predict(e.features(o.scratch.inputs, o.scratch.scaled), t)
		logY += e.targets[t].bias
		tab.logs[i] = math.Log(max(target.relative(math.Exp(min(max(logY, -100), 100))), 1e-9))
	}
	monotone(tab.logs[:])
	tab.sigma = e.targets[t].sigma
}

// monotone is the nearest sequence that does not fall (pool adjacent violators).
func monotone(v []float64) {
	for i := 1; i < len(v); i++ {
		sum, n, from := v[i], 1.0, i
		for from > 0 && v[from-1] > sum/n {
			from--
			sum += v[from]
			n++
		}
		for j := from; j <= i; j++ {
			v[j] = sum / n
		}
	}
}

// challenge judges the ensemble on a sample, lets it learn, and settles who is champion.
func (a *auto) challenge(o *Optimizer, r row, p *plan) {
	e := a.challenger
	if e == nil || !r.complete() {
		return
	}
	f := e.features(r.values[:len(a.cfg.Inputs)], o.scratch.scaled)
	for t := range a.cfg.Targets {
		y := r.values[o.cols.inputs+t]
		if y <= 0 {
			continue
		}
		logY, _ := e.predict(f, t)
		m := &e.targets[t]
		if t == 0 && p.warm == 0 {
			a.skill.challenge(math.Log(y)-logY-m.bias, a.y[0])
		}
		m.follow(math.Log(y), logY)
	}
}
