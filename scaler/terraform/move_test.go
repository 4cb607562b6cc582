package terraform_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// files is a keeper whose states are files in the root modules.
type files struct{ dir string }

func (f *files) root(t *testing.T, nodes string) root {
	r := newRoot(t, nodes)
	f.dir = r.dir
	return r
}

func (f *files) lock(string) {}

func (f *files) have() (state, lock string) {
	text, _ := os.ReadFile(filepath.Join(f.dir, scaler.StateFile))
	return string(text), ""
}

// moveTo has the root module's next step move its state to another keeper, as an
// actuator does.
func (r root) moveTo(to keeper) {
	r.t.Helper()
	read := func(dir, name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			r.t.Fatal(err)
		}
		return string(text)
	}
	move := scaler.Move{Block: read(r.dir, tfgen.BackendFile)}
	known := read(r.dir, scaler.StateFile)
	if move.Block != "" {
		move.From, known = &spec.Backend{Type: "old"}, read(r.dir, scaler.RemoteStateFile)
	}
	if read(r.dir, scaler.MoveFile) == "" { // else it was not moved yet
		text, err := json.Marshal(move)
		if err != nil {
			r.t.Fatal(err)
		}
		r.write(scaler.MoveFile, string(text))
	}
	block := read(to.root(r.t, "").dir, tfgen.BackendFile) // of files that is none
	if f, is := to.(*files); is {
		f.dir = r.dir
		r.write(scaler.StateFile, known)
		if err := os.Remove(filepath.Join(r.dir, tfgen.BackendFile)); err != nil {
			r.t.Fatal(err)
		}
		return
	}
	r.write(scaler.RemoteStateFile, known)
	r.write(tfgen.BackendFile, block)
}

func TestAStateMovesToAnotherBackend(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from, to func(*testing.T) keeper
	}{
		{"from files to http", func(*testing.T) keeper { return &files{} }, keepers["http"]},
		{"from http to s3", keepers["http"], keepers["s3"]},
		{"from s3 to files", keepers["s3"], func(*testing.T) keeper { return &files{} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from, to := tt.from(t), tt.to(t)
			r := from.root(t, "a")
			if err := r.step(t.Context(), creates("a")); err != nil {
				t.Fatal(err)
			}
			left, _ := from.have()
			before, err := r.runner.State(r.dir)
			if err != nil {
				t.Fatal(err)
			}
			r.moveTo(to)
			if got := r.have(); got != "a" {
				t.Errorf("before it has moved the state has %q, want a", got)
			}
			r.nodes("a b")
			if err := r.step(t.Context(), creates("b")); err != nil {
				t.Fatal(err)
			}
			state, lock := to.have()
			if got := knows(state, "a", "b"); got != "a b" || lock != "" {
				t.Errorf("where it is now the state has %q and lock %q, want a b and none", got, lock)
			}
			after, err := r.runner.State(r.dir)
			if err != nil || after.IDs[address("a")] != before.IDs[address("a")] {
				t.Errorf("State() = %+v, %v after %+v, want the same nodes", after, err, before)
			}
			if _, is := from.(*files); !is {
				if now, _ := from.have(); now != left {
					t.Error("where it was the state was changed")
				}
			}
			if err := r.drift(); err != nil {
				t.Errorf("Drift() = %v", err)
			}
			if _, err := os.Stat(filepath.Join(r.dir, scaler.MoveFile)); err == nil {
				t.Error("the move is not over")
			}
		})
	}
}

func TestAMoveThatCannotBeMadeChangesNothing(t *testing.T) {
	t.Parallel()
	server, bucket := newBackend(t), newBucket(t)
	theirs := bucket.root(t, "a")
	if err := theirs.step(t.Context(), creates("a")); err != nil {
		t.Fatal(err)
	}
	taken, _ := bucket.have()
	r := server.root(t, "a")
	if err := r.step(t.Context(), creates("a")); err != nil {
		t.Fatal(err)
	}
	r.moveTo(bucket)
	if err := r.step(t.Context(), scaler.Expect{}); err == nil || !strings.Contains(err.Error(), "its new backend already has a state with 1 resources") {
		t.Errorf("Step() to a place that is taken = %v, want a refusal", err)
	}
	if now, _ := bucket.have(); now != taken {
		t.Error("the state of somebody else was changed")
	}
}

func TestAMoveTakesWhatIsThereAndNothingOlder(t *testing.T) {
	t.Parallel()
	server, bucket := newBackend(t), newBucket(t)
	r := server.root(t, "a")
	if err := r.step(t.Context(), creates("a")); err != nil {
		t.Fatal(err)
	}
	r.moveTo(bucket)
	var kept string
	server.change(func(text string) string { kept = text; return "" })
	if err := r.step(t.Context(), scaler.Expect{}); !errors.Is(err, scaler.ErrStateLost) {
		t.Errorf("Step() of a state that is lost = %v, want ErrStateLost", err)
	}
	// As after a kill between terraform's end and our reading.
	server.change(func(string) string { return serial.ReplaceAllString(kept, `"serial": 7`) })
	if err := r.step(t.Context(), scaler.Expect{}); !errors.Is(err, scaler.ErrStateMoved) {
		t.Errorf("Step() of a newer state = %v, want ErrStateMoved", err)
	}
	if err := r.step(t.Context(), scaler.Expect{}); err != nil {
		t.Errorf("Step() after it = %v", err)
	}
	if state, _ := bucket.have(); knows(state, "a") != "a" || r.have() != "a" {
		t.Errorf("the state has %q where it is now", knows(state, "a"))
	}
}
