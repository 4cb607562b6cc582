package demo_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// build builds scalerd, with the race detector where this test has it.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scalerd")
	args := []string{"build", "-o", path}
	if info, ok := debug.ReadBuildInfo(); ok {
		if slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
			args = append(args, "-race")
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", append(args, "github.com/scalerd/scalerd/cmd/scalerd")...).CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// show is a demo that runs as a user would run it: in a process group of its own,
// as a shell starts it.
type show struct {
	t   *testing.T
	cmd *exec.Cmd
	// tmp is where all its files are.
	tmp            string
	stdout, stderr output
	ended          chan struct{}
}

// output can be read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func start(t *testing.T, program string, args ...string) *show {
	t.Helper()
	tmp, err := os.MkdirTemp("", "demo-test-") // short, for the socket
	if err != nil {
		t.Fatal(err)
	}
	d := &show{t: t, tmp: tmp, ended: make(chan struct{}), cmd: exec.Command(program, args...)}
	d.cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	d.cmd.Stdout, d.cmd.Stderr = &d.stdout, &d.stderr
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = d.cmd.Wait()
		close(d.ended)
	}()
	t.Cleanup(d.clean)
	return d
}

// clean leaves nothing behind even where the test fails.
func (d *show) clean() {
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
	<-d.ended
	for _, pid := range d.processes() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err := os.RemoveAll(d.tmp); err != nil {
		d.t.Error(err)
	}
}

// interrupt sends a signal as a terminal does: to the whole process group.
func (d *show) interrupt(signal syscall.Signal) {
	d.t.Helper()
	if err := syscall.Kill(-d.cmd.Process.Pid, signal); err != nil {
		d.t.Fatal(err)
	}
}

// await polls until the condition holds.
func (d *show) await(what string, patience time.Duration, holds func() bool) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-ctx.Done():
			d.t.Fatalf("waited %s in vain for %s; stdout:\n%s\nstderr:\n%s", patience, what, &d.stdout, &d.stderr)
		}
	}
}

// end waits for the demo's end and returns its exit code.
func (d *show) end(patience time.Duration) int {
	d.t.Helper()
	d.await("the end of the demo", patience, func() bool {
		select {
		case <-d.ended:
			return true
		default:
			return false
		}
	})
	return d.cmd.ProcessState.ExitCode()
}

// exists tells whether there is a file below the demo's folder.
func (d *show) exists(pattern string) bool {
	paths, _ := filepath.Glob(filepath.Join(d.tmp, "scalerd-demo-*", pattern))
	return len(paths) > 0
}

// processes are those that work for the demo: they name its folder on their
// command line, or work in it as terraform does.
func (d *show) processes() []int {
	out, err := exec.Command("ps", "-A", "-ww", "-o", "pid=,args=").Output()
	if err != nil {
		d.t.Fatalf("ps: %v", err)
	}
	var pids []int
	for line := range strings.Lines(string(out)) {
		id, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, err := strconv.Atoi(id)
		if err != nil {
			d.t.Fatalf("ps: %q: %v", line, err)
		}
		cwd, _ := os.Readlink(filepath.Join("/proc", id, "cwd"))
		if strings.Contains(args, d.tmp) || strings.HasPrefix(cwd, d.tmp) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// nothingIsLeft checks that no process, lock or other file of the demo is left.
func (d *show) nothingIsLeft() {
	d.t.Helper()
	if pids := d.processes(); len(pids) > 0 {
		out, _ := exec.Command("ps", "-A", "-ww", "-o", "pid,ppid,args").Output()
		d.t.Errorf("processes %v are left:\n%s\nstderr:\n%s", pids, out, &d.stderr)
	}
	err := filepath.WalkDir(d.tmp, func(path string, _ fs.DirEntry, err error) error {
		if path != d.tmp {
			d.t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		d.t.Error(err)
	}
}

// The demo starts for real: a daemon, terraform, nodes and load.
func TestDemo(t *testing.T) {
	scalerd := build(t)
	t.Run("ends by itself with a table", func(t *testing.T) { endsByItself(t, scalerd) })
	t.Run("replays a trace", func(t *testing.T) { replaysATrace(t, scalerd) })
	t.Run("leaves nothing when interrupted", func(t *testing.T) { leavesNothing(t, scalerd) })
	t.Run("leaves nothing when its daemon dies", func(t *testing.T) { outlivesItsDaemon(t, scalerd) })
	t.Run("leaves nothing when nobody reads on", func(t *testing.T) { endsWithItsReader(t, scalerd) })
}

func endsByItself(t *testing.T, scalerd string) {
	d := start(t, scalerd, "demo", "--duration", "20s", "--seed", "7")
	d.await("load", time.Minute, func() bool { return strings.Contains(d.stdout.String(), "Load for 20s") })
	if len(d.processes()) < 6 { // itself, the daemon, two balancers, three nodes
		t.Errorf("the demo has %d processes while there is load", len(d.processes()))
	}
	if code := d.end(2 * time.Minute); code != 0 || d.stderr.String() != "" {
		t.Errorf("the demo ended with %d and said %q", code, d.stderr.String())
	}
	d.nothingIsLeft()
	for _, want := range []string{
		`start  web 0 -> 2  first apply: initial is 2`,
		`\d:\d\d  web 2 -> \d  (target|latency): `, // it grows in the morning
		`web: \d+ req/s, p50 \d+ms, p95 .*; \d ready`,
		`web: 1 to 8 nodes; limit: 95 % of requests within 500ms`,
		`api: 1 to 5 nodes`,
		`\d\d\d+ requests, \d+ failed, p95 .*; over the limit for \d+ % of the time`,
		`\d\.\d node-minutes; a fixed fleet of 6 nodes needs 2\.0`,
	} {
		if !regexp.MustCompile(want).MatchString(d.stdout.String()) {
			t.Errorf("stdout lacks %s:\n%s", want, &d.stdout)
		}
	}
	if rows := regexp.MustCompile(`(?m)^  \d:\d\d - \d:\d\d`).FindAllString(d.stdout.String(), -1); len(rows) != 2*12 {
		t.Errorf("the tables have %d rows, want 12 for each of two groups", len(rows))
	}
}

func replaysATrace(t *testing.T, scalerd string) {
	trace := filepath.Join(t.TempDir(), "load.csv")
	if err := os.WriteFile(trace, []byte("t_seconds,requests_per_second\n0,1\n3600,2\n7200,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := start(t, scalerd, "demo", "--duration", "4s", "--trace", trace)
	if code := d.end(2 * time.Minute); code != 0 {
		t.Errorf("the demo ended with %d and said %q", code, d.stderr.String())
	}
	d.nothingIsLeft()
	if want := "load.csv: 3h00m in 4s (2700 times as fast), peak of 2/s, peak scaled to 196/s"; !strings.Contains(d.stdout.String(), want) {
		t.Errorf("stdout lacks %q:\n%s", want, &d.stdout)
	}
}

func leavesNothing(t *testing.T, scalerd string) {
	for _, test := range []struct {
		name    string
		when    func(d *show) bool
		signals []syscall.Signal
		table   bool
	}{
		{
			"before the daemon answers", func(d *show) bool { return d.exists("scalerd.log") },
			[]syscall.Signal{syscall.SIGINT}, false,
		},
		{
			"in the first apply", func(d *show) bool { return d.exists("data/apps/shop/*/base/run/*.start.lock") },
			[]syscall.Signal{syscall.SIGINT}, false,
		},
		{
			"while terraform holds the lock of a shard", func(d *show) bool {
				return d.exists("data/apps/shop/web/shard-000/.terraform.tfstate.lock.info")
			},
			[]syscall.Signal{syscall.SIGTERM}, false,
		},
		{
			"twice while the first nodes start", func(d *show) bool { return d.exists("data/apps/shop/web/shard-000/run/*.start.lock") },
			[]syscall.Signal{syscall.SIGINT, syscall.SIGINT}, false,
		},
		{
			"in the middle of the load, by a terminal that closes", func(d *show) bool { return strings.Contains(d.stdout.String(), " 0:05 ") },
			[]syscall.Signal{syscall.SIGHUP}, true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := start(t, scalerd, "demo", "--duration", "1m")
			d.await("the moment", time.Minute, func() bool { return test.when(d) })
			for i, signal := range test.signals {
				if i > 0 {
					d.await("the first signal's effect", time.Minute, func() bool { return strings.Contains(d.stdout.String(), "Stopping everything") })
				}
				d.interrupt(signal)
			}
			if code := d.end(time.Minute); code != 1 || !strings.Contains(d.stderr.String(), "interrupted; everything that was started is stopped") {
				t.Errorf("the demo ended with %d and said %q", code, d.stderr.String())
			}
			d.nothingIsLeft()
			if got := strings.Contains(d.stdout.String(), "node-minutes"); got != test.table {
				t.Errorf("a table was shown: %t, want %t", got, test.table)
			}
		})
	}
}

func outlivesItsDaemon(t *testing.T, scalerd string) {
	for _, test := range []struct {
		name string
		kill syscall.Signal
		// then is what the user does.
		then []syscall.Signal
		want string
	}{
		{"killed", syscall.SIGKILL, nil, "the daemon ended with signal: killed, its log ends with:\ntime="},
		{"hanging, and the user loses patience", syscall.SIGSTOP, []syscall.Signal{syscall.SIGINT, syscall.SIGINT}, "interrupted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := start(t, scalerd, "demo", "--duration", "1m")
			d.await("load", time.Minute, func() bool { return strings.Contains(d.stdout.String(), "Load for 1m0s") })
			if err := syscall.Kill(d.daemon(), test.kill); err != nil {
				t.Fatal(err)
			}
			for i, signal := range test.then {
				if i > 0 {
					d.await("the first signal's effect", time.Minute, func() bool { return strings.Contains(d.stdout.String(), "Stopping everything") })
				}
				d.interrupt(signal)
			}
			if code := d.end(time.Minute); code != 1 || !strings.Contains(d.stderr.String(), test.want) {
				t.Errorf("the demo ended with %d and said %q, want %q", code, d.stderr.String(), test.want)
			}
			d.nothingIsLeft()
		})
	}
}

// daemon is the process id of the demo's daemon.
func (d *show) daemon() int {
	d.t.Helper()
	paths, err := filepath.Glob(filepath.Join(d.tmp, "scalerd-demo-*", "data", "scalerd.lock"))
	if err != nil || len(paths) != 1 {
		d.t.Fatalf("the daemon has %d locks: %v", len(paths), err)
	}
	text, err := os.ReadFile(paths[0])
	if err != nil {
		d.t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		d.t.Fatal(err)
	}
	return pid
}

func endsWithItsReader(t *testing.T, scalerd string) {
	d := start(t, "/bin/sh", "-c", `"$0" demo --duration 1m | head -n 4`, scalerd)
	if code := d.end(time.Minute); code != 0 || !strings.Contains(d.stderr.String(), "broken pipe") {
		t.Errorf("the pipe ended with %d and said %q, want the demo's word about it", code, d.stderr.String())
	}
	d.nothingIsLeft()
}
