package scaler_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/store"
	"github.com/scalerd/scalerd/tfgen"
)

// TestADestroyedApplicationIsForgottenWhereOnlyItsRowIsLeft restarts after a crash
// between the end of the folder and the end of the row.
func TestADestroyedApplicationIsForgottenWhereOnlyItsRowIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(shop)
		pass(time.Minute)
		rows, err := w.db.Applications(t.Context())
		if err != nil || len(rows) != 1 {
			t.Fatalf("rows %+v, %v, want one", rows, err)
		}
		w.stop()
		rows[0].Destroying = true
		db, err := store.Open(t.Context(), filepath.Join(w.dir, "scalerd.db"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.SaveApplication(t.Context(), rows[0]), db.Close(), os.RemoveAll(filepath.Join(w.dir, "apps", "shop"))); err != nil {
			t.Fatal(err)
		}
		w.start()
		pass(time.Second)
		if _, err := w.Application(t.Context(), "shop"); !errors.Is(err, scaler.ErrNotFound) {
			t.Errorf("Application() = %v, want ErrNotFound: nothing is left of it", err)
		}
		w.stop()
	})
}

// TestADropThatIsOrderedTwiceDropsOneNode repeats an order, as a client does that
// missed its answer.
func TestADropThatIsOrderedTwiceDropsOneNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 45)
		w.submit(shop)
		pass(5 * time.Minute)
		w.cloud.taking(30 * time.Second)
		for _, want := range []int{4, 4} {
			d, err := w.Drop(t.Context(), "shop", "web-0002", false)
			if err != nil || d.To != want {
				t.Errorf("Drop() = %d nodes, %v, want %d", d.To, err, want)
			}
		}
		w.stop()
	})
}

// TestAGroupWhoseBaseIsUnknownIsNotForgotten destroys an application while the state of
// what its nodes share can't be read.
func TestAGroupWhoseBaseIsUnknownIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(strings.Replace(shop, "    min: 1", "    local: {balancer: '127.0.0.1:0'}\n    min: 1", 1))
		pass(time.Minute)
		base := filepath.Join(w.dir, "apps", "shop", "web", tfgen.BaseName)
		if state := w.cloud.state(base); len(state.Resources) == 0 {
			t.Fatal("the base has nothing")
		}
		w.cloud.losing(tfgen.BaseName)
		if err := w.Destroy(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		until(t, "the nodes are gone", func() bool { return len(w.cloud.nodes("web")) == 0 })
		pass(10 * time.Minute)
		if _, err := os.Stat(base); err != nil {
			t.Fatalf("the base is forgotten with what it has: %v", err)
		}
		w.cloud.losing("")
		until(t, "it is gone", func() bool {
			_, err := w.Application(t.Context(), "shop")
			return errors.Is(err, scaler.ErrNotFound)
		})
		if state := w.cloud.state(base); len(state.Resources) > 0 {
			t.Errorf("%v is left of what the nodes shared", state.Resources)
		}
	})
}
