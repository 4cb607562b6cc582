package demo

import (
	"math"
	"testing"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
)

func TestCarriedIsTheLoadAtWhichTheQueueReachesTheLimit(t *testing.T) {
	for _, test := range []struct {
		name        string
		slots       int
		mean, limit time.Duration
		want        float64
	}{
		// In M/M/1 the time in the system is exponential with rate mu - lambda, so
		// its 95th percentile is ln 20 / (mu - lambda).
		{"one slot", 1, 100 * time.Millisecond, time.Second, 10 - math.Log(20)},
		{"one fast slot", 1, 10 * time.Millisecond, 100 * time.Millisecond, 100 - 10*math.Log(20)},
		{"a limit that a lone request misses", 4, 100 * time.Millisecond, 299 * time.Millisecond, 0},
		{"a limit beyond any queue", 4, 100 * time.Millisecond, time.Hour, 40},
	} {
		t.Run(test.name, func(t *testing.T) {
			node := &spec.Local{Slots: test.slots, ServiceTime: spec.Duration(test.mean)}
			if got := carried(node, test.limit); math.Abs(got-test.want) > 0.01 {
				t.Errorf("carried() = %g, want %g", got, test.want)
			}
		})
	}
}

func TestWaitsIsErlangC(t *testing.T) {
	// Gross and Harris, and any table of Erlang C: 2 slots offered 1 make a third
	// wait; one slot makes those wait that find it busy.
	for _, test := range []struct {
		slots         int
		offered, want float64
	}{{1, 0.3, 0.3}, {2, 1, 1.0 / 3}, {4, 0, 0}} {
		if got := waits(test.slots, test.offered); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("waits(%d, %g) = %g, want %g", test.slots, test.offered, got, test.want)
		}
	}
}

func TestSlowerHasNoGapWhereItsFormulaDividesByZero(t *testing.T) {
	// 3 slots and 20 requests/s of 100ms: the spare capacity is exactly one slot.
	at := slower(3, 0.1, 20, 0.5)
	before, after := slower(3, 0.1, 20-1e-6, 0.5), slower(3, 0.1, 20+1e-6, 0.5)
	if !(before < at && at < after) || after-before > 1e-6 {
		t.Errorf("slower() = %g, %g, %g around the gap, want a smooth rise", before, at, after)
	}
}

func TestFixedFleetIsTheSmallestThatCarriesThePeak(t *testing.T) {
	for _, test := range []struct {
		name       string
		peak, each float64
		want       int
	}{
		{"nothing to carry needs a node", 0, 30, 1},
		{"a full node is enough", 30, 30, 1},
		{"a little more needs another one", 30.1, 30, 2},
		{"rounding needs none", 3 * 0.1, 0.1, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := fixedFleet(test.peak, test.each); got != test.want {
				t.Errorf("fixedFleet(%g, %g) = %d, want %d", test.peak, test.each, got, test.want)
			}
		})
	}
}
