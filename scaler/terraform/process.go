package terraform

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// process names a process for all time: an identifier alone is used again.
type process struct {
	PID int `json:"pid,omitempty"`
	// Start is the boot of the machine and the process's start, in ticks since.
	Start string `json:"start,omitempty"`
}

// processOf looks a living process up in /proc. Systems without it know none.
func processOf(pid int) (process, bool) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return process{}, false
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return process{}, false
	}
	// The name is in brackets and may hold anything, see proc_pid_stat(5): after it
	// come the state, field 3, and the start, field 22.
	_, after, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
	fields := strings.Fields(after)
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return process{}, false
	}
	return process{PID: pid, Start: strings.TrimSpace(string(boot)) + "/" + fields[19]}, true
}

// alive reports whether the very process lives.
func (p process) alive() bool {
	now, ok := processOf(p.PID)
	return ok && p.PID != 0 && now == p
}

// engine is a living terraform or tofu process.
type engine struct {
	process
	// dir is its working directory, empty where that can't be read.
	dir  string
	args []string
}

// engines lists the terraform and tofu processes that live on this machine, besides
// the ones that other users' rights hide.
func engines(binary string) []engine {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	names := []string{"terraform", "tofu", filepath.Base(binary)}
	var found []engine
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
		if err != nil || !slices.Contains(names, filepath.Base(args[0])) {
			continue
		}
		p, ok := processOf(pid)
		if !ok {
			continue
		}
		dir, _ := os.Readlink(filepath.Join("/proc", entry.Name(), "cwd"))
		found = append(found, engine{p, dir, args})
	}
	return found
}
