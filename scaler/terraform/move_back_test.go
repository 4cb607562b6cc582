package terraform_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// TestAStateMovesBackToWhereItWas moves to another backend, changes the fleet there, and
// moves back to where an old state of it was left.
func TestAStateMovesBackToWhereItWas(t *testing.T) {
	for _, tt := range []struct {
		name, installation string
		// nodes are those that were there when it was left.
		nodes   string
		between func(r root, first *backend)
		want    string
	}{
		{"which was left", "", "a", func(root, *backend) {}, ""},
		{"which was left with outputs alone", "", "", func(root, *backend) {}, ""},
		{"which says that it is ours", "ours", "a", func(r root, _ *backend) {
			if err := os.Remove(filepath.Join(r.dir, "backend.left")); err != nil {
				r.t.Error(err)
			}
		}, ""},
		{"which somebody has written since", "", "a", func(_ root, first *backend) {
			first.change(func(text string) string { return serial.ReplaceAllString(text, `"serial": 7`) })
		}, "already has a state with 1 resources"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			first, second := newBackend(t), newBackend(t)
			r := first.root(t, tt.nodes)
			if err := r.stepAs(tt.installation, creates(strings.Fields(tt.nodes)...), watcher{}); err != nil {
				t.Fatal(err)
			}
			r.moveTo(second)
			r.nodes("a b")
			added := creates("b")
			if tt.nodes == "" {
				added = creates("a", "b")
			}
			if err := r.stepAs(tt.installation, added, watcher{}); err != nil {
				t.Fatal(err)
			}
			tt.between(r, first)
			left, _ := first.have()
			r.moveTo(first)
			r.nodes("a b c")
			err := r.stepAs(tt.installation, creates("c"), watcher{})
			if tt.want != "" {
				if now, _ := first.have(); err == nil || !strings.Contains(err.Error(), tt.want) || now != left {
					t.Errorf("Step() = %v, want a refusal that changes nothing", err)
				}
				return
			}
			if err != nil {
				t.Fatalf("Step() = %v back where it was", err)
			}
			if state, _ := first.have(); knows(state, "a", "b", "c") != "a b c" {
				t.Errorf("where it is now the state has %q, want a b c", knows(state, "a", "b", "c"))
			}
			if err := r.drift(); err != nil {
				t.Errorf("Drift() = %v", err)
			}
		})
	}
}

func TestAMoveIsTakenBackOrSentElsewhere(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from, to func(*testing.T) keeper
		// then is where it goes, nil for back.
		then  func(*testing.T) keeper
		tried bool
	}{
		{"to files, before it ran", keepers["http"], func(*testing.T) keeper { return &files{} }, nil, false},
		{"to files, before it ran, and elsewhere", keepers["http"], func(*testing.T) keeper { return &files{} }, keepers["s3"], false},
		{"to a place that is taken", keepers["http"], keepers["s3"], nil, true},
		{"from files to a place that is taken", func(*testing.T) keeper { return &files{} }, keepers["http"], nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from, to := tt.from(t), tt.to(t)
			r := from.root(t, "a")
			if err := r.step(t.Context(), creates("a")); err != nil {
				t.Fatal(err)
			}
			if tt.tried {
				if err := to.root(t, "a").step(t.Context(), creates("a")); err != nil {
					t.Fatal(err)
				}
			}
			taken, _ := to.have()
			r.moveTo(to)
			if tt.tried {
				if err := r.step(t.Context(), scaler.Expect{}); err == nil || !strings.Contains(err.Error(), "already has a state") {
					t.Fatalf("Step() = %v to a place that is taken", err)
				}
			}
			last := from
			if tt.then != nil {
				last = tt.then(t)
			}
			r.moveTo(last)
			r.nodes("a b")
			if err := r.step(t.Context(), creates("b")); err != nil {
				t.Fatalf("Step() = %v after the move was taken back", err)
			}
			if state, _ := last.have(); knows(state, "a", "b") != "a b" {
				t.Errorf("the state has %q, want a b", knows(state, "a", "b"))
			}
			r.nodes("")
			if err := r.step(t.Context(), scaler.Expect{Delete: []string{address("a"), address("b")}, Destroy: true}); err != nil {
				t.Errorf("Step() = %v to destroy all", err)
			}
			if now, _ := to.have(); tt.tried && now != taken {
				t.Error("the state of somebody else was changed")
			}
		})
	}
}

// instant is what a kill leaves.
type instant struct {
	before, dir, there string
}

// TestAMoveIsCutShortAnywhere kills at each change that a move makes, and steps on.
func TestAMoveIsCutShortAnywhere(t *testing.T) {
	for name, steps := range map[string][]func(*testing.T) keeper{
		"from files to http": {func(*testing.T) keeper { return &files{} }, keepers["http"]},
		"to http and back":   {keepers["http"], keepers["s3"], keepers["http"]},
		"from http to files": {keepers["http"], func(*testing.T) keeper { return &files{} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := steps[0](t)
			r := first.root(t, "a")
			if err := r.stepAs("ours", creates("a"), watcher{}); err != nil {
				t.Fatal(err)
			}
			last := steps[len(steps)-1](t)
			if len(steps) == 3 { // back, after a change elsewhere
				last = first
				r.moveTo(steps[1](t))
				r.nodes("a:2")
				if err := r.stepAs("ours", scaler.Expect{}, watcher{}); err == nil {
					t.Fatal("Step() = nil for a replacement that nobody has decided")
				}
				r.nodes("a b")
				if err := r.stepAs("ours", creates("b"), watcher{}); err != nil {
					t.Fatal(err)
				}
			}
			want := r.have()
			r.moveTo(last)
			var instants []instant
			r.runner.AroundMoves(func(change string, do func() error) error {
				at := instant{before: change, dir: filepath.Join(t.TempDir(), "root")}
				at.there, _ = last.have()
				if err := os.CopyFS(at.dir, os.DirFS(r.dir)); err != nil {
					t.Fatal(err)
				}
				instants = append(instants, at)
				return do()
			})
			if err := r.stepAs("ours", scaler.Expect{}, watcher{}); err != nil {
				t.Fatal(err)
			}
			var changes []string
			for _, at := range instants {
				changes = append(changes, at.before)
			}
			if !strings.HasSuffix(strings.Join(changes, ", "), "forget move.json, settle, write terraform.seen.tfstate") {
				t.Fatalf("changes %q, want the move to end, and that to outlast a power cut, before another state is seen", changes)
			}
			server, _ := last.(*backend)
			for _, at := range instants {
				if server != nil {
					server.change(func(string) string { return at.there })
					if at.before != "push" && !strings.Contains(at.there, `"ours"`) {
						t.Errorf("before %q: the state does not say whose it is", at.before)
					}
				}
				if f, is := last.(*files); is {
					f.dir = at.dir
				}
				killed := root{t: t, dir: at.dir, runner: newRoot(t, "").runner}
				if got := killed.have(); got != want {
					t.Errorf("killed before %q the known state has %q, want %q", at.before, got, want)
				}
				err := killed.stepAs("ours", scaler.Expect{}, watcher{})
				if errors.Is(err, scaler.ErrStateMoved) { // as always then, it is tried again
					err = killed.stepAs("ours", scaler.Expect{}, watcher{})
				}
				if err != nil {
					t.Errorf("Step() = %v after a kill before %q", err, at.before)
				}
				state, lock := last.have()
				if got := knows(state, "a", "b"); got != want || killed.have() != want || lock != "" {
					t.Errorf("after a kill before %q the state has %q, it is known as %q, and the lock is %q; want %q and none", at.before, got, killed.have(), lock, want)
				}
				if _, err := os.Stat(filepath.Join(at.dir, scaler.MoveFile)); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("after a kill before %q the move is not over: %v", at.before, err)
				}
			}
		})
	}
}

// TestAMoveHoldsUpNoOther has the old backend of one root module not answer, while
// another one is initialised.
func TestAMoveHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	server := newBackend(t)
	r := server.root(t, "a")
	if err := r.step(t.Context(), creates("a")); err != nil {
		t.Fatal(err)
	}
	r.moveTo(newBucket(t))
	hold, asked, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	server.set(func(b *backend) { b.hold, b.asked = hold, asked })
	go func() { ended <- r.step(context.WithoutCancel(t.Context()), scaler.Expect{}) }()
	<-asked
	other := newRoot(t, "b")
	other.runner = r.runner
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := other.step(ctx, creates("b")); err != nil {
		t.Errorf("Step() = %v of another root module, while a move waits", err)
	}
	close(hold)
	if err := <-ended; err != nil {
		t.Errorf("Step() = %v when its backend has answered", err)
	}
}
