package trace

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Sample is a rate at an instant; NaN where it was not known.
type Sample struct {
	At   time.Time
	Rate float64
}

// Gap is a part of a recording without values.
type Gap struct {
	// From is when a value was missing first, To when there was one again.
	From, To time.Time
	// NaN is set where there were values that are no numbers.
	NaN bool
}

// String names the gap: 2m30s without a value from 2026-01-05T10:00:00Z.
func (g Gap) String() string {
	what := "without a value"
	if g.NaN {
		what = "of NaN"
	}
	return fmt.Sprintf("%s %s from %s", g.To.Sub(g.From), what, g.From.UTC().Format(time.RFC3339))
}

// mostMissing is the largest share of a recording that may be gaps.
const mostMissing = 0.5

// Recorded makes a trace of samples that were asked for every step from one instant
// to another, both included, in the order of time. Its time counts from the first
// that has a rate. Over a gap the rate before it holds; gaps are returned to be
// shown. It is an error where there are fewer than two rates, more gaps than rates,
// or a rate below 0.
func Recorded(samples []Sample, from, to time.Time, step time.Duration) (Trace, []Gap, time.Time, error) {
	var (
		t       Trace
		gaps    []Gap
		start   time.Time
		missing time.Duration
		nan     bool
	)
	next := from // when the next rate is due
	gap := func(until time.Time) {
		if until.Sub(next) >= step {
			gaps = append(gaps, Gap{next, until, nan})
			missing += until.Sub(next)
		}
		nan = false
	}
	for _, s := range samples {
		switch {
		case math.IsNaN(s.Rate) || math.IsInf(s.Rate, 0):
			nan = true
			continue
		case s.Rate < 0:
			return Trace{}, nil, start, fmt.Errorf("the rate at %s is %g: a rate can't be less than 0; is the query one of requests/s?", s.At.UTC().Format(time.RFC3339), s.Rate)
		}
		gap(s.At)
		if start.IsZero() {
			start = s.At
		}
		t.Seconds, t.Rates = append(t.Seconds, s.At.Sub(start).Seconds()), append(t.Rates, s.Rate)
		next = s.At.Add(step)
	}
	end := from.Add(to.Sub(from)/step*step + step)
	gap(end)
	if len(t.Rates) < 2 {
		return Trace{}, gaps, start, errors.New("the range has fewer than two values: is the query right, and was anything recorded then?")
	}
	if whole := end.Sub(from); missing.Seconds() > mostMissing*whole.Seconds() {
		return Trace{}, gaps, start, fmt.Errorf("%.0f%% of the range has no value: choose a range that was recorded", 100*missing.Seconds()/whole.Seconds())
	}
	return t, gaps, start, nil
}
