package terraform

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// process names a process of this boot: an identifier alone is used again.
type process struct {
	PID int
	// ticks is when it was started, in ticks since the boot.
	ticks int64
}

// processOf looks a living process up in /proc. Systems without it know none.
func processOf(pid int) (process, bool) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return process{}, false
	}
	// The name is in brackets and may hold anything, see proc_pid_stat(5): after it
	// come the state, field 3, and the start, field 22.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return process{}, false
	}
	ticks, err := strconv.ParseInt(fields[19], 10, 64)
	return process{PID: pid, ticks: ticks}, err == nil
}

// alive reports whether the very process lives.
func (p process) alive() bool {
	now, ok := processOf(p.PID)
	return ok && now == p
}

// ticksPerSecond is USER_HZ, which is 100 on every Linux.
const ticksPerSecond = 100

// began is when the process was started, by today's clock; the zero time where that
// is not known.
func (p process) began() time.Time {
	up := sinceBoot()
	if up == 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(p.ticks)*(time.Second/ticksPerSecond) - up)
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
