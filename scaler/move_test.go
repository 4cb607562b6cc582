package scaler_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

// TestStatesMoveOnlyWhileTheirGroupsAreAtRest asks for another backend while a step is
// under way, and after it.
func TestStatesMoveOnlyWhileTheirGroupsAreAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(shop)
		w.meters.set("demand", 20)
		pass(30 * time.Second)
		w.cloud.taking(time.Minute)
		w.meters.set("demand", 50)
		pass(15 * time.Second)
		moved := scaler.Source{File: "shop.yaml", Text: []byte(shop + "backend: {type: pg}\n")}
		_, err := w.Submit(t.Context(), moved)
		if !errors.Is(err, scaler.ErrRefused) || !strings.Contains(err.Error(), "move to backend pg only while all groups are at rest; group web is not: it has steps to carry out") {
			t.Errorf("Submit() = %v while a step is under way, want a refusal that says so", err)
		}
		pass(3 * time.Minute)
		if plan, err := w.Plan(t.Context(), moved); err != nil || !slices.Contains(plan.Groups[0].Notes, "the Terraform states move from files of its own to backend pg") {
			t.Errorf("Plan() = %+v, %v, want a note of the move", plan, err)
		}
		if _, err := w.Submit(t.Context(), moved); err != nil {
			t.Errorf("Submit() = %v after it, want it taken", err)
		}
		pass(10 * time.Second)
		growing := strings.NewReplacer("min: 1", "min: 8", "initial: 2", "initial: 8").Replace(string(moved.Text))
		if _, err := w.Plan(t.Context(), scaler.Source{File: "shop.yaml", Text: []byte(growing)}); err != nil {
			t.Errorf("Plan() = %v before the states have moved, want one of what is known", err)
		}
		for _, shard := range []string{"shard-000", "shard-001"} {
			dir := filepath.Join(w.dir, "apps", "shop", "web", shard)
			move, err := os.ReadFile(filepath.Join(dir, scaler.MoveFile))
			if err != nil || string(move) != "{}" {
				t.Errorf("%s of %s is %q, %v, want it to say that the state was a file", scaler.MoveFile, shard, move, err)
			}
			if _, err := os.Stat(filepath.Join(dir, tfgen.BackendFile)); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestAMoveThatCannotBeMadeIsTakenBack asks for a backend that is taken, takes that
// back, and destroys the application.
func TestAMoveThatCannotBeMadeIsTakenBack(t *testing.T) {
	const elsewhere = "backend: {type: pg, config: {schema_name: elsewhere}}\n"
	for _, tt := range []struct{ name, before, after string }{
		{"to files", shop, shop},
		{"to the backend", shop + "backend: {type: pg}\n", shop + "backend: {type: pg}\n"},
		{"to another one", shop, shop + elsewhere},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.cloud.taken = "occupied"
				w.meters.set("demand", 20)
				w.submit(tt.before)
				pass(time.Minute)
				w.submit(shop + "backend: {type: pg, config: {schema_name: occupied}}\n")
				w.meters.set("demand", 50)
				until(t, "the move fails", func() bool { return strings.Contains(w.group("web").Problem, "its new backend is taken") })
				w.restart()
				if _, err := w.Submit(t.Context(), scaler.Source{File: "shop.yaml", Text: []byte(tt.after)}); err != nil {
					t.Fatalf("Submit() = %v of what takes the move back", err)
				}
				until(t, "there are 5 nodes", func() bool { return len(w.exist("web")) == 5 })
				if err := w.Destroy(t.Context(), "shop"); err != nil {
					t.Fatal(err)
				}
				until(t, "it is gone", func() bool {
					_, err := w.Application(t.Context(), "shop")
					return errors.Is(err, scaler.ErrNotFound)
				})
				if left := w.cloud.nodes("web"); len(left) > 0 {
					t.Errorf("%v are left", left)
				}
			})
		})
	}
}

// TestACheckOfAllHasAllStatesMove orders it while a shard is empty.
func TestACheckOfAllHasAllStatesMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 50)
		w.submit(strings.Replace(shop, "    policies:", "    drift: {every: 24h}\n    policies:", 1))
		until(t, "there are 5 nodes", func() bool { return len(w.exist("web")) == 5 })
		w.meters.set("demand", 20)
		until(t, "there are 2 nodes", func() bool { return len(w.exist("web")) == 2 })
		pass(time.Minute)
		w.submit(strings.Replace(shop, "    policies:", "    drift: {every: 24h}\n    policies:", 1) + "backend: {type: pg}\n")
		pass(10 * time.Second)
		left := func() int {
			found, err := filepath.Glob(filepath.Join(w.dir, "apps", "shop", "web", "*", scaler.MoveFile))
			if err != nil {
				t.Fatal(err)
			}
			return len(found)
		}
		if n := left(); n != 2 {
			t.Fatalf("%d root modules are to move, want the one with nodes and the empty one", n)
		}
		if err := w.CheckDrift(t.Context(), "shop", "", time.Now()); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		if n := left(); n != 0 {
			t.Errorf("%d root modules have not moved", n)
		}
	})
}
