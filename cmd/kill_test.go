package cmd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/terraform"
)

// instant is when to kill. It looks at a daemon that was just given an order
// about the group shop/web, whose processes and states were seen before.
type instant func(d *daemon, before glimpse) bool

// glimpse is what can be seen of a group's change from outside.
type glimpse struct {
	processes int
	states    string
	known     int
}

func (d *daemon) glimpse() glimpse {
	var g glimpse
	for _, p := range processesOf(d.t, d.groupDir("shop", "web")) {
		if _, _, ok := p.serves(); ok {
			g.processes++
		}
	}
	for _, dir := range d.modules("shop", "web") {
		text, _ := os.ReadFile(filepath.Join(dir, "terraform.tfstate"))
		g.states += string(text)
		if state, err := terraform.ReadState(dir); err == nil {
			g.known += len(state.Resources)
		}
	}
	return g
}

func terraformRuns(subcommand string) instant {
	return func(d *daemon, _ glimpse) bool {
		return slices.ContainsFunc(processesOf(d.t, d.groupDir("shop", "web")), func(p process) bool { return p.terraform(subcommand) })
	}
}

// await waits for an instant as closely as it can, and at most until the order is
// carried out.
func (d *daemon) await(at instant, before glimpse) {
	d.t.Helper()
	ticker, deadline := time.NewTicker(time.Millisecond), time.After(patience)
	defer ticker.Stop()
	for !at(d, before) {
		select {
		case <-ticker.C:
		case <-deadline:
			d.t.Fatal("the instant to kill never came")
		}
		if status, err := d.status("shop", "web"); err == nil && status.Settled {
			d.t.Log("the instant was missed: killed after the end")
			return
		}
	}
}

func TestKilledDaemonLosesAndDoublesNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		at   instant
	}{
		{"right after the order", func(*daemon, glimpse) bool { return true }},
		{"when terraform plans", terraformRuns("plan")},
		{"when terraform applies", terraformRuns("apply")},
		{"when a process has started or ended", func(d *daemon, before glimpse) bool { return d.glimpse().processes != before.processes }},
		{"when a state has changed", func(d *daemon, before glimpse) bool { return d.glimpse().states != before.states }},
		{"when the state knows another node", func(d *daemon, before glimpse) bool { return d.glimpse().known != before.known }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t)
			before := d.glimpse()
			d.submit(describe("shop", "web max: 9, initial: 5, shard_size: 3"))
			d.killAndRestart(tt.at, before)
			first := d.settle("shop", "web", 5)

			before = d.glimpse()
			d.scale("shop", "web", 8)
			d.killAndRestart(tt.at, before)
			second := d.settle("shop", "web", 8)
			d.untouched(first, second, first.names())

			before = d.glimpse()
			d.scale("shop", "web", 2)
			d.killAndRestart(tt.at, before)
			d.untouched(second, d.settle("shop", "web", 2), nil)
		})
	}
}

func (d *daemon) killAndRestart(at instant, before glimpse) {
	d.t.Helper()
	d.await(at, before)
	d.kill()
	d.start()
}

// untouched checks that the nodes that are in both fleets are the same processes,
// and that the named ones are.
func (d *daemon) untouched(before, after fleet, must []string) {
	d.t.Helper()
	for name, n := range before {
		if now, ok := after[name]; ok && now != n {
			d.t.Errorf("%s was %+v and is %+v", name, n, now)
		}
	}
	for _, name := range must {
		if _, ok := after[name]; !ok {
			d.t.Errorf("%s is gone; there are %v", name, after.names())
		}
	}
}

func TestKilledDaemonRemembersWhatWasDecided(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	d.submit(describe("shop", "web max: 9", "api max: 9"))
	d.settle("shop", "web", 1)
	d.scale("shop", "web", 4)
	d.settle("shop", "web", 4)
	d.scale("shop", "web", 2)
	kept := d.settle("shop", "web", 2)
	if want := []string{"web-0001", "web-0002"}; !slices.Equal(kept.names(), want) {
		t.Errorf("after the scale-in there are %v, want the oldest, %v", kept.names(), want)
	}
	if _, err := d.client.Pause(t.Context(), "shop", "web", true); err != nil {
		t.Fatal(err)
	}
	decisions := d.decisions("shop", "web")

	d.kill()
	d.start()
	if diff := cmp.Diff(decisions, d.decisions("shop", "web")); diff != "" {
		t.Errorf("decisions after the restart (-before +after):\n%s", diff)
	}
	for group, want := range map[string]bool{"web": true, "api": false} {
		d.eventually("group "+group+" is as it was", func() error {
			status, err := d.status("shop", group)
			if err == nil && status.Paused != want {
				err = permanent(fmt.Errorf("paused is %t, want %t", status.Paused, want))
			}
			return err
		})
	}
	d.untouched(kept, d.settle("shop", "web", 2), kept.names())
	d.scale("shop", "web", 3)
	if got, want := d.settle("shop", "web", 3).names(), []string{"web-0001", "web-0002", "web-0005"}; !slices.Equal(got, want) {
		t.Errorf("after the restart and a scale-out there are %v, want %v", got, want)
	}
	if after := d.decisions("shop", "web"); after[0].ID <= decisions[0].ID {
		t.Errorf("the decision after the restart has the number %d, want more than %d", after[0].ID, decisions[0].ID)
	}
}

// decisions are the recorded ones of a group that changed its size, newest first.
func (d *daemon) decisions(app, group string) []scaler.Decision {
	d.t.Helper()
	all, err := d.client.Decisions(context.Background(), app, group, 100)
	if err != nil {
		d.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(d scaler.Decision) bool { return d.From == d.To && len(d.Drop) == 0 })
}

func TestKilledTerraformLosesAndDoublesNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		// then is the size that is ordered as soon as terraform is dead; 8 was
		// ordered before.
		then int
	}{
		{"in a scale-out", 8},
		{"in a scale-out that is taken back", 2},
		{"in a scale-out that is enlarged", 9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t)
			d.submit(describe("shop", "web max: 9, initial: 2, shard_size: 9"))
			first := d.settle("shop", "web", 2)
			before := d.glimpse()
			d.scale("shop", "web", 8)
			d.await(func(d *daemon, before glimpse) bool {
				return terraformRuns("apply")(d, before) && d.glimpse().processes > before.processes
			}, before)
			killed := d.killTerraform("apply")
			if killed == 0 {
				t.Log("terraform had ended before it was killed")
			} else {
				d.eventually("the daemon tells of the end", func() error {
					status, err := d.status("shop", "web")
					if err == nil && status.Problem == "" {
						err = fmt.Errorf("status is %+v", status)
					}
					if err == nil && !strings.Contains(status.Problem, "killed") {
						err = fmt.Errorf("problem is %q", status.Problem)
					}
					return err
				})
			}
			d.scale("shop", "web", tt.then)
			d.untouched(first, d.settle("shop", "web", tt.then), first.names())
		})
	}
}
