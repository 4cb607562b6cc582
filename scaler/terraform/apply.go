package terraform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

const (
	// streamFile is where terraform writes the machine-readable stream of an apply,
	// and errorsFile what it says besides. They are files and not pipes, so that a
	// terraform whose scalerd was killed goes on writing, and the next scalerd reads
	// what it said. They stay until the next apply.
	streamFile = "apply.jsonl"
	errorsFile = "apply.stderr"
)

// followEvery is how often the stream of an apply is read: results are handed on,
// and so journalled, at most this often however many resources there are.
const followEvery = 200 * time.Millisecond

// apply applies the saved plan. terraform-exec can't do this: it has the kernel kill
// terraform with its parent, and reads its output from a pipe. Here terraform leads
// a session of its own, and neither a killed scalerd nor a closed terminal ends it.
func (r *Runner) apply(ctx context.Context, d driver, watch scaler.Watcher) error {
	stdout, err := os.OpenFile(filepath.Join(d.dir, streamFile), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("stream of terraform: %w", err)
	}
	defer stdout.Close()
	stderr, err := os.OpenFile(filepath.Join(d.dir, errorsFile), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("errors of terraform: %w", err)
	}
	defer stderr.Close()
	if err := watch.Applying(ctx); err != nil {
		return err
	}
	if err := beginRun(d.dir, operationApply); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, r.path, "apply", "-json", "-no-color", "-auto-approve", "-input=false", "-lock-timeout="+lockTimeout, planFile)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = d.dir, plainEnvironment(d.env), stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = cancelWait
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start terraform: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	out := follower{stream: stream{phase: "apply", progress: watch.Progress}, path: stdout.Name(), watch: watch}
	err = out.follow(ended)
	out.close()
	var exit *exec.ExitError
	if ctx.Err() != nil || errors.As(err, &exit) && exit.ExitCode() < 0 {
		endWidows(d.dir, r.path)
		return fmt.Errorf("%w: %w", scaler.ErrInterrupted, out.failure(errors.Join(ctx.Err(), err)))
	}
	if err != nil {
		err = withWords(err, d.dir)
	}
	return out.failure(err)
}

// withWords adds what terraform wrote to its standard error.
func withWords(err error, dir string) error {
	text, readErr := os.ReadFile(filepath.Join(dir, errorsFile))
	if words := strings.TrimSpace(string(text)); readErr == nil && words != "" {
		const most = 2000
		return fmt.Errorf("%w\n%s", err, words[max(0, len(words)-most):])
	}
	return err
}

// plainEnvironment is what terraform-exec gives to the commands that it runs.
func plainEnvironment(env map[string]string) []string {
	all := []string{"TF_IN_AUTOMATION=1", "TF_LOG=", "TF_LOG_CORE=", "TF_LOG_PROVIDER=", "TF_LOG_PATH="}
	for name, value := range env {
		all = append(all, name+"="+value)
	}
	if _, set := env["CHECKPOINT_DISABLE"]; !set {
		all = append(all, "CHECKPOINT_DISABLE=1")
	}
	return all
}

// follower reads the stream of an apply while it grows.
type follower struct {
	stream
	path  string
	watch scaler.Watcher
	file  *os.File
	// part is the beginning of a line that is not whole yet.
	part []byte
}

// follow reads until ended tells how the process ended, and returns that.
func (f *follower) follow(ended <-chan error) error {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			return errors.Join(err, f.read())
		case <-ticker.C:
			if err := f.read(); err != nil { // the end is waited for all the same
				return errors.Join(<-ended, err)
			}
		}
	}
}

// read takes what was written since the last time and hands on the results.
func (f *follower) read() error {
	if f.file == nil {
		file, err := os.Open(f.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read stream of terraform: %w", err)
		}
		f.file = file
	}
	text, err := io.ReadAll(f.file)
	if err != nil {
		return fmt.Errorf("read stream of terraform: %w", err)
	}
	f.part = append(f.part, text...)
	for {
		line, rest, whole := bytes.Cut(f.part, []byte("\n"))
		if !whole {
			break
		}
		f.part = rest
		if _, err := f.Write(line); err != nil {
			return err
		}
	}
	if results := f.results; len(results) > 0 {
		f.results = nil
		f.watch.Results(results)
	}
	return nil
}

func (f *follower) close() {
	if f.file != nil {
		f.file.Close()
	}
}
