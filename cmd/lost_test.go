package cmd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLostStateStopsEverythingUntilItIsBack(t *testing.T) {
	for _, tt := range []struct {
		name    string
		running bool
	}{
		{"while scalerd runs", true},
		{"while scalerd is stopped", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t)
			d.submit(describe("shop", "web max: 6, initial: 3, shard_size: 2"))
			before := d.settle("shop", "web", 3)
			if !tt.running {
				d.stop()
			}
			state := filepath.Join(d.groupDir("shop", "web"), "shard-000", "terraform.tfstate")
			text, err := os.ReadFile(state)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(state); err != nil {
				t.Fatal(err)
			}
			if !tt.running {
				d.start()
			}
			processes := d.servants()
			d.eventually("the order is taken", func() error {
				_, err := d.client.Scale(t.Context(), "shop", "web", 5)
				return err
			})
			d.eventually("the status tells what to do", func() error {
				status, err := d.status("shop", "web")
				if err == nil && !(strings.Contains(status.Problem, "unknown, so nothing is changed") && strings.Contains(status.Problem, "restore it from")) {
					err = fmt.Errorf("the problem is %q", status.Problem)
				}
				return err
			})
			d.ticks("shop", 3)
			if diff := cmp.Diff(processes, d.servants()); diff != "" {
				t.Errorf("processes while the size is unknown (-before +after):\n%s", diff)
			}
			if !strings.Contains(d.metrics(), `scalerd_group_degraded{application="shop",group="web"} 1`) {
				t.Error("the metric scalerd_group_degraded does not tell of the lost state")
			}

			if err := os.WriteFile(state, text, 0o600); err != nil {
				t.Fatal(err)
			}
			d.untouched(before, d.settle("shop", "web", 5), before.names())
		})
	}
}

// servants are the processes of shop/web, by identifier.
func (d *daemon) servants() map[int]string {
	all := map[int]string{}
	for _, p := range processesOf(d.t, d.groupDir("shop", "web")) {
		if module, name, ok := p.serves(); ok {
			all[p.pid] = filepath.Base(module) + "/" + name
		}
	}
	return all
}
