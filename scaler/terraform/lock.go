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
	if pgLocked.MatchString(text) {
		// The pg backend shows the information of who asks as if it were the holder's.
		return lockInfo{}, true
	}
	if m := httpLocked.FindStringSubmatch(text); m != nil {
		// The http backend gives the information of who asks, and of the holder the
		// identifier alone.
		return lockInfo{id: m[1]}, true
	}
	info := lockInfo{id: lockField(text, "ID"), who: lockField(text, "Who"), operation: lockField(text, "Operation")}
	// terraform prints a time.Time, without its monotonic part.
	info.created, _ = time.Parse("2006-01-02 15:04:05.999999999 -0700 MST", lockField(text, "Created"))
	return info, info.id != ""
}

var lockLine = regexp.MustCompile(`(?m)^(?:\x1b\[[0-9;]*m|\W)*(ID|Who|Operation|Created):[ \t]*(.*?)[ \t]*$`)

var (
	httpLocked = regexp.MustCompile(`HTTP remote state already locked: ID=([^\s"]+)`)
	// pgLocked is told by the pg backend, whose locks are a connection's.
	pgLocked = regexp.MustCompile(`Workspace is already locked: |Already locked for workspace creation: `)
)

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
	if err := beginRun(tf.dir, operation); err != nil {
		return err
	}
	err := do()
	info, refused := refusedLock(err)
	if !refused {
		return err
	}
	var asked *run
	if info.who == "" && info.id != "" {
		info, asked = r.holder(tf, info)
	}
	if doubt := r.stale(info, left); doubt != "" {
		// This run took no lock; what may have left this one is still to be known.
		if asked != nil {
			left.list = append(left.list, *asked)
		}
		return errors.Join(info.refusal(tf.dir, doubt), left.write())
	}
	// Not the step's context: a lock that is proven stale helps nobody.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := tf.ForceUnlock(ctx, info.id); err != nil {
		return errors.Join(fmt.Errorf("%w %s that a killed terraform of ours left: %w", errUnreleased, info.id, err), left.write())
	}
	err = do()
	if info, refused := refusedLock(err); refused {
		return info.refusal(tf.dir, "")
	}
	return err
}

// errUnreleased is a lock of ours that is still held: the next try releases it, for
// which it has to be known that it is ours.
var errUnreleased = errors.New("release the lock")

func (l lockInfo) refusal(dir, doubt string) error {
	return &scaler.LockedError{ID: l.id, Who: l.who, Operation: l.operation, Created: l.created, Dir: dir, Doubt: doubt}
}

// Terraform takes the lock soon after its start: a run of ours took a lock that was
// created between its begin and so much later. An apply may wait for the lock.
const lockTaken = 5 * time.Minute

// stale says why a lock can't be taken for one that a killed run of ours left
// behind, and is empty where that is proven: this user took it on this machine, at
// an instant at which a run of ours began that did not end well, by the same
// operation; and no terraform lives here that was there then and could hold it.
func (r *Runner) stale(info lockInfo, left runs) (doubt string) {
	if info.who == "" {
		return "so that scalerd can't tell whether it is its own"
	}
	if info.who != whoami() {
		return "not by this user on this machine"
	}
	const rounding = 2 * time.Second // of the instants that /proc and the lock tell
	ours := false
	for _, run := range left.list {
		if run.Operation == info.operation && !info.created.Before(run.Begun.Add(-rounding)) && info.created.Before(run.Begun.Add(lockTaken)) {
			ours = true
		}
	}
	if !ours {
		return "this user on this machine, but by no run of scalerd that was cut short"
	}
	for _, e := range engines(r.path) {
		if !e.began().After(info.created.Add(rounding)) && !r.elsewhere(e, left.dir) {
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
	for key := range r.drivers {
		if _, other, _ := strings.Cut(key, " "); same(e.dir, other) { // after the purpose
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

// isLocked reports whether somebody else's lock ended a step.
func isLocked(err error) bool { return errors.As(err, new(*scaler.LockedError)) }

// cutShort reports whether a terraform that took the lock may have left it behind:
// it was cancelled or killed. So does one whose lock could not be released.
func cutShort(err error) bool {
	var exit *exec.ExitError
	return errors.Is(err, scaler.ErrInterrupted) || errors.Is(err, errUnreleased) || errors.Is(err, context.Canceled) || errors.As(err, &exit) && exit.ExitCode() < 0
}
