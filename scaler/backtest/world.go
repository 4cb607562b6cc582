package backtest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// budget is the share of the time that the references may be over the limit.
const budget = 0.01

// World is a plant under a load, with its weather: everything that is the same for
// each policy that is tried in it. It is for use by one goroutine.
type World struct {
	Plant Plant
	Load  Load
	// Limit is the highest mean latency of the fleet that is allowed in a tick.
	Limit time.Duration
	// Start is the instant of the first tick.
	Start time.Time
	// Min and Max bound the number of nodes.
	Min, Max int
	// Initial is how many nodes there are at the start, all of them warm.
	Initial int
	// Seed is what the weather was drawn from.
	Seed    uint64
	weather *weather
}

// defaultStart is a Monday.
var defaultStart = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)

// NewWorld draws the weather of a plant under a load. The same seed gives the same
// weather. The fleet has between 1 node and three times what the load's peak
// needs, and begins with what its first minutes need.
func NewWorld(p Plant, l Load, limit time.Duration, seed uint64) (*World, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if len(l.Rates) < 2 {
		return nil, errors.New("a load needs at least two ticks")
	}
	w := &World{
		Plant: p, Load: l, Limit: limit, Start: defaultStart, Min: 1, Max: max(2, 3*l.Nodes), Seed: seed,
		weather: newWeather(p, len(l.Rates), seed),
	}
	need := w.need()
	w.Initial = w.clamp(slices.Max(need[:min(len(need), int(peakWindow/p.Tick)+1)]))
	return w, nil
}

func (w *World) clamp(n int) int { return max(w.Min, min(w.Max, n)) }

// Span is the time that the load takes.
func (w *World) Span() time.Duration { return time.Duration(len(w.Load.Rates)) * w.Plant.Tick }

// Group is what policies are told of the world.
func (w *World) Group() Group {
	return Group{
		Limit: w.Limit, Tick: w.Plant.Tick, Cores: w.Plant.Cores, Min: w.Min, Max: w.Max, Peak: w.Load.Nodes,
		Rehearse: w.rehearse, Seed: w.Seed,
	}
}

// drifts is the tick from which on the plant has drifted.
func (w *World) drifts() int { return int(math.Ceil(w.Plant.DriftAt * float64(len(w.Load.Rates)))) }

// Try makes a policy and runs it through the world.
func (w *World) Try(m Maker) (Result, error) {
	p, err := m(w.Group())
	if err != nil {
		return Result{}, err
	}
	return w.Run(p), nil
}

// Run drives a policy through the world.
func (w *World) Run(p Policy) Result {
	f := &fleet{plant: w.Plant, weather: w.weather, start: w.Start, drifts: w.drifts()}
	for range w.Initial {
		f.launch(0, false)
	}
	r := newRecorder(w, p.Name())
	m := newMeters(w.weather)
	for t, rate := range w.Load.Rates {
		o := f.serve(t, rate*w.Plant.Tick.Seconds())
		r.tick(len(f.machines), o)
		obs := Observation{Nodes: f.nodes, Ready: o.ready, Metrics: m.read(t, o)}
		n := w.clamp(p.Decide(w.Start.Add(time.Duration(t+1)*w.Plant.Tick), obs))
		drop := chosen(p)
		if t+1 < len(w.Load.Rates) && (n != len(f.machines) || len(drop) > 0) {
			r.action(f.resize(t+1, n, drop))
		}
	}
	for i := range f.machines {
		r.left += f.machines[i].backlog
	}
	return r.result()
}

func chosen(p Policy) []string {
	if c, ok := p.(Chooser); ok {
		return c.Chosen()
	}
	return nil
}

// rehearsalStep is for how long the load of a rehearsal stays as it is.
const rehearsalStep = 10 * time.Minute

// rehearse runs a policy under steps of load between a twentieth of the peak and all
// of it, which ended before the run begins.
func (w *World) rehearse(ticks int, p Policy) {
	at := *w
	at.Plant.Drift, at.Plant.ExtraLatency, at.Initial = 1, 0, w.Min
	at.Start = w.Start.Add(-time.Duration(ticks+1) * w.Plant.Tick)
	at.weather = newWeather(at.Plant, ticks, w.Seed^streamRehearsal)
	r := rand.New(rand.NewPCG(w.Seed, streamRehearsal))
	peak := float64(w.Load.Nodes) * w.Plant.Carries(w.Limit)
	step, rate := max(1, int(rehearsalStep/w.Plant.Tick)), 0.0
	at.Load.Rates = make([]float64, ticks)
	for t := range at.Load.Rates {
		if t%step == 0 {
			rate = peak * (0.05 + 0.95*r.Float64())
		}
		at.Load.Rates[t] = arrivals(r, rate*w.Plant.Tick.Seconds()) / w.Plant.Tick.Seconds()
	}
	at.Run(p)
}

// need is the number of nodes that each tick needs where nothing is by chance.
func (w *World) need() []int {
	need, drifts := make([]int, len(w.Load.Rates)), w.drifts()
	service := w.Plant.ServiceTime.Seconds()
	before := w.Plant.carries(w.Limit.Seconds(), service)
	after := w.Plant.carries((w.Limit - w.Plant.ExtraLatency).Seconds(), service*w.Plant.Drift)
	for t, rate := range w.Load.Rates {
		each := before
		if t >= drifts {
			each = after
		}
		need[t] = w.Max
		if each > 0 {
			need[t] = w.clamp(int(min(float64(w.Max), math.Ceil(rate/each))))
		}
	}
	return need
}

// Unreachable says why no fleet can keep the limit in this world, or "".
func (w *World) Unreachable() string {
	service := w.Plant.ServiceTime.Seconds() * w.Plant.Drift
	if extra := w.Plant.ExtraLatency; w.Plant.carries((w.Limit-extra).Seconds(), service) == 0 {
		return fmt.Sprintf("an idle node takes %.0fms after the drift, and the limit is %s", 1000*(service+(w.Plant.BaseLatency+extra).Seconds()), w.Limit)
	}
	return ""
}
