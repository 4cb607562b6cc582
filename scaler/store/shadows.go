package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// shadowSchema has a row for each tick of a shadow policy; see scaler.ShadowTick.
const shadowSchema = `
CREATE TABLE shadow_ticks (
  application TEXT NOT NULL,
  grp         TEXT NOT NULL,
  policy      TEXT NOT NULL,
  at          INTEGER NOT NULL,
  lasted_ms   INTEGER NOT NULL,
  nodes       INTEGER NOT NULL,
  next        INTEGER NOT NULL,
  active      INTEGER NOT NULL,
  active_next INTEGER NOT NULL,
  need        INTEGER NOT NULL,
  PRIMARY KEY (application, grp, policy, at)
) STRICT, WITHOUT ROWID;`

// RecordShadows implements scaler.Store.
func (s *SQLite) RecordShadows(ctx context.Context, app, group string, ticks []scaler.ShadowTick) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		for _, t := range ticks {
			_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO shadow_ticks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
				app, group, t.Policy, nanos(t.At), t.Lasted.Milliseconds(), t.Nodes, t.To, t.Active, t.ActiveTo, t.Need)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM shadow_ticks WHERE application = ? AND grp = ? AND policy = ? AND at < ?",
				app, group, t.Policy, nanos(t.At.Add(-scaler.ShadowRetention))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record shadow policies of group %s: %w", group, err)
	}
	return nil
}

// summed sums ticks up by policy. The sizes now are those of the row with the
// newest at, which SQLite takes bare columns from where max is the only aggregate of
// its kind.
const summed = `SELECT policy, at, next, active_next, since, shadow_ms, active_ms, short_ms, active_short_ms, changes, active_changes FROM
(SELECT policy, max(at) AS at, next, active_next FROM shadow_ticks WHERE application = ? AND grp = ? AND at >= ? GROUP BY policy)
JOIN (SELECT policy AS p, min(at) AS since,
  sum(nodes * lasted_ms) AS shadow_ms, sum(active * lasted_ms) AS active_ms,
  sum(CASE WHEN nodes < need THEN lasted_ms ELSE 0 END) AS short_ms, sum(CASE WHEN active < need THEN lasted_ms ELSE 0 END) AS active_short_ms,
  sum(nodes <> next) AS changes, sum(active <> active_next) AS active_changes
  FROM shadow_ticks WHERE application = ? AND grp = ? AND at >= ? GROUP BY policy) ON p = policy
ORDER BY policy`

// Comparisons implements scaler.Store.
func (s *SQLite) Comparisons(ctx context.Context, app, group string, since time.Time) ([]scaler.Comparison, error) {
	from := nanos(since)
	rows, err := s.reads.QueryContext(ctx, summed, app, group, from, app, group, from)
	return collect(rows, err, "shadow policies of "+group, func(r *sql.Rows) (scaler.Comparison, error) {
		var c scaler.Comparison
		var at, first, shadow, active, short, activeShort int64
		err := r.Scan(&c.Policy, &at, &c.Shadow.Nodes, &c.Active.Nodes, &first, &shadow, &active, &short, &activeShort, &c.Shadow.Changes, &c.Active.Changes)
		ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
		c.Since, c.Until = instant(first), instant(at)
		c.Shadow.NodeHours, c.Active.NodeHours = float64(shadow)/3.6e6, float64(active)/3.6e6
		c.Shadow.Short, c.Active.Short = ms(short), ms(activeShort)
		return c, err
	})
}

// ForgetShadows implements scaler.Store.
func (s *SQLite) ForgetShadows(ctx context.Context, app, group string, but []string) error {
	names, err := json.Marshal(append([]string{}, but...))
	if err != nil {
		return fmt.Errorf("encode shadow policies of group %s: %w", group, err)
	}
	return s.exec(ctx, "shadow policies of "+group,
		"DELETE FROM shadow_ticks WHERE application = ? AND grp = ? AND policy NOT IN (SELECT value FROM json_each(?))", app, group, string(names))
}
