package cmd_test

import (
	"path/filepath"
	"time"

	"github.com/scalerd/scalerd/scaler/store/storetest"
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
	if err := storetest.Shift(c.t.Context(), filepath.Join(c.data, "scalerd.db"), -by); err != nil {
		c.t.Fatal(err)
	}
	c.tally.kills++
	return true
}
