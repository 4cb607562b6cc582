package cmd_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/local"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/scaler/store"
	"github.com/scalerd/scalerd/scaler/terraform"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// heldMachines is a module of the user's whose creations and deletions leave a line
// each in the files made and gone of the folder. A creation waits while there is a
// file hold.
func heldMachines(t *testing.T, dir string) (description string) {
	t.Helper()
	text := fmt.Sprintf(`
variable "nodes" { type = map(object({ user_data = string })) }
resource "terraform_data" "node" {
  for_each = var.nodes
  input    = %[1]q
  provisioner "local-exec" {
    command = "echo ${each.key} >> ${self.input}/made; while test -e ${self.input}/hold; do sleep 0.05; done"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "echo ${each.key} >> ${self.input}/gone"
  }
}
output "nodes" {
  value = { for name, node in terraform_data.node : name => { id = node.id, private_ip = "127.0.0.1", public_ip = null } }
}
`, dir)
	module := filepath.Join(dir, "machine")
	if err := os.MkdirAll(module, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(module, "main.tf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("name: shop\ninterval: 1s\ngroups:\n  - {name: web, cloud: module, max: 9, shard_size: 9, module: {source: %s}}\n", module)
}

// lines are the node names in one of the files of heldMachines.
func lines(t testing.TB, dir, file string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	names := strings.Fields(string(text))
	slices.Sort(names)
	return names
}

// everMade checks that each node was made once, and that as many are left of them.
func everMade(t *testing.T, dir string, left int) {
	t.Helper()
	made, gone := lines(t, dir, "made"), lines(t, dir, "gone")
	if once := slices.Compact(slices.Clone(made)); len(once) != len(made) {
		t.Errorf("made %v: one was made twice", made)
	}
	if once := slices.Compact(slices.Clone(gone)); len(once) != len(gone) {
		t.Errorf("destroyed %v: one was destroyed twice", gone)
	}
	if len(made)-len(gone) != left {
		t.Errorf("made %v and destroyed %v, want %d left", made, gone, left)
	}
}

// crashing kills its process at a write of the journal.
type crashing struct {
	scaler.Store
	// at is which write, counted from 1; 0 for none. before is set to die before it
	// and not after.
	at     int64
	before bool
	writes atomic.Int64
}

func (c *crashing) write(do func() error) error {
	n := c.writes.Add(1)
	die := func() {
		if n == c.at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	if c.before {
		die()
	}
	err := do()
	die()
	return err
}

func (c *crashing) BeginStep(ctx context.Context, s scaler.StepRecord) (id int64, err error) {
	err = c.write(func() error {
		id, err = c.Store.BeginStep(ctx, s)
		return err
	})
	return id, err
}

func (c *crashing) SaveStep(ctx context.Context, s scaler.StepRecord) error {
	return c.write(func() error { return c.Store.SaveStep(ctx, s) })
}

func (c *crashing) AddResults(ctx context.Context, step int64, results []scaler.ResourceResult) error {
	return c.write(func() error { return c.Store.AddResults(ctx, step, results) })
}

// quiet is a scaler.Monitor that measures nothing.
type quiet struct{}

func (quiet) Query(context.Context, string, time.Time) policy.Reading {
	return policy.Reading{Missing: policy.NoSeries}
}

func (quiet) Watch([]scaler.Target) error { return nil }

func (quiet) Close() error { return nil }

// crashEnv tells the test's binary to be a daemon that carries out one order:
// "DATA DESCRIPTION NODES WRITE before|after".
const crashEnv = "SCALERD_TEST_CRASH"

// crashDaemon carries out the order in crashEnv and ends, unless it is killed first.
func crashDaemon(order string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	fields := strings.Fields(order)
	data, file := fields[0], fields[1]
	nodes, err := strconv.Atoi(fields[2])
	if err != nil {
		return err
	}
	at, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, filepath.Join(data, "scalerd.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	binary, err := terraform.Find(ctx, "", filepath.Join(data, "bin"))
	if err != nil {
		return err
	}
	service := scaler.NewService(scaler.Config{
		Data:       data,
		Store:      &crashing{Store: db, at: at, before: fields[4] == "before"},
		Terraform:  terraform.NewRunner(binary, terraform.Options{Processes: 2}),
		Monitor:    func(*spec.Application, string) (scaler.Monitor, error) { return quiet{}, nil },
		Inspector:  local.Inspector{},
		CheckQuery: func(string) error { return nil },
		Metrics:    scaler.NewMetrics(prometheus.NewRegistry()),
		Log:        slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	if err := carryOut(ctx, service, file, nodes); err != nil {
		return err
	}
	cancel()
	return <-ended
}

// carryOut submits the description where that was not done, and brings the group to
// a size.
func carryOut(ctx context.Context, service *scaler.Service, file string, nodes int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := service.Application(ctx, "shop"); errors.Is(err, scaler.ErrNotFound) {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if _, err := service.Submit(ctx, scaler.Source{File: file, Text: text}); err != nil {
			return err
		}
	}
	return poll(ctx, func() error {
		status, err := service.Application(ctx, "shop")
		if err != nil {
			return err
		}
		g := status.Groups[0]
		if g.Wanted != nodes {
			if _, err := service.Scale(ctx, "shop", "web", nodes); err != nil {
				return err
			}
		}
		if g.Wanted != nodes || !g.Settled || g.Problem != "" {
			return fmt.Errorf("wanted %d, settled %t, problem %q", g.Wanted, g.Settled, g.Problem)
		}
		return nil
	})
}

// TestKilledAtEveryWriteOfTheJournal kills the control loop right before and right
// after each write of the journal of a scale-out and of a scale-in, starts it again,
// and checks that what was ordered is there, once.
func TestKilledAtEveryWriteOfTheJournal(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "shop.yaml")
			if err := os.WriteFile(file, []byte(heldMachines(t, dir)), 0o600); err != nil {
				t.Fatal(err)
			}
			order := func(nodes, write int) (killed bool) {
				t.Helper()
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d %d %s", crashEnv, dir, file, nodes, write, when))
				out, err := cmd.CombinedOutput()
				status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
				if killed = status.Signaled() && status.Signal() == syscall.SIGKILL; err != nil && !killed {
					t.Fatalf("%d nodes, killed %s write %d: %v\n%s", nodes, when, write, err, out)
				}
				return killed
			}
			order(1, 0)
			points := 0
			for write, killed := 1, true; killed; write++ {
				killed = false
				for _, nodes := range []int{3, 1} {
					if order(nodes, write) {
						killed, points = true, points+1
					}
					order(nodes, 0)
					everMade(t, dir, nodes)
					noneOpen(t, dir)
				}
			}
			if points < 10 {
				t.Errorf("killed at %d writes, want at least 10: the test tests nothing", points)
			}
			t.Logf("killed %s each of %d writes", when, points)
		})
	}
}

// noneOpen checks that no step is left without an end.
func noneOpen(t *testing.T, data string) {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(data, "scalerd.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	open, err := db.OpenSteps(t.Context(), "shop", "web")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range open {
		t.Errorf("step %d is left in phase %s", step.ID, step.Phase)
	}
}
