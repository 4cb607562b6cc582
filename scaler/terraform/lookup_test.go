package terraform_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

func TestFoundReadsTheOutputAndLeavesNoState(t *testing.T) {
	r := newRoot(t, "")
	r.write("main.tf", `
variable "nodes" {
  type = any
}

output "found" {
  value = [{ type = "aws_instance", id = "i-1", application = "shop", group = "web", node = "web-0001", decision = "7", installation = "x" }]
}
`)
	found, err := r.runner.Found(t.Context(), scaler.Root{Dir: r.dir})
	want := []tfgen.Found{{Type: "aws_instance", ID: "i-1", Application: "shop", Group: "web", Node: "web-0001", Decision: "7", Installation: "x"}}
	if diff := cmp.Diff(want, found); err != nil || diff != "" {
		t.Errorf("Found() = %v (-want +got):\n%s", err, diff)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "terraform.tfstate")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a state is left: %v", err)
	}
}

// TestStepTakesOverWhatExists imports beside a creation, and refuses an import that
// was not decided, and one that would replace.
func TestStepTakesOverWhatExists(t *testing.T) {
	r := newRoot(t, "a b")
	adopt := func(ids map[string]string) {
		t.Helper()
		text, err := tfgen.Adopt(ids)
		if err != nil {
			t.Fatal(err)
		}
		r.write(tfgen.AdoptFile, string(text))
	}
	r.write("main.tf", strings.Replace(module, "  triggers_replace = [each.value.size]\n", "", 1))
	adopt(map[string]string{address("a"): "id-a"})
	if err := r.step(t.Context(), creates("a", "b")); !errors.As(err, new(*scaler.PlanRefusedError)) {
		t.Errorf("Step() = %v for an import that was not decided, want a refusal", err)
	}
	expect := creates("b")
	expect.Import = []string{address("a")}
	if err := r.step(t.Context(), expect); err != nil {
		t.Fatal(err)
	}
	state, err := r.runner.State(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := state.IDs[address("a")]; got != "id-a" {
		t.Errorf("a has the identifier %q, want id-a", got)
	}
	if got := r.have(); got != "a b" {
		t.Errorf("resources = %q, want %q", got, "a b")
	}

	r.write("main.tf", module)
	r.nodes("a b c")
	adopt(map[string]string{address("c"): "id-c"})
	expect = scaler.Expect{Import: []string{address("c")}, Update: []string{address("a"), address("b")}}
	if err := r.step(t.Context(), expect); !errors.As(err, new(*scaler.PlanRefusedError)) {
		t.Errorf("Step() = %v for an import that replaces, want a refusal", err)
	}
}
