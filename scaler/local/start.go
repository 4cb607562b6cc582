package local

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

const (
	// lockPatience bounds the wait for another Start or Stop of the same name,
	// of which a Stop takes the longest.
	lockPatience = 30 * time.Second
	// startPatience bounds the wait for a process to listen. It is generous: a
	// terraform apply starts ten at once, on a machine that may be busy.
	startPatience = 30 * time.Second
)

// Start makes sure that the process lives and returns its record: one that
// lives is adopted as it is, whatever its flags were; otherwise the own
// executable is started anew with `local run`, detached from the caller, and
// has its record written and listens when Start returns. Where it ends before
// that, the error carries the last lines of its log; where Start fails or ctx
// ends, nothing that it started is left.
//
// Of many concurrent calls for a name, also in different programs, one starts
// the process. The process is a child of the caller, who is expected to end
// soon: a caller that stays would keep a dead one as a zombie.
func Start(ctx context.Context, spec Spec) (Record, error) {
	if err := spec.Validate(); err != nil {
		return Record{}, err
	}
	spec, err := spec.absolute()
	if err != nil {
		return Record{}, err
	}
	if err := os.MkdirAll(spec.Dir, 0o700); err != nil {
		return Record{}, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	turn, err := waitLock(ctx, spec.files().startLock(), lockPatience)
	if err != nil {
		return Record{}, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	defer turn.free()
	record, err := startOrAdopt(ctx, spec)
	if err != nil {
		return Record{}, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	return record, nil
}

// startOrAdopt goes by facts alone: besides our child there may be one of a
// Start that was killed, and the two settle by their lock who lives.
func startOrAdopt(ctx context.Context, spec Spec) (Record, error) {
	var record Record
	var own *child
	err := poll(ctx, startPatience, func() (done bool, err error) {
		if record, done = liveRecord(spec.files()); done {
			return true, nil
		}
		if held(spec.files().alive()) {
			return false, nil // about to write its record
		}
		if own != nil {
			return false, own.check()
		}
		if cleared, err := spec.files().clear(); !cleared {
			return false, err
		}
		own, err = spawn(spec)
		return false, err
	})
	switch {
	case err != nil && own != nil:
		return Record{}, fmt.Errorf("%w%s", err, own.kill())
	case err != nil:
		return Record{}, err
	case own != nil:
		own.leave(record.PID)
	}
	return record, nil
}

// liveRecord is the record of the process that lives, if it wrote one yet.
func liveRecord(f files) (Record, bool) {
	record, err := ReadRecord(f.dir, f.name)
	if err != nil || !held(f.alive()) {
		return Record{}, false
	}
	pid, err := f.holder()
	return record, err == nil && pid == record.PID
}

// child is a process that this one started.
type child struct {
	process *os.Process
	ended   bool
	log     string
	// logFrom is where its part of the log begins, in bytes.
	logFrom int64
}

func spawn(spec Spec) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own executable: %w", err)
	}
	log, err := os.OpenFile(spec.files().log(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	if err := closeInheritedOnExec(); err != nil {
		return nil, err
	}
	cmd := exec.Command(self, spec.args()...)
	cmd.Dir, cmd.Env = spec.Dir, environment(os.Environ())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("run %s: %w", self, err)
	}
	return &child{process: cmd.Process, log: log.Name(), logFrom: info.Size()}, nil
}

// environment keeps what a process needs: terraform's variables, and the
// credentials among them, are none of its business.
func environment(all []string) []string {
	keep := []string{"PATH", "HOME", "TMPDIR", "TZ", "GODEBUG", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK", "GOCOVERDIR"}
	kept := []string{}
	for _, entry := range all {
		if key, _, _ := strings.Cut(entry, "="); slices.Contains(keep, key) {
			kept = append(kept, entry)
		}
	}
	return kept
}

// check returns an error once the child has ended.
func (c *child) check() error {
	var err error
	if !c.ended {
		c.ended, err = reaped(c.process.Pid)
	}
	if c.ended && err == nil {
		return fmt.Errorf("the process ended before it listened")
	}
	return err
}

// kill ends the child and returns what it had logged. Until it is reaped, its
// process id can be no other's.
func (c *child) kill() string {
	if !c.ended {
		_ = c.process.Kill()
		_ = poll(context.Background(), startPatience, func() (bool, error) {
			ended, err := reaped(c.process.Pid)
			return ended, err
		})
		c.ended = true
	}
	if tail := logTail(c.log, c.logFrom, 10); tail != "" {
		return ", its log ends with:\n" + tail
	}
	return ", it logged nothing"
}

// leave lets the child live on where it is the process that lives, and ends it
// where it waits in vain for the lock of another one.
func (c *child) leave(alive int) {
	if c.process.Pid != alive {
		c.kill()
	}
	_ = c.process.Release()
}

// logTail is the last lines of what was logged from an offset on.
func logTail(path string, from int64, lines int) string {
	text, err := os.ReadFile(path)
	if err != nil || int64(len(text)) <= from {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(text[from:])), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
