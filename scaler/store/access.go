package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/scalerd/scalerd/scaler/access"
)

// accessSchema adds users and tokens. Of their secrets it has hashes only.
const accessSchema = `
CREATE TABLE users (
  name       TEXT PRIMARY KEY,
  role       TEXT NOT NULL,
  hash       TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE tokens (
  id           TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  role         TEXT NOT NULL,
  applications TEXT NOT NULL,
  digest       TEXT NOT NULL UNIQUE,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  used_at      INTEGER NOT NULL
) STRICT;`

var _ access.Store = (*SQLite)(nil)

// Users implements access.Store.
func (s *SQLite) Users(ctx context.Context) ([]access.User, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT name, role, hash, created_at FROM users ORDER BY name")
	return collect(rows, err, "users", func(r *sql.Rows) (access.User, error) {
		var u access.User
		var role string
		var created int64
		if err := r.Scan(&u.Name, &role, &u.Hash, &created); err != nil {
			return u, err
		}
		u.CreatedAt = instant(created)
		return u, u.Role.UnmarshalText([]byte(role))
	})
}

// SaveUser implements access.Store.
func (s *SQLite) SaveUser(ctx context.Context, u access.User) error {
	return s.exec(ctx, "user "+u.Name, "INSERT OR REPLACE INTO users (name, role, hash, created_at) VALUES (?, ?, ?, ?)",
		u.Name, u.Role.String(), u.Hash, nanos(u.CreatedAt))
}

// DeleteUser implements access.Store.
func (s *SQLite) DeleteUser(ctx context.Context, name string) error {
	return s.exec(ctx, "user "+name, "DELETE FROM users WHERE name = ?", name)
}

// Tokens implements access.Store.
func (s *SQLite) Tokens(ctx context.Context) ([]access.Token, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT id, name, role, applications, digest, created_at, expires_at, used_at FROM tokens ORDER BY id")
	return collect(rows, err, "tokens", func(r *sql.Rows) (access.Token, error) {
		var t access.Token
		var role string
		var applications []byte
		var created, expires, used int64
		if err := r.Scan(&t.ID, &t.Name, &role, &applications, &t.Digest, &created, &expires, &used); err != nil {
			return t, err
		}
		t.CreatedAt, t.ExpiresAt, t.UsedAt = instant(created), instant(expires), instant(used)
		if err := t.Role.UnmarshalText([]byte(role)); err != nil {
			return t, err
		}
		return t, json.Unmarshal(applications, &t.Applications)
	})
}

// SaveToken implements access.Store.
func (s *SQLite) SaveToken(ctx context.Context, t access.Token) error {
	applications, err := json.Marshal(t.Applications)
	if err != nil {
		return fmt.Errorf("encode token %s: %w", t.ID, err)
	}
	return s.exec(ctx, "token "+t.ID,
		"INSERT OR REPLACE INTO tokens (id, name, role, applications, digest, created_at, expires_at, used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		t.ID, t.Name, t.Role.String(), string(applications), t.Digest, nanos(t.CreatedAt), nanos(t.ExpiresAt), nanos(t.UsedAt))
}

// DeleteToken implements access.Store.
func (s *SQLite) DeleteToken(ctx context.Context, id string) error {
	return s.exec(ctx, "token "+id, "DELETE FROM tokens WHERE id = ?", id)
}
