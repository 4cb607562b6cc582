package terraform_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/terraform"
	"github.com/scalerd/scalerd/tfgen/spec"
)

func TestAnApplyThatOutlivedItsScalerdIsWaitedFor(t *testing.T) {
	t.Parallel()
	r := newRoot(t, "a b")
	r.write("hold", "")
	first := make(chan error, 1)
	go func() { first <- r.step(context.Background(), creates("a", "b")) }()
	pid := terraformIn(t, r.dir, "apply")

	next := terraform.NewRunner(binary(t), terraform.Options{Processes: 2})
	var results []scaler.ResourceResult
	waits := make(chan string, 1)
	recovered, stepped := make(chan error, 1), make(chan error, 1)
	go func() {
		recovered <- next.Recover(context.Background(), scaler.Root{Dir: r.dir}, watcher{results: &results, progress: func(p scaler.Progress) {
			if strings.Contains(p.Message, "waits for") {
				waits <- p.Message
			}
		}})
	}()
	if message := <-waits; !strings.Contains(message, "process") {
		t.Errorf("Recover() tells %q, want the process that it waits for", message)
	}
	go func() {
		_, err := next.Step(context.Background(), scaler.Root{Dir: r.dir}, creates("a", "b"), watcher{})
		stepped <- err
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := next.Recover(ctx, scaler.Root{Dir: r.dir}, watcher{}); !errors.Is(err, scaler.ErrLeftRunning) {
		t.Errorf("Recover() that is given up = %v, want ErrLeftRunning", err)
	}
	if now := terraformIn(t, r.dir, "apply"); now != pid {
		t.Errorf("process %d applies, want %d alone", now, pid)
	}
	if err := os.Remove(filepath.Join(r.dir, "hold")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-first, <-recovered); err != nil {
		t.Errorf("Step() and Recover() = %v", err)
	}
	if err := <-stepped; !errors.Is(err, scaler.ErrStateMoved) {
		t.Errorf("Step() beside the apply = %v, want ErrStateMoved", err)
	}
	var made []string
	for _, res := range results {
		if res.OK && res.Action == "create" {
			made = append(made, res.Address)
		}
	}
	slices.Sort(made)
	if want := []string{address("a"), address("b")}; !slices.Equal(made, want) {
		t.Errorf("Recover() tells of %v, want %v", made, want)
	}
	if got := r.have(); got != "a b" {
		t.Errorf("resources = %q, want %q", got, "a b")
	}
}

func TestWhatAWatcherRefusesIsNotApplied(t *testing.T) {
	no := errors.New("no")
	for name, w := range map[string]watcher{
		"the plan":  {planned: func(scaler.SavedPlan) error { return no }},
		"the apply": {applying: func() error { return no }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoot(t, "a")
			if _, err := r.runner.Step(t.Context(), scaler.Root{Dir: r.dir}, creates("a"), w); !errors.Is(err, no) {
				t.Errorf("Step() = %v, want the watcher's word", err)
			}
			if got := r.have(); got != "" {
				t.Errorf("resources = %q, want none", got)
			}
			if err := r.runner.Recover(t.Context(), scaler.Root{Dir: r.dir}, watcher{}); !errors.Is(err, scaler.ErrInterrupted) {
				t.Errorf("Recover() of what never began = %v, want ErrInterrupted", err)
			}
		})
	}
}

func TestAWatcherSeesThePlanAndTheResults(t *testing.T) {
	t.Parallel()
	r := newRoot(t, "a b")
	r.write("fail", "")
	var results []scaler.ResourceResult
	var plan []byte
	_, err := r.runner.Step(t.Context(), scaler.Root{Dir: r.dir}, creates("a", "b"), watcher{
		results: &results,
		planned: func(p scaler.SavedPlan) (err error) {
			if len(p.Digest) != 64 || len(p.Changes) != 2 {
				t.Errorf("plan = %+v, want a sha256 and two changes", p)
			}
			plan, err = p.JSON(t.Context())
			return err
		},
	})
	if err == nil || !strings.Contains(string(plan), `"resource_changes"`) {
		t.Errorf("Step() = %v with plan %.80s, want a failure and the plan's JSON", err, plan)
	}
	last := map[string]scaler.ResourceResult{}
	for _, res := range results {
		last[res.Address] = res
	}
	for _, node := range []string{"a", "b"} {
		if res := last[address(node)]; res.OK || res.Action != "create" || res.Error != "local-exec provisioner error" {
			t.Errorf("result of node %s = %+v, want a failed creation with terraform's words", node, res)
		}
	}
}

func TestAStateThatCouldNotBeWrittenIsPushed(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	r := b.root(t, "a")
	if err := r.step(t.Context(), creates("a")); err != nil {
		t.Fatal(err)
	}
	r.nodes("a b")
	b.set(func(b *backend) { b.away = true })
	if err := r.step(t.Context(), creates("b")); err == nil {
		t.Fatal("Step() with a backend that is away = nil, want an error")
	}
	errored := filepath.Join(r.dir, "errored.tfstate")
	if _, err := os.Stat(errored); err != nil {
		t.Fatalf("terraform left no errored.tfstate: %v", err)
	}
	if err := r.step(t.Context(), creates("b")); err == nil || !strings.Contains(err.Error(), "errored.tfstate") {
		t.Errorf("Step() while the backend is away = %v, want it to tell of errored.tfstate", err)
	}
	b.set(func(b *backend) { b.away = false })
	if err := r.step(t.Context(), creates("b")); !errors.Is(err, scaler.ErrStateMoved) {
		t.Errorf("Step() after it = %v, want ErrStateMoved", err)
	}
	state, _ := b.have()
	if got := knows(state, "a", "b"); got != "a b" {
		t.Errorf("the state knows %q, want %q", got, "a b")
	}
	if _, err := os.Stat(errored); !errors.Is(err, os.ErrNotExist) {
		t.Error("errored.tfstate is there still")
	}
	if kept, _ := filepath.Glob(errored + ".pushed-*"); len(kept) != 1 {
		t.Errorf("kept of it: %v, want one file", kept)
	}
	if err := r.step(t.Context(), scaler.Expect{}); err != nil {
		t.Errorf("Step() with nothing to do = %v", err)
	}
}

func TestAStateThatDoesNotFitIsNotPushed(t *testing.T) {
	for _, tt := range []struct {
		name, old, new, want string
	}{
		{"of another lineage", `"lineage": "`, `"lineage": "0`, "of lineage 0"},
		{"of an older serial", `"serial": `, `"serial": -`, "left serial -"},
		{"that is cut short", `"lineage"`, "", "is no whole state"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoot(t, "a")
			if err := r.step(t.Context(), creates("a")); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(r.dir, "terraform.tfstate"))
			if err != nil {
				t.Fatal(err)
			}
			r.write("errored.tfstate", strings.Replace(string(text), tt.old, tt.new, 1))
			r.nodes("a b")
			if err := r.step(t.Context(), creates("b")); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "nothing is changed") {
				t.Errorf("Step() = %v, want it to stop with %q", err, tt.want)
			}
			if got := r.have(); got != "a" {
				t.Errorf("resources = %q, want %q", got, "a")
			}
			if err := os.Remove(filepath.Join(r.dir, "errored.tfstate")); err != nil {
				t.Fatal(err)
			}
			if err := r.step(t.Context(), creates("b")); err != nil {
				t.Errorf("Step() after the user moved it away = %v", err)
			}
		})
	}
}

// TestATornErroredStateIsAsAKilledTerraform: the disk was full for the state and for
// errored.tfstate. Where the cloud finds what was made, nobody has to help.
func TestATornErroredStateIsAsAKilledTerraform(t *testing.T) {
	for _, left := range []string{"", `{"version": 4, "serial": 3, "lin`} {
		r := newRoot(t, "a")
		if err := r.step(t.Context(), creates("a")); err != nil {
			t.Fatal(err)
		}
		r.write("errored.tfstate", left)
		r.nodes("a b")
		found := scaler.Root{Dir: r.dir, Cloud: spec.CloudLocal}
		if _, err := r.runner.Step(t.Context(), found, creates("b"), watcher{}); !errors.Is(err, scaler.ErrStateMoved) {
			t.Errorf("Step() beside %q = %v, want %v: what exists has to be looked at anew", left, err, scaler.ErrStateMoved)
		}
		if _, err := r.runner.Step(t.Context(), found, creates("b"), watcher{}); err != nil || r.have() != "a b" {
			t.Errorf("Step() after it = %v with %s, want it to go on", err, r.have())
		}
		if kept, err := os.ReadFile(filepath.Join(r.dir, "errored.tfstate.torn")); err != nil || string(kept) != left {
			t.Errorf("errored.tfstate.torn = %q, %v, want what was left", kept, err)
		}
	}
}
