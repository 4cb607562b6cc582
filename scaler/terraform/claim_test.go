package terraform_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

// claim has the root module say whose its state is, as a generated one does.
func (r root) claim(installation string) scaler.Root {
	r.t.Helper()
	if installation != "" {
		r.write("claim.tf", `output "`+tfgen.InstallationOutput+`" {
  value = "`+installation+`"
}
`)
	}
	return scaler.Root{Dir: r.dir, Installation: installation}
}

func (r root) stepAs(installation string, expect scaler.Expect, w watcher) error {
	r.t.Helper()
	_, err := r.runner.Step(r.t.Context(), r.claim(installation), expect, w)
	return err
}

func TestAStateOfSomebodyElseIsNotTouched(t *testing.T) {
	for _, tt := range []struct{ name, theirs, ours, want string }{
		{"that does not say whose it is", "", "ours", "already has a state with 1 resources"},
		{"of another scalerd", "theirs", "ours", "installation theirs (this one is ours), and has 1 resources"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t)
			theirs := b.root(t, "a")
			if err := theirs.stepAs(tt.theirs, creates("a"), watcher{}); err != nil {
				t.Fatal(err)
			}
			before, _ := b.have()
			ours := b.root(t, "")
			err := ours.stepAs(tt.ours, scaler.Expect{Delete: []string{address("a")}}, watcher{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "write an empty file") {
				t.Errorf("Step() on a state of somebody else = %v, want a refusal with %q", err, tt.want)
			}
			// A restart recovers what a killed scalerd left, and takes nothing over either.
			if err := ours.runner.Recover(t.Context(), ours.claim(tt.ours), watcher{}); !errors.Is(err, scaler.ErrInterrupted) {
				t.Errorf("Recover() = %v, want ErrInterrupted", err)
			}
			if got := ours.have(); got != "" {
				t.Errorf("resources = %q, want none of somebody else", got)
			}
			if after, lock := b.have(); after != before || lock != "" {
				t.Errorf("the state and the lock %q have changed", lock)
			}
			if err := theirs.drift(); err != nil {
				t.Errorf("Drift() of whose it is = %v", err)
			}
		})
	}
}

// TestOfTwoThatClaimAnEmptyStateOneGetsIt has two root modules, of two scalerds, find
// the state empty before either has made anything.
func TestOfTwoThatClaimAnEmptyStateOneGetsIt(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	first, second := b.root(t, "a"), b.root(t, "a b")
	secondly := errors.New("it was not tried")
	err := first.stepAs("first", creates("a"), watcher{planned: func(scaler.SavedPlan) error {
		secondly = second.stepAs("second", creates("a", "b"), watcher{})
		return nil
	}})
	if err != nil {
		t.Errorf("Step() of the first = %v", err)
	}
	if secondly == nil || !strings.Contains(secondly.Error(), "installation first (this one is second), and has 0 resources") {
		t.Errorf("Step() of the second between the first one's plan and apply = %v, want it to name the first", secondly)
	}
	state, _ := b.have()
	if got := knows(state, "a", "b"); got != "a" {
		t.Errorf("the state knows %q, want a alone", got)
	}
	if _, err := os.Stat(filepath.Join(second.dir, "apply.jsonl")); err == nil {
		t.Error("the second has applied something")
	}
	// The end of the first gives the state free.
	first.nodes("")
	if err := first.stepAs("first", scaler.Expect{Delete: []string{address("a")}, Destroy: true}, watcher{}); err != nil {
		t.Fatal(err)
	}
	if err := second.stepAs("second", creates("a", "b"), watcher{}); err != nil {
		t.Errorf("Step() of the second after the end of the first = %v", err)
	}
	if changes, err := first.runner.Drift(t.Context(), first.claim("first")); err != nil || len(changes) > 0 || first.have() != "" {
		t.Errorf("Drift() of the first after it = %v, %v and it has %q, want nothing of the second's", changes, err, first.have())
	}
}

func TestAClaimThatCameInBetweenIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	r := b.root(t, "a")
	// The init and the pull find nothing, and the push what another one has put there
	// meanwhile.
	b.set(func(b *backend) {
		b.then = func(b *backend) {
			b.then = func(b *backend) {
				b.states[statePath] = `{"version":4,"serial":1,"lineage":"x","outputs":{"installation":{"value":"theirs","type":"string"}},"resources":[]}`
			}
		}
	})
	err := r.stepAs("ours", creates("a"), watcher{})
	if err == nil || !strings.Contains(err.Error(), "installation theirs (this one is ours)") {
		t.Errorf("Step() = %v, want it to name the other one", err)
	}
	b.set(func(b *backend) {
		if b.taken != 1 {
			t.Errorf("the lock was taken %d times, want once, to push", b.taken)
		}
	})
	if state, _ := b.have(); !strings.Contains(state, "theirs") {
		t.Errorf("the state is %s, want theirs", state)
	}
}

// TestWhoGaveUpAClaimClaimsAgain uses a root module again after another scalerd had its
// state.
func TestWhoGaveUpAClaimClaimsAgain(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	ours, theirs := b.root(t, "a"), b.root(t, "")
	gone := scaler.Expect{Destroy: true}
	if err := ours.stepAs("ours", creates("a"), watcher{}); err != nil {
		t.Fatal(err)
	}
	ours.nodes("")
	if err := ours.stepAs("ours", scaler.Expect{Delete: []string{address("a")}, Destroy: true}, watcher{}); err != nil {
		t.Fatal(err)
	}
	if err := theirs.stepAs("theirs", scaler.Expect{}, watcher{}); err != nil {
		t.Fatal(err)
	}
	before, _ := b.have()
	ours.nodes("a")
	if err := ours.stepAs("ours", creates("a"), watcher{}); err == nil || !strings.Contains(err.Error(), "installation theirs (this one is ours)") {
		t.Errorf("Step() = %v after another one has claimed the state, want it to name that one", err)
	}
	if after, _ := b.have(); after != before {
		t.Error("their state was changed")
	}
	if err := theirs.stepAs("theirs", gone, watcher{}); err != nil {
		t.Fatal(err)
	}
	if err := ours.stepAs("ours", creates("a"), watcher{}); err != nil {
		t.Errorf("Step() after their end = %v", err)
	}
	if state, _ := b.have(); knows(state, "a") != "a" || !strings.Contains(state, `"ours"`) {
		t.Errorf("the state is %s, want ours with a", state)
	}
}

// TestAStateFromBeforeThereWereClaimsIsClaimed takes a root module of an older scalerd,
// whose state has outputs and nothing else.
func TestAStateFromBeforeThereWereClaimsIsClaimed(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	r := b.root(t, "a")
	if err := r.step(t.Context(), creates("a")); err != nil {
		t.Fatal(err)
	}
	r.nodes("")
	if err := r.step(t.Context(), scaler.Expect{Delete: []string{address("a")}}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(r.dir, "backend.claimed")); err != nil {
		t.Fatal(err)
	}
	r.nodes("a")
	if err := r.stepAs("ours", creates("a"), watcher{}); err != nil {
		t.Errorf("Step() = %v", err)
	}
	if state, _ := b.have(); knows(state, "a") != "a" || !strings.Contains(state, `"ours"`) {
		t.Errorf("the state is %s, want ours with a", state)
	}
}

func TestWhatAKilledPushLeftIsRemoved(t *testing.T) {
	t.Parallel()
	r := newRoot(t, "")
	r.write("push.tfstate", "{}")
	if err := r.step(t.Context(), scaler.Expect{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "push.tfstate")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a whole state is left: %v", err)
	}
}
