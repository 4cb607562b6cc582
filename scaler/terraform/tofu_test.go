package terraform_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/terraform"
)

// tofu is an OpenTofu binary: $TOFU, or what `make tofu` has built.
func tofu(t *testing.T) string {
	t.Helper()
	path := os.Getenv("TOFU")
	if path == "" {
		path = filepath.Join("..", "..", "bin", "tofu")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("OpenTofu is not there: run make tofu, or set TOFU: %v", err)
	}
	return path
}

// TestOpenTofuDoesTheSteps takes a root module through its life with OpenTofu, its
// state in a backend. `make test-tofu` runs all tests of the package with it.
func TestOpenTofuDoesTheSteps(t *testing.T) {
	t.Setenv("TF_CLI_CONFIG_FILE", filepath.Join(t.TempDir(), "missing")) // OpenTofu warns of it on stdout
	path, err := terraform.FindEngine(t.Context(), terraform.EngineTofu, tofu(t), "")
	if err != nil {
		t.Fatal(err)
	}
	r := newBackend(t).root(t, "a b")
	r.runner = terraform.NewRunner(path, terraform.Options{Processes: 2})
	if err := r.step(t.Context(), creates("a", "b")); err != nil {
		t.Fatal(err)
	}
	r.nodes("b c")
	if err := r.step(t.Context(), creates("c")); err == nil || !strings.Contains(err.Error(), `it would delete terraform_data.node["a"]`) {
		t.Errorf("Step() = %v, want a refusal of the deletion", err)
	}
	if err := r.drift(); err != nil {
		t.Errorf("Drift() = %v", err)
	}
	if err := r.step(t.Context(), scaler.Expect{Create: []string{address("c")}, Delete: []string{address("a")}}); err != nil {
		t.Fatal(err)
	}
	if got := r.have(); got != "b c" {
		t.Errorf("resources = %q, want %q", got, "b c")
	}
}

func TestFindEngineSaysWhatIsWrong(t *testing.T) {
	old := filepath.Join(t.TempDir(), "tofu")
	if err := os.WriteFile(old, []byte("#!/bin/sh\necho '{\"terraform_version\": \"1.5.7\"}'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ engine, given, want string }{
		{terraform.EngineTofu, old, "is too old: install 1.6.0 or newer"},
		{terraform.EngineTofu, "/nowhere/tofu", "name it with --terraform"},
		{"pulumi", "", "use terraform or tofu"},
	} {
		if _, err := terraform.FindEngine(t.Context(), tt.engine, tt.given, t.TempDir()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("FindEngine(%s, %s) = %v, want an error with %q", tt.engine, tt.given, err, tt.want)
		}
	}
}
