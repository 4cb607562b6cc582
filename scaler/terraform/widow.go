package terraform

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// endWidows ends the providers that work in the root module for a terraform that was
// killed: they don't notice, keep their memory for ever, and one that waits for the
// cloud would go on to make a machine after it was looked for. A provider of a living
// terraform is left alone.
func endWidows(dir, binary string) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return // no such system, and no way to tell
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || !strings.HasPrefix(filepath.Base(command(pid)), "terraform-provider-") {
			continue
		}
		at, err := os.Readlink(filepath.Join("/proc", entry.Name(), "cwd"))
		if err != nil || !same(at, dir) {
			continue
		}
		switch filepath.Base(command(parent(pid))) {
		case "terraform", "tofu", filepath.Base(binary):
		default:
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended meanwhile
		}
	}
}

// command is the first argument of a living process, empty where there is none.
func command(pid int) string {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(line), "\x00")
	return first
}

// parent is the process that a living process belongs to, 0 where that is not known.
func parent(pid int) int {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(fields[1])
	return ppid
}
