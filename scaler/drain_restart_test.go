package scaler_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// refusingSteps is a store whose journal takes no new step while it is full.
type refusingSteps struct {
	scaler.Store
	full *atomic.Bool
}

func (r refusingSteps) BeginStep(ctx context.Context, s scaler.StepRecord) (int64, error) {
	if r.full.Load() {
		return 0, errors.New("database or disk is full")
	}
	return r.Store.BeginStep(ctx, s)
}

func TestADrainKeepsItsDeadlineOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := shrinking(t, draining(""))
		w.hooks.set(func(h *hooks) { h.takes = time.Hour })
		w.meters.set("demand", 30)
		until(t, "a drain begins", func() bool { return w.hooks.said() != "" })
		began := time.Now()
		pass(100 * time.Second)
		w.restart()
		until(t, "the node goes", func() bool { return len(w.exist("web")) == 3 })
		if took := time.Since(began); took < 2*time.Minute || took > 2*time.Minute+20*time.Second {
			t.Errorf("the node went %s after its drain began, want the timeout of 2m to count over the restart", took)
		}
		if got := w.hooks.said(); got != "begin web-0004, stop web-0004, begin web-0004, stop web-0004" {
			t.Errorf("drains: %s, want one that goes on after the restart", got)
		}
	})
}

func TestADrainWhoseDeadlinePassedMeanwhileBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := shrinking(t, draining(""))
		w.hooks.set(func(h *hooks) { h.takes = 90 * time.Second })
		w.meters.set("demand", 30)
		until(t, "a drain begins", func() bool { return w.hooks.said() != "" })
		w.stop()
		time.Sleep(10 * time.Minute)
		w.start()
		until(t, "the node goes", func() bool { return len(w.exist("web")) == 3 })
		if got := w.hooks.said(); got != "begin web-0004, stop web-0004, begin web-0004, end web-0004" {
			t.Errorf("drains: %s, want the second to its end: no node goes without one", got)
		}
	})
}

func TestADrainedNodeIsNotDrainedAgainAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var full atomic.Bool
		w := shrinking(t, draining(""))
		w.wrap = func(s scaler.Store) scaler.Store { return refusingSteps{s, &full} }
		w.restart()
		full.Store(true)
		w.meters.set("demand", 30)
		until(t, "the drain ends", func() bool { return strings.Contains(w.hooks.said(), "end") })
		pass(time.Minute)
		if got := w.exist("web"); len(got) != 4 {
			t.Fatalf("nodes = %v although no step can be journalled, want 4", got)
		}
		w.stop()
		full.Store(false)
		w.start()
		until(t, "the node goes", func() bool { return len(w.exist("web")) == 3 })
		if got := w.hooks.said(); got != "begin web-0004, end web-0004" {
			t.Errorf("drains: %s, want one", got)
		}
	})
}

func TestANodeThatCouldNotBeDrainedIsLeftAloneOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := shrinking(t, draining(", on_failure: keep"))
		w.hooks.set(func(h *hooks) { h.fails = errors.New("busy") })
		w.meters.set("demand", 30)
		until(t, "the drain fails", func() bool { return strings.Contains(w.hooks.said(), "end web-0004") })
		pass(5 * time.Second)
		w.restart()
		pass(3 * time.Minute)
		if got := w.hooks.said(); strings.Count(got, "begin web-0004") != 1 {
			t.Errorf("drains: %s within its five minutes, want none of web-0004 but the first", got)
		}
	})
}

func TestAPenaltyHoldsOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 20)
		w.submit(offered)
		pass(time.Minute)
		w.cloud.refusing(refusingSpot(noCapacity, false))
		w.meters.set("demand", 30)
		pass(25 * time.Second)
		w.cloud.refusing(nil)
		before := w.group("web").Offerings[0]
		w.restart()
		pass(time.Second)
		if after := w.group("web").Offerings[0]; before.Penalty < 0.9 || math.Abs(after.Penalty-before.Penalty) > 0.05 || after.Why != before.Why {
			t.Errorf("penalty of the offering = %+v after the restart, want %+v", after, before)
		}
		w.meters.set("demand", 40)
		pass(25 * time.Second)
		if got, nodes := w.offeringsOf("web"), w.exist("web"); len(nodes) != 4 || got[slices.Max(nodes)] != "sure" {
			t.Errorf("offerings = %v, want the new node to be no spot machine", got)
		}
	})
}

func TestTheRateOfRepairsHoldsOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 40)
		w.submit(strings.Replace(shop, "    min: 1", "    repair: {unhealthy_after: 1m, max_per_hour: 1}\n    min: 1", 1))
		pass(3 * time.Minute)
		w.meters.silence("web-0002")
		until(t, "it is replaced", func() bool { return len(w.exist("web")) == 4 && w.exist("web")[1] != "web-0002" })
		w.restart()
		w.meters.silence("web-0003")
		pass(10 * time.Minute)
		if g := w.group("web"); g.Repair != "waits: 1 nodes were replaced within an hour" {
			t.Errorf("repair = %q after the restart, want it to wait for its hour", g.Repair)
		}
	})
}
