// Package store keeps applications, decisions and the journal in one SQLite file.
package store

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite", without cgo

	"github.com/scalerd/scalerd/scaler"
)

//go:embed schema.sql
var schema string

// migrations bring a file from each version of the schema, counted from 0, to the
// next. A file of a newer version than the last is refused.
var migrations = []string{
	schema,
	`ALTER TABLE groups ADD COLUMN surge INTEGER NOT NULL DEFAULT 0;
	 ALTER TABLE applications ADD COLUMN params TEXT NOT NULL DEFAULT '{}';`,
	knowledgeSchema,
	stepsSchema,
	`ALTER TABLE groups ADD COLUMN remembered TEXT NOT NULL DEFAULT '{}';` + shadowSchema,
	installationSchema,
	accessSchema,
	observedSchema,
	`ALTER TABLE nodes ADD COLUMN drain TEXT NOT NULL DEFAULT '{}';`,
}

// kept bounds the rows of a group in the tables that only grow.
const kept = 10000

// SQLite implements scaler.Store in one file. It is safe for concurrent use.
type SQLite struct {
	db *sql.DB
	// reads is for what people search, which takes a while: the loop's writes don't wait
	// for it, nor it for them. It sees all that was written before.
	reads *sql.DB
}

var _ scaler.Store = (*SQLite)(nil)

// Open opens the file, and makes it (mode 0600) where it is not there. What a call
// of the store returns nil for has reached the disk.
func Open(ctx context.Context, path string) (*SQLite, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db, err := handle(path, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // one writer is all SQLite has, and a page cache costs memory
	s := &SQLite{db: db}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), db.Close())
	}
	if s.reads, err = handle(path, "query_only(ON)"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.reads.SetMaxOpenConns(readers)
	return s, nil
}

// readers bounds the searches at once, and their page caches.
const readers = 2

// handle opens nothing yet: connections are made when they are used.
func handle(path string, pragmas ...string) (*sql.DB, error) {
	all := url.Values{"_pragma": append(pragmas, "busy_timeout(5000)", "cache_size(-2000)")}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(path)+"?"+all.Encode())
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return db, nil
}

func (s *SQLite) migrate(ctx context.Context) error {
	var version int
	if err := s.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("it was written by a newer scalerd (schema %d, this one knows %d): run that one", version, len(migrations))
	}
	for ; version < len(migrations); version++ {
		err := s.transact(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, migrations[version]); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1))
			return err
		})
		if err != nil {
			return fmt.Errorf("migrate to schema %d: %w", version+1, err)
		}
	}
	return nil
}

// Close closes the file.
func (s *SQLite) Close() error { return errors.Join(s.reads.Close(), s.db.Close()) }

func (s *SQLite) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (s *SQLite) exec(ctx context.Context, what, query string, args ...any) error {
	if _, err := s.db.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("store %s: %w", what, err)
	}
	return nil
}

// Instants are kept as nanoseconds since 1970, and the zero time as 0.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// collect reads all rows.
func collect[T any](rows *sql.Rows, err error, what string, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", what, err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return all, nil
}
