package scaler_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// silence makes a node answer no more.
func (m *meters) silence(node string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.since[node] = time.Now().Add(1000 * time.Hour)
}

func TestANodeThatDoesNotAnswerIsReplacedAndItsReplacementComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 40)
		w.submit(strings.Replace(shop, "    min: 1", "    repair: {unhealthy_after: 5m}\n    min: 1", 1))
		pass(3 * time.Minute)
		w.meters.silence("web-0002")
		pass(4 * time.Minute)
		if got := w.exist("web"); len(got) != 4 || !slices.Contains(got, "web-0002") {
			t.Errorf("nodes = %v before unhealthy_after, want the four", got)
		}
		until(t, "a replacement", func() bool { return len(w.exist("web")) == 5 })
		if !slices.Contains(w.exist("web"), "web-0002") {
			t.Error("web-0002 went before its replacement came")
		}
		until(t, "web-0002 goes", func() bool { return !slices.Contains(w.exist("web"), "web-0002") })
		pass(10 * time.Minute)
		if got := w.exist("web"); len(got) != 4 {
			t.Errorf("nodes = %v, want 4", got)
		}
		decisions, err := w.Decisions(t.Context(), "shop", "web", 20)
		if err != nil || !slices.ContainsFunc(decisions, func(d scaler.Decision) bool {
			return strings.Contains(strings.Join(d.Reasons, " "), "repair: replaces web-0002")
		}) {
			t.Errorf("no decision tells of the repair: %v, %v", decisions, err)
		}
	})
}

func TestABlindMonitoringReplacesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 40)
		w.submit(strings.Replace(shop, "    min: 1", "    repair: {unhealthy_after: 5m}\n    min: 1", 1))
		pass(3 * time.Minute)
		before := w.exist("web")
		for _, node := range before[1:] {
			w.meters.silence(node)
		}
		pass(time.Hour)
		if got := w.exist("web"); !slices.Equal(got, before) {
			t.Errorf("nodes = %v, want those of before, %v", got, before)
		}
		if g := w.group("web"); !strings.Contains(g.Repair, "monitoring or the network is suspected") {
			t.Errorf("repair = %q, want it to say why it waits", g.Repair)
		}
	})
}
