package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/store"
)

func TestWhatTicksSawIsKeptForAWhile(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "scalerd.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	old := scaler.Observed{Group: "web", At: at.Add(-scaler.ObservedRetention - time.Second), Wanted: 1, Values: map[string]float64{}}
	one := scaler.Observed{Group: "web", At: at.Add(-time.Minute), Wanted: 2, Existing: 1, Ready: 1, Values: map[string]float64{"load": 3.5}}
	two := scaler.Observed{Group: "web", At: at, Wanted: 2, Existing: 2, Ready: 2, Values: map[string]float64{}}
	other := scaler.Observed{Group: "api", At: at, Wanted: 7, Values: map[string]float64{}}
	read := func(from time.Time) []scaler.Observed {
		t.Helper()
		seen, err := db.Observed(t.Context(), "shop", "web", from, at)
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	record := func(seen ...scaler.Observed) {
		t.Helper()
		if err := db.RecordObserved(t.Context(), "shop", seen); err != nil {
			t.Fatal(err)
		}
	}
	record(old)
	if diff := cmp.Diff([]scaler.Observed{old}, read(old.At)); diff != "" {
		t.Errorf("before anything is too old (-want +got):\n%s", diff)
	}
	record(one, two, other)
	if diff := cmp.Diff([]scaler.Observed{one, two}, read(old.At)); diff != "" {
		t.Errorf("once the oldest is too old (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]scaler.Observed{two}, read(at)); diff != "" {
		t.Errorf("from the newest on (-want +got):\n%s", diff)
	}
	if err := db.DeleteApplication(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	if left := read(old.At); len(left) > 0 {
		t.Errorf("a deleted application leaves %v", left)
	}
}
