package store_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
)

func TestAStepIsFoundByWhatItIsSearchedFor(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "s.db")
	db := open(t, path)
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	begin := func(group string, decision int64) scaler.StepRecord {
		s := scaler.StepRecord{Application: "shop", Group: group, Shard: "shard-000", Decision: decision, Phase: scaler.PhaseIntent,
			History: []scaler.PhaseTime{{Phase: scaler.PhaseIntent, At: at}}}
		id, err := db.BeginStep(ctx, s)
		must(t, err)
		s.ID = id
		return s
	}
	first, second, other := begin("web", 7), begin("web", 0), begin("api", 7)
	results := []scaler.ResourceResult{{Address: "x.a", Action: "create", OK: true, Seconds: 3}, {Address: "x.b", Action: "create"}}
	must(t, db.AddResults(ctx, first.ID, results))
	results[1].Error = "no capacity" // terraform tells why at its end
	must(t, db.AddResults(ctx, first.ID, results[1:]))
	first.Phase = scaler.PhaseFailed
	first.Error = "quota"
	first.Plan = &scaler.PlanRecord{Digest: "d", Create: 2}
	first.State = &scaler.StateRecord{Lineage: "l", Serial: 4}
	must(t, db.SaveStep(ctx, first), db.Close())
	first.Resources = results

	db = open(t, path)
	check := func(what string, got []scaler.StepRecord, err error, want ...scaler.StepRecord) {
		t.Helper()
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	all, err := db.Steps(ctx, "shop", "", 10)
	check("all, newest first", all, err, other, second, first)
	web, err := db.Steps(ctx, "shop", "web", 1)
	check("the newest of web", web, err, second)
	still, err := db.OpenSteps(ctx, "shop", "web")
	check("the open ones of web", still, err, second)
	of, err := db.StepsOf(ctx, 7)
	check("those of decision 7, oldest first", of, err, first, other)
	none, err := db.StepsOf(ctx, 0)
	check("those of no decision", none, err)
}

func TestOldStepsAreDroppedWithTheirResults(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "s.db")
	db := open(t, path)
	stuck, err := db.BeginStep(ctx, scaler.StepRecord{Application: "shop", Group: "web", Phase: scaler.PhaseApplying})
	must(t, err)
	raw, err := sql.Open("sqlite", path)
	must(t, err)
	defer raw.Close()
	_, err = raw.ExecContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
		INSERT INTO steps (application, grp, decision, open, record) SELECT 'shop', 'web', 0, 0, '{}' FROM n;
		INSERT INTO step_resources SELECT id, 'x.a', 'create', 1, 1, '' FROM steps`)
	must(t, err)
	_, err = db.BeginStep(ctx, scaler.StepRecord{Application: "shop", Group: "web", Phase: scaler.PhaseDone})
	must(t, err)
	var steps, results int
	must(t, raw.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM steps), (SELECT count(*) FROM step_resources)").Scan(&steps, &results))
	if steps != 1001 || results != 1000 { // the open one, and the newest has no result
		t.Errorf("kept %d steps and %d results, want 1001 and 1000", steps, results)
	}
	open, err := db.OpenSteps(ctx, "shop", "web")
	must(t, err)
	if len(open) != 1 || open[0].ID != stuck {
		t.Errorf("open steps = %+v, want the old one of before", open)
	}
}
