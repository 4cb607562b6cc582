package terraform_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/terraform"
	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// states is a backend of the type http: a state and a lock for each path.
type states struct {
	mu    sync.Mutex
	text  map[string]string
	locks map[string]string
	// reads counts how often a state was asked for.
	reads int
	// broken makes every answer an error.
	broken bool
	// password, where it is set, must come with each request.
	password string
}

func newStates(t *testing.T) (*states, string) {
	s := &states{text: map[string]string{}, locks: map[string]string{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

func (s *states) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil || s.broken {
		http.Error(w, "broken", http.StatusInternalServerError)
		return
	}
	if _, password, _ := r.BasicAuth(); password != s.password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	path := r.URL.Path
	switch r.Method {
	case http.MethodGet:
		s.reads++
		if s.text[path] == "" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, s.text[path]) // terraform notices
	case http.MethodPost:
		s.text[path] = string(body)
	case "LOCK":
		if held := s.locks[path]; held != "" {
			w.WriteHeader(http.StatusLocked)
			_, _ = io.WriteString(w, held)
			return
		}
		s.locks[path] = string(body)
	case "UNLOCK":
		delete(s.locks, path)
	}
}

// change replaces the state.
func (s *states) change(path string, how func(string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text[path] = how(s.text[path])
}

func (s *states) breakDown(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = broken
}

func (s *states) readCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

var serial = regexp.MustCompile(`"serial": \d+`)

const statePath = "/shop/web/shard-000"

// keep puts the root module's state into the backend.
func (r root) keep(url string) {
	r.write(tfgen.BackendFile, fmt.Sprintf("terraform {\n  backend \"http\" {\n    address = %q\n    lock_address = %[1]q\n    unlock_address = %[1]q\n  }\n}\n", url+statePath))
}

func (r root) drift() error {
	_, err := r.runner.Drift(r.t.Context(), scaler.Root{Dir: r.dir})
	return err
}

func TestAStateInABackendIsReadAfterStepsOnly(t *testing.T) {
	backend, url := newStates(t)
	r := newRoot(t, "a b")
	r.keep(url)
	if err := r.step(t.Context(), creates("a", "b")); err != nil {
		t.Fatal(err)
	}
	r.nodes("b c")
	expect := creates("c")
	expect.Delete = []string{address("a")}
	if err := r.step(t.Context(), expect); err != nil {
		t.Fatal(err)
	}
	before := backend.readCount()
	for range 100 {
		if got := r.have(); got != "b c" {
			t.Fatalf("resources = %q, want %q", got, "b c")
		}
	}
	if n := backend.readCount() - before; n != 0 {
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
		{"it has another lineage", func(text string) string { return strings.Replace(text, `"lineage": "`, `"lineage": "x`, 1) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			backend, url := newStates(t)
			r := newRoot(t, "a")
			r.keep(url)
			if err := r.step(t.Context(), creates("a")); err != nil {
				t.Fatal(err)
			}
			var kept string
			backend.change(statePath, func(text string) string { kept = text; return tt.harm(text) })
			if err := r.drift(); !errors.Is(err, scaler.ErrStateLost) {
				t.Errorf("Drift() = %v, want ErrStateLost", err)
			}
			if _, err := r.runner.State(r.dir); !errors.Is(err, scaler.ErrStateLost) {
				t.Errorf("State() = %v, want ErrStateLost", err)
			}
			backend.change(statePath, func(string) string { return kept })
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
	backend, url := newStates(t)
	r := newRoot(t, "a")
	r.keep(url)
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
	backend.breakDown(true)
	r.nodes("a b")
	if err := r.step(t.Context(), scaler.Expect{Delete: []string{address("c")}}); err == nil {
		t.Error("Step() without its backend = nil, want an error")
	}
	backend.breakDown(false)
	if err := r.step(t.Context(), scaler.Expect{Delete: []string{address("c")}}); err != nil {
		t.Errorf("Step() after the backend is back = %v", err)
	}
}

func TestAStateOfSomebodyElseIsNotTouched(t *testing.T) {
	_, url := newStates(t)
	theirs := newRoot(t, "a")
	theirs.keep(url)
	if err := theirs.step(t.Context(), creates("a")); err != nil {
		t.Fatal(err)
	}
	ours := newRoot(t, "")
	ours.keep(url)
	err := ours.step(t.Context(), scaler.Expect{Delete: []string{address("a")}})
	if err == nil || !strings.Contains(err.Error(), "already has a state with 1 resources") {
		t.Errorf("Step() on a state of somebody else = %v, want a refusal that says so", err)
	}
	if got := ours.have(); got != "" {
		t.Errorf("resources = %q, want none of somebody else", got)
	}
	if err := theirs.drift(); err != nil {
		t.Errorf("Drift() of whose it is = %v", err)
	}
}

func TestABackendLogsInWithItsOwnCredentials(t *testing.T) {
	const secret = "backend-SENTINEL"
	backend, url := newStates(t)
	backend.password = secret
	r := newRoot(t, "a")
	r.keep(url)
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
