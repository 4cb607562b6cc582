package scaler_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// hooks are the user's checks and drain hook of a test.
type hooks struct {
	mu sync.Mutex
	// veto refuses every plan in these words; broken fails every check.
	veto   string
	broken bool
	// takes is how long a drain lasts, fails how it ends.
	takes time.Duration
	fails error
	// log are the nodes in the order in which their drains began, ended, and were
	// called back.
	log []string
}

func (h *hooks) set(change func(*hooks)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(h)
}

func (h *hooks) note(format string, args ...any) {
	h.set(func(h *hooks) { h.log = append(h.log, fmt.Sprintf(format, args...)) })
}

func (h *hooks) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.log, ", ")
}

func (h *hooks) Check(context.Context, scaler.Subject, func(context.Context) ([]byte, error)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.broken:
		return errors.New("check of the plan: opa ended with status 2")
	case h.veto != "":
		return &scaler.VetoError{Check: "opa", Words: h.veto}
	}
	return nil
}

func (h *hooks) Drain(ctx context.Context, how spec.Drain, node scaler.DrainNode) error {
	h.note("begin %s", node.Node)
	h.mu.Lock()
	takes, fails := h.takes, h.fails
	h.mu.Unlock()
	select {
	case <-ctx.Done():
		h.note("stop %s", node.Node)
		return context.Cause(ctx)
	case <-time.After(takes):
		h.note("end %s", node.Node)
		return fails
	}
}

func draining(more string) string {
	return strings.Replace(shop, "    min: 1", "    drain: {command: [drain], timeout: 2m"+more+"}\n    min: 1", 1)
}

// shrinking is a world with four nodes, that are to become two.
func shrinking(t *testing.T, description string) *world {
	w := newWorld(t)
	w.hooks.set(func(h *hooks) { h.takes = 30 * time.Second })
	w.meters.set("demand", 40)
	w.submit(description)
	pass(3 * time.Minute)
	if got := w.exist("web"); len(got) != 4 {
		t.Fatalf("nodes = %v, want 4", got)
	}
	return w
}

// until lets time go by until done, an hour at most.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 3600 {
		if done() {
			return
		}
		pass(time.Second)
	}
	t.Fatalf("not within an hour: %s", what)
}

func TestANodeIsCheckedCordonedDrainedAndThenDestroyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := shrinking(t, draining(""))
		w.meters.set("demand", 30)
		until(t, "a drain begins", func() bool { return w.hooks.said() != "" })
		if got := w.exist("web"); len(got) != 4 {
			t.Errorf("nodes = %v while one drains, want all 4", got)
		}
		if g := w.group("web"); g.Draining != 1 || g.Ready != 3 {
			t.Errorf("draining = %d, ready %d, want 1 and 3", g.Draining, g.Ready)
		}
		until(t, "the node goes", func() bool { return len(w.exist("web")) == 3 })
		if got := w.hooks.said(); got != "begin web-0004, end web-0004" {
			t.Errorf("drains: %s, want one of web-0004 to its end", got)
		}
	})
}

func TestAScaleOutCallsBackWhatStillDrainsAndWaitsForNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := shrinking(t, draining(""))
		w.hooks.set(func(h *hooks) { h.takes = 90 * time.Second })
		w.meters.set("demand", 20)
		until(t, "drains begin", func() bool { return strings.Count(w.hooks.said(), "begin") == 2 })
		w.meters.set("demand", 60)
		pass(15 * time.Second)
		if got := w.exist("web"); len(got) != 6 {
			t.Errorf("nodes = %v within 15 s, want 6: the four and two new ones", got)
		}
		if got := w.hooks.said(); strings.Contains(got, "end") || strings.Count(got, "stop") != 2 {
			t.Errorf("drains: %s, want both called back", got)
		}
		if g := w.group("web"); g.Draining != 0 {
			t.Errorf("draining = %d, want none", g.Draining)
		}
	})
}

func TestANamedNodeDrainsBesideItsReplacement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := shrinking(t, draining(""))
		w.hooks.set(func(h *hooks) { h.takes = 90 * time.Second })
		if _, err := w.Drop(t.Context(), "shop", "web-0002", true); err != nil {
			t.Fatal(err)
		}
		until(t, "the drain begins", func() bool { return w.hooks.said() != "" })
		w.meters.set("demand", 50)
		pass(15 * time.Second)
		if got := w.exist("web"); !slices.Contains(got, "web-0002") || len(got) < 6 {
			t.Errorf("nodes = %v while web-0002 drains, want it and 5 others", got)
		}
		until(t, "the node goes", func() bool { return !slices.Contains(w.exist("web"), "web-0002") })
		if got := w.hooks.said(); got != "begin web-0002, end web-0002" {
			t.Errorf("drains: %s, want one of web-0002", got)
		}
	})
}

func TestARefusedDeletionNeverReachesTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := shrinking(t, draining(""))
		w.hooks.set(func(h *hooks) { h.veto = "no deletions on a Friday" })
		w.meters.set("demand", 30)
		pass(5 * time.Minute)
		g := w.group("web")
		if w.hooks.said() != "" || g.Draining != 0 || len(w.exist("web")) != 4 {
			t.Errorf("drains %q, draining %d, nodes %v, want the nodes left alone", w.hooks.said(), g.Draining, w.exist("web"))
		}
		if !strings.Contains(g.Problem, "no deletions on a Friday") || g.Breaker == "" {
			t.Errorf("problem = %q, breaker %q, want the words and an open breaker", g.Problem, g.Breaker)
		}
		w.hooks.set(func(h *hooks) { h.veto = "" })
		until(t, "the node goes", func() bool { return len(w.exist("web")) == 3 })
		pass(time.Minute)
		if g := w.group("web"); g.Problem != "" || g.Breaker != "" {
			t.Errorf("problem = %q, breaker %q after a good plan, want none", g.Problem, g.Breaker)
		}
	})
}

func TestADeletionThatIsRefusedAfterTheDrainIsUndone(t *testing.T) {
	for name, description := range map[string]string{"with a drain": draining(""), "without one": shop} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := shrinking(t, description)
				w.meters.set("demand", 30)
				if description != shop {
					until(t, "the drain begins", func() bool { return w.hooks.said() != "" })
				}
				w.cloud.planning(scaler.Change{Address: "aws_vpc.others", Action: scaler.ActionUpdate})
				until(t, "a plan is refused", func() bool { return strings.Contains(w.group("web").Problem, "aws_vpc.others") })
				pass(11 * time.Second) // a tick, which sees it answer again
				if g := w.group("web"); g.Draining != 0 || g.Ready != 4 || len(w.exist("web")) != 4 {
					t.Errorf("draining = %d, ready %d, want all four in service again", g.Draining, g.Ready)
				}
				if g := w.group("web"); !strings.Contains(g.Problem, "none of the group's nodes") {
					t.Errorf("problem = %q, want the change named as one outside the group", g.Problem)
				}
				w.cloud.planning()
				until(t, "the node goes", func() bool { return len(w.exist("web")) == 3 })
			})
		})
	}
}

func TestACheckThatIsBrokenStopsTheStepAndIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hooks.set(func(h *hooks) { h.broken = true })
		w.meters.set("demand", 20)
		w.submit(shop)
		pass(20 * time.Second)
		if got := w.exist("web"); len(got) != 0 {
			t.Errorf("nodes = %v without a check of the plan, want none", got)
		}
		w.hooks.set(func(h *hooks) { h.broken = false })
		pass(2 * time.Minute)
		if got := w.exist("web"); len(got) != 2 {
			t.Errorf("nodes = %v after the check works again, want 2", got)
		}
	})
}

func TestAFailedDrainProceedsOrKeeps(t *testing.T) {
	for on, want := range map[string]int{"proceed": 3, "keep": 4} {
		t.Run(on, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := shrinking(t, draining(", on_failure: "+on))
				w.hooks.set(func(h *hooks) { h.fails = errors.New("the node is busy") })
				w.meters.set("demand", 30)
				until(t, "a drain ends", func() bool { return strings.Contains(w.hooks.said(), "end") })
				pass(10 * time.Second)
				if got := w.exist("web"); len(got) != want {
					t.Errorf("nodes = %v, want %d", got, want)
				}
				if g := w.group("web"); on == "keep" && !strings.Contains(g.Problem, "the node is busy") {
					t.Errorf("problem = %q, want why the node stays", g.Problem)
				}
			})
		})
	}
}

func TestADrainThatTakesTooLongEndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := shrinking(t, draining(""))
		w.hooks.set(func(h *hooks) { h.takes = time.Hour })
		w.meters.set("demand", 30)
		until(t, "a drain begins", func() bool { return w.hooks.said() != "" })
		pass(2*time.Minute + 10*time.Second)
		if got := w.exist("web"); len(got) != 3 {
			t.Errorf("nodes = %v after the deadline, want 3", got)
		}
	})
}

func TestADrainBeginsAgainAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := shrinking(t, draining(""))
		w.hooks.set(func(h *hooks) { h.takes = time.Minute })
		w.meters.set("demand", 30)
		until(t, "a drain begins", func() bool { return w.hooks.said() != "" })
		w.restart()
		until(t, "the node goes", func() bool { return len(w.exist("web")) == 3 })
		if got := w.hooks.said(); got != "begin web-0004, stop web-0004, begin web-0004, end web-0004" {
			t.Errorf("drains: %s, want the same node's again", got)
		}
	})
}
