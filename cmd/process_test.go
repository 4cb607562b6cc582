package cmd_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// process is a process that lives, as /proc shows it.
type process struct {
	pid  int
	args []string
	dir  string
}

// processesOf lists the processes that work in a folder or name it: a daemon, its
// terraform processes with what these run, nodes and balancers.
func processesOf(t testing.TB, folder string) []process {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var found []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		// What ends meanwhile, and what is dead and not reaped, has neither.
		line, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		dir, _ := os.Readlink(filepath.Join("/proc", entry.Name(), "cwd"))
		if within := dir == folder || strings.HasPrefix(dir, folder+"/"); within || strings.Contains(string(line), folder+"/") {
			found = append(found, process{pid, strings.Split(strings.TrimRight(string(line), "\x00"), "\x00"), dir})
		}
	}
	return found
}

// terraform tells whether it is terraform with this subcommand.
func (p process) terraform(subcommand string) bool {
	return len(p.args) > 1 && (filepath.Base(p.args[0]) == "terraform" || filepath.Base(p.args[0]) == "tofu") && p.args[1] == subcommand
}

// serves tells whether it is a node or balancer, and its root module and name.
func (p process) serves() (module, name string, ok bool) {
	if len(p.args) < 3 || p.args[1] != "local" || p.args[2] != "run" {
		return "", "", false
	}
	for _, arg := range p.args[3:] {
		if dir, ok := strings.CutPrefix(arg, "--dir="); ok {
			module = filepath.Dir(dir)
		}
		if n, ok := strings.CutPrefix(arg, "--name="); ok {
			name = n
		}
	}
	return module, name, true
}

func kill(t testing.TB, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		t.Fatalf("kill %d: %v", pid, err)
	}
}

// killTerraform kills every terraform of the daemon that runs this subcommand, and
// returns how many.
func (d *daemon) killTerraform(subcommand string) int {
	all := processesOf(d.t, d.data)
	all = slices.DeleteFunc(all, func(p process) bool { return !p.terraform(subcommand) })
	for _, p := range all {
		kill(d.t, p.pid)
	}
	return len(all)
}
