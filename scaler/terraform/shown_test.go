package terraform_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/terraform"
)

// later is a terraform of a time to come: it writes its states in format 5. It counts
// how often it was asked to show one.
func later(t *testing.T) (path, shows string) {
	t.Helper()
	dir := t.TempDir()
	path, shows = filepath.Join(dir, "terraform"), filepath.Join(dir, "shows")
	script := fmt.Sprintf(`#!/bin/sh
[ "$1" = show ] && echo show >> '%s'
to() {
  for file in terraform.tfstate errored.tfstate; do
    [ -s $file ] && sed -i 's/^  "version": ./  "version": '$1'/' $file
  done
}
to 4
'%s' "$@"
code=$?
to 5
exit $code
`, shows, binary(t))
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path, shows
}

// TestAStateOfAnotherFormatIsShownByTerraform holds what terraform shows of a state
// against what is read of the same one here.
func TestAStateOfAnotherFormatIsShownByTerraform(t *testing.T) {
	t.Parallel()
	engine, shows := later(t)
	asked := func() int {
		text, _ := os.ReadFile(shows)
		return strings.Count(string(text), "show")
	}
	r := newRoot(t, "a b")
	r.runner = terraform.NewRunner(engine, terraform.Options{Processes: 2})
	r.write("more.tf", `
output "shared" { value = { network = "n-1", ports = [80, 443] } }
output "installation" { value = "i-1" }
module "m" {
  source = "./m"
  count  = 2
}
`)
	if err := os.Mkdir(filepath.Join(r.dir, "m"), 0o700); err != nil {
		t.Fatal(err)
	}
	r.write("m/main.tf", `
resource "terraform_data" "part" { count = 2 }
`)
	expect := creates("a", "b")
	for i := range 4 {
		expect.Create = append(expect.Create, fmt.Sprintf("module.m[%d].terraform_data.part[%d]", i/2, i%2))
	}
	if err := r.step(t.Context(), expect); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(r.dir, "terraform.tfstate")
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), `"version": 5`) {
		t.Fatalf("the state is %q, %v: the test tests nothing", text, err)
	}
	got, err := r.runner.State(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := r.runner.State(r.dir); err != nil {
			t.Fatal(err)
		}
	}
	if n := asked(); n != 1 {
		t.Errorf("terraform was asked %d times after a step, want once", n)
	}
	native := t.TempDir()
	if err := os.WriteFile(filepath.Join(native, "terraform.tfstate"), []byte(strings.Replace(string(text), `"version": 5`, `"version": 4`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	want, err := terraform.ReadState(native)
	if err != nil {
		t.Fatal(err)
	}
	compact := func(s scaler.State) scaler.State {
		s.Shared = []byte(strings.Join(strings.Fields(string(s.Shared)), ""))
		return s
	}
	if diff := cmp.Diff(compact(want), compact(got)); diff != "" || len(got.Resources) != 6 {
		t.Errorf("State() of what terraform shows (-read here +shown):\n%s", diff)
	}

	// A state that was cut short is the one before, and one that changed without a step is
	// not known before terraform was asked again.
	if err := os.Truncate(path, 40); err != nil {
		t.Fatal(err)
	}
	if s, err := r.runner.State(r.dir); err != nil || len(s.Resources) != 6 {
		t.Errorf("State() of one that was cut short = %d resources, %v, want the 6 of before", len(s.Resources), err)
	}
	changed := strings.Replace(string(text), fmt.Sprintf(`"serial": %d`, got.Serial), fmt.Sprintf(`"serial": %d`, got.Serial+1), 1)
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := r.runner.State(r.dir); !errors.Is(err, scaler.ErrStateUnread) || len(s.Resources) != 0 {
		t.Errorf("State() of one that terraform was not asked about = %d resources, %v, want ErrStateUnread", len(s.Resources), err)
	}
	if err := r.drift(); err != nil {
		t.Fatal(err)
	}
	if s, err := r.runner.State(r.dir); err != nil || len(s.Resources) != 6 || s.Serial != got.Serial+1 {
		t.Errorf("State() after a drift check = %d resources at serial %d, %v, want 6 at %d", len(s.Resources), s.Serial, err, got.Serial+1)
	}
	older := strings.Replace(string(text), fmt.Sprintf(`"serial": %d`, got.Serial), `"serial": 1`, 1)
	if err := os.WriteFile(path, []byte(older), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.drift(); !errors.Is(err, scaler.ErrStateLost) {
		t.Errorf("Drift() of an older state = %v, want ErrStateLost", err)
	}
}

// TestAnErroredStateOfAnotherFormatIsPushed needs its lineage and serial only.
func TestAnErroredStateOfAnotherFormatIsPushed(t *testing.T) {
	t.Parallel()
	engine, _ := later(t)
	r := newRoot(t, "a")
	r.runner = terraform.NewRunner(engine, terraform.Options{Processes: 2})
	if err := r.step(t.Context(), creates("a")); err != nil {
		t.Fatal(err)
	}
	before, err := r.runner.State(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(r.dir, "terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	next := strings.Replace(string(text), fmt.Sprintf(`"serial": %d`, before.Serial), fmt.Sprintf(`"serial": %d`, before.Serial+5), 1)
	r.write("errored.tfstate", next)
	if err := r.step(t.Context(), scaler.Expect{}); !errors.Is(err, scaler.ErrStateMoved) {
		t.Fatalf("Step() = %v, want ErrStateMoved", err)
	}
	after, err := r.runner.State(r.dir)
	if err != nil || after.Serial <= before.Serial || len(after.Resources) != 1 {
		t.Errorf("State() = serial %d with %d resources, %v, want one above %d with one", after.Serial, len(after.Resources), err, before.Serial)
	}
}

// TestAStateThatOpenTofuEncryptedIsShown has OpenTofu encrypt its states.
func TestAStateThatOpenTofuEncryptedIsShown(t *testing.T) {
	path := tofu(t)
	t.Setenv("TF_ENCRYPTION", `
key_provider "pbkdf2" "key" { passphrase = "correct horse battery staple" }
method "aes_gcm" "sealed" { keys = key_provider.pbkdf2.key }
state {
  method   = method.aes_gcm.sealed
  enforced = true
}
`)
	r := newRoot(t, "a b")
	r.runner = terraform.NewRunner(path, terraform.Options{Processes: 2})
	if err := r.step(t.Context(), creates("a", "b")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(r.dir, "terraform.tfstate"))
	if err != nil || !strings.Contains(string(text), "encrypted_data") {
		t.Fatalf("the state is %q, %v, want an encrypted one", text, err)
	}
	if got := r.have(); got != "a b" {
		t.Errorf("resources = %q, want %q", got, "a b")
	}
	r.nodes("b")
	if err := r.step(t.Context(), scaler.Expect{Delete: []string{address("a")}}); err != nil {
		t.Fatal(err)
	}
	if got := r.have(); got != "b" {
		t.Errorf("resources = %q, want %q", got, "b")
	}
}
