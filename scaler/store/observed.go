package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// observedSchema has a row for each tick of a group. Its metrics are a JSON object of
// values by query, without those that had none.
const observedSchema = `
CREATE TABLE observed (
  application TEXT NOT NULL,
  grp         TEXT NOT NULL,
  at          INTEGER NOT NULL,
  wanted      INTEGER NOT NULL,
  existing    INTEGER NOT NULL,
  ready       INTEGER NOT NULL,
  metrics     TEXT NOT NULL,
  PRIMARY KEY (application, grp, at)
) STRICT, WITHOUT ROWID;`

// RecordObserved implements scaler.Store.
func (s *SQLite) RecordObserved(ctx context.Context, app string, seen []scaler.Observed) error {
	newest := map[string]time.Time{}
	err := s.transact(ctx, func(tx *sql.Tx) error {
		for _, o := range seen {
			metrics, err := json.Marshal(o.Values)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO observed VALUES (?, ?, ?, ?, ?, ?, ?)",
				app, o.Group, nanos(o.At), o.Wanted, o.Existing, o.Ready, string(metrics)); err != nil {
				return err
			}
			newest[o.Group] = o.At
		}
		for group, at := range newest {
			if _, err := tx.ExecContext(ctx, "DELETE FROM observed WHERE application = ? AND grp = ? AND at < ?",
				app, group, nanos(at.Add(-scaler.ObservedRetention))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record what was seen of application %s: %w", app, err)
	}
	return nil
}

// Observed implements scaler.Store.
func (s *SQLite) Observed(ctx context.Context, app, group string, from, to time.Time) ([]scaler.Observed, error) {
	rows, err := s.reads.QueryContext(ctx, "SELECT at, wanted, existing, ready, metrics FROM observed WHERE application = ? AND grp = ? AND at BETWEEN ? AND ? ORDER BY at",
		app, group, nanos(from), nanos(to))
	return collect(rows, err, "what was seen of "+group, func(r *sql.Rows) (scaler.Observed, error) {
		o := scaler.Observed{Group: group}
		var at int64
		var metrics []byte
		if err := r.Scan(&at, &o.Wanted, &o.Existing, &o.Ready, &metrics); err != nil {
			return o, err
		}
		o.At = instant(at)
		return o, json.Unmarshal(metrics, &o.Values)
	})
}
