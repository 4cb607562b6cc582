package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"

	"github.com/scalerd/scalerd/scaler"
)

// stepsSchema puts the steps in the place of the journal's single lines. A step's
// record is JSON; what is searched for has a column.
const stepsSchema = `
DROP TABLE journal;
CREATE TABLE steps (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  application TEXT NOT NULL,
  grp         TEXT NOT NULL,
  decision    INTEGER NOT NULL,
  open        INTEGER NOT NULL,
  record      TEXT NOT NULL
) STRICT;
CREATE INDEX steps_by_group ON steps (application, grp, id);
CREATE INDEX steps_by_decision ON steps (decision) WHERE decision <> 0;
CREATE INDEX steps_open ON steps (application, grp) WHERE open = 1;
CREATE TABLE step_resources (
  step    INTEGER NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
  address TEXT NOT NULL,
  action  TEXT NOT NULL,
  ok      INTEGER NOT NULL,
  seconds REAL NOT NULL,
  error   TEXT NOT NULL,
  PRIMARY KEY (step, address, action)
) STRICT;`

// keptSteps bounds the steps of a group; open ones stay.
const keptSteps = 1000

// BeginStep implements scaler.Journal.
func (s *SQLite) BeginStep(ctx context.Context, step scaler.StepRecord) (int64, error) {
	text, err := encodeStep(step)
	if err != nil {
		return 0, err
	}
	var id int64
	err = s.transact(ctx, func(tx *sql.Tx) error {
		made, err := tx.ExecContext(ctx, "INSERT INTO steps (application, grp, decision, open, record) VALUES (?, ?, ?, ?, ?)",
			step.Application, step.Group, step.Decision, step.Phase.Open(), text)
		if err != nil {
			return err
		}
		if id, err = made.LastInsertId(); err != nil {
			return err
		}
		return pruneSteps(ctx, tx, step.Application, step.Group)
	})
	if err != nil {
		return 0, fmt.Errorf("journal step of group %s: %w", step.Group, err)
	}
	return id, nil
}

// pruneSteps drops a group's oldest steps.
func pruneSteps(ctx context.Context, tx *sql.Tx, app, group string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM steps WHERE application = ? AND grp = ? AND open = 0 AND id <=
		(SELECT id FROM steps WHERE application = ? AND grp = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`, app, group, app, group, keptSteps)
	return err
}

// encodeStep leaves out what has a column or a table of its own.
func encodeStep(step scaler.StepRecord) (string, error) {
	step.ID, step.Resources = 0, nil
	text, err := json.Marshal(step)
	if err != nil {
		return "", fmt.Errorf("encode step of group %s: %w", step.Group, err)
	}
	return string(text), nil
}

// SaveStep implements scaler.Journal.
func (s *SQLite) SaveStep(ctx context.Context, step scaler.StepRecord) error {
	text, err := encodeStep(step)
	if err != nil {
		return err
	}
	return s.exec(ctx, fmt.Sprintf("step %d", step.ID), "UPDATE steps SET open = ?, record = ? WHERE id = ?", step.Phase.Open(), text, step.ID)
}

// AddResults implements scaler.Journal.
func (s *SQLite) AddResults(ctx context.Context, step int64, results []scaler.ResourceResult) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		add, err := tx.PrepareContext(ctx, "INSERT OR REPLACE INTO step_resources (step, address, action, ok, seconds, error) VALUES (?, ?, ?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer add.Close()
		for _, r := range results {
			if _, err := add.ExecContext(ctx, step, r.Address, r.Action, r.OK, r.Seconds, r.Error); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("journal results of step %d: %w", step, err)
	}
	return nil
}

// OpenSteps implements scaler.Journal.
func (s *SQLite) OpenSteps(ctx context.Context, app, group string) ([]scaler.StepRecord, error) {
	return steps(ctx, s.db, "application = ? AND grp = ? AND open = 1 ORDER BY id", app, group)
}

// Steps implements scaler.Journal.
func (s *SQLite) Steps(ctx context.Context, app, group string, limit int) ([]scaler.StepRecord, error) {
	return s.StepsBefore(ctx, app, group, math.MaxInt64, limit)
}

// StepsBefore implements scaler.Store.
func (s *SQLite) StepsBefore(ctx context.Context, app, group string, before int64, limit int) ([]scaler.StepRecord, error) {
	found, err := steps(ctx, s.reads, "application = ? AND (? = '' OR grp = ?) AND id < ? ORDER BY id DESC LIMIT ?", app, group, group, before, limit)
	return found, fill(ctx, s.reads, found, err)
}

// StepsOf implements scaler.Journal.
func (s *SQLite) StepsOf(ctx context.Context, decision int64) ([]scaler.StepRecord, error) {
	found, err := steps(ctx, s.db, "decision = ? AND decision <> 0 ORDER BY id", decision)
	return found, fill(ctx, s.db, found, err)
}

func steps(ctx context.Context, db *sql.DB, where string, args ...any) ([]scaler.StepRecord, error) {
	rows, err := db.QueryContext(ctx, "SELECT id, record FROM steps WHERE "+where, args...)
	return collect(rows, err, "steps", func(r *sql.Rows) (scaler.StepRecord, error) {
		var step scaler.StepRecord
		var id int64
		var text []byte
		if err := r.Scan(&id, &text); err != nil {
			return step, err
		}
		err := json.Unmarshal(text, &step)
		step.ID = id
		return step, err
	})
}

// fill reads the results of steps.
func fill(ctx context.Context, db *sql.DB, steps []scaler.StepRecord, err error) error {
	for i := range steps {
		if err != nil {
			break
		}
		var rows *sql.Rows
		rows, err = db.QueryContext(ctx, "SELECT address, action, ok, seconds, error FROM step_resources WHERE step = ? ORDER BY rowid", steps[i].ID)
		steps[i].Resources, err = collect(rows, err, "results of a step", func(r *sql.Rows) (scaler.ResourceResult, error) {
			var res scaler.ResourceResult
			err := r.Scan(&res.Address, &res.Action, &res.OK, &res.Seconds, &res.Error)
			return res, err
		})
	}
	return err
}
