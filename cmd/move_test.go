package cmd_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestStatesMoveBetweenBackends moves the states of a running fleet from files to
// PostgreSQL, to another place in it, to files, and back: no node is touched, also where scalerd
// is killed meanwhile.
func TestStatesMoveBetweenBackends(t *testing.T) {
	t.Parallel()
	pg := startPostgres(t)
	d := newDaemon(t)
	d.env = []string{"PG_CONN_STR=" + pg.connection()}
	d.start()
	description := describe("shop", "web max: 9, initial: 3, shard_size: 2, local: {balancer: '127.0.0.1:0', boot_time: 0s}")
	d.submit(description)
	before := d.settle("shop", "web", 3)
	files := func() int {
		found, err := filepath.Glob(filepath.Join(d.groupDir("shop", "web"), "*", "terraform.tfstate"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	for i, to := range []struct {
		backend string
		killed  bool
		files   bool
	}{
		{"backend: {type: pg}\n", false, false},
		{"backend: {type: pg, config: {schema_name: moved}}\n", true, false},
		{"", true, true},
		{"backend: {type: pg, config: {schema_name: again}}\n", true, false},
		{"backend: {type: pg}\n", false, false}, // where old states were left
	} {
		d.submit(description + to.backend)
		if to.killed {
			d.kill()
			d.start()
		}
		if text := d.must("drift", "shop", "--now"); strings.Contains(text, "foreign") || strings.Contains(text, "could not") {
			t.Errorf("after the move to %q:\n%s", to.backend, text)
		}
		d.scale("shop", "web", 4+i)
		after := d.settle("shop", "web", 4+i)
		d.untouched(before, after, before.names())
		before = after
		if n := files(); (n > 0) != to.files {
			t.Errorf("after the move to %q there are %d state files", to.backend, n)
		}
	}
	d.must("destroy", "shop", "--yes")
	rows, err := pg.query(`SELECT count(*) FROM "shop_web_shard-000".states WHERE data LIKE '%terraform_data%'`)
	if err != nil || fmt.Sprint(rows) != "[0]" {
		t.Errorf("states with resources after the end: %v, %v, want 0", rows, err)
	}
}
