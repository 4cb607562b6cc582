package terraform_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/terraform"
)

// module is a root module with one resource for each node; its creation waits for
// as long as the file "slow" says, then while the file "hold" is there, and fails
// where the file "fail" is there.
const module = `
variable "nodes" {
  type = map(object({ size = number }))
}

resource "terraform_data" "node" {
  for_each         = var.nodes
  input            = each.key
  triggers_replace = [each.value.size]

  provisioner "local-exec" {
    command = "test ! -e fail && sleep $(cat slow 2>/dev/null || echo 0) && while test -e hold; do sleep 0.05; done"
  }
}

output "nodes" {
  value = { for name, node in terraform_data.node : name => { id = node.id, private_ip = "10.0.0.1", public_ip = "" } }
}
`

type root struct {
	t      *testing.T
	dir    string
	runner *terraform.Runner
}

func newRoot(t *testing.T, nodes string) root {
	t.Helper()
	r := root{t: t, dir: t.TempDir(), runner: terraform.NewRunner(binary(t), terraform.Options{Processes: 2})}
	r.write("main.tf", module)
	r.nodes(nodes)
	return r
}

// binary is the terraform that the tests run. With ENGINE=tofu in the environment it
// is OpenTofu: $TOFU, or what `make tofu` has built.
func binary(t *testing.T) string {
	t.Helper()
	if os.Getenv("ENGINE") == terraform.EngineTofu {
		return tofu(t)
	}
	path, err := terraform.Find(t.Context(), "", filepath.Join(os.TempDir(), "scalerd-test-bin"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (r root) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// nodes writes the node set, "a b" for nodes a and b of size 1, "a:2" for size 2.
func (r root) nodes(list string) {
	r.t.Helper()
	var parts []string
	for _, node := range strings.Fields(list) {
		name, size, found := strings.Cut(node, ":")
		if !found {
			size = "1"
		}
		parts = append(parts, fmt.Sprintf("%q: {\"size\": %s}", name, size))
	}
	r.write("nodes.auto.tfvars.json", `{"nodes": {`+strings.Join(parts, ", ")+`}}`)
}

func (r root) step(ctx context.Context, expect scaler.Expect) error {
	_, err := r.runner.Step(ctx, scaler.Root{Dir: r.dir}, expect, watcher{})
	return err
}

// watcher is a scaler.Watcher that tells of progress and says no where it has an
// error.
type watcher struct {
	progress func(scaler.Progress)
	planned  func(scaler.SavedPlan) error
	applying func() error
	results  *[]scaler.ResourceResult
}

func (w watcher) Progress(p scaler.Progress) {
	if w.progress != nil {
		w.progress(p)
	}
}

func (w watcher) Planned(_ context.Context, plan scaler.SavedPlan) error {
	if w.planned != nil {
		return w.planned(plan)
	}
	return nil
}

func (w watcher) Applying(context.Context) error {
	if w.applying != nil {
		return w.applying()
	}
	return nil
}

func (w watcher) Results(results []scaler.ResourceResult) {
	if w.results != nil {
		*w.results = append(*w.results, results...)
	}
}

// have lists the resources of the state, with ! after a tainted one.
func (r root) have() string {
	r.t.Helper()
	state, err := r.runner.State(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	var names []string
	for _, node := range []string{"a", "b", "c"} {
		if tainted, ok := state.Resources[address(node)]; ok && tainted {
			names = append(names, node+"!")
		} else if ok {
			names = append(names, node)
		}
	}
	return strings.Join(names, " ")
}

func address(node string) string { return fmt.Sprintf("terraform_data.node[%q]", node) }

func creates(nodes ...string) scaler.Expect {
	var e scaler.Expect
	for _, n := range nodes {
		e.Create = append(e.Create, address(n))
	}
	return e
}

func TestStepCreatesAndDeletesExactlyWhatWasDecided(t *testing.T) {
	r := newRoot(t, "a b")
	if err := r.step(t.Context(), creates("a", "b")); err != nil {
		t.Fatal(err)
	}
	state, err := r.runner.State(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	if state.Nodes["a"].PrivateIP != "10.0.0.1" || state.Nodes["a"].ID == "" {
		t.Errorf("State().Nodes[a] = %+v, want its id and address", state.Nodes["a"])
	}
	kept := state.Nodes["b"].ID

	r.nodes("b c")
	expect := creates("c")
	expect.Delete = []string{address("a")}
	if err := r.step(t.Context(), expect); err != nil {
		t.Fatal(err)
	}
	if got := r.have(); got != "b c" {
		t.Errorf("resources = %q, want %q", got, "b c")
	}
	if state, _ = r.runner.State(r.dir); state.Nodes["b"].ID != kept {
		t.Errorf("node b has id %s after its neighbour was dropped, want %s", state.Nodes["b"].ID, kept)
	}
	if left, _ := filepath.Glob(filepath.Join(r.dir, "*.tfplan")); len(left) > 0 {
		t.Errorf("plan files left behind: %v", left)
	}
}

func TestStepRefusesAPlanThatWasNotDecided(t *testing.T) {
	tests := []struct {
		name   string
		nodes  string
		expect scaler.Expect
		want   string
	}{
		{"a creation too many", "a b c", creates("b"), `it would create terraform_data.node["c"], which was not decided`},
		{"a creation too few", "a b", creates("b", "c"), `it would not create terraform_data.node["c"], which was decided`},
		{"a deletion of another node", "", scaler.Expect{}, `it would delete terraform_data.node["a"], which was not decided`},
		{"a replacement", "a:2", scaler.Expect{}, `it would replace terraform_data.node["a"], which was not decided`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoot(t, "a")
			if err := r.step(t.Context(), creates("a")); err != nil {
				t.Fatal(err)
			}
			r.nodes(tt.nodes)
			err := r.step(t.Context(), tt.expect)
			var refused *scaler.PlanRefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Step() = %v, want a refusal with %q", err, tt.want)
			}
			if got := r.have(); got != "a" {
				t.Errorf("resources = %q after a refusal, want %q", got, "a")
			}
		})
	}
}

func TestStepPassesOnTerraformsDiagnosticsWithTheAddress(t *testing.T) {
	r := newRoot(t, "a b")
	r.write("fail", "")
	err := r.step(t.Context(), creates("a", "b"))
	var said scaler.Diagnostics
	if !errors.As(err, &said) {
		t.Fatalf("Step() = %v, want terraform's diagnostics", err)
	}
	if said[0].Summary != "local-exec provisioner error" || !strings.HasPrefix(said[0].Address, "terraform_data.node[") || said[0].File != "main.tf" {
		t.Errorf("first diagnostic = %+v, want the provisioner's with address and file", said[0])
	}
	if got := r.have(); got != "a! b!" {
		t.Errorf("resources = %q, want both there and tainted", got)
	}

	r.write("main.tf", "resource {")
	err = r.step(t.Context(), scaler.Expect{})
	if err == nil || !strings.Contains(err.Error(), "main.tf") {
		t.Errorf("Step() of a broken module = %v, want an error that names main.tf", err)
	}
}

func TestACancelledStepEndsGracefullyAndCanBeFinished(t *testing.T) {
	r := newRoot(t, "a")
	r.write("slow", "5")
	ctx, cancel := context.WithCancel(t.Context())
	var began atomic.Bool
	_, err := r.runner.Step(ctx, scaler.Root{Dir: r.dir}, creates("a"), watcher{progress: func(p scaler.Progress) {
		if p.Phase == "apply" && p.Address != "" && !began.Swap(true) {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, scaler.ErrInterrupted) {
		t.Errorf("Step() = %v, want ErrInterrupted and context.Canceled", err)
	}
	if _, err := os.Stat(filepath.Join(r.dir, ".terraform.tfstate.lock.info")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state lock is still there after a cancelled step: %v", err)
	}
	state, err := r.runner.State(r.dir)
	if err != nil {
		t.Fatalf("State() after a cancelled step: %v", err)
	}
	if _, there := state.Resources[address("a")]; !there {
		t.Log("the interrupted creation was not recorded: it is created again")
	}
}

func TestStateThatWasLostOrReplacedIsNoticed(t *testing.T) {
	state := func(r root) string { return filepath.Join(r.dir, "terraform.tfstate") }
	tests := []struct {
		name string
		harm func(r root) error
	}{
		{"the file was removed", func(r root) error { return os.Remove(state(r)) }},
		{"it is something else", func(r root) error { return os.WriteFile(state(r), []byte("[]"), 0o600) }},
		{"an older serial came back", func(r root) error {
			text, err := os.ReadFile(state(r))
			if err != nil {
				return err
			}
			older := strings.Replace(string(text), `"serial": `, `"serial": -`, 1)
			return os.WriteFile(state(r), []byte(older), 0o600)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoot(t, "a")
			if err := r.step(t.Context(), creates("a")); err != nil {
				t.Fatal(err)
			}
			if err := tt.harm(r); err != nil {
				t.Fatal(err)
			}
			if _, err := r.runner.State(r.dir); !errors.Is(err, scaler.ErrStateLost) {
				t.Errorf("State() = %v, want ErrStateLost", err)
			}
		})
	}
}

func TestAStateThatWasCutShortIsTheOneBefore(t *testing.T) {
	for _, size := range []int64{0, 1, 40, 300} {
		t.Run(fmt.Sprintf("to %d bytes", size), func(t *testing.T) {
			t.Parallel()
			r := newRoot(t, "a")
			if err := r.step(t.Context(), creates("a")); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(filepath.Join(r.dir, "terraform.tfstate"), size); err != nil {
				t.Fatal(err)
			}
			if got := r.have(); got != "a" {
				t.Errorf("resources = %q, want %q from the copy", got, "a")
			}
			r.nodes("a b")
			if err := r.step(t.Context(), creates("b")); err != nil {
				t.Errorf("Step() after it = %v", err)
			}
			if got := r.have(); got != "a b" {
				t.Errorf("resources = %q, want %q", got, "a b")
			}
		})
	}
	r := newRoot(t, "a")
	r.write("terraform.tfstate", "")
	if got := r.have(); got != "" {
		t.Errorf("resources = %q of a state that was never written, want none", got)
	}
	if err := r.step(t.Context(), creates("a")); err != nil {
		t.Errorf("the first Step() after it was interrupted = %v", err)
	}
}

// TestADriftCheckLeavesAStateAloneThatIsBeingWritten: a check runs beside the steps,
// and terraform empties its state before it writes it.
func TestADriftCheckLeavesAStateAloneThatIsBeingWritten(t *testing.T) {
	for _, size := range []int64{0, 40} {
		t.Run(fmt.Sprintf("at %d bytes", size), func(t *testing.T) {
			t.Parallel()
			r := newRoot(t, "a")
			if err := r.step(t.Context(), creates("a")); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(r.dir, "terraform.tfstate")
			if err := os.Truncate(path, size); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.drift(); err == nil || !strings.Contains(err.Error(), "is being written") {
				t.Errorf("Drift() = %v, want that the state is being written", err)
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(before), string(after)); diff != "" {
				t.Errorf("the check changed the state (-before +after):\n%s", diff)
			}
			if err := r.step(t.Context(), scaler.Expect{}); err != nil {
				t.Errorf("Step() after it = %v", err)
			}
			if err := r.drift(); err != nil {
				t.Errorf("Drift() after a step = %v", err)
			}
		})
	}
}

func TestPlanAndDriftChangeNothing(t *testing.T) {
	r := newRoot(t, "a")
	changes, err := r.runner.Plan(t.Context(), scaler.Root{Dir: r.dir})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]scaler.Change{{Address: address("a"), Action: scaler.ActionCreate}}, changes); diff != "" {
		t.Errorf("Plan() (-want +got):\n%s", diff)
	}
	if err := r.step(t.Context(), creates("a")); err != nil {
		t.Fatal(err)
	}
	drift, err := r.runner.Drift(t.Context(), scaler.Root{Dir: r.dir})
	if err != nil || len(drift) != 0 {
		t.Errorf("Drift() = %v, %v, want none", drift, err)
	}
	if got := r.have(); got != "a" {
		t.Errorf("resources = %q, want %q", got, "a")
	}
}

func TestDestroyPlansTheEndOfEverything(t *testing.T) {
	r := newRoot(t, "a b")
	if err := r.step(t.Context(), creates("a", "b")); err != nil {
		t.Fatal(err)
	}
	if err := r.step(t.Context(), scaler.Expect{Delete: []string{address("a"), address("b")}, Destroy: true}); err != nil {
		t.Fatal(err)
	}
	if got := r.have(); got != "" {
		t.Errorf("resources = %q, want none", got)
	}
}

func TestTerraformProcessesAreBounded(t *testing.T) {
	runner := terraform.NewRunner(binary(t), terraform.Options{Processes: 1})
	first, second := newRoot(t, "a"), newRoot(t, "b")
	first.write("hold", "")
	started := make(chan struct{})
	done := make(chan error, 1)
	var once atomic.Bool
	go func() {
		_, err := runner.Step(t.Context(), scaler.Root{Dir: first.dir}, creates("a"), watcher{progress: func(p scaler.Progress) {
			if p.Phase == "apply" && !once.Swap(true) {
				close(started)
			}
		}})
		done <- err
	}()
	select {
	case <-started:
	case err := <-done:
		t.Fatalf("Step() = %v before it applied anything", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := runner.Step(ctx, scaler.Root{Dir: second.dir}, creates("b"), watcher{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second Step() beyond the limit = %v, want it to wait", err)
	}
	if err := os.Remove(filepath.Join(first.dir, "hold")); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestFindSaysInOneSentenceHowToGetATerraform(t *testing.T) {
	old := filepath.Join(t.TempDir(), "terraform")
	script := "#!/bin/sh\necho '{\"terraform_version\": \"1.2.3\"}'\n"
	if err := os.WriteFile(old, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := terraform.Find(t.Context(), old, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "is too old: install 1.5.0 or newer") {
		t.Errorf("Find() of an old terraform = %v, want it to name both versions", err)
	}
	_, err = terraform.Find(t.Context(), "/nowhere/terraform", t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "--terraform") {
		t.Errorf("Find() of a missing binary = %v, want it to name the flag", err)
	}
	// Nothing on PATH, and a fetch that fails at once.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	t.Setenv("PATH", t.TempDir())
	_, err = terraform.Find(ctx, "", t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "put it on PATH") {
		t.Errorf("Find() without any terraform = %v, want it to say how to get one", err)
	}
}
