package scaler

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestWhatIsRememberedOfNodesThatAreGoneIsBounded(t *testing.T) {
	g := &group{actuator: &actuator{}, ready: map[string]time.Time{}, up: map[string]bool{}}
	for n := range 1000 {
		name := func(i int) string { return fmt.Sprintf("web-%04d", i) }
		g.actuator.published.Store(&Fleet{Nodes: []FleetNode{{Name: name(n)}, {Name: name(n + 1)}}})
		g.up = map[string]bool{name(n): true, name(n - 1): n > 0} // it still answers
		for node := range g.up {
			g.ready[node] = time.Time{}
		}
		g.forgetReady()
		if got := sortedKeys(g.ready); len(got) > 2 || !slices.Contains(got, name(n)) {
			t.Fatalf("after %d nodes it remembers %v, want those that exist or answer", n+1, got)
		}
	}
}
