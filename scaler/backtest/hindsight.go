package backtest

import (
	"math"
	"time"
)

// NameHindsight is the reference that knows the true capacity of a node.
const NameHindsight = "hindsight"

// hindsight knows what a node carries, before and after the drift, and not the
// future: it extends the load's trend over a boot, adds headroom, and shrinks to
// the largest size that it asked for within hold.
type hindsight struct {
	world    *World
	headroom float64
	trend    float64 // how much of the slope is believed, 0..1
	hold     time.Duration
	before   float64 // what a node carries, requests/s
	after    float64
	tick     int
	asked    []wish
}

// The ticks over which the level and the slope of the load are taken.
const (
	levelTicks = 4
	slopeTicks = 20
)

func (h *hindsight) Name() string { return NameHindsight }

func (h *hindsight) Decide(now time.Time, _ Observation) int {
	h.tick++
	seen := h.world.Load.Rates[:h.tick]
	level := mean(seen[max(0, len(seen)-levelTicks):])
	rise := max(0, slope(seen[max(0, len(seen)-slopeTicks):]))
	ahead := h.world.Plant.Boot.Seconds()/h.world.Plant.Tick.Seconds() + levelTicks/2
	each := h.before
	if h.tick >= h.world.drifts() {
		each = h.after
	}
	n := int(math.Ceil(h.headroom * (level + h.trend*rise*ahead) / each))
	h.asked = append(h.asked, wish{now, n})
	for len(h.asked) > 1 && now.Sub(h.asked[0].at) > h.hold {
		h.asked = h.asked[1:]
	}
	for _, a := range h.asked {
		n = max(n, a.n)
	}
	return n
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// slope is the least-squares slope of the values, per tick.
func slope(values []float64) float64 {
	middle, level := float64(len(values)-1)/2, mean(values)
	var xy, xx float64
	for i, v := range values {
		x := float64(i) - middle
		xy += x * (v - level)
		xx += x * x
	}
	if xx == 0 {
		return 0
	}
	return xy / xx
}

// mostHeadroom bounds the headroom that is tried, and headroomSteps how finely.
const (
	mostHeadroom  = 2.5
	headroomSteps = 7
)

// Hindsight is what is left to gain for a policy that forecasts no better than by a
// trend: it knows the true capacity, and its headroom, the part of the trend that
// it believes and its time of stabilisation are the best for this very world. Where
// none keeps the limit it is the one that comes nearest.
func (w *World) Hindsight() Result {
	service := w.Plant.ServiceTime.Seconds()
	before := w.Plant.carries(w.Limit.Seconds(), service)
	after := w.Plant.carries((w.Limit - w.Plant.ExtraLatency).Seconds(), service*w.Plant.Drift)
	var best Result
	for _, trend := range []float64{0, 0.5, 1} {
		for _, hold := range []time.Duration{3 * time.Minute, 10 * time.Minute} {
			least, most := 1.0, mostHeadroom
			for step := range headroomSteps {
				headroom := (least + most) / 2
				if step == 0 {
					headroom = most // tells whether any will do
				}
				r := w.Run(&hindsight{world: w, headroom: headroom, trend: trend, hold: hold, before: before, after: after})
				if best.Policy == "" || better(r, best) {
					best = r
				}
				if r.Feasible() {
					most = headroom
				} else if step == 0 {
					break
				} else {
					least = headroom
				}
			}
		}
	}
	return best
}
