package cmd_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the rows of the clock jump

	"github.com/scalerd/scalerd/scaler"
)

// jump lets the clock of the daemon go by hours, as far as the daemon can tell: what
// it remembers is hours older, or of the future.
func (c *chaos) jump() bool {
	c.killDaemon()
	by := time.Duration(1+c.rnd.IntN(48)) * time.Hour
	if c.rnd.IntN(2) == 0 {
		by = -by
	}
	c.note("the clock jumps by %s", by)
	db, err := sql.Open("sqlite", filepath.Join(c.data, "scalerd.db"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	for _, change := range []string{
		"UPDATE groups SET last_out = last_out - ?1 WHERE last_out > 0", "UPDATE groups SET last_in = last_in - ?1 WHERE last_in > 0",
		"UPDATE nodes SET created_at = created_at - ?1 WHERE created_at > 0", "UPDATE applications SET updated_at = updated_at - ?1",
	} {
		if _, err := db.ExecContext(c.t.Context(), change, int64(by)); err != nil {
			c.t.Fatal(err)
		}
	}
	c.shiftSteps(db, by)
	c.tally.kills++
	return true
}

// shiftSteps makes the open steps of the journal older.
func (c *chaos) shiftSteps(db *sql.DB, by time.Duration) {
	rows, err := db.QueryContext(c.t.Context(), "SELECT id, record FROM steps WHERE open = 1")
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	shifted := map[int64][]byte{}
	for rows.Next() {
		var id int64
		var text []byte
		var step scaler.StepRecord
		err := rows.Scan(&id, &text)
		if err == nil {
			err = json.Unmarshal(text, &step)
		}
		for i := range step.History {
			step.History[i].At = step.History[i].At.Add(-by)
		}
		if err == nil {
			shifted[id], err = json.Marshal(step)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		c.t.Fatal(err)
	}
	for id, text := range shifted {
		if _, err := db.ExecContext(c.t.Context(), "UPDATE steps SET record = ? WHERE id = ?", string(text), id); err != nil {
			c.t.Fatal(err)
		}
	}
}
