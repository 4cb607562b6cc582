package scaler_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// clockJumps are how far a clock jumps between two scalerds.
var clockJumps = [...]time.Duration{
	-48 * time.Hour, -5 * time.Hour, -time.Hour, -time.Minute, -mortalGrace,
	mortalGrace, time.Minute, time.Hour, 5 * time.Hour, 48 * time.Hour,
}

// restartAt stops the service, lets the clock jump, and starts the next one. The
// clock of a bubble can't jump: all instants that are stored jump the other way, which
// is the same to who reads them.
func (m *mortalWorld) restartAt(jump time.Duration) {
	m.cancel()
	select {
	case <-m.ended[len(m.ended)-1]:
		m.ended = m.ended[:len(m.ended)-1]
	case <-m.fuse.blown:
		m.crashes++
	}
	if err := shiftStored(filepath.Join(m.dir, "scalerd.db"), -jump); err != nil {
		m.t.Fatal(err)
	}
	m.start(0, false)
}

// storedInstants are the columns with instants: numbers of nanoseconds and JSON.
var storedInstants = []struct{ table, numbers, texts string }{
	{"applications", "updated_at", ""},
	{"groups", "last_out last_in", "remembered"},
	{"nodes", "created_at ready_at", ""},
	{"steps", "", "record"},
	{"decisions", "", "decision"},
}

// shiftStored moves every stored instant of a loop by a duration.
func shiftStored(path string, by time.Duration) error {
	ctx := context.Background()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, each := range storedInstants {
		for _, column := range strings.Fields(each.numbers) {
			if _, err := db.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET %s = %s + ? WHERE %[2]s > 0", each.table, column, column), int64(by)); err != nil {
				return err
			}
		}
		for _, column := range strings.Fields(each.texts) {
			if err := shiftTexts(ctx, db, each.table, column, by); err != nil {
				return err
			}
		}
	}
	return nil
}

var jsonInstant = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]+"`)

func shiftTexts(ctx context.Context, db *sql.DB, table, column string, by time.Duration) error {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT rowid, %s FROM %s", column, table))
	if err != nil {
		return err
	}
	defer rows.Close()
	shifted := map[int64]string{}
	for rows.Next() {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		shifted[id] = jsonInstant.ReplaceAllStringFunc(text, func(found string) string {
			at, err := time.Parse(`"`+time.RFC3339Nano+`"`, found)
			if err != nil || at.IsZero() {
				return found
			}
			return at.Add(by).Format(`"` + time.RFC3339Nano + `"`)
		})
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for id, text := range shifted {
		if _, err := db.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET %s = ? WHERE rowid = ?", table, column), text, id); err != nil {
			return err
		}
	}
	return nil
}
