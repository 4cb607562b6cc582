package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/scalerd/scalerd/scaler"
)

// Applications implements scaler.Store.
func (s *SQLite) Applications(ctx context.Context) ([]scaler.StoredApplication, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT name, file, text, params, paused, destroying, updated_at FROM applications ORDER BY name")
	return collect(rows, err, "applications", func(r *sql.Rows) (scaler.StoredApplication, error) {
		var a scaler.StoredApplication
		var updated int64
		var params []byte
		if err := r.Scan(&a.Name, &a.File, &a.Text, &params, &a.Paused, &a.Destroying, &updated); err != nil {
			return a, err
		}
		a.UpdatedAt = instant(updated)
		return a, json.Unmarshal(params, &a.Params)
	})
}

// SaveApplication implements scaler.Store.
func (s *SQLite) SaveApplication(ctx context.Context, a scaler.StoredApplication) error {
	params, err := json.Marshal(a.Params)
	if err != nil {
		return fmt.Errorf("encode parameters of application %s: %w", a.Name, err)
	}
	return s.exec(ctx, "application "+a.Name,
		"INSERT OR REPLACE INTO applications (name, file, text, params, paused, destroying, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		a.Name, a.File, a.Text, string(params), a.Paused, a.Destroying, nanos(a.UpdatedAt))
}

// DeleteApplication implements scaler.Store.
func (s *SQLite) DeleteApplication(ctx context.Context, name string) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		for _, query := range []string{
			"DELETE FROM applications WHERE name = ?",
			"DELETE FROM groups WHERE application = ?",
			"DELETE FROM nodes WHERE application = ?",
			"DELETE FROM decisions WHERE application = ?",
			"DELETE FROM steps WHERE application = ?",
			"DELETE FROM shadow_ticks WHERE application = ?",
			"DELETE FROM observed WHERE application = ?",
		} {
			if _, err := tx.ExecContext(ctx, query, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete application %s: %w", name, err)
	}
	return nil
}

// Group implements scaler.Store.
func (s *SQLite) Group(ctx context.Context, app, group string) (scaler.StoredGroup, error) {
	var g scaler.StoredGroup
	var out, in int64
	var dropping, userData, remembered string
	err := s.db.QueryRowContext(ctx,
		"SELECT wanted, known, surge, paused, last_out, last_in, dropping, next_number, user_data, remembered FROM groups WHERE application = ? AND name = ?", app, group,
	).Scan(&g.Wanted, &g.Known, &g.Surge, &g.Paused, &out, &in, &dropping, &g.NextNumber, &userData, &remembered)
	if errors.Is(err, sql.ErrNoRows) {
		return scaler.StoredGroup{}, nil
	}
	if err == nil {
		err = errors.Join(json.Unmarshal([]byte(dropping), &g.Dropping), json.Unmarshal([]byte(userData), &g.UserData), json.Unmarshal([]byte(remembered), &g.Remembered))
	}
	if err != nil {
		return scaler.StoredGroup{}, fmt.Errorf("read group %s of %s: %w", group, app, err)
	}
	g.LastOut, g.LastIn = instant(out), instant(in)
	return g, nil
}

// saveGroup keeps everything but the next number.
const saveGroup = `INSERT INTO groups (application, name, wanted, known, surge, paused, last_out, last_in, dropping, user_data, remembered)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (application, name) DO UPDATE SET wanted = excluded.wanted, known = excluded.known, surge = excluded.surge, paused = excluded.paused,
  last_out = excluded.last_out, last_in = excluded.last_in, dropping = excluded.dropping, user_data = excluded.user_data,
  remembered = excluded.remembered`

func groupArgs(app, group string, g scaler.StoredGroup) ([]any, error) {
	dropping, err := json.Marshal(g.Dropping)
	if err != nil {
		return nil, fmt.Errorf("encode dropped nodes of group %s: %w", group, err)
	}
	userData, err := json.Marshal(g.UserData)
	if err != nil {
		return nil, fmt.Errorf("encode user data of group %s: %w", group, err)
	}
	remembered, err := json.Marshal(g.Remembered)
	if err != nil {
		return nil, fmt.Errorf("encode what is remembered of group %s: %w", group, err)
	}
	return []any{app, group, g.Wanted, g.Known, g.Surge, g.Paused, nanos(g.LastOut), nanos(g.LastIn), string(dropping), string(userData), string(remembered)}, nil
}

// SaveGroup implements scaler.Store.
func (s *SQLite) SaveGroup(ctx context.Context, app, group string, g scaler.StoredGroup) error {
	args, err := groupArgs(app, group, g)
	if err != nil {
		return err
	}
	return s.exec(ctx, "group "+group, saveGroup, args...)
}

// SaveNextNumber implements scaler.Store.
func (s *SQLite) SaveNextNumber(ctx context.Context, app, group string, next int) error {
	return s.exec(ctx, "next node number of "+group,
		`INSERT INTO groups (application, name, next_number) VALUES (?, ?, ?)
		 ON CONFLICT (application, name) DO UPDATE SET next_number = max(next_number, excluded.next_number)`, app, group, next)
}

// DeleteGroup implements scaler.Store.
func (s *SQLite) DeleteGroup(ctx context.Context, app, group string) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"nodes", "shadow_ticks", "observed"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE application = ? AND grp = ?", app, group); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM groups WHERE application = ? AND name = ?", app, group)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete group %s of %s: %w", group, app, err)
	}
	return nil
}

// Nodes implements scaler.Store.
func (s *SQLite) Nodes(ctx context.Context, app, group string) (map[string]scaler.NodeTimes, error) {
	type row struct {
		name  string
		times scaler.NodeTimes
	}
	rows, err := s.db.QueryContext(ctx, "SELECT name, created_at, ready_at, drain FROM nodes WHERE application = ? AND grp = ?", app, group)
	all, err := collect(rows, err, "nodes of "+group, func(r *sql.Rows) (row, error) {
		var one row
		var created, ready int64
		var drain []byte
		err := r.Scan(&one.name, &created, &ready, &drain)
		one.times = scaler.NodeTimes{CreatedAt: instant(created), ReadyAt: instant(ready)}
		if err == nil {
			err = json.Unmarshal(drain, &one.times.Drain)
		}
		return one, err
	})
	if err != nil {
		return nil, err
	}
	nodes := make(map[string]scaler.NodeTimes, len(all))
	for _, one := range all {
		nodes[one.name] = one.times
	}
	return nodes, nil
}

// SaveDrain implements scaler.Store.
func (s *SQLite) SaveDrain(ctx context.Context, app, group, node string, d scaler.NodeDrain) error {
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode drain of node %s: %w", node, err)
	}
	return s.exec(ctx, "drain of node "+node, "UPDATE nodes SET drain = ? WHERE application = ? AND grp = ? AND name = ?", string(text), app, group, node)
}

// SaveNodes implements scaler.Store.
func (s *SQLite) SaveNodes(ctx context.Context, app, group string, times map[string]scaler.NodeTimes) error {
	return s.eachNode(ctx, slices.Sorted(maps.Keys(times)), `INSERT INTO nodes (application, grp, name, created_at, ready_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (application, grp, name) DO UPDATE SET created_at = excluded.created_at, ready_at = excluded.ready_at`,
		func(node string) []any {
			return []any{app, group, node, nanos(times[node].CreatedAt), nanos(times[node].ReadyAt)}
		})
}

// DeleteNodes implements scaler.Store.
func (s *SQLite) DeleteNodes(ctx context.Context, app, group string, nodes []string) error {
	return s.eachNode(ctx, nodes, "DELETE FROM nodes WHERE application = ? AND grp = ? AND name = ?",
		func(node string) []any { return []any{app, group, node} })
}

// eachNode runs a statement for each node, in one transaction.
func (s *SQLite) eachNode(ctx context.Context, nodes []string, query string, args func(node string) []any) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		statement, err := tx.PrepareContext(ctx, query)
		if err != nil {
			return err
		}
		defer statement.Close()
		for _, node := range nodes {
			if _, err := statement.ExecContext(ctx, args(node)...); err != nil {
				return fmt.Errorf("node %s: %w", node, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store nodes: %w", err)
	}
	return nil
}
