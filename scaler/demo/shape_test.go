package demo

import (
	"math"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/trace"
)

func TestLinesGoThroughTheirPoints(t *testing.T) {
	s := lines(point{0, 0.2}, point{0.5, 1}, point{1, 0})
	for _, test := range []struct{ x, want float64 }{
		{-1, 0.2}, {0, 0.2}, {0.25, 0.6}, {0.5, 1}, {0.75, 0.5}, {1, 0}, {2, 0},
	} {
		if got := s(test.x); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("lines()(%g) = %g, want %g", test.x, got, test.want)
		}
	}
}

func TestTheBuiltInLoadsStayWithinTheirPeakAndReachIt(t *testing.T) {
	for name, s := range map[string]shape{"day": day(), "late day": lateDay()} {
		highest := 0.0
		for i := range 1001 {
			y := s(float64(i) / 1000)
			if y <= 0 || y > 1 {
				t.Errorf("%s at %d ‰ = %g, want within 0..1 and never nothing", name, i, y)
			}
			highest = max(highest, y)
		}
		if highest != 1 {
			t.Errorf("%s reaches %g, want 1", name, highest)
		}
	}
}

func TestMomentsNameWhatTheLoadDoes(t *testing.T) {
	for _, test := range []struct {
		x        float64
		want     string
		from, to float64 // of the load around it
	}{
		{0.04, "night", 0.13, 0.13},
		{0.20, "morning rise", 0.2, 0.4},
		{0.43, "day", 0.5, 0.5},
		{0.60, "spike", 1, 1},
		{0.72, "day", 0.5, 0.5},
		{0.82, "evening fall", 0.2, 0.4},
		{0.95, "night", 0.13, 0.13},
	} {
		if got := moment(test.x); got != test.want {
			t.Errorf("moment(%g) = %q, want %q", test.x, got, test.want)
		}
		if y := day()(test.x); y < test.from-1e-9 || y > test.to+1e-9 {
			t.Errorf("the load at %g, %s, is %g, want %g..%g", test.x, test.want, y, test.from, test.to)
		}
	}
}

func TestLaterBeginsWithTheFirstValue(t *testing.T) {
	s := lines(point{0, 0.5}, point{1, 1}).later(0.2)
	for _, test := range []struct{ x, want float64 }{{0, 0.5}, {0.2, 0.5}, {0.6, 0.7}, {1, 0.9}} {
		if got := s(test.x); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("later(0.2)(%g) = %g, want %g", test.x, got, test.want)
		}
	}
}

func TestPeakIsAMeanOverItsWindow(t *testing.T) {
	for _, test := range []struct {
		name   string
		shape  shape
		length time.Duration
		want   float64
	}{
		{"a constant is its own peak", lines(point{0, 0.4}, point{1, 0.4}), time.Minute, 0.4},
		{"a long plateau counts in full", day(), 140 * time.Second, 1},
		// 100 s from 0 to 1: the last 5 s rise from 0.95 to 1.
		{"of a rise the end counts", lines(point{0, 0}, point{1, 1}), 100 * time.Second, 0.975},
		{"a run shorter than the window is one window", lines(point{0, 0}, point{1, 1}), 2 * time.Second, 0.5},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.shape.peak(test.length); math.Abs(got-test.want) > 1e-9 {
				t.Errorf("peak(%s) = %g, want %g", test.length, got, test.want)
			}
		})
	}
}

func TestATraceIsCompressedToTheRun(t *testing.T) {
	recorded := trace.Trace{Seconds: []float64{0, 3600}, Rates: []float64{2, 8}}
	s, highest := compressed(recorded, 10*time.Second)
	if highest != 8 {
		t.Errorf("highest = %g, want 8", highest)
	}
	for _, test := range []struct{ x, want float64 }{{0, 0.25}, {0.49, 0.25}, {0.51, 1}, {1, 1}} {
		if got := s(test.x); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("shape(%g) = %g, want %g", test.x, got, test.want)
		}
	}
}
