package cmd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/scalerd/scalerd/scaler"
)

// applying are the terraform processes of shop/web that apply.
func (d *daemon) applying() []int {
	var pids []int
	for _, p := range processesOf(d.t, d.groupDir("shop", "web")) {
		if p.terraform("apply") {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// holdApply orders a size and waits until terraform applies it and is held.
func (d *daemon) holdApply(dir string, nodes, making int) (terraform int) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "hold"), nil, 0o600); err != nil {
		d.t.Fatal(err)
	}
	before := len(lines(d.t, dir, "made"))
	d.scale("shop", "web", nodes)
	d.eventually("terraform makes the nodes", func() error {
		pids, made := d.applying(), lines(d.t, dir, "made")
		if len(pids) != 1 || len(made) != before+making {
			return fmt.Errorf("the processes %v apply, made are %v", pids, made)
		}
		terraform = pids[0]
		return nil
	})
	return terraform
}

func letGo(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "hold")); err != nil {
		t.Fatal(err)
	}
}

func TestATerraformOutlivesItsKilledDaemon(t *testing.T) {
	for _, tt := range []struct {
		name string
		// then is what happens between the kill and the end of the held apply.
		then func(t *testing.T, d *daemon, dir string, terraform int)
	}{
		{"and ends while no daemon runs", func(t *testing.T, d *daemon, dir string, terraform int) {
			letGo(t, dir)
			d.eventually("terraform ends", func() error {
				if pids := d.applying(); len(pids) > 0 {
					return fmt.Errorf("%v apply", pids)
				}
				return nil
			})
			d.start()
		}},
		{"and is waited for by the next one", func(t *testing.T, d *daemon, dir string, terraform int) {
			d.start()
			d.eventually("the status tells of it", func() error {
				status, err := d.status("shop", "web")
				if err != nil {
					return err
				}
				if len(status.Steps) != 1 || !strings.Contains(status.Steps[0].Progress.Message, fmt.Sprintf("process %d", terraform)) {
					return fmt.Errorf("steps are %+v", status.Steps)
				}
				return nil
			})
			d.ticks("shop", 2)
			if pids := d.applying(); !slices.Equal(pids, []int{terraform}) {
				t.Errorf("the processes %v apply, want %d alone", pids, terraform)
			}
			letGo(t, dir)
		}},
		{"and is waited for by the next but one", func(t *testing.T, d *daemon, dir string, terraform int) {
			d.start()
			if code := d.stop(); code != 0 {
				t.Errorf("scalerd ended with %d while it waited for terraform, want 0", code)
			}
			d.start()
			letGo(t, dir)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir() // it outlives the daemon, which needs the module to the end
			d := startDaemon(t)
			d.submit(heldMachines(t, dir))
			d.wait("shop", "web", 1)
			terraform := d.holdApply(dir, 3, 2)
			if group, err := syscall.Getpgid(terraform); err != nil || group != terraform {
				t.Errorf("terraform %d is in process group %d, error %v, want its own", terraform, group, err)
			}
			d.kill()
			if pids := d.applying(); !slices.Equal(pids, []int{terraform}) {
				t.Fatalf("after the kill the processes %v apply, want %d", pids, terraform)
			}
			tt.then(t, d, dir, terraform)
			d.wait("shop", "web", 3)
			everMade(t, dir, 3)
			steps, err := d.client.Journal(t.Context(), "shop", "web", 1)
			if err != nil {
				t.Fatal(err)
			}
			made := 0
			for _, r := range steps[0].Resources {
				if r.OK && r.Action == "create" {
					made++
				}
			}
			if s := steps[0]; s.Phase != scaler.PhaseDone || made != 2 || s.Plan == nil || s.Plan.Create != 2 || s.State == nil || s.Decision == 0 {
				t.Errorf("the journal has %+v, want the step done with two creations, its plan, state and decision", s)
			}
			if text, _, code := d.ctl("journal", "shop", "web", "--resources"); code != 0 || !strings.Contains(text, "+web-0002 +web-0003") || !strings.Contains(text, "2 of 2 resources changed") {
				t.Errorf("scalerctl journal = %d\n%s", code, text)
			}
		})
	}
}

func TestATerraformThatIsKilledWithItsDaemonIsTakenOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDaemon(t)
	d.submit(heldMachines(t, dir))
	d.wait("shop", "web", 1)
	terraform := d.holdApply(dir, 3, 2)
	d.kill()
	kill(t, terraform)
	letGo(t, dir)
	d.start()
	d.wait("shop", "web", 3)
	steps, err := d.client.Journal(t.Context(), "shop", "web", 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) < 2 || steps[0].Phase != scaler.PhaseDone || steps[1].Phase != scaler.PhaseFailed || !strings.Contains(steps[1].Error, "interrupted") {
		t.Errorf("the journal has %+v, want the interrupted step and the one that went on", steps)
	}
}
