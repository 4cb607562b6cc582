package backtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/scalerd/scalerd/scaler/trace"
)

// peakWindow is the time whose highest mean is taken for the peak of a trace.
const peakWindow = 5 * time.Minute

// spike is how many times the peak a single tick may have.
const spike = 2

// Load is a trace that was scaled and cut into ticks.
type Load struct {
	// Name is shown with the results.
	Name string
	// Rates are the requests/s that arrive in each tick.
	Rates []float64
	// Nodes is how many nodes the peak of the load needs.
	Nodes int
}

// NewLoad scales a trace so that its highest mean over 5 minutes needs that many
// nodes of the plant within the limit, cuts it into ticks, and draws the arrivals
// of each tick from a Poisson distribution. With 0 nodes the trace is not scaled.
func NewLoad(name string, t trace.Trace, p Plant, limit time.Duration, nodes int, seed uint64) (Load, error) {
	if err := p.Check(); err != nil {
		return Load{}, err
	}
	each := p.Carries(limit)
	if each == 0 {
		return Load{}, fmt.Errorf("limit %s can't be kept by any number of nodes: an idle node takes %s; choose a longer limit or a shorter service time", limit, p.ServiceTime+p.BaseLatency)
	}
	ticks := int(t.Span() / p.Tick)
	if ticks < 2 {
		return Load{}, fmt.Errorf("trace %s spans %s, which is less than two ticks of %s", name, t.Span(), p.Tick)
	}
	l := Load{Name: name, Rates: make([]float64, ticks), Nodes: nodes}
	for i := range l.Rates {
		l.Rates[i] = t.At((float64(i) + 0.5) * p.Tick.Seconds())
	}
	peak := l.peak(p.Tick)
	if peak == 0 {
		return Load{}, fmt.Errorf("trace %s has no load in this window", name)
	}
	factor := 1.0
	if nodes > 0 {
		factor = float64(nodes) * each / peak
	} else {
		l.Nodes = max(1, int(math.Ceil(peak/each)))
	}
	random := rand.New(rand.NewPCG(seed, streamArrivals))
	most := spike * float64(l.Nodes) * each * p.Tick.Seconds()
	for i, rate := range l.Rates {
		l.Rates[i] = min(most, arrivals(random, rate*factor*p.Tick.Seconds())) / p.Tick.Seconds()
	}
	return l, nil
}

// peak is the highest mean over peakWindow.
func (l Load) peak(tick time.Duration) float64 {
	window := min(len(l.Rates), max(1, int(peakWindow/tick)))
	sum, highest := 0.0, 0.0
	for i, rate := range l.Rates {
		sum += rate
		if i >= window {
			sum -= l.Rates[i-window]
		}
		if i >= window-1 {
			highest = max(highest, sum/float64(window))
		}
	}
	return highest
}

// arrivals draws how many requests come where mean are expected.
func arrivals(r *rand.Rand, mean float64) float64 {
	if mean <= 0 {
		return 0
	}
	return distuv.Poisson{Lambda: mean, Src: r}.Rand()
}
