package terraform

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
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

// began is when the process was started, to the second; the zero time where that
// is not known.
func (p process) began() time.Time {
	_, ticks, _ := strings.Cut(p.Start, "/")
	since, err := strconv.ParseInt(ticks, 10, 64)
	text, readErr := os.ReadFile("/proc/stat")
	if err != nil || readErr != nil {
		return time.Time{}
	}
	for line := range strings.Lines(string(text)) {
		if boot, ok := strings.CutPrefix(line, "btime "); ok {
			seconds, err := strconv.ParseInt(strings.TrimSpace(boot), 10, 64)
			if err != nil {
				return time.Time{}
			}
			return time.Unix(seconds+since/ticksPerSecond, 0)
		}
	}
	return time.Time{}
}

// ticksPerSecond is USER_HZ, which is 100 on every Linux.
const ticksPerSecond = 100

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
