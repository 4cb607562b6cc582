package terraform_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/terraform"
)

// terraformIn finds the terraform that runs the subcommand in a directory.
func terraformIn(t *testing.T, dir, subcommand string) int {
	t.Helper()
	pid := 0
	eventually(t, "terraform "+subcommand+" runs", func() error {
		lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil {
			return err
		}
		for _, path := range lines {
			text, _ := os.ReadFile(path)
			args := strings.Split(string(text), "\x00")
			cwd, _ := os.Readlink(filepath.Join(filepath.Dir(path), "cwd"))
			name := filepath.Base(args[0])
			if len(args) > 1 && (name == terraform.EngineTerraform || name == terraform.EngineTofu) && args[1] == subcommand && cwd == dir {
				pid, err = strconv.Atoi(filepath.Base(filepath.Dir(path)))
				return err
			}
		}
		return errors.New("there is none")
	})
	return pid
}

// eventually waits until check returns nil.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	ticker, deadline := time.NewTicker(20*time.Millisecond), time.After(90*time.Second)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("not so in time: %s: %v", what, err)
		}
	}
}

func TestALockThatAKilledTerraformOfOursLeftIsReleased(t *testing.T) {
	for name, newKeeper := range keepers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newKeeper(t)
			r := b.root(t, "a")
			r.write("hold", "")
			ended := make(chan error, 1)
			go func() { ended <- r.step(context.Background(), creates("a")) }()
			pid := terraformIn(t, r.dir, "apply")
			var left string
			eventually(t, "the apply holds the lock", func() error {
				if _, left = b.have(); left == "" {
					return errors.New("nobody holds it")
				}
				return nil
			})
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; !errors.Is(err, scaler.ErrInterrupted) {
				t.Errorf("Step() of a killed terraform = %v, want ErrInterrupted", err)
			}
			if err := os.Remove(filepath.Join(r.dir, "hold")); err != nil {
				t.Fatal(err)
			}
			if _, lock := b.have(); lock != left {
				t.Fatalf("the killed terraform left the lock %q, want %q: the test tests nothing", lock, left)
			}
			// Where another terraform was at work on this machine before, it is waited for.
			eventually(t, "the lock is released and the step goes on", func() error { return r.step(t.Context(), creates("a")) })
			state, lock := b.have()
			if got := knows(state, "a", "b"); got != "a" || lock != "" {
				t.Errorf("the state knows %q and the lock is %q, want a and none", got, lock)
			}
			if left, _ := filepath.Glob(filepath.Join(r.dir, "terraform.runs.json")); len(left) > 0 {
				t.Error("a step that ended well is remembered as killed")
			}
		})
	}
}

func TestALockOfSomebodyElseIsWaitedFor(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	self := me.Username + "@" + host
	now := time.Now()
	runs := func(begun time.Time, operation string) string {
		return fmt.Sprintf(`[{"operation": %q, "begun": %q}]`, operation, begun.Format(time.RFC3339Nano))
	}
	for _, tt := range []struct {
		name, who string
		// runs are what is remembered of runs that were cut short.
		runs, want string
	}{
		{"another machine's", "alice@laptop", runs(now, "OperationTypePlan"), "alice@laptop since"},
		{"this user's, by hand", self, "", "but by no run of scalerd that was cut short"},
		{"this user's, by hand, after a run was cut short", self, runs(now.Add(-time.Hour), "OperationTypePlan"), "but by no run of scalerd that was cut short"},
		{"this user's, of another operation", self, runs(now, "OperationTypeApply"), "but by no run of scalerd that was cut short"},
	} {
		for kind, newKeeper := range keepers {
			t.Run(kind+", "+tt.name, func(t *testing.T) {
				t.Parallel()
				b := newKeeper(t)
				r := b.root(t, "a")
				if tt.runs != "" {
					r.write("terraform.runs.json", tt.runs)
				}
				b.lock(fmt.Sprintf(`{"ID":"d3adbeef","Operation":"OperationTypePlan","Info":"","Who":%q,"Version":"1.9.0","Created":%q,"Path":""}`, tt.who, now.UTC().Format(time.RFC3339Nano)))
				err := r.step(t.Context(), creates("a"))
				var locked *scaler.LockedError
				if !errors.As(err, &locked) {
					t.Fatalf("Step() = %v, want a LockedError", err)
				}
				if locked.ID != "d3adbeef" || locked.Who != tt.who || locked.Created.Sub(now).Abs() > time.Second {
					t.Errorf("LockedError = %+v, want the holder's lock", locked)
				}
				if text := err.Error(); !strings.Contains(text, tt.want) || !strings.Contains(text, "terraform force-unlock d3adbeef") {
					t.Errorf("Step() = %q, want %q and what to do", text, tt.want)
				}
				if state, lock := b.have(); state != "" || lock != "d3adbeef" {
					t.Errorf("state %q and lock %q after it, want nothing changed", state, lock)
				}
				b.lock("")
				if err := r.step(t.Context(), creates("a")); err != nil {
					t.Errorf("Step() after the lock was freed = %v", err)
				}
			})
		}
	}
}

func TestALockWhoseHolderIsNotToldIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	r := b.root(t, "a")
	r.write("terraform.runs.json", fmt.Sprintf(`[{"operation": "OperationTypePlan", "begun": %q}]`, time.Now().Format(time.RFC3339Nano)))
	b.lock(`{"ID":"d3adbeef"}`) // and no more, against the protocol
	var locked *scaler.LockedError
	err := r.step(t.Context(), creates("a"))
	if !errors.As(err, &locked) || locked.ID != "d3adbeef" || locked.Who != "" || !strings.Contains(err.Error(), "by somebody whom its backend does not name") {
		t.Errorf("Step() = %v (%+v), want a LockedError of the holder's lock, without a name", err, locked)
	}
	b.lock("")
	if err := r.step(t.Context(), creates("a")); err != nil {
		t.Errorf("Step() after the lock was freed = %v", err)
	}
}

func TestALockIsNotReleasedWhileItsHolderMayLive(t *testing.T) {
	t.Parallel()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("there is no sleep here")
	}
	text, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "terraform")
	if err := os.WriteFile(other, text, 0o700); err != nil {
		t.Fatal(err)
	}
	living := exec.Command(other, "600") // a terraform somewhere else, as /proc shows it
	if err := living.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() { _ = living.Process.Kill(); _ = living.Wait() }
	defer end()

	b := newBucket(t)
	r := b.root(t, "a")
	me, _ := user.Current()
	host, _ := os.Hostname()
	now := time.Now()
	r.write("terraform.runs.json", fmt.Sprintf(`[{"operation": "OperationTypePlan", "begun": %q}]`, now.Format(time.RFC3339Nano)))
	b.lock(fmt.Sprintf(`{"ID":"0123","Operation":"OperationTypePlan","Who":%q,"Created":%q}`, me.Username+"@"+host, now.UTC().Format(time.RFC3339Nano)))
	var locked *scaler.LockedError
	if err := r.step(t.Context(), creates("a")); !errors.As(err, &locked) || !strings.Contains(locked.Doubt, "which lives") {
		t.Fatalf("Step() = %v, want a LockedError that names the living process", err)
	}
	end()
	eventually(t, "the lock is released once the process is dead", func() error { return r.step(t.Context(), creates("a")) })
}

// TestALockThatAskingForItsHolderLeftIsReleased has scalerd killed between taking an
// http backend's lock, to learn who holds it, and giving it back.
func TestALockThatAskingForItsHolderLeftIsReleased(t *testing.T) {
	t.Parallel()
	me, _ := user.Current()
	host, _ := os.Hostname()
	now := time.Now()
	b := newBackend(t)
	r := b.root(t, "a")
	r.write("terraform.runs.json", fmt.Sprintf(`[{"operation": "scalerd-asks-who-holds-the-lock", "begun": %q}]`, now.Format(time.RFC3339Nano)))
	b.lock(fmt.Sprintf(`{"ID":"0123","Operation":"scalerd-asks-who-holds-the-lock","Who":%q,"Created":%q}`, me.Username+"@"+host, now.UTC().Format(time.RFC3339Nano)))
	eventually(t, "the lock is released and the step goes on", func() error { return r.step(t.Context(), creates("a")) })
	if _, lock := b.have(); lock != "" {
		t.Errorf("the lock is %q after it, want none", lock)
	}
}

// TestALockThatTheQuestionItselfTookIsReleased has the holder give the lock up as
// scalerd asks the server for its name, which takes it, and has the server refuse to
// take it back so many times.
func TestALockThatTheQuestionItselfTookIsReleased(t *testing.T) {
	for refusals := 1; refusals <= 2; refusals++ { // by the question, and by force-unlock
		t.Run(fmt.Sprintf("%d refusals", refusals), func(t *testing.T) {
			t.Parallel()
			const asking = "scalerd-asks-who-holds-the-lock"
			b := newBackend(t)
			r := b.root(t, "a")
			refused := 0
			b.before = func(b *backend, method, body string) bool {
				if method == "LOCK" && strings.Contains(body, asking) && refused == 0 {
					delete(b.locks, statePath)
				}
				if method != "UNLOCK" || !strings.Contains(b.locks[statePath], asking) || refused == refusals {
					return false
				}
				refused++
				return true
			}
			b.lock(fmt.Sprintf(`{"ID":"0123","Operation":"OperationTypePlan","Who":"alice@laptop","Created":%q}`, time.Now().UTC().Format(time.RFC3339Nano)))
			if err := r.step(t.Context(), creates("a")); !errors.As(err, new(*scaler.LockedError)) {
				t.Fatalf("Step() = %v, want a LockedError", err)
			}
			if _, lock := b.have(); lock == "" || lock == "0123" {
				t.Fatalf("the lock is %q, want the question's: the test tests nothing", lock)
			}
			eventually(t, "the lock is released and the step goes on", func() error {
				err := r.step(t.Context(), creates("a"))
				if err != nil && strings.Contains(err.Error(), "by no run of scalerd") {
					t.Fatalf("Step() = %v, want it to know its own lock", err)
				}
				return err
			})
			if _, lock := b.have(); lock != "" || refused != refusals {
				t.Errorf("the lock is %q after it and %d releases were refused, want none and %d", lock, refused, refusals)
			}
		})
	}
}

// TestATerraformOfOursElsewhereHoldsNoLockHere leaves a lock behind while another root
// module of ours is worked in.
func TestATerraformOfOursElsewhereHoldsNoLockHere(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	r, other := b.root(t, "a"), newRoot(t, "a")
	other.runner = r.runner
	other.write("hold", "")
	ended := make(chan error, 1)
	go func() { ended <- other.step(context.Background(), creates("a")) }()
	pid := terraformIn(t, other.dir, "apply")
	me, _ := user.Current()
	host, _ := os.Hostname()
	now := time.Now()
	r.write("terraform.runs.json", fmt.Sprintf(`[{"operation": "OperationTypePlan", "begun": %q}]`, now.Format(time.RFC3339Nano)))
	b.lock(fmt.Sprintf(`{"ID":"0123","Operation":"OperationTypePlan","Who":%q,"Created":%q}`, me.Username+"@"+host, now.UTC().Format(time.RFC3339Nano)))
	eventually(t, "the lock is released and the step goes on", func() error {
		err := r.step(t.Context(), creates("a"))
		if err != nil && strings.Contains(err.Error(), fmt.Sprintf("process %d,", pid)) {
			t.Fatalf("Step() = %v, want it to know its own process in %s", err, other.dir)
		}
		return err
	})
	if err := os.Remove(filepath.Join(other.dir, "hold")); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Step() of the other root module = %v", err)
	}
}
