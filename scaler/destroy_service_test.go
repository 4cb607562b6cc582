package scaler_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/store"
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
