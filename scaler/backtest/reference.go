package backtest

import (
	"sort"
	"time"
)

// The names of the references.
const (
	NameClairvoyant = "clairvoyant"
	NameFixed       = "best-fixed"
)

// fixed keeps one size.
type fixed struct {
	name string
	n    int
}

func (f fixed) Name() string                      { return f.name }
func (f fixed) Decide(time.Time, Observation) int { return f.n }

// Fixed runs a fleet of always n nodes, from the first tick on.
func (w *World) Fixed(n int) Result {
	at := *w
	at.Initial = at.clamp(n)
	return at.Run(fixed{NameFixed, at.Initial})
}

// BestFixed is the smallest fleet of constant size that is over the limit for at
// most 1 % of the time, or the largest fleet that is allowed where none is.
func (w *World) BestFixed() Result {
	n := w.Min + sort.Search(w.Max-w.Min, func(i int) bool { return w.Fixed(w.Min + i).Feasible() })
	return w.Fixed(n)
}

// planned follows a plan: the number of nodes wanted from each tick on.
type planned struct {
	name string
	plan []int
	tick int
}

func (p *planned) Name() string { return p.name }

func (p *planned) Decide(time.Time, Observation) int {
	p.tick++
	return p.plan[min(p.tick, len(p.plan)-1)]
}

// most rounds of repair of the clairvoyant's plan.
const mostRepairs = 60

// Clairvoyant is a policy that knows the load, the drift and the boot times in
// advance: it has in each tick what the tick needs, launches each node as long
// before as that node will boot, and keeps nodes over gaps that are shorter than
// a boot. It is then repaired against all else that chance brings: ticks that
// turned out over the limit get a node more, until at most 1 % of the time is. It
// is an upper bound of the true optimum, and where the limit can't be kept that
// well, the best that the repair found.
func (w *World) Clairvoyant() Result {
	best := w.repaired(0)
	if warm := w.repaired(w.Plant.WarmUp); better(warm, best) {
		best = warm
	}
	return best
}

// better is whether a keeps the limit at less cost than b, or comes nearer to it.
func better(a, b Result) bool {
	if a.Feasible() != b.Feasible() {
		return a.Feasible()
	}
	if a.Feasible() {
		return a.NodeHours < b.NodeHours
	}
	return a.TimeOver < b.TimeOver
}

// repaired is the clairvoyant that launches its nodes that much earlier still.
func (w *World) repaired(early time.Duration) Result {
	need := w.need()
	var best Result
	for round := range mostRepairs {
		r := w.follow(need, early)
		if round == 0 || better(r, best) {
			best = r
		}
		if r.Feasible() {
			break
		}
		for t, latency := range r.Latencies {
			if latency > w.Limit.Seconds() {
				need[t] = w.clamp(max(need[t], r.Ready[t]) + 1)
			}
		}
	}
	return best
}

// follow runs a fleet that has need[t] nodes ready in tick t.
func (w *World) follow(need []int, early time.Duration) Result {
	plan := w.launches(need, early)
	at := *w
	at.Initial = plan[0]
	return at.Run(&planned{name: NameClairvoyant, plan: plan})
}

// launches is how many nodes are wanted in each tick so that need of them are
// ready. A slot of the fleet is wanted in the ticks that need it, in those before
// in which its node boots, and in gaps that are no longer than that.
func (w *World) launches(need []int, early time.Duration) []int {
	plan := make([]int, len(need))
	tick := w.Plant.Tick.Seconds()
	for slot := 0; ; slot++ {
		used, last := false, -1 // last is the last tick that needed the slot
		for t, n := range need {
			if n <= slot {
				continue
			}
			used = true
			from := t
			if last < 0 || last < t-1 {
				from = max(last+1, t-w.lead(slot, t, early, tick))
			}
			for i := from; i <= t; i++ {
				plan[i]++
			}
			last = t
		}
		if !used {
			return plan
		}
	}
}

// lead is how many ticks before t the slot's node is launched to be ready then.
func (w *World) lead(slot, t int, early time.Duration, tick float64) int {
	lead := 0
	for launch := t; launch >= 0; launch-- {
		lead = t - launch
		if w.weather.bootSeconds(slot, launch)+early.Seconds() <= float64(lead)*tick {
			return lead
		}
	}
	return lead
}
