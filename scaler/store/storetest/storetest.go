// Package storetest lets the clock of a stored loop jump, for tests of what a scalerd
// does that is started after its machine's clock was set.
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver of the file
)

// storedInstants are the columns with instants: numbers of nanoseconds and JSON.
var storedInstants = []struct{ table, numbers, texts string }{
	{"applications", "updated_at", ""},
	{"groups", "last_out last_in", "remembered"},
	{"nodes", "created_at ready_at", "drain"},
	{"steps", "", "record"},
	{"decisions", "", "decision"},
}

// Shift moves every instant that the loop has stored in the SQLite file by a duration:
// who reads them afterwards sees a clock that jumped the other way. No other process may
// write to the file meanwhile.
func Shift(ctx context.Context, path string, by time.Duration) error {
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
