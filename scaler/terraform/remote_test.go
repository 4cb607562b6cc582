package terraform_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/terraform"
	"github.com/scalerd/scalerd/tfgen/spec"
)

var (
	serial  = regexp.MustCompile(`"serial": *\d+`)
	lineage = regexp.MustCompile(`"lineage": *"`)
)

func (r root) drift() error {
	_, err := r.runner.Drift(r.t.Context(), scaler.Root{Dir: r.dir})
	return err
}

func TestAStateInABackendIsReadAfterStepsOnly(t *testing.T) {
	server := newBackend(t)
	r := server.root(t, "a b")
	if err := r.step(t.Context(), creates("a", "b")); err != nil {
		t.Fatal(err)
	}
	r.nodes("b c")
	expect := creates("c")
	expect.Delete = []string{address("a")}
	if err := r.step(t.Context(), expect); err != nil {
		t.Fatal(err)
	}
	before := server.readCount()
	for range 100 {
		if got := r.have(); got != "b c" {
			t.Fatalf("resources = %q, want %q", got, "b c")
		}
	}
	if n := server.readCount() - before; n != 0 {
		t.Errorf("100 State() read the backend %d times, want none", n)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "terraform.tfstate")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a state file in the root module: %v", err)
	}
	r.nodes("")
	if err := r.step(t.Context(), scaler.Expect{Delete: []string{address("b"), address("c")}}); err != nil {
		t.Fatal(err)
	}
	if got := r.have(); got != "" {
		t.Errorf("resources = %q at the end, want none", got)
	}
}

func TestALostStateInABackendIsNoticedAndFoundAgain(t *testing.T) {
	for _, tt := range []struct {
		name string
		harm func(string) string
	}{
		{"it is gone", func(string) string { return "" }},
		{"an older serial came back", func(text string) string { return serial.ReplaceAllString(text, `"serial": 0`) }},
		{"it has another lineage", func(text string) string { return lineage.ReplaceAllString(text, `"lineage": "x`) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := newBackend(t)
			r := server.root(t, "a")
			if err := r.step(t.Context(), creates("a")); err != nil {
				t.Fatal(err)
			}
			var kept string
			server.change(func(text string) string { kept = text; return tt.harm(text) })
			if err := r.drift(); !errors.Is(err, scaler.ErrStateLost) {
				t.Errorf("Drift() = %v, want ErrStateLost", err)
			}
			if _, err := r.runner.State(r.dir); !errors.Is(err, scaler.ErrStateLost) {
				t.Errorf("State() = %v, want ErrStateLost", err)
			}
			server.change(func(string) string { return kept })
			if err := r.drift(); err != nil {
				t.Errorf("Drift() after the state is back = %v", err)
			}
			if got := r.have(); got != "a" {
				t.Errorf("resources = %q after the state is back, want %q", got, "a")
			}
		})
	}
}

func TestAStepFromAnOldStateReadsTheNewOneAndChangesNothing(t *testing.T) {
	server := newBackend(t)
	r := server.root(t, "a")
	if err := r.step(t.Context(), creates("a")); err != nil {
		t.Fatal(err)
	}
	// What a kill leaves between terraform's end and our reading.
	old := map[string]string{}
	for _, name := range []string{scaler.RemoteStateFile, "terraform.seen.tfstate"} {
		text, err := os.ReadFile(filepath.Join(r.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		old[name] = string(text)
	}
	r.nodes("a b")
	if err := r.step(t.Context(), creates("b")); err != nil {
		t.Fatal(err)
	}
	for name, text := range old {
		r.write(name, text)
	}
	if got := r.have(); got != "a" {
		t.Fatalf("resources = %q, want what was read before, a", got)
	}
	if err := r.step(t.Context(), creates("b")); !errors.Is(err, scaler.ErrStateMoved) || errors.As(err, new(*scaler.PlanRefusedError)) {
		t.Errorf("Step() = %v, want ErrStateMoved and no refusal", err)
	}
	if got := r.have(); got != "a b" {
		t.Errorf("resources = %q after it, want %q", got, "a b")
	}
	// A plan that goes beyond the decision is refused as ever.
	r.nodes("a b c")
	if err := r.step(t.Context(), scaler.Expect{}); !errors.As(err, new(*scaler.PlanRefusedError)) {
		t.Errorf("Step() = %v, want a refusal", err)
	}
	// A step whose end cannot be read is no success, and the next one finds out.
	if err := r.step(t.Context(), creates("c")); err != nil {
		t.Fatal(err)
	}
	server.set(func(b *backend) { b.broken = true })
	r.nodes("a b")
	if err := r.step(t.Context(), scaler.Expect{Delete: []string{address("c")}}); err == nil {
		t.Error("Step() without its backend = nil, want an error")
	}
	server.set(func(b *backend) { b.broken = false })
	if err := r.step(t.Context(), scaler.Expect{Delete: []string{address("c")}}); err != nil {
		t.Errorf("Step() after the backend is back = %v", err)
	}
}

func TestABackendLogsInWithItsOwnCredentials(t *testing.T) {
	const secret = "backend-SENTINEL"
	server := newBackend(t)
	server.password = secret
	r := server.root(t, "a")
	root := scaler.Root{Dir: r.dir, Cloud: spec.CloudEC2, Backend: &spec.Backend{Type: "http", Credentials: "states"}}
	login := map[spec.Cloud]map[string]string{
		spec.CloudEC2:       {"AWS_ACCESS_KEY_ID": "cloud"},
		scaler.BackendLogin: {"TF_HTTP_USERNAME": "me", "TF_HTTP_PASSWORD": secret},
	}
	r.runner = terraform.NewRunner(binary(t), terraform.Options{Processes: 1, Login: func(cloud spec.Cloud, name string) (scaler.Credentials, error) {
		if cloud == scaler.BackendLogin && name != "states" {
			t.Errorf("Login(%s, %s), want the name states", cloud, name)
		}
		return scaler.Credentials{Env: login[cloud]}, nil
	}})
	if _, err := r.runner.Step(t.Context(), root, creates("a"), watcher{}); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(r.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), secret) {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	login[scaler.BackendLogin] = map[string]string{"AWS_ACCESS_KEY_ID": "backend"}
	_, err = r.runner.Step(t.Context(), root, creates("a"), watcher{})
	if err == nil || !strings.Contains(err.Error(), "both set AWS_ACCESS_KEY_ID") {
		t.Errorf("Step() with two access keys = %v, want an error that names the variable", err)
	}
}
