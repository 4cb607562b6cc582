//go:build unix

package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes the test binary behave as `scalerd local` where it is called
// like that, which Start does with its own executable.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "local" {
		if err := command(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, "Error:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func command(verb string, args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	var spec Spec
	set := flag.NewFlagSet(verb, flag.ExitOnError)
	spec.Flags(set)
	_ = set.Parse(args)
	switch verb {
	case "start":
		record, err := Start(ctx, spec)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(record)
	case "run":
		return Run(ctx, spec, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	case "stop":
		return Stop(ctx, spec.Dir, spec.Name)
	}
	return fmt.Errorf("no command %q", verb)
}

// cloud is a directory of real processes, none of which outlives the test.
type cloud struct {
	t   *testing.T
	dir string
}

func newCloud(t *testing.T) cloud {
	c := cloud{t, t.TempDir()}
	t.Cleanup(c.killAll)
	return c
}

func (c cloud) killAll() {
	paths, _ := filepath.Glob(filepath.Join(c.dir, "*.alive"))
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".alive")
		if !Alive(c.dir, name) {
			continue
		}
		pid, err := files{c.dir, name}.holder()
		if err != nil || pid == 0 {
			c.t.Errorf("%s lives and its process is unknown: %v", name, err)
			continue
		}
		_ = syscall.Kill(pid, syscall.SIGKILL)
		eventually(c.t, name+" is dead", func() bool { return !Alive(c.dir, name) })
	}
}

// command is `local verb` on a process of the cloud, ready to be run.
func (c cloud) command(verb, name string, args ...string) *exec.Cmd {
	args = append([]string{"local", verb, "--dir=" + c.dir, "--name=" + name}, args...)
	cmd := exec.CommandContext(c.t.Context(), os.Args[0], args...)
	// The race detector delays every end by a second otherwise.
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	cmd.WaitDelay = 2 * time.Second // a pipe that stays open is an error
	return cmd
}

// run runs `local verb`, whose error holds what it wrote to stderr.
func (c cloud) run(verb, name string, args ...string) (string, error) {
	cmd := c.command(verb, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("local %s %s: %w\n%s", verb, name, err, stderr.String())
	}
	return stdout.String(), nil
}

func (c cloud) start(name string, args ...string) Record {
	c.t.Helper()
	out, err := c.run("start", name, args...)
	if err != nil {
		c.t.Fatal(err)
	}
	var record Record
	if err := json.Unmarshal([]byte(out), &record); err != nil {
		c.t.Fatalf("local start printed %q: %v", out, err)
	}
	return record
}

func (c cloud) stop(name string) {
	c.t.Helper()
	if _, err := c.run("stop", name); err != nil {
		c.t.Fatal(err)
	}
}

// left are the names of the files in the cloud's directory.
func (c cloud) left() []string {
	c.t.Helper()
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// runs tells whether a process exists and is more than a zombie that its parent
// has not yet heard of.
func runs(t *testing.T, pid int) bool {
	t.Helper()
	out, err := exec.Command("ps", "-o", "stat=", "-p", fmt.Sprint(pid)).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("ps: %v", err)
	}
	state := strings.TrimSpace(string(out))
	return state != "" && !strings.HasPrefix(state, "Z")
}

func kill(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatalf("send %s to %d: %v", s, pid, err)
	}
}
