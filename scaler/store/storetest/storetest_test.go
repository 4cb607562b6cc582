package storetest_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/store"
	"github.com/scalerd/scalerd/scaler/store/storetest"
)

func TestEveryStoredInstantJumps(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "scalerd.db")
	db, err := store.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	at, by := time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC), -5*time.Hour
	group := scaler.StoredGroup{LastOut: at, Remembered: scaler.Remembered{Replaced: []time.Time{at}}}
	if err := db.SaveGroup(ctx, "shop", "web", group); err != nil {
		t.Fatal(err)
	}
	if err := db.SaveNodes(ctx, "shop", "web", map[string]scaler.NodeTimes{"web-0001": {CreatedAt: at}}); err != nil {
		t.Fatal(err)
	}
	if err := db.SaveDrain(ctx, "shop", "web", "web-0001", scaler.NodeDrain{Deadline: at}); err != nil {
		t.Fatal(err)
	}
	if err := storetest.Shift(ctx, path, by); err != nil {
		t.Fatal(err)
	}
	group, err = db.Group(ctx, "shop", "web")
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := db.Nodes(ctx, "shop", "web")
	if err != nil {
		t.Fatal(err)
	}
	node := nodes["web-0001"]
	for name, got := range map[string]time.Time{
		"last growth": group.LastOut, "repair": group.Remembered.Replaced[0], "creation": node.CreatedAt, "drain": node.Drain.Deadline,
	} {
		if want := at.Add(by); !got.Equal(want) {
			t.Errorf("%s at %s, want %s", name, got, want)
		}
	}
	if !group.LastIn.IsZero() || !node.ReadyAt.IsZero() {
		t.Errorf("what never was is at %s and %s, want it to stay so", group.LastIn, node.ReadyAt)
	}
}
