package cmd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/terraform"
)

// patience bounds the wait for anything that takes a second or two on an idle
// machine: a machine with other work takes many times as long.
const patience = 90 * time.Second

// daemon is a scalerd with a data folder of its own. It is used by one goroutine.
type daemon struct {
	t testing.TB
	// base is short, because a socket's path has at most 103 bytes.
	base, data string
	flags      []string
	env        []string
	client     *api.Client

	cmd   *exec.Cmd
	ended chan struct{}
	// page is the address of /metrics.
	page string
	// ids are the identifiers of all nodes that were ever seen, by application and name.
	ids map[string]string
}

// startDaemon starts a scalerd. At the end of the test all its applications are
// destroyed, it is stopped, and nothing that it started may be left.
func startDaemon(t testing.TB, flags ...string) *daemon {
	t.Helper()
	d := newDaemon(t, flags...)
	d.start()
	return d
}

// newDaemon is a scalerd that was not started yet.
func newDaemon(t testing.TB, flags ...string) *daemon {
	t.Helper()
	base, err := os.MkdirTemp("", "sd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(base); err != nil {
			t.Error(err)
		}
	})
	d := &daemon{t: t, base: base, data: filepath.Join(base, "d"), flags: flags, ids: map[string]string{}}
	d.client = api.NewClient(filepath.Join(d.data, "scalerd.sock"))
	return d
}

func (d *daemon) logFile() string { return filepath.Join(d.base, "log") }

func (d *daemon) log() string {
	text, err := os.ReadFile(d.logFile())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

var listening = regexp.MustCompile(`msg="scalerd runs".* listen=(\S+)`)

// start runs the daemon and waits until it answers.
func (d *daemon) start() {
	d.t.Helper()
	if d.cmd == nil {
		d.t.Cleanup(d.clean)
	}
	out, err := os.OpenFile(d.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer out.Close()
	before := len(d.log())
	args := append([]string{"--data", d.data, "--listen", "127.0.0.1:0", "--drift-interval", "0"}, append(engine(d.t), d.flags...)...)
	cmd, ended := exec.Command("scalerd", args...), make(chan struct{})
	cmd.Stdout, cmd.Stderr, cmd.Env = out, out, append(os.Environ(), d.env...)
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // its end is in ProcessState
		close(ended)
	}()
	d.cmd, d.ended = cmd, ended
	d.eventually("scalerd answers", func() error {
		select {
		case <-ended:
			return permanent(fmt.Errorf("it ended:\n%s", d.log()[before:]))
		default:
		}
		found := listening.FindStringSubmatch(d.log()[before:])
		if found == nil {
			return errors.New("nothing is logged yet")
		}
		d.page = found[1]
		_, err := d.client.Applications(context.Background())
		return err
	})
}

// engine is nothing, or with ENGINE=tofu in the environment the flags that have the
// daemon run OpenTofu: $TOFU, or what `make tofu` has built.
func engine(t testing.TB) []string {
	t.Helper()
	if os.Getenv("ENGINE") != terraform.EngineTofu {
		return nil
	}
	path := os.Getenv("TOFU")
	if path == "" {
		path = filepath.Join("..", "bin", "tofu")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("OpenTofu is not there: run make tofu, or set TOFU: %v", err)
	}
	return []string{"--engine", terraform.EngineTofu, "--terraform", path}
}

func (d *daemon) running() bool {
	if d.cmd == nil {
		return false
	}
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

// kill ends the daemon as a power cut would.
func (d *daemon) kill() {
	d.t.Helper()
	kill(d.t, d.cmd.Process.Pid)
	<-d.ended
}

// stop asks the daemon to end, and returns its exit code.
func (d *daemon) stop() int {
	d.t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatal(err)
	}
	select {
	case <-d.ended:
	case <-time.After(patience):
		d.t.Error("scalerd did not end after SIGTERM")
		d.kill()
	}
	return d.cmd.ProcessState.ExitCode()
}

// clean destroys everything and checks that nothing is left.
func (d *daemon) clean() {
	if d.cmd != nil && !d.running() && !d.t.Failed() {
		d.start()
	}
	if d.running() {
		d.destroyAll()
		if code := d.stop(); code != 0 {
			d.t.Errorf("scalerd ended with %d after SIGTERM, want 0", code)
		}
	}
	for _, p := range processesOf(d.t, d.base) {
		d.t.Errorf("process %d is left: %s", p.pid, strings.Join(p.args, " "))
		kill(d.t, p.pid)
	}
	if strings.Contains(d.log(), "DATA RACE") {
		d.t.Error("scalerd has a data race")
	}
	if d.t.Failed() {
		d.t.Logf("log of scalerd:\n%s", d.log())
	}
}

func (d *daemon) destroyAll() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	apps, err := d.client.Applications(ctx)
	if err != nil {
		d.t.Error(err)
	}
	for _, app := range apps {
		if _, err := d.client.Destroy(ctx, app.Name); err != nil && !errors.Is(err, scaler.ErrNotFound) {
			d.t.Error(err)
		}
	}
	err = poll(ctx, func() error {
		apps, err := d.client.Applications(ctx)
		if err == nil && len(apps) > 0 {
			err = fmt.Errorf("%s is not destroyed: %+v", apps[0].Name, apps[0])
		}
		return err
	})
	if err != nil {
		d.t.Error(err)
	}
}

// permanentError ends a poll at once.
type permanentError struct{ error }

func permanent(err error) error { return permanentError{err} }

// poll asks until check returns nil, or ctx ends, and then returns check's error.
func poll(ctx context.Context, check func() error) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil || errors.As(err, new(permanentError)) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}

// eventually waits until check returns nil.
func (d *daemon) eventually(what string, check func() error) {
	d.t.Helper()
	d.within(patience, what, check)
}

func (d *daemon) within(limit time.Duration, what string, check func() error) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := poll(ctx, check); err != nil {
		d.t.Fatalf("not so within %s: %s: %v", limit, what, err)
	}
}

// metrics is the daemon's own metrics page.
func (d *daemon) metrics() string {
	d.t.Helper()
	res, err := http.Get("http://" + d.page + "/metrics")
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// ctl runs scalerctl against the daemon.
func (d *daemon) ctl(args ...string) (stdout, stderr string, code int) {
	d.t.Helper()
	return command(d.t, "scalerctl", append([]string{"--socket", filepath.Join(d.data, "scalerd.sock")}, args...)...)
}

// command runs a command to its end.
func command(t testing.TB, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
