package scaler_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/store"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// mortalTick is how often the services of a mortalWorld tick, mortalGrace how long
// its cloud may take to show a machine.
const (
	mortalTick  = 15 * time.Second
	mortalGrace = 3 * time.Second
)

// mortalWorld is a folder, a store and a sky, with one Service after another over
// them. It lives in a synctest bubble.
type mortalWorld struct {
	t       *testing.T
	dir     string
	db      *store.SQLite
	sky     *sky
	over    chan struct{}
	fuse    *fuse
	service *scaler.Service
	cancel  context.CancelFunc
	ended   []chan error
	crashes int
	disk    *platters
}

func newMortalWorld(t *testing.T) *mortalWorld {
	t.Helper()
	dir, err := os.MkdirTemp("", "mortal")
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(context.Background(), filepath.Join(dir, "scalerd.db"))
	if err != nil {
		t.Fatal(err)
	}
	return &mortalWorld{t: t, dir: dir, db: db, sky: newSky(), over: make(chan struct{}), disk: newPlatters()}
}

// end ends all services, the dead ones too, and removes what they had.
func (m *mortalWorld) end() {
	close(m.over)
	m.cancel()
	for _, ended := range m.ended {
		<-ended
	}
	m.db.Close()
	if err := os.RemoveAll(m.dir); err != nil {
		m.t.Error(err)
	}
}

// start begins a Service that dies at the n-th point, 0 for never. alone says whether
// its terraform goes on without it then.
func (m *mortalWorld) start(n int, alone bool) {
	m.fuse = newFuse(m.over)
	m.fuse.set(n)
	config := scaler.Config{
		Data: m.dir, Store: mortalStore{m.db, m.fuse, m.disk}, Terraform: mortalTerraform{m.sky, m.fuse, alone},
		Monitor:     func(*spec.Application, string) (scaler.Monitor, error) { return newMeters(), nil },
		Inspector:   blind{},
		CheckQuery:  func(string) error { return nil },
		DriftEvery:  mortalTick,
		LookupEvery: mortalTick,
		LookupGrace: mortalGrace,
		Metrics:     scaler.NewMetrics(prometheus.NewRegistry()),
		Log:         slog.New(slog.DiscardHandler),
	}
	config.OnDisk(mortalDisk{m.fuse, m.disk}.around)
	m.service = scaler.NewService(config)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	service := m.service
	go func() { ended <- service.Run(ctx) }()
	m.cancel, m.ended = cancel, append(m.ended, ended)
}

// died reports whether the service is dead.
func (m *mortalWorld) died() bool {
	select {
	case <-m.fuse.blown:
		return true
	default:
		return false
	}
}

// revive starts a Service after the one that died.
func (m *mortalWorld) revive(n int, alone bool) {
	m.crashes++
	m.cancel()
	if m.sky.power.Load() {
		m.disk.cut()
	}
	m.start(n, alone)
}

// stop ends the service as SIGTERM does, and starts the next one.
func (m *mortalWorld) restart() {
	m.cancel()
	select {
	case <-m.ended[len(m.ended)-1]:
		m.ended = m.ended[:len(m.ended)-1]
		m.start(0, false)
	case <-m.fuse.blown:
		m.revive(0, false)
	}
}

// live lets time go by, and starts the next Service where this one dies meanwhile.
func (m *mortalWorld) live(d time.Duration) {
	passed := time.NewTimer(d)
	defer passed.Stop()
	for {
		select {
		case <-m.fuse.blown:
			m.revive(0, false)
		case <-passed.C:
			return
		}
	}
}

// ask asks the service once; it reports whether that died meanwhile.
func (m *mortalWorld) ask(order func(context.Context, *scaler.Service) error) (err error, died bool) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answer := make(chan error, 1)
	service := m.service
	go func() { answer <- order(ctx, service) }()
	select {
	case err := <-answer:
		return err, false
	case <-m.fuse.blown:
		return nil, true
	}
}

// insist gives an order until it is heard. The order is told whether it may have been
// heard already.
func (m *mortalWorld) insist(order func(ctx context.Context, s *scaler.Service, again bool) error) error {
	for again := false; ; again = true {
		err, died := m.ask(func(ctx context.Context, s *scaler.Service) error { return order(ctx, s, again) })
		switch {
		case died:
			m.revive(0, false)
		case errors.Is(err, syscall.ENOSPC):
			m.live(time.Second)
		default:
			return err
		}
	}
}

// difference says what is not as it was ordered.
func (m *mortalWorld) difference(wanted int) error {
	status, err := m.status()
	if errors.Is(err, scaler.ErrNotFound) && wanted < 0 {
		return m.sky.nothing()
	}
	if err != nil || wanted < 0 {
		return fmt.Errorf("it goes: %v", err)
	}
	g := status.Groups[0]
	if g.Wanted != wanted || !g.Settled || g.Problem != "" || status.Problem != "" || len(g.Lookup.Orphans) > 0 {
		return fmt.Errorf("ordered %d, wanted %d, settled %t, problem %q %q, orphans %+v", wanted, g.Wanted, g.Settled, g.Problem, status.Problem, g.Lookup.Orphans)
	}
	if open, err := m.db.OpenSteps(context.Background(), "shop", "web"); err != nil || len(open) > 0 {
		return fmt.Errorf("open steps %+v, %v", open, err)
	}
	return m.sky.holds(wanted)
}

func (m *mortalWorld) status() (status scaler.ApplicationStatus, err error) {
	err = m.insist(func(ctx context.Context, s *scaler.Service, _ bool) error {
		status, err = s.Application(ctx, "shop")
		if err == nil && len(status.Groups) == 0 {
			err = errors.New("it has no group yet")
		}
		return err
	})
	return status, err
}

func (s *sky) nothing() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.machines) > 0 {
		return fmt.Errorf("lost: %v are left of an application that is gone", s.machines)
	}
	return nil
}

// holds checks that there are n machines, of as many nodes, and that the states have
// these and no others.
func (s *sky) holds(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	nodes, known := map[string]string{}, map[string]bool{}
	for id, each := range s.machines {
		if other, twice := nodes[each.node]; twice {
			return fmt.Errorf("doubled: %s is %s and %s", each.node, other, id)
		}
		nodes[each.node] = id
	}
	for dir := range s.states {
		state := s.state(dir)
		for address, id := range state.IDs {
			if _, there := s.machines[id]; !there {
				return fmt.Errorf("%s of %s is in the state, and does not exist", address, filepath.Base(dir))
			}
			known[id] = true
		}
	}
	for id, each := range s.machines {
		if !known[id] {
			return fmt.Errorf("lost: %s of %s is in no state", id, each.node)
		}
	}
	if len(s.machines) != n {
		return fmt.Errorf("there are %d machines, want %d", len(s.machines), n)
	}
	return nil
}

// ids are the machines there are.
func (s *sky) ids() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for id, each := range s.machines {
		all[id] = each.node
	}
	return all
}

// gone are the machines that terraform deleted, from the n-th on.
func (s *sky) gone(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deleted[n:])
}

// befall makes the next creations go wrong.
func (s *sky) befall(what mishap, hits int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mishap, s.hits = what, hits
}

// lose deletes a machine as somebody with the cloud's console would.
func (s *sky) lose(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.machines, id)
}
