package cmd_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestTwoDaemonsDoNotShareAState gives the same application to two daemons whose
// states are in one PostgreSQL, at the same time: one gets it, the other one names it
// and makes nothing, until the first one's application is gone.
func TestTwoDaemonsDoNotShareAState(t *testing.T) {
	t.Parallel()
	pg := startPostgres(t)
	description := describe("shop", "web max: 6, initial: 2, shard_size: 2") + "backend: {type: pg}\n"
	var both []*daemon
	for range 2 {
		d := newDaemon(t)
		d.env = []string{"PG_CONN_STR=" + pg.connection()}
		d.start()
		both = append(both, d)
	}
	for _, d := range both {
		d.submit(description)
	}
	var first, second *daemon
	both[0].eventually("one of the two names the other", func() error {
		for i, d := range both {
			status, err := d.status("shop", "web")
			if err != nil {
				return err
			}
			if strings.Contains(status.Problem, "belongs to an application of the same name of another scalerd") {
				first, second = both[1-i], d
				return nil
			}
		}
		return fmt.Errorf("neither tells of a problem")
	})
	before := first.settle("shop", "web", 2)
	first.scale("shop", "web", 4)
	after := first.settle("shop", "web", 4)
	first.untouched(before, after, before.names())
	second.ticks("shop", 3)
	if n := len(second.servants()); n > 0 {
		t.Errorf("the second one has made %d nodes, want none", n)
	}
	first.must("destroy", "shop", "--yes")
	second.settle("shop", "web", 2)
}
