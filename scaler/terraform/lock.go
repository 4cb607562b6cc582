package terraform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"regexp"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// lockInfo is what terraform says of the lock that it could not take.
type lockInfo struct {
	id, who, operation string
	created            time.Time
}

// refusedLock finds terraform's words about a lock in an error: those of a
// diagnostic, or of a command that writes no JSON.
func refusedLock(err error) (lockInfo, bool) {
	if err == nil {
		return lockInfo{}, false
	}
	text := err.Error()
	if !strings.Contains(text, "Error acquiring the state lock") {
		return lockInfo{}, false
	}
	info := lockInfo{id: lockField(text, "ID"), who: lockField(text, "Who"), operation: lockField(text, "Operation")}
	// terraform prints a time.Time, without its monotonic part.
	info.created, _ = time.Parse("2006-01-02 15:04:05.999999999 -0700 MST", lockField(text, "Created"))
	return info, info.id != ""
}

var lockLine = regexp.MustCompile(`(?m)^(?:\x1b\[[0-9;]*m|\W)*(ID|Who|Operation|Created):[ \t]*(.*?)[ \t]*$`)

func lockField(text, name string) string {
	for _, m := range lockLine.FindAllStringSubmatch(text, -1) {
		if m[1] == name {
			return m[2]
		}
	}
	return ""
}

// locked runs a command that takes the lock. Where a run of ours that was killed
// left the lock behind, it is released and the command is run once more. Any other
// holder is a *scaler.LockedError.
func (r *Runner) locked(tf driver, operation string, do func() error) error {
	left := readRuns(tf.dir)
	if _, err := beginRun(tf.dir, operation); err != nil {
		return err
	}
	err := do()
	info, refused := refusedLock(err)
	if !refused {
		return err
	}
	if doubt := r.stale(info, left); doubt != "" {
		return &scaler.LockedError{ID: info.id, Who: info.who, Operation: info.operation, Created: info.created, Dir: tf.dir, Doubt: doubt}
	}
	// Not the step's context: a lock that is proven stale helps nobody.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := tf.ForceUnlock(ctx, info.id); err != nil {
		return fmt.Errorf("release the lock %s that a killed terraform of ours left: %w", info.id, err)
	}
	err = do()
	if info, refused := refusedLock(err); refused {
		return &scaler.LockedError{ID: info.id, Who: info.who, Operation: info.operation, Created: info.created, Dir: tf.dir}
	}
	return err
}

// Terraform takes the lock soon after its start: a run of ours took a lock that was
// created between its begin and so much later. An apply may wait for the lock.
const lockTaken = 5 * time.Minute

// stale says why a lock can't be taken for one that a killed run of ours left
// behind, and is empty where that is proven: this user took it on this machine, at
// an instant at which a run of ours began that did not end well, by the same
// operation; and no terraform lives here that could be its holder.
func (r *Runner) stale(info lockInfo, left runs) (doubt string) {
	if info.who != whoami() {
		return "who is not this scalerd"
	}
	const rounding = 2 * time.Second
	ours := false
	for _, run := range left.list {
		if run.Operation == info.operation && !info.created.Before(run.Begun.Add(-rounding)) && info.created.Before(run.Begun.Add(lockTaken)) {
			ours = true
		}
	}
	if !ours {
		return "who is this user on this machine, but no run of scalerd that was cut short"
	}
	for _, e := range engines(r.path) {
		if !r.elsewhere(e, left.dir) {
			return fmt.Sprintf("whose holder may be the process %d, which lives", e.PID)
		}
	}
	return ""
}

// elsewhere reports whether a process works in another root module of ours.
func (r *Runner) elsewhere(e engine, dir string) bool {
	if same(e.dir, dir) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for other := range r.drivers {
		if same(e.dir, other) {
			return true
		}
	}
	return false
}

// whoami is how terraform names this process in a lock.
func whoami() string {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, _ := os.Hostname()
	return name + "@" + host
}

// cutShort reports whether a terraform that took the lock may have left it behind:
// it was cancelled or killed.
func cutShort(err error) bool {
	var exit *exec.ExitError
	return errors.Is(err, scaler.ErrInterrupted) || errors.Is(err, context.Canceled) || errors.As(err, &exit) && exit.ExitCode() < 0
}
