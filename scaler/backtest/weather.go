package backtest

import (
	"math"
	"math/rand/v2"
)

// wanderMemory is the correlation of a node's speed from tick to tick (AR(1)).
const wanderMemory = 0.9

// weather is all that happens to a fleet by chance. It is a fixed table by tick
// and by slot, a node's place in the order of launch, so that every policy meets
// the same weather, and so does the reference that knows it in advance.
type weather struct {
	plant   Plant
	ticks   int
	seed    uint64
	latency []float32
	// metric is the noise of metric m at tick t, at [t*noisyMetrics+m].
	metric []float32
	slots  []slot
}

// slot is one row of the table.
type slot struct {
	speed []float32
	share []float32
	// boot is the standard normal deviate of the logarithm of the boot time of a
	// node that is launched at a tick.
	boot []float32
	// tail multiplies the waiting time; nil where the law has no heavy tail.
	tail []float32
}

// The streams of chance that are not a slot's.
const (
	streamLatency = 1<<32 + iota
	streamMetrics
	streamArrivals
	streamRehearsal
)

func newWeather(p Plant, ticks int, seed uint64) *weather {
	w := &weather{plant: p, ticks: ticks, seed: seed}
	r := rand.New(rand.NewPCG(seed, streamLatency))
	w.latency = make([]float32, ticks)
	for t := range w.latency {
		w.latency[t] = float32(around(r, p.LatencyNoise))
	}
	r = rand.New(rand.NewPCG(seed, streamMetrics))
	w.metric = make([]float32, ticks*noisyMetrics)
	for i := range w.metric {
		w.metric[i] = float32(around(r, p.MetricNoise))
	}
	return w
}

// slot is the row of a slot, which is drawn when it is first asked for.
func (w *weather) slot(i int) *slot {
	for len(w.slots) <= i {
		w.slots = append(w.slots, w.draw(len(w.slots)))
	}
	return &w.slots[i]
}

func (w *weather) draw(i int) slot {
	p := w.plant
	r := rand.New(rand.NewPCG(w.seed, uint64(i)))
	s := slot{speed: make([]float32, w.ticks), share: make([]float32, w.ticks), boot: make([]float32, w.ticks)}
	if p.Law == LawMG1 {
		s.tail = make([]float32, w.ticks)
	}
	own, wander, noisy := around(r, p.SpeedSpread), p.SpeedWander*r.NormFloat64(), 0
	arrival := 0.0
	if p.NeighbourEvery > 0 {
		arrival = p.Tick.Seconds() / p.NeighbourEvery.Seconds()
	}
	for t := range w.ticks {
		wander = wanderMemory*wander + math.Sqrt(1-wanderMemory*wanderMemory)*p.SpeedWander*r.NormFloat64()
		if r.Float64() < arrival {
			noisy = int(p.NeighbourFor / p.Tick)
		}
		speed := own * max(0.1, 1+wander)
		if noisy > 0 {
			speed *= p.NeighbourSpeed
			noisy--
		}
		s.speed[t] = float32(speed)
		s.share[t] = float32(around(r, p.Imbalance))
		s.boot[t] = float32(r.NormFloat64())
		if s.tail != nil {
			s.tail[t] = float32(math.Exp(tailJitter*r.NormFloat64() - tailJitter*tailJitter/2))
		}
	}
	return s
}

// around is a random factor around 1, never so far that it means something else.
func around(r *rand.Rand, spread float64) float64 {
	return 1 + spread*max(-3, min(3, r.NormFloat64()))
}

// bootSeconds is how long a node boots that is launched in a slot at a tick.
func (w *weather) bootSeconds(i, tick int) float64 {
	z := float64(w.slot(i).boot[min(tick, w.ticks-1)])
	return w.plant.Boot.Seconds() * math.Exp(w.plant.BootSpread*z)
}
