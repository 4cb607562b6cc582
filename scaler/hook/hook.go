// Package hook runs the user's own programs: checks of plans, and what drains a
// node. It runs them with an environment of their own, so that no credentials of a
// cloud reach them, within a deadline, and keeps no more of what they write than a
// person would read.
package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// mostWords bounds what is kept of a program's output, in bytes.
const mostWords = 16 << 10

// program is one run of a program of the user's.
type program struct {
	argv  []string
	env   []string
	stdin []byte
}

// run runs the program and everything that it starts, until ctx ends. It returns
// what it wrote, and the exit status where it ended by itself with another one than
// 0.
func (p program) run(ctx context.Context) (words string, status int, err error) {
	var out bounded
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	cmd.Env = append(ownEnvironment(), p.env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(p.stdin), &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
	err = cmd.Run()
	words = strings.TrimSpace(out.String())
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return words, 0, fmt.Errorf("%s: %w", p.argv[0], context.Cause(ctx))
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return words, exit.ExitCode(), nil
	case err != nil:
		return words, 0, fmt.Errorf("%s: %w", p.argv[0], err)
	}
	return words, 0, nil
}

// ownEnvironment is what programs need of ours: where others are, and who runs them.
func ownEnvironment() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "USER", "LANG", "TMPDIR", "TZ"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	kept bytes.Buffer
	more bool
}

func (b *bounded) Write(text []byte) (int, error) {
	room := mostWords - b.kept.Len()
	if len(text) > room {
		b.more = true
	}
	b.kept.Write(text[:min(room, len(text))])
	return len(text), nil
}

func (b *bounded) String() string {
	if b.more {
		return b.kept.String() + " [cut]"
	}
	return b.kept.String()
}
