package trace

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// Window is the part of the trace from one time to another, counted from its
// first sample; to 0 is its end. It is an error where fewer than two samples lie
// within.
func (t Trace) Window(from, to time.Duration) (Trace, error) {
	start := t.Seconds[0]
	first := sort.SearchFloat64s(t.Seconds, start+from.Seconds())
	last := len(t.Seconds)
	if to > 0 {
		last = sort.SearchFloat64s(t.Seconds, start+to.Seconds())
	}
	if last-first < 2 {
		return Trace{}, fmt.Errorf("window %s-%s holds fewer than 2 samples of a trace of %s: choose a window within it", from, to, t.Span())
	}
	return Trace{Seconds: slices.Clone(t.Seconds[first:last]), Rates: slices.Clone(t.Rates[first:last])}, nil
}

// Smooth is the trace with each rate replaced by the mean over that time around
// the middle of its sample. It takes out the counting noise of a trace that was
// recorded at few requests/s and is to be scaled up.
func (t Trace) Smooth(over time.Duration) Trace {
	total := t.integral()
	rates := make([]float64, len(t.Rates))
	for i := range rates {
		middle, half := (t.Seconds[i]+t.until(i))/2, over.Seconds()/2
		from, to := max(t.Seconds[0], middle-half), min(t.until(len(rates)-1), middle+half)
		rates[i] = (t.integralTo(total, to) - t.integralTo(total, from)) / (to - from)
	}
	return Trace{Seconds: slices.Clone(t.Seconds), Rates: rates}
}

// At interpolates the rate at an instant, in seconds from the first sample,
// between the middles of the samples.
func (t Trace) At(seconds float64) float64 {
	seconds += t.Seconds[0]
	middle := func(i int) float64 { return (t.Seconds[i] + t.until(i)) / 2 }
	i := sort.Search(len(t.Seconds), func(i int) bool { return middle(i) > seconds })
	switch i {
	case 0:
		return t.Rates[0]
	case len(t.Seconds):
		return t.Rates[i-1]
	}
	share := (seconds - middle(i-1)) / (middle(i) - middle(i-1))
	return t.Rates[i-1] + share*(t.Rates[i]-t.Rates[i-1])
}

// until is the end of a sample, in seconds.
func (t Trace) until(i int) float64 {
	if i+1 < len(t.Seconds) {
		return t.Seconds[i+1]
	}
	return t.Seconds[0] + t.span()
}

// integral is how many requests came before each sample.
func (t Trace) integral() []float64 {
	before := make([]float64, len(t.Rates))
	for i := 1; i < len(before); i++ {
		before[i] = before[i-1] + t.Rates[i-1]*(t.Seconds[i]-t.Seconds[i-1])
	}
	return before
}

func (t Trace) integralTo(before []float64, seconds float64) float64 {
	i := max(0, sort.Search(len(t.Seconds), func(i int) bool { return t.Seconds[i] > seconds })-1)
	return before[i] + t.Rates[i]*(seconds-t.Seconds[i])
}
