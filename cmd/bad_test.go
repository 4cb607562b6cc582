package cmd_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/terraform"
	"github.com/scalerd/scalerd/tfgen"
)

func TestDaemonRefusesToStartInASentence(t *testing.T) {
	t.Parallel()
	first := startDaemon(t)
	other := t.TempDir()
	file := script(t, "file", "exit 0")
	old := script(t, "terraform", `echo "Terraform v1.3.9"`)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no terraform at the path given", []string{"--terraform", "/nowhere/terraform"}, "check the path given with --terraform"},
		{"a terraform that is too old", []string{"--terraform", old}, "terraform 1.3.9 at " + old + " is too old: install 1.5.0 or newer"},
		{"a terraform that is none", []string{"--terraform", file}, "ask " + file + " for its version"},
		{"a port that is taken", []string{"--listen", taken.Addr().String()}, "address already in use; choose another address with --listen"},
		{"a page for everybody", []string{"--listen", "0.0.0.0:0"}, "only loopback addresses"},
		{"a data folder below a file", []string{"--data", filepath.Join(file, "data")}, "not a directory; choose another one with --data"},
		{"a data folder that nobody can make", []string{"--data", "/proc/scalerd"}, "mkdir /proc/scalerd: no such file or directory; choose another one with --data"},
		{"a data folder that another scalerd has", []string{"--data", first.data}, fmt.Sprintf("another scalerd (process %d) works on %s", first.cmd.Process.Pid, first.data)},
		{"a socket that another scalerd has", []string{"--socket", filepath.Join(first.data, "scalerd.sock")}, "choose another socket with --socket"},
		{"a socket whose path is too long", []string{"--socket", "/tmp/" + strings.Repeat("s", 104)}, "give a shorter one with --socket"},
		{"an unknown key in the configuration", []string{"--config", write(t, "config.yaml", "dat: x\n")}, "config.yaml:1:1 dat: is not a known key; did you mean data?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"--data", other, "--socket", filepath.Join(first.base, "second.sock"), "--listen", "127.0.0.1:0"}, tt.args...)
			out, errs, code := command(t, "scalerd", args...)
			if code != 1 || !strings.Contains(errs, tt.want) || strings.Count(errs, "\n") != 1 || out != "" {
				t.Errorf("scalerd ended with %d and %q%q, want 1 and a line with %q", code, out, errs, tt.want)
			}
		})
	}
	if _, err := first.client.Applications(t.Context()); err != nil {
		t.Errorf("the first scalerd: %v", err)
	}
}

// script writes a program for the shell.
func script(t *testing.T, name, text string) string {
	t.Helper()
	path := write(t, name, "#!/bin/sh\n"+text+"\n")
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// failingTerraform is the real one, whose applies in application bad fail while
// the file switch exists: the nodes of bad then have a scalerd that does not work.
func failingTerraform(t *testing.T, breaker string) string {
	t.Helper()
	real, err := exec.LookPath("terraform")
	if err != nil {
		t.Fatal(err)
	}
	return script(t, "terraform", fmt.Sprintf(`case "$1 $PWD" in
apply*/apps/bad/*) if [ -e %q ]; then export SCALERD=/nowhere/scalerd; fi ;;
esac
exec %q "$@"`, breaker, real))
}

func TestFailingTerraformDegradesItsGroupOnly(t *testing.T) {
	t.Parallel()
	breaker := filepath.Join(t.TempDir(), "switch")
	d := startDaemon(t, "--terraform", failingTerraform(t, breaker))
	d.submit(describe("bad", "web max: 5"))
	d.submit(describe("good", "web max: 5"))
	bad, good := d.settle("bad", "web", 1), d.settle("good", "web", 1)
	if err := os.WriteFile(breaker, nil, 0o600); err != nil {
		t.Fatal(err)
	}

	began := time.Now()
	_, errs, code := d.ctl("scale", "bad", "web", "2")
	if code != 1 || !strings.Contains(errs, "group web is degraded") {
		t.Errorf("scalerctl scale ended with %d, want 1 and the reason:\n%s", code, errs)
	}
	status, err := d.status("bad", "web")
	if err != nil || !strings.Contains(status.Problem, "local-exec provisioner error") || !strings.Contains(status.Problem, "/nowhere/scalerd: not found") || status.RetryAt.IsZero() {
		t.Errorf("status is %+v, error %v, want terraform's words and when it is tried again", status, err)
	}
	if out := d.must("status", "bad"); !strings.Contains(out, "degraded") || !strings.Contains(out, "local-exec provisioner error") || !strings.Contains(out, "tried again at") {
		t.Errorf("scalerctl status tells too little:\n%s", out)
	}
	if text := d.metrics(); !strings.Contains(text, `scalerd_group_degraded{application="bad",group="web"} 1`) || !strings.Contains(text, `scalerd_group_degraded{application="good",group="web"} 0`) {
		t.Error("the metric scalerd_group_degraded does not tell bad from good")
	}
	d.scale("good", "web", 3)
	d.untouched(good, d.settle("good", "web", 3), good.names())

	d.ticks("bad", 5)
	nodes, err := d.client.Nodes(t.Context(), "bad")
	if err != nil {
		t.Fatal(err)
	}
	// A try after 2 s, another 4 s later, then 8 s: not one after the other.
	most := 3
	for wait, left := 2*time.Second, time.Since(began); left > wait; wait *= 2 {
		left -= wait
		most++
	}
	for _, n := range nodes {
		if number := tfgen.NodeNumber(n.Name); number > most {
			t.Fatalf("within %s the node %s was tried: that is no backoff", time.Since(began).Round(time.Second), n.Name)
		}
	}
	if err := os.Remove(breaker); err != nil {
		t.Fatal(err)
	}
	d.untouched(bad, d.settle("bad", "web", 2), bad.names())
	if text := d.metrics(); !strings.Contains(text, `scalerd_group_degraded{application="bad",group="web"} 0`) {
		t.Error("the metric scalerd_group_degraded stays after the recovery")
	}
}

func TestBalancerWithoutItsPortDegradesTheGroup(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	port := freePort(t)
	taken, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	description := describe("shop", fmt.Sprintf("web max: 3, local: {boot_time: 0s, balancer: '127.0.0.1:%d'}", port))
	_, errs, code := d.ctl("apply", d.file(description))
	if want := fmt.Sprintf("another program listens on 127.0.0.1:%d already", port); code != 1 || !strings.Contains(errs, want) {
		t.Errorf("scalerctl apply ended with %d, want 1 and %q:\n%s", code, want, errs)
	}
	if text := d.metrics(); !strings.Contains(text, `scalerd_group_degraded{application="shop",group="web"} 1`) {
		t.Error("the metric scalerd_group_degraded does not tell of it")
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	d.settle("shop", "web", 1)
	d.eventually("the balancer serves", func() error { return answers(fmt.Sprintf("http://127.0.0.1:%d/", port)) })
}

func TestTerminatedDaemonWaitsForTerraform(t *testing.T) {
	for _, subcommand := range []string{"plan", "apply"} {
		t.Run(subcommand, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t)
			d.submit(describe("shop", "web max: 9, initial: 2, shard_size: 4"))
			first := d.settle("shop", "web", 2)
			before := d.glimpse()
			d.scale("shop", "web", 8)
			d.await(terraformRuns(subcommand), before)
			if code := d.stop(); code != 0 {
				t.Errorf("scalerd ended with %d after SIGTERM, want 0", code)
			}
			left := slices.DeleteFunc(processesOf(t, d.base), func(p process) bool { _, _, ok := p.serves(); return ok })
			if len(left) > 0 {
				t.Errorf("processes are left besides the nodes: %+v", left)
			}
			locks, err := filepath.Glob(filepath.Join(d.groupDir("shop", "web"), "*", ".terraform.tfstate.lock.info"))
			if err != nil || len(locks) > 0 {
				t.Errorf("lock files are left: %v, error %v", locks, err)
			}
			for _, dir := range d.modules("shop", "web") {
				if _, err := terraform.ReadState(dir); err != nil {
					t.Errorf("the state after SIGTERM: %v", err)
				}
			}
			if _, err := os.Stat(filepath.Join(d.data, "scalerd.sock")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the socket is left, error %v", err)
			}
			d.start()
			d.untouched(first, d.settle("shop", "web", 8), first.names())
		})
	}
}
