package scaler_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// full is a Store on a disk that is full at one write of the journal.
type full struct {
	scaler.Store
	mu sync.Mutex
	// at is which write fails, counted down; 0 for none.
	at int
	// refused is what the failed write was about.
	refused scaler.Phase
}

var errFull = errors.New("database or disk is full")

func (f *full) check(p scaler.Phase) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at == 0 {
		return nil
	}
	if f.at--; f.at == 0 {
		f.refused = p
		return errFull
	}
	return nil
}

func (f *full) BeginStep(ctx context.Context, s scaler.StepRecord) (int64, error) {
	if err := f.check(s.Phase); err != nil {
		return 0, err
	}
	return f.Store.BeginStep(ctx, s)
}

func (f *full) SaveStep(ctx context.Context, s scaler.StepRecord) error {
	if err := f.check(s.Phase); err != nil {
		return err
	}
	return f.Store.SaveStep(ctx, s)
}

func TestNothingIsAppliedThatIsNotJournalled(t *testing.T) {
	for n, phase := range []scaler.Phase{scaler.PhaseIntent, scaler.PhaseWritten, scaler.PhasePlanned, scaler.PhaseApplying, scaler.PhaseDone} {
		t.Run(string(phase), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.submit(shop)
				pass(30 * time.Second)
				store := &full{}
				w.stop()
				w.wrap = func(s scaler.Store) scaler.Store {
					store.Store = s
					return store
				}
				w.start()
				pass(30 * time.Second)
				before := w.cloud.stepsDone()
				store.mu.Lock()
				store.at = n + 1
				store.mu.Unlock()
				if _, err := w.Scale(t.Context(), "shop", "web", 3); err != nil {
					t.Fatal(err)
				}
				pass(1500 * time.Millisecond) // a step lasts a second, the next try comes after two
				if store.refused != phase {
					t.Fatalf("the write that failed was of phase %q, want %q", store.refused, phase)
				}
				applied := w.cloud.stepsDone() - before
				if want := map[bool]int{true: 1}[phase == scaler.PhaseDone]; applied != want {
					t.Errorf("%d steps were applied, want %d", applied, want)
				}
				pass(time.Minute)
				if g := w.group("web"); !g.Settled || g.Problem != "" {
					t.Errorf("settled = %t, problem %q a minute later, want settled and none", g.Settled, g.Problem)
				}
				if nodes := w.cloud.nodes("web"); len(nodes) != 3 {
					t.Errorf("there are %v, want three", nodes)
				}
			})
		})
	}
}

func TestTheJournalTellsOfAStepFromItsIntentToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(shop)
		pass(30 * time.Second)
		decision, err := w.Scale(t.Context(), "shop", "web", 3)
		if err != nil {
			t.Fatal(err)
		}
		pass(30 * time.Second)
		_, steps, err := w.Decision(t.Context(), decision.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(steps) != 1 {
			t.Fatalf("decision %d has the steps %+v, want one", decision.ID, steps)
		}
		s := steps[0]
		var phases []scaler.Phase
		for _, h := range s.History {
			phases = append(phases, h.Phase)
		}
		if want := []scaler.Phase{scaler.PhaseIntent, scaler.PhaseWritten, scaler.PhasePlanned, scaler.PhaseApplying, scaler.PhaseRead, scaler.PhaseDone}; !slices.Equal(phases, want) {
			t.Errorf("phases = %v, want %v", phases, want)
		}
		if !slices.Equal(s.Add, []string{"web-0003"}) || s.Plan == nil || s.Plan.Create != 1 || s.State == nil || s.State.Serial == 0 {
			t.Errorf("step = %+v, want its node, plan and state", s)
		}
		if len(s.Resources) != 1 || !s.Resources[0].OK || s.Resources[0].Address != `terraform_data.node["web-0003"]` {
			t.Errorf("results = %+v, want the creation of web-0003", s.Resources)
		}
		if took := s.At().Sub(s.Begun()); took < time.Second || took > 2*time.Second {
			t.Errorf("it took %s, want the second of the apply", took)
		}
	})
}

func TestAForeignLockIsWaitedForAndCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(shop)
		pass(30 * time.Second)
		w.cloud.locking(&scaler.LockedError{ID: "1", Who: "alice@laptop", Dir: "d"})
		decision, err := w.Scale(t.Context(), "shop", "web", 3)
		if err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Minute)
		g := w.group("web")
		if want := "shard-000 waits: the state is locked by alice@laptop"; !strings.HasPrefix(g.Problem, want) {
			t.Errorf("problem = %q, want %q", g.Problem, want)
		}
		if nodes := w.cloud.nodes("web"); len(nodes) != 2 {
			t.Errorf("there are %v while the state is locked, want two", nodes)
		}
		_, steps, err := w.Decision(t.Context(), decision.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(steps) != 1 || !steps[0].Phase.Open() {
			t.Errorf("steps = %+v, want the one that waits", steps)
		}
		w.cloud.locking(nil)
		pass(7 * time.Second)
		if g := w.group("web"); !g.Settled || g.Problem != "" || len(w.cloud.nodes("web")) != 3 {
			t.Errorf("settled = %t, problem %q, nodes %v after the lock was freed", g.Settled, g.Problem, w.cloud.nodes("web"))
		}
	})
}
