package demo

import (
	"slices"
	"sort"
	"time"

	"github.com/scalerd/scalerd/scaler/trace"
)

// shape is the course of a load: what share of its peak, 0..1, is offered at x,
// the share of the run that has passed, 0..1.
type shape func(x float64) float64

// point is a corner of a load that is drawn with straight lines.
type point struct{ x, y float64 }

// lines draws a shape through points of ascending x, the first at 0 and the last
// at 1.
func lines(points ...point) shape {
	return func(x float64) float64 {
		i := sort.Search(len(points), func(i int) bool { return points[i].x >= x })
		switch {
		case i == 0:
			return points[0].y
		case i == len(points):
			return points[i-1].y
		}
		a, b := points[i-1], points[i]
		return a.y + (b.y-a.y)*(x-a.x)/(b.x-a.x)
	}
}

// day is the built-in load: a quiet night, a morning rise, a spike that nothing
// announces, and the evening's fall.
func day() shape {
	return lines(
		point{0, 0.13}, point{0.08, 0.13},
		point{0.36, 0.50}, point{0.50, 0.50},
		point{0.505, 1}, point{0.69, 1}, point{0.695, 0.50},
		point{0.75, 0.50}, point{0.90, 0.13}, point{1, 0.13},
	)
}

// lateDay is the load of a group that is behind the first one: it rises later,
// and feels less of the spike.
func lateDay() shape {
	return lines(
		point{0, 0.15}, point{0.16, 0.15},
		point{0.44, 0.70}, point{0.52, 0.70},
		point{0.56, 1}, point{0.70, 1}, point{0.74, 0.70},
		point{0.80, 0.70}, point{0.94, 0.15}, point{1, 0.15},
	)
}

// moment names what the built-in load does at x.
func moment(x float64) string {
	switch {
	case x < 0.08:
		return "night"
	case x < 0.36:
		return "morning rise"
	case x < 0.50:
		return "day"
	case x < 0.695:
		return "spike"
	case x < 0.75:
		return "day"
	case x < 0.90:
		return "evening fall"
	default:
		return "night"
	}
}

// later is the same shape that much later; it begins with its first value.
func (s shape) later(by float64) shape {
	return func(x float64) float64 { return s(max(0, x-by)) }
}

// peakWindow is the time over which a load is averaged to find its peak: a queue
// rides out what is shorter.
const peakWindow = 5 * time.Second

// peakStep is how finely a peak is looked for.
const peakStep = 100 * time.Millisecond

// peak is the highest mean of the shape over peakWindow in a run of that length.
func (s shape) peak(length time.Duration) float64 {
	window := int(min(peakWindow, length) / peakStep)
	steps := int(length / peakStep)
	sum, highest := 0.0, 0.0
	at := func(i int) float64 { return s((float64(i) + 0.5) / float64(steps)) }
	for i := range steps {
		sum += at(i)
		if i >= window {
			sum -= at(i - window)
		}
		if i >= window-1 {
			highest = max(highest, sum/float64(window))
		}
	}
	return highest
}

// traceBin is the time of the run in which all of the trace that falls into it
// is averaged.
const traceBin = 500 * time.Millisecond

// compressed is the trace compressed to a run of that length. highest is what 1
// stands for, in requests/s of the trace.
func compressed(t trace.Trace, length time.Duration) (s shape, highest float64) {
	bins := t.Bins(max(1, int(length/traceBin)))
	highest = slices.Max(bins)
	return func(x float64) float64 {
		return bins[min(len(bins)-1, max(0, int(x*float64(len(bins)))))] / highest
	}, highest
}
