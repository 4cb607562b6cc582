//go:build unix

package local

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// flock takes the lock of an open file without waiting and tells whether it
// did. A shared lock is refused only where another holds it exclusively.
func flock(file *os.File, exclusive bool) (bool, error) {
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	for {
		switch err := unix.Flock(int(file.Fd()), how|unix.LOCK_NB); {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, fmt.Errorf("lock %s: %w", file.Name(), err)
		}
	}
}

// funlock frees the lock of an open file. Closing alone would leave it held
// while a process that was just forked has not yet reached its exec.
func funlock(file *os.File) {
	_ = unix.Flock(int(file.Fd()), unix.LOCK_UN)
}

// detached makes a child the leader of a session of its own, out of reach of
// the signals that a terminal or terraform sends to its process group.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true}
}

// closeInheritedOnExec marks every file that this process was started with,
// except for the standard ones, so that a child does not hold it open.
func closeInheritedOnExec() error {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return fmt.Errorf("list open files: %w", err)
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// reaped tells whether the child has ended, without waiting.
func reaped(pid int) (bool, error) {
	for {
		got, err := unix.Wait4(pid, nil, unix.WNOHANG, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ECHILD):
			return true, nil
		case err != nil:
			return false, fmt.Errorf("wait for process %d: %w", pid, err)
		default:
			return got == pid, nil
		}
	}
}
