package scaler_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// cramped is a store on a disk that is full for a while.
type cramped struct {
	scaler.Store
	// starts are how many groups can't be brought up, ends how many ends of steps can't
	// be journalled.
	starts, ends *atomic.Int32
}

func (c cramped) OpenSteps(ctx context.Context, app, group string) ([]scaler.StepRecord, error) {
	if c.starts.Add(-1) >= 0 {
		return nil, syscall.ENOSPC
	}
	return c.Store.OpenSteps(ctx, app, group)
}

func (c cramped) SaveStep(ctx context.Context, s scaler.StepRecord) error {
	if (s.Phase == scaler.PhaseDone || s.Phase == scaler.PhaseUndone) && c.ends.Add(-1) >= 0 {
		return syscall.ENOSPC
	}
	return c.Store.SaveStep(ctx, s)
}

// crampedWorld is a world with four nodes whose store is cramped.
func crampedWorld(t *testing.T) (w *world, c cramped) {
	t.Helper()
	c = cramped{starts: new(atomic.Int32), ends: new(atomic.Int32)}
	w = shrinking(t, shop)
	w.stop()
	w.wrap = func(s scaler.Store) scaler.Store { return cramped{s, c.starts, c.ends} }
	return w, c
}

func TestAGroupThatAFullDiskHeldUpAtTheStartComesUpByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := crampedWorld(t)
		c.starts.Store(1)
		w.start()
		status, err := w.Application(t.Context(), "shop")
		if err != nil || len(status.Groups) != 0 || !strings.Contains(status.Problem, "no space left") {
			t.Fatalf("status = %+v, %v, want no group yet and why", status, err)
		}
		pass(20 * time.Second)
		if g := w.group("web"); g.Ready != 4 || g.Wanted != 4 {
			t.Errorf("group = %+v after a tick, want its four nodes", g)
		}
		if status, err := w.Application(t.Context(), "shop"); err != nil || status.Problem != "" {
			t.Errorf("problem = %q, %v, want none", status.Problem, err)
		}
	})
}

func TestNothingIsForgottenOfAGroupThatCantBeBroughtUpToGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := crampedWorld(t)
		w.start()
		w.cloud.failing(func(scaler.Change) bool { return true })
		if err := w.Destroy(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		w.stop()
		w.cloud.failing(nil)
		c.starts.Store(2)
		w.start()
		until(t, "the application goes", func() bool {
			_, err := w.Application(t.Context(), "shop")
			return errors.Is(err, scaler.ErrNotFound)
		})
		if left := w.exist("web"); len(left) > 0 {
			t.Errorf("%v are left of an application that was forgotten", left)
		}
	})
}

func TestTheEndOfAStepIsJournalledWhenThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := crampedWorld(t)
		w.start()
		pass(time.Minute)
		c.ends.Store(2)
		w.meters.set("demand", 60)
		pass(time.Minute)
		if got := w.exist("web"); len(got) != 6 {
			t.Errorf("nodes = %v, want 6", got)
		}
		if open, err := w.db.OpenSteps(t.Context(), "shop", "web"); err != nil || len(open) > 0 {
			t.Errorf("open steps = %+v, %v, want none", open, err)
		}
	})
}
