package store_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/failure"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/scaler/store"
)

func open(t *testing.T, path string) *store.SQLite {
	t.Helper()
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// must fails the test on an error of a call that is not the test's subject.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestEverythingSurvivesAReopening(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "scalerd #1?.db") // a path that an URL would take apart
	db := open(t, path)
	at := time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)
	app := scaler.StoredApplication{Name: "shop", File: "shop.yaml", Text: []byte("name: shop\n\x00ä"), Paused: true, UpdatedAt: at}
	group := scaler.StoredGroup{
		Wanted: 3, Known: true, Paused: true, LastOut: at, LastIn: at.Add(time.Second),
		Dropping: []string{"web-0002"}, UserData: map[string][]byte{"rule": []byte(`{"x":1}`)},
		Remembered: scaler.Remembered{
			Holding: []scaler.Holding{{Policy: "target", Since: at}}, Turns: []time.Time{at}, Breaker: scaler.Breaker{OpenedAt: at, ProbedAt: at},
			Pending:   map[string]time.Time{"hot": at},
			Penalties: map[string]scaler.RememberedPenalty{"spot": {Value: 1.5, At: at, Why: failure.NoCapacity}},
			Replaced:  []time.Time{at}, FailedBoots: 2,
			Spending: scaler.Spending{At: at, Nodes: 3, PerHour: 1.5, Currency: "EUR", Cost: 12.25, NodeHours: 24.5},
			Shadows:  map[string]scaler.RememberedShadow{"ample": {Description: "x", Nodes: 7, History: scaler.History{LastOut: at}, UserData: []byte("1")}},
		},
	}
	decision := scaler.Decision{
		Application: "shop", Group: "web", At: at, From: 2, To: 3, Reasons: []string{"because"},
		Proposals: []policy.Proposal{{Policy: "target", Nodes: 3, Reason: "cpu"}},
		Readings:  map[string]policy.Reading{"cpu": {Samples: []policy.Sample{{Value: 0.5}}}, "lag": {Missing: policy.Stale}},
	}
	step := scaler.StepRecord{Application: "shop", Group: "web", Shard: "shard-000", Decision: 1, Add: []string{"web-0003"}, Phase: scaler.PhaseIntent,
		History: []scaler.PhaseTime{{Phase: scaler.PhaseIntent, At: at}}}
	times := scaler.NodeTimes{CreatedAt: at, ReadyAt: at.Add(time.Minute)}
	must(t, db.SaveApplication(ctx, app), db.SaveNextNumber(ctx, "shop", "web", 4), db.SaveNodes(ctx, "shop", "web", map[string]scaler.NodeTimes{"web-0003": times}))
	times.Drain = scaler.NodeDrain{Deadline: at.Add(time.Hour), Drained: true, KeptUntil: at}
	must(t, db.SaveDrain(ctx, "shop", "web", "web-0003", times.Drain), db.SaveNodes(ctx, "shop", "web", map[string]scaler.NodeTimes{"web-0003": times}),
		db.SaveDrain(ctx, "shop", "web", "web-0009", times.Drain)) // which is not known
	stepID, err := db.BeginStep(ctx, step)
	must(t, err)
	id, err := db.RecordDecision(ctx, decision, group)
	must(t, err, db.Close())

	db = open(t, path)
	apps, err := db.Applications(ctx)
	must(t, err)
	if diff := cmp.Diff([]scaler.StoredApplication{app}, apps); diff != "" {
		t.Errorf("Applications() (-want +got):\n%s", diff)
	}
	group.NextNumber = 4
	got, err := db.Group(ctx, "shop", "web")
	must(t, err)
	if diff := cmp.Diff(group, got); diff != "" {
		t.Errorf("Group() (-want +got):\n%s", diff)
	}
	decision.ID = id
	d, err := db.Decision(ctx, id)
	must(t, err)
	if diff := cmp.Diff(decision, d); diff != "" {
		t.Errorf("Decision() (-want +got):\n%s", diff)
	}
	nodes, err := db.Nodes(ctx, "shop", "web")
	must(t, err)
	if diff := cmp.Diff(map[string]scaler.NodeTimes{"web-0003": times}, nodes); diff != "" {
		t.Errorf("Nodes() (-want +got):\n%s", diff)
	}
	open, err := db.OpenSteps(ctx, "shop", "web")
	must(t, err)
	step.ID = stepID
	if diff := cmp.Diff([]scaler.StepRecord{step}, open); diff != "" {
		t.Errorf("OpenSteps() (-want +got):\n%s", diff)
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the file = %v, want 0600", info.Mode().Perm())
	}
}

func TestNodeNumbersNeverGoBack(t *testing.T) {
	ctx := t.Context()
	db := open(t, filepath.Join(t.TempDir(), "s.db"))
	must(t, db.SaveNextNumber(ctx, "shop", "web", 7), db.SaveNextNumber(ctx, "shop", "web", 3),
		db.SaveGroup(ctx, "shop", "web", scaler.StoredGroup{Wanted: 1, NextNumber: 1}))
	row, err := db.Group(ctx, "shop", "web")
	must(t, err)
	if row.NextNumber != 7 {
		t.Errorf("NextNumber = %d, want 7", row.NextNumber)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	ctx := t.Context()
	db := open(t, filepath.Join(t.TempDir(), "s.db"))
	row, err := db.Group(ctx, "shop", "web")
	if err != nil || row.Known || row.Wanted != 0 {
		t.Errorf("Group() of none = %+v, %v, want the zero row", row, err)
	}
	if _, err := db.Decision(ctx, 9); !errors.Is(err, scaler.ErrNotFound) {
		t.Errorf("Decision() of none = %v, want ErrNotFound", err)
	}
}

func TestDeletingAnApplicationLeavesTheOthers(t *testing.T) {
	ctx := t.Context()
	db := open(t, filepath.Join(t.TempDir(), "s.db"))
	for _, app := range []string{"a", "b"} {
		_, err := db.RecordDecision(ctx, scaler.Decision{Application: app, Group: "web", Reasons: []string{"x"}}, scaler.StoredGroup{Wanted: 2, Known: true})
		must(t, err, db.SaveApplication(ctx, scaler.StoredApplication{Name: app, Text: []byte("x")}),
			db.SaveNodes(ctx, app, "web", map[string]scaler.NodeTimes{"web-0001": {}}))
		step, err := db.BeginStep(ctx, scaler.StepRecord{Application: app, Group: "web"})
		must(t, err, db.AddResults(ctx, step, []scaler.ResourceResult{{Address: "a.b"}}))
	}
	must(t, db.DeleteApplication(ctx, "a"))
	for app, want := range map[string]int{"a": 0, "b": 1} {
		nodes, err := db.Nodes(ctx, app, "web")
		must(t, err)
		decisions, err := db.Decisions(ctx, app, "", 10)
		must(t, err)
		steps, err := db.Steps(ctx, app, "web", 10)
		must(t, err)
		row, err := db.Group(ctx, app, "web")
		must(t, err)
		if len(nodes) != want || len(decisions) != want || len(steps) != want || row.Known != (want == 1) {
			t.Errorf("application %s has %d nodes, %d decisions, %d steps, group %+v, want %d of each", app, len(nodes), len(decisions), len(steps), row, want)
		}
	}
}

func TestOldRowsAreDroppedGroupByGroup(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 10,000 rows")
	}
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "s.db")
	db := open(t, path)
	_, err := db.RecordDecision(ctx, scaler.Decision{Application: "shop", Group: "quiet"}, scaler.StoredGroup{})
	must(t, err)
	raw, err := sql.Open("sqlite", path)
	must(t, err)
	defer raw.Close()
	_, err = raw.ExecContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10150)
		INSERT INTO decisions (application, grp, decision) SELECT 'shop', 'busy', '{}' FROM n`)
	must(t, err)
	for range 100 {
		_, err := db.RecordDecision(ctx, scaler.Decision{Application: "shop", Group: "busy"}, scaler.StoredGroup{})
		must(t, err)
	}
	busy, err := db.Decisions(ctx, "shop", "busy", 100000)
	must(t, err)
	quiet, err := db.Decisions(ctx, "shop", "quiet", 10)
	must(t, err)
	if len(busy) < 10000 || len(busy) > 10100 || len(quiet) != 1 {
		t.Errorf("kept %d decisions of the busy and %d of the quiet group, want about 10000 and 1", len(busy), len(quiet))
	}
}

func TestConcurrentUse(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "s.db"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if _, err := db.RecordDecision(t.Context(), scaler.Decision{Application: "shop", Group: "web"}, scaler.StoredGroup{}); err != nil {
					t.Error(err)
				}
				if _, err := db.Decisions(t.Context(), "shop", "", 5); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	all, err := db.Decisions(t.Context(), "shop", "web", 1000)
	if err != nil || len(all) != 160 {
		t.Errorf("%d decisions, %v, want 160", len(all), err)
	}
}

func TestOpenRefusesWhatItCannotUse(t *testing.T) {
	dir := t.TempDir()
	newer := filepath.Join(dir, "newer.db")
	must(t, open(t, newer).Close())
	raw, err := sql.Open("sqlite", newer)
	must(t, err)
	_, err = raw.ExecContext(context.Background(), "PRAGMA user_version = 99")
	must(t, err, raw.Close())
	garbage := filepath.Join(dir, "garbage.db")
	must(t, os.WriteFile(garbage, []byte(strings.Repeat("not a database. ", 100)), 0o600))
	for path, want := range map[string]string{newer: "newer scalerd", garbage: "not a database", filepath.Join(dir, "no", "where.db"): "no such file"} {
		if _, err := store.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%s) = %v, want an error with %q", filepath.Base(path), err, want)
		}
	}
}
