package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

const installationSchema = `CREATE TABLE installation (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id  TEXT NOT NULL
) STRICT;`

// Installation implements scaler.Store: twelve hexadecimal digits.
func (s *SQLite) Installation(ctx context.Context) (string, error) {
	fresh := make([]byte, 6)
	rand.Read(fresh)
	if err := s.exec(ctx, "installation", "INSERT INTO installation (one, id) VALUES (1, ?) ON CONFLICT DO NOTHING", hex.EncodeToString(fresh)); err != nil {
		return "", err
	}
	var id string
	if err := s.db.QueryRowContext(ctx, "SELECT id FROM installation").Scan(&id); err != nil {
		return "", fmt.Errorf("read installation: %w", err)
	}
	return id, nil
}
