package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/scalerd/scalerd/scaler"
)

// RecordDecision implements scaler.Store.
func (s *SQLite) RecordDecision(ctx context.Context, d scaler.Decision, row scaler.StoredGroup) (int64, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return 0, fmt.Errorf("encode decision of group %s: %w", d.Group, err)
	}
	args, err := groupArgs(d.Application, d.Group, row)
	if err != nil {
		return 0, err
	}
	var id int64
	err = s.transact(ctx, func(tx *sql.Tx) error {
		made, err := tx.ExecContext(ctx, "INSERT INTO decisions (application, grp, decision) VALUES (?, ?, ?)", d.Application, d.Group, string(text))
		if err != nil {
			return err
		}
		if id, err = made.LastInsertId(); err != nil {
			return err
		}
		if err := prune(ctx, tx, "decisions", d.Application, d.Group, id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, saveGroup, args...)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("record decision of group %s: %w", d.Group, err)
	}
	return id, nil
}

// prune drops a group's oldest rows now and then. The table's name is one of ours.
func prune(ctx context.Context, tx *sql.Tx, table, app, group string, newest int64) error {
	if newest%100 != 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM "+table+` WHERE application = ? AND grp = ? AND id <=
		(SELECT id FROM `+table+` WHERE application = ? AND grp = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`, app, group, app, group, kept)
	return err
}

func scanDecision(scan func(...any) error) (scaler.Decision, error) {
	var id int64
	var text string
	if err := scan(&id, &text); err != nil {
		return scaler.Decision{}, err
	}
	var d scaler.Decision
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return scaler.Decision{}, fmt.Errorf("decision %d: %w", id, err)
	}
	d.ID = id
	return d, nil
}

// Decisions implements scaler.Store.
func (s *SQLite) Decisions(ctx context.Context, app, group string, limit int) ([]scaler.Decision, error) {
	return s.DecisionsBefore(ctx, app, group, math.MaxInt64, limit)
}

// DecisionsBefore implements scaler.Store.
func (s *SQLite) DecisionsBefore(ctx context.Context, app, group string, before int64, limit int) ([]scaler.Decision, error) {
	query, args := "SELECT id, decision FROM decisions WHERE id < ? ORDER BY id DESC LIMIT ?", []any{before, limit}
	if app != "" {
		query, args = "SELECT id, decision FROM decisions WHERE application = ? AND (? = '' OR grp = ?) AND id < ? ORDER BY id DESC LIMIT ?", []any{app, group, group, before, limit}
	}
	rows, err := s.reads.QueryContext(ctx, query, args...)
	return collect(rows, err, "decisions", func(r *sql.Rows) (scaler.Decision, error) { return scanDecision(r.Scan) })
}

// Decision implements scaler.Store.
func (s *SQLite) Decision(ctx context.Context, id int64) (scaler.Decision, error) {
	d, err := scanDecision(s.db.QueryRowContext(ctx, "SELECT id, decision FROM decisions WHERE id = ?", id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return d, fmt.Errorf("decision %d: %w", id, scaler.ErrNotFound)
	}
	if err != nil {
		return d, fmt.Errorf("read decision %d: %w", id, err)
	}
	return d, nil
}
