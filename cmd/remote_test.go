package cmd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestStatesInPostgreSQL takes a fleet whose states are in a real PostgreSQL through
// its life: scaled, killed while terraform applies, locked out, without a chosen
// node, and destroyed.
func TestStatesInPostgreSQL(t *testing.T) {
	t.Parallel()
	pg := startPostgres(t)
	d := newDaemon(t)
	d.env = []string{"PG_CONN_STR=" + pg.connection()}
	d.start()
	t.Cleanup(func() { d.noSecrets() })
	description := describe("shop", "web max: 9, initial: 3, shard_size: 2, local: {balancer: '127.0.0.1:0', boot_time: 0s}") + "backend: {type: pg}\n"
	d.submit(description)
	first := d.settle("shop", "web", 3)
	schemas, err := pg.query("SELECT table_schema FROM information_schema.tables WHERE table_name = 'states' ORDER BY 1")
	want := []string{"shop_web_base", "shop_web_shard-000", "shop_web_shard-001"}
	if err != nil || !slices.Equal(schemas, want) {
		t.Errorf("schemas with states are %v, %v, want %v", schemas, err, want)
	}
	if files, _ := filepath.Glob(filepath.Join(d.groupDir("shop", "web"), "*", "terraform.tfstate")); len(files) > 0 {
		t.Errorf("there are state files: %v", files)
	}

	d.scale("shop", "web", 6)
	d.await(terraformRuns("apply"), glimpse{})
	d.kill()
	d.start()
	second := d.settle("shop", "web", 6)
	d.untouched(first, second, first.names())

	names := second.names()
	d.must("drop", "shop", names[2])
	third := d.settle("shop", "web", 5)
	d.untouched(second, third, slices.Delete(slices.Clone(names), 2, 3))

	release := pg.lockState("shop_web_" + third["web-0004"].shard)
	if _, err := d.client.Drop(t.Context(), "shop", "web-0004", false); err != nil {
		t.Fatal(err)
	}
	d.eventually("the step waits for the lock", func() error {
		status, err := d.status("shop", "web")
		if err == nil && !strings.Contains(status.Problem, "the state is locked by") {
			err = fmt.Errorf("the problem is %q", status.Problem)
		}
		return err
	})
	if all, err := d.fleet("shop", "web"); err == nil && len(all) != 5 {
		t.Errorf("a locked state has lost a node: %v", all.names())
	}
	release()
	d.settle("shop", "web", 4)

	d.must("destroy", "shop", "--yes")
	rows, err := pg.query(fmt.Sprintf("SELECT count(*) FROM %q.states WHERE data LIKE '%%terraform_data%%'", "shop_web_shard-000"))
	if err != nil || !slices.Equal(rows, []string{"0"}) {
		t.Errorf("states with resources after the end: %v, %v, want 0", rows, err)
	}
}

// TestALostStateInPostgreSQLStopsEverythingUntilItIsBack removes a state behind
// scalerd's back.
func TestALostStateInPostgreSQLStopsEverythingUntilItIsBack(t *testing.T) {
	t.Parallel()
	pg := startPostgres(t)
	d := newDaemon(t, "--drift-interval", "1s")
	d.env = []string{"PG_CONN_STR=" + pg.connection()}
	d.start()
	d.submit(describe("shop", "web max: 6, initial: 2") + "backend: {type: pg}\n")
	before := d.settle("shop", "web", 2)
	run := func(sql string) {
		t.Helper()
		if _, err := pg.query(sql); err != nil {
			t.Fatal(err)
		}
	}
	run(`CREATE TABLE kept AS SELECT * FROM "shop_web_shard-000".states; DELETE FROM "shop_web_shard-000".states`)
	d.eventually("the status tells of the lost state", func() error {
		status, err := d.status("shop", "web")
		if err == nil && !strings.Contains(status.Problem, "unknown, so nothing is changed") {
			err = fmt.Errorf("the problem is %q", status.Problem)
		}
		return err
	})
	d.scale("shop", "web", 3)
	d.ticks("shop", 3)
	if n := len(d.servants()); n != 2 {
		t.Errorf("%d processes while the size is unknown, want 2", n)
	}
	run(`INSERT INTO "shop_web_shard-000".states SELECT * FROM kept`)
	d.untouched(before, d.settle("shop", "web", 3), before.names())
	if _, err := os.Stat(filepath.Join(d.groupDir("shop", "web"), "shard-000", "backend.tf")); err != nil {
		t.Error(err)
	}
}

// TestAKilledTerraformLeavesNoLockInPostgreSQL kills the terraform that holds a state's
// lock, alone and with its scalerd. The lock is its connection's, and goes with it.
func TestAKilledTerraformLeavesNoLockInPostgreSQL(t *testing.T) {
	for _, tt := range []struct {
		name string
		both bool
	}{
		{"alone", false},
		{"with its scalerd", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, pg := t.TempDir(), startPostgres(t)
			d := newDaemon(t)
			d.env = []string{"PG_CONN_STR=" + pg.connection()}
			d.start()
			d.submit(heldMachines(t, dir) + "backend: {type: pg}\n")
			d.wait("shop", "web", 1)
			terraform := d.holdApply(dir, 3, 2)
			locks := func() int {
				rows, err := pg.query("SELECT pid FROM pg_locks WHERE locktype = 'advisory'")
				if err != nil {
					t.Fatal(err)
				}
				return len(rows)
			}
			if n := locks(); n != 1 {
				t.Errorf("there are %d locks while terraform applies, want 1", n)
			}
			if tt.both {
				d.kill()
			}
			kill(t, terraform)
			letGo(t, dir)
			if tt.both {
				d.eventually("the lock is gone", func() error {
					if n := locks(); n != 0 {
						return fmt.Errorf("there are %d", n)
					}
					return nil
				})
				d.start()
			}
			d.wait("shop", "web", 3)
		})
	}
}
