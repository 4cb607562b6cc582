package scaler_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/scaler"
)

// deed is one random thing that is done to a mortalWorld.
type deed struct {
	Do string
	// N is a size, or which of the nodes.
	N int
	// Mishap befalls the next Hits creations.
	Mishap mishap
	Hits   int
	// Crash is the point from the deed on at which the scalerd dies, 0 for none; Again
	// are those of the next ones, counted from their starts. Alone is set where terraform
	// goes on without them.
	Crash int
	Again []int
	Alone bool
	// Power is set where the crashes are power cuts.
	Power bool
	// Full is the write from the deed on that the full disk refuses first, 0 for none, and
	// FullFor how many it refuses.
	Full, FullFor int
	// Pause is how long nothing is done after it, in seconds.
	Pause int
	// Settle is set where all has to come to rest afterwards.
	Settle bool
}

const mortalShop = `name: shop
interval: 15s
groups:
  - name: web
    cloud: ec2
    min: 0
    max: 9
    initial: 2
    shard_size: 3
    ec2: {region: eu-west-1, ami: ami-0123456789abcdef0, instance_type: t3.small, security_groups: [sg-0a1b2c3d], subnets: [subnet-0a1b2c3d], tags: {round: r%d}}
`

func drawDeed(t *rapid.T) deed {
	d := deed{
		Do:     rapid.SampledFrom([]string{"scale", "scale", "scale", "drop", "replace", "describe", "destroy", "lose", "restart", "clock", "nothing"}).Draw(t, "do"),
		N:      rapid.IntRange(0, 9).Draw(t, "n"),
		Mishap: rapid.SampledFrom([]mishap{noMishap, noMishap, refused, throttled, lostReply, timedOut, lateLost, tooLate}).Draw(t, "mishap"),
		Hits:   rapid.IntRange(1, 3).Draw(t, "hits"),
		Alone:  rapid.Bool().Draw(t, "alone"),
		Power:  rapid.IntRange(0, 3).Draw(t, "power") == 0,
		Pause:  rapid.IntRange(0, 20).Draw(t, "pause"),
		Settle: rapid.IntRange(0, 2).Draw(t, "settle") > 0,
		Crash:  rapid.IntRange(0, 90).Draw(t, "crash"),
		Again:  rapid.SliceOfN(rapid.IntRange(1, 60), 2, 8).Draw(t, "again"),
	}
	if rapid.IntRange(0, 3).Draw(t, "disk") == 0 {
		d.Full, d.FullFor = rapid.IntRange(1, 40).Draw(t, "full"), rapid.IntRange(1, 3).Draw(t, "full for")
	}
	return d
}

// model is what has to be: the size, and which machines may go.
type model struct {
	*mortalWorld
	// wanted is below 0 for an application that goes.
	wanted, round int
	// stood are the machines at the last rest, and of these mayGo went or were named,
	// and mayShrink more go.
	stood     map[string]string
	mayGo     map[string]bool
	mayShrink int
	seen      int
	// named are the nodes that were to be dropped or replaced since.
	named map[string]bool
	// spoilt is set where the cloud refused or spoilt creations since the last rest,
	// which are retried with a growing wait.
	spoilt bool
	// rests are how many ticks it took to come to rest.
	rests []float64
}

func newModel(t *testing.T) *model {
	return &model{mortalWorld: newMortalWorld(t), wanted: 2, stood: map[string]string{}, mayGo: map[string]bool{}, named: map[string]bool{}}
}

func (m *model) submit() error {
	text := fmt.Appendf(nil, mortalShop, m.round)
	return m.insist(func(ctx context.Context, s *scaler.Service, _ bool) error {
		_, err := s.Submit(ctx, scaler.Source{File: "shop.yaml", Text: text})
		return err
	})
}

// do does a deed, and checks what must be so after it.
func (m *model) do(d deed) error {
	if d.Mishap != noMishap {
		m.sky.befall(d.Mishap, d.Hits)
		m.spoilt = true
	}
	if m.died() {
		m.revive(0, d.Alone)
	}
	m.sky.power.Store(d.Power)
	m.disk.fill(d.Full, d.FullFor)
	if d.Crash > 0 {
		m.fuse.set(d.Crash)
	}
	if err := m.order(d); err != nil {
		return fmt.Errorf("%s: %w", d.Do, err)
	}
	m.pass(d)
	if !d.Settle && m.wanted >= 0 {
		return nil
	}
	m.fuse.set(0)
	m.disk.fill(0, 0)
	if err := m.rest(); err != nil || m.wanted >= 0 {
		return err
	}
	m.wanted = 2
	if err := m.submit(); err != nil {
		return fmt.Errorf("submit again: %w", err)
	}
	return m.rest()
}

// pass lets the deed's time go by, with its crashes.
func (m *model) pass(d deed) {
	passed := time.NewTimer(time.Duration(d.Pause) * time.Second)
	defer passed.Stop()
	for again := d.Again; ; {
		select {
		case <-m.fuse.blown:
			next := 0
			if len(again) > 0 {
				next, again = again[0], again[1:]
			}
			m.revive(next, d.Alone)
		case <-passed.C:
			return
		}
	}
}

func (m *model) order(d deed) error {
	switch d.Do {
	case "scale":
		m.mayShrink += max(0, m.wanted-d.N)
		m.wanted = d.N
		return m.insist(func(ctx context.Context, s *scaler.Service, _ bool) error {
			_, err := s.Scale(ctx, "shop", "web", d.N)
			return err
		})
	case "drop", "replace":
		return m.drop(d)
	case "describe":
		m.round++
		return m.submit()
	case "destroy":
		m.sky.befall(noMishap, 0)
		m.live(3 * mortalGrace) // what the cloud shows after the grace nobody can wait for
		m.wanted = -1
		for id := range m.sky.ids() {
			m.mayGo[id] = true
		}
		return m.insist(func(ctx context.Context, s *scaler.Service, _ bool) error {
			if err := s.Destroy(ctx, "shop"); !errors.Is(err, scaler.ErrNotFound) {
				return err
			}
			return nil // it was heard before
		})
	case "lose":
		if ids := slices.Sorted(maps.Keys(m.sky.ids())); len(ids) > 0 {
			id := ids[d.N%len(ids)]
			m.mayGo[id] = true
			m.sky.lose(id)
		}
	case "restart":
		m.restart()
	case "clock":
		m.restartAt(clockJumps[d.N])
	}
	return nil
}

func (m *model) drop(d deed) error {
	status, err := m.nodes()
	if err != nil || len(status) == 0 || m.wanted <= 0 {
		return err
	}
	name := status[d.N%len(status)].Name
	for id, node := range m.sky.ids() {
		if node == name {
			m.mayGo[id] = true
		}
	}
	before, expected := m.wanted, m.wanted
	if d.Do == "drop" && !m.named[name] {
		expected--
	}
	err = m.insist(func(ctx context.Context, s *scaler.Service, again bool) error {
		if now, err := s.Application(ctx, "shop"); again && d.Do == "drop" && err == nil && len(now.Groups) > 0 && now.Groups[0].Wanted == before-1 {
			return nil // it was heard before
		}
		_, err := s.Drop(ctx, "shop", name, d.Do == "replace")
		return err
	})
	if errors.Is(err, scaler.ErrNotFound) {
		m.disk.fill(0, 0) // which would hold the group up
		again, err := m.status()
		for deadline := time.Now().Add(2 * mortalTick); err != nil && time.Now().Before(deadline); again, err = m.status() {
			m.live(time.Second)
		}
		if err != nil {
			return err
		}
		m.wanted = again.Groups[0].Wanted // it went before it was dropped, or at the first try
		return nil
	}
	if err == nil {
		m.wanted, m.named[name] = expected, true
	}
	return err
}

func (m *model) nodes() (nodes []scaler.NodeStatus, err error) {
	err = m.insist(func(ctx context.Context, s *scaler.Service, _ bool) error {
		nodes, err = s.Nodes(ctx, "shop")
		return err
	})
	return nodes, err
}

// rest waits until all is as it was ordered: within two ticks of the last fault, and
// later only where the cloud had refused something, which is retried with a growing
// wait.
func (m *model) rest() error {
	m.sky.befall(noMishap, 0)
	start, limit := time.Now(), 2*mortalTick
	if m.spoilt {
		limit = 20 * mortalTick
	}
	err := m.difference(m.wanted)
	for ; err != nil && time.Since(start) <= limit; err = m.difference(m.wanted) {
		m.live(500 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("stuck for %s: %w", time.Since(start), err)
	}
	m.rests = append(m.rests, time.Since(start).Seconds()/mortalTick.Seconds())
	return m.judge()
}

// judge looks at what terraform deleted since the last rest.
func (m *model) judge() error {
	gone := m.sky.gone(m.seen)
	m.seen += len(gone)
	for _, id := range gone {
		if node, stood := m.stood[id]; stood && !m.mayGo[id] {
			if m.mayShrink--; m.mayShrink < 0 {
				return fmt.Errorf("wrong deletion: %s of %s", id, node)
			}
		}
	}
	m.stood, m.mayGo, m.named, m.mayShrink, m.spoilt = m.sky.ids(), map[string]bool{}, map[string]bool{}, 0, false
	return nil
}

// live carries deeds out in a world of their own. It returns what went wrong.
func liveThrough(t *testing.T, deeds []deed) (err error, crashes int, rests []float64) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t)
		defer m.end()
		m.start(0, false)
		if err = m.submit(); err == nil {
			err = m.rest()
		}
		for i, d := range deeds {
			if err != nil {
				break
			}
			if err = m.do(d); err != nil {
				err = fmt.Errorf("deed %d, %+v: %w", i, d, err)
			}
		}
		if err == nil && m.wanted >= 0 {
			m.fuse.set(0)
			m.disk.fill(0, 0)
			err = m.rest()
		}
		crashes, rests = m.crashes, m.rests
	})
	return err, crashes, rests
}

// TestCrashedAnywhereItComesToRest lets a scalerd live through random orders, mishaps
// and crashes, right before and after its writes to the store, its calls of
// terraform, and within the applies. A small model says what must be there afterwards;
// a sequence that goes wrong is made as short as it gets.
func TestCrashedAnywhereItComesToRest(t *testing.T) {
	crashes, most := 0, 0.0
	var all []float64
	rapid.Check(t, func(rt *rapid.T) {
		n := 8
		if testing.Short() {
			n = 2
		}
		var deeds []deed
		for range rapid.IntRange(1, n).Draw(rt, "deeds") {
			deeds = append(deeds, drawDeed(rt))
		}
		err, points, rests := liveThrough(t, deeds)
		crashes += points
		all = append(all, rests...)
		if err != nil {
			rt.Fatal(err)
		}
	})
	slices.Sort(all)
	if len(all) > 0 {
		most = all[len(all)-1]
	}
	t.Logf("%d crash points, %d times at rest, after the last fault in ticks of %s: median %.2f, most %.2f; wrong deletions, lost, doubled, stuck: 0",
		crashes, len(all), mortalTick, all[len(all)/2], most)
	if crashes < 5 {
		t.Errorf("%d crash points, want at least 5: the test tests nothing", crashes)
	}
}
