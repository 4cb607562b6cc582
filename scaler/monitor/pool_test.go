package monitor

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/scaler"
)

func numbered(n int) []scaler.Target {
	var targets []scaler.Target
	for i := range n {
		name := fmt.Sprintf("web-%04d", i)
		targets = append(targets, scaler.Target{Job: "web", Address: "127.0.0.1:9", Labels: map[string]string{"node": name}})
	}
	return targets
}

// What a change costs does not grow with the number of targets: only the pool of a
// target that comes or goes is told.
func TestOnlyThePoolOfAChangedTargetIsTold(t *testing.T) {
	e := openEmbedded(t, t.TempDir())
	a := e.Application("shop", time.Hour)
	targets := numbered(2*poolSize + 100)
	watch(t, a, targets...)
	if len(e.pools) != 3 {
		t.Fatalf("%d targets are in %d pools, want 3", len(targets), len(e.pools))
	}
	told := func() []*targetgroup.Group {
		var groups []*targetgroup.Group
		for _, p := range e.pools {
			groups = append(groups, p.groups[a])
		}
		return groups
	}
	before := told()
	watch(t, a, slices.Delete(slices.Clone(targets), 10, 11)...)
	after := told()
	if after[0] == before[0] || len(after[0].Targets) != poolSize-1 {
		t.Errorf("the pool of the target that went has %d targets, want %d", len(after[0].Targets), poolSize-1)
	}
	if after[1] != before[1] || after[2] != before[2] {
		t.Error("a pool was told although none of its targets changed")
	}
	watch(t, a, append(slices.Delete(slices.Clone(targets), 10, 11), numbered(len(targets) + 1)[len(targets)])...)
	if got := e.pools[0].size; got != poolSize {
		t.Errorf("the fullest pool with room has %d targets after another one came, want %d", got, poolSize)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for i, p := range e.pools {
		if p.size != 0 || len(p.groups) != 0 {
			t.Errorf("pool %d has %d targets of %d applications after the only one was closed", i, p.size, len(p.groups))
		}
	}
}

// Whatever changes in a list, a target that stays is not touched, and the pools have
// exactly the targets of the list.
func TestTargetsStayInTheirPools(t *testing.T) {
	e := openEmbedded(t, t.TempDir())
	a := e.Application("shop", time.Hour)
	all := numbered(12)
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.SampledFrom(all), 0, 16).Draw(t, "targets")
		before := slices.Clone(a.placed)
		if err := a.Watch(list); err != nil {
			t.Fatal(err)
		}
		had, stayed, want := map[string]int{}, map[string]int{}, map[string]int{}
		for _, p := range before {
			had[p.Labels["node"]]++
		}
		for i, p := range a.placed {
			if !p.is(list[i]) {
				t.Fatalf("target %d is %v, want %v", i, p.Target, list[i])
			}
			node := p.Labels["node"]
			want[node]++
			if slices.Contains(before, p) {
				stayed[node]++
			}
		}
		for node, n := range want {
			if stayed[node] != min(n, had[node]) {
				t.Fatalf("%d of the %d targets %s stayed as they were, want %d", stayed[node], n, node, min(n, had[node]))
			}
		}
		size := 0
		for _, p := range e.pools {
			has := 0
			if group := p.groups[a]; group != nil {
				has = len(group.Targets)
			}
			if size += has; p.size != has {
				t.Fatalf("a pool says that it has %d targets, and has %d", p.size, has)
			}
		}
		if size != len(list) {
			t.Fatalf("the pools have %d targets, want %d", size, len(list))
		}
	})
}

// TestTargetsThatFindNoPoolTakeNoRoom adds more targets than there is room for, while no
// pool can be made.
func TestTargetsThatFindNoPoolTakeNoRoom(t *testing.T) {
	e := openEmbedded(t, t.TempDir())
	a := e.Application("shop", time.Hour)
	all := numbered(poolSize + 1)
	watch(t, a, all[:poolSize-2]...)
	sound := e.config
	e.config = &config.Config{ScrapeConfigs: sound.ScrapeConfigs} // was never loaded, and is refused
	for range 2 {
		if err := a.Watch(all); err == nil {
			t.Fatal("Watch() = nil, want that there is no pool for all targets")
		}
		if len(e.pools) != 1 || e.pools[0].size != poolSize-2 {
			t.Errorf("%d pools, the first with %d targets, want one with the %d of before", len(e.pools), e.pools[0].size, poolSize-2)
		}
	}
	e.config = sound
	watch(t, a, all...)
	if len(e.pools) != 2 || e.pools[0].size != poolSize || e.pools[1].size != 1 {
		t.Errorf("%d pools, the first with %d targets, want a full one and one of one target", len(e.pools), e.pools[0].size)
	}
}
