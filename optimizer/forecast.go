package optimizer

import (
	"math"
	"time"
)

// forecast predicts the logarithm of the load some samples ahead, with the distribution
// of its error, for a few horizons. Level, trends over three spans and the growth of
// the same hours a day and a week before are weighed by recursive least squares.
type forecast struct {
	ring     []float64 // log loads, one per slot of a clock of samples
	n        int       // samples seen
	level    float64
	day      int // samples a day; 0: too many to keep
	spans    [3]int
	horizons []horizon
	scratch  []float64
}

// horizon is a forecast h samples ahead.
type horizon struct {
	h       int
	mean    *rls
	spread  *rls
	fast    float64 // forgotten means of squared errors
	slow    float64
	judged  int
	tail    tail
	pending []pending // a ring: what was forecast for samples to come
	// the present forecast
	ahead  float64 // log growth over the level
	sigma  float64
	latest []float64
}

type pending struct {
	features [meanFeatures]float64
	spread   [spreadFeatures]float64
	level    float64
	ahead    float64
	sigma    float64
	valid    bool
}

const (
	meanFeatures   = 9
	spreadFeatures = 4
	levelSpan      = 4
	forecastForget = 0.9997
	fastGain       = 0.04
	slowSpread     = 0.002
	firstSigma     = 0.08 // deviation of log growth over two minutes, to begin with
	leastSpread    = 0.004
	mostSpread     = 1.0
	mostAhead      = 128 // samples
	ringMost       = 1 << 17
	innovation     = 4 // standard deviations, where errors are clipped
)

func newForecast() *forecast {
	f := &forecast{scratch: make([]float64, meanFeatures), spans: [3]int{8, 20, 60}}
	f.horizons = make([]horizon, 4)
	for i := range f.horizons {
		f.horizons[i] = newHorizon()
	}
	return f
}

func newHorizon() horizon {
	return horizon{
		h:       2,
		mean:    newRLS([]float64{0, 0.5, 0, 0.5, 0, 0, 0, 0, 0}, 0.25, forecastForget),
		spread:  newRLS([]float64{0, 0.5, 0.5, 0}, 0.1, forecastForget),
		fast:    firstSigma * firstSigma,
		slow:    firstSigma * firstSigma,
		pending: make([]pending, mostAhead+1),
		tail:    newTail(),
		latest:  make([]float64, meanFeatures),
		sigma:   firstSigma,
	}
}

// pace fits the spans to the interval between samples.
func (f *forecast) pace(interval time.Duration) {
	for i, span := range []time.Duration{2 * time.Minute, 5 * time.Minute, 15 * time.Minute} {
		f.spans[i] = min(max(int(span/max(interval, time.Millisecond)), 4+2*i), 240<<i)
	}
	f.day = 0
	if d := int(math.Round(float64(24*time.Hour) / float64(max(interval, time.Millisecond)))); d < ringMost/8 {
		f.day = d
	}
}

// observe takes the log load of a sample, and the horizons that matter now.
func (f *forecast) observe(logLoad float64, horizons [4]int) {
	if len(f.ring) == 0 {
		f.ring = make([]float64, 512)
	}
	f.grow()
	f.ring[f.n%len(f.ring)] = logLoad
	f.n++
	span := min(levelSpan, f.n)
	f.level = 0
	for i := range span {
		f.level += f.back(i) / float64(span)
	}
	for i := range f.horizons {
		h := &f.horizons[i]
		h.h = min(max(horizons[i], 1), mostAhead)
		h.settle(f)
		h.project(f)
	}
}

// grow makes room for a day, or a week and a day, as history comes in.
func (f *forecast) grow() {
	need := 512
	if f.day > 0 {
		need = f.day + 512
		if week := 7*f.day + 512; f.n > f.day && week <= ringMost {
			need = week
		}
	}
	if need <= len(f.ring) || f.n < len(f.ring) {
		return
	}
	bigger := make([]float64, min(need, 2*len(f.ring)))
	for i := range min(f.n, len(f.ring)) {
		at := f.n - 1 - i
		bigger[at%len(bigger)] = f.ring[at%len(f.ring)]
	}
	f.ring = bigger
}

// back is the log load i samples ago.
func (f *forecast) back(i int) float64 { return f.ring[(f.n-1-i)%len(f.ring)] }

// kept is how many samples can be looked back at.
func (f *forecast) kept() int { return min(f.n, len(f.ring)) }

// trend returns the slope per sample and the end point, relative to the level, of
// the least-squares line through the newest span samples.
func (f *forecast) trend(span int) (slope, end float64) {
	n := min(span, f.kept())
	if n < 3 {
		return 0, 0
	}
	var sy, sxy float64
	for i := range n {
		y := f.back(i) - f.level
		sy += y
		sxy += float64(-i) * y
	}
	m := float64(n)
	mean := -(m - 1) / 2
	sxx := m * (m*m - 1) / 12
	slope = (sxy - mean*sy) / sxx
	// Few samples know a level, not yet a slope.
	slope *= m * m / (m*m + 16)
	return slope, sy/m - slope*mean
}

// around is the mean log load of levelSpan samples that end i samples ago.
func (f *forecast) around(i int) (float64, bool) {
	if i < 0 || i+levelSpan > f.kept() {
		return 0, false
	}
	var sum float64
	for j := range levelSpan {
		sum += f.back(i + j)
	}
	return sum / levelSpan, true
}

// season is the growth over h samples that began one period ago.
func (f *forecast) season(period, h int) float64 {
	if period == 0 {
		return 0
	}
	// Over twice the level's span, for the same instant is not the same minute.
	then, ok := f.around(period)
	later, ok2 := f.around(period - h)
	if !ok || !ok2 || period < h {
		return 0
	}
	return min(max(later-then, -1), 1)
}

// settle learns from the forecast that was made for this sample.
func (h *horizon) settle(f *forecast) {
	p := &h.pending[(f.n-1)%len(h.pending)]
	if !p.valid {
		return
	}
	p.valid = false
	actual := f.back(0) - p.level
	e := actual - p.ahead
	h.tail.add(e / p.sigma)
	clipped := min(max(e, -innovation*p.sigma), innovation*p.sigma)
	h.mean.update(p.features[:], p.ahead+clipped, p.sigma*p.sigma)
	squared := max(clipped*clipped, leastSpread*leastSpread/16)
	// The logarithm of a squared normal deviate has mean -1.27 and variance 4.93.
	h.spread.update(p.spread[:], math.Log(squared)+1.27, 4.93)
	h.judged++
	h.fast += fastGain * (squared - h.fast)
	h.slow += max(slowSpread, 1/float64(h.judged+20)) * (squared - h.slow)
}

// project makes the present forecast and files it for the sample it is of.
func (h *horizon) project(f *forecast) {
	ahead := float64(h.h)
	x := h.latest
	s8, _ := f.trend(f.spans[0])
	s20, e20 := f.trend(f.spans[1])
	s60, e60 := f.trend(f.spans[2])
	x[0], x[1], x[2] = s8*ahead, s20*ahead, s60*ahead
	x[3], x[4] = e20, e60
	x[5] = f.season(f.day, h.h)
	x[6] = f.season(7*f.day, h.h)
	x[7] = 0
	if x[5] != 0 {
		x[7] = s20*ahead - x[5] // what today's trend departs from yesterday's growth
	}
	x[8] = 0.01
	p := &h.pending[(f.n-1+h.h)%len(h.pending)]
	copy(p.features[:], x)
	p.level = f.level
	p.ahead = min(max(h.mean.predict(x), -1.5), 1.5)
	if !isFinite(p.ahead) || !isFinite(h.fast+h.slow+h.spread.predict(p.spread[:])) { // numbers beyond all sense came in: begin anew
		*h = newHorizon()
		return
	}
	slope := s20 * ahead
	p.spread = [spreadFeatures]float64{1, math.Log(h.fast), math.Log(h.slow), math.Log(slope*slope + h.slow)}
	lv := h.spread.predict(p.spread[:])
	slow := math.Log(h.slow)
	p.sigma = min(math.Exp(min(max(lv, slow-2, 2*math.Log(leastSpread)), slow+3)/2), mostSpread)
	p.valid = f.n >= levelSpan
	h.ahead, h.sigma = p.ahead, p.sigma
}

// tail is the distribution of standardised forecast errors: a slowly forgotten
// histogram on top of a logistic prior.
type tail struct {
	counts [tailBins]float64
	above  [tailBins + 1]float64 // P(z >= bin's lower edge)
	weight float64
	dirty  int
}

const (
	tailBins   = 96
	tailEdge   = 6.0
	tailPrior  = 150
	tailForget = 0.9995
)

func newTail() tail {
	var t tail
	t.refresh()
	return t
}

func (t *tail) add(z float64) {
	for i := range t.counts {
		t.counts[i] *= tailForget
	}
	i := min(max(int((z+tailEdge)/(2*tailEdge)*tailBins), 0), tailBins-1)
	t.counts[i]++
	t.weight = t.weight*tailForget + 1
	if t.dirty++; t.dirty >= 8 {
		t.refresh()
	}
}

func (t *tail) refresh() {
	t.dirty = 0
	sum := 0.0
	total := t.weight + tailPrior
	for i := tailBins - 1; i >= 0; i-- {
		sum += t.counts[i]
		t.above[i] = (sum + tailPrior*logisticAbove(edge(i))) / total
	}
	t.above[tailBins] = tailPrior * logisticAbove(tailEdge) / total
}

func edge(i int) float64 { return -tailEdge + 2*tailEdge*float64(i)/tailBins }

// logisticAbove is P(Z > z) of a logistic distribution of variance 1.
func logisticAbove(z float64) float64 { return 1 / (1 + math.Exp(z*math.Pi/math.Sqrt(3))) }

// exceed is P(standardised error > z).
func (t *tail) exceed(z float64) float64 {
	at := (z + tailEdge) / (2 * tailEdge) * tailBins
	switch {
	case at <= 0:
		return 1
	case at >= tailBins:
		return t.above[tailBins] * math.Exp(-(z-tailEdge)*math.Pi/math.Sqrt(3))
	}
	i := int(at)
	return t.above[i] + (at-float64(i))*(t.above[i+1]-t.above[i])
}
