//go:build unix

package simcloud

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock waits for the lock of an open file. It is let go when the file is closed,
// also by the end of the process.
func lock(file *os.File, exclusive bool) error {
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	for {
		if err := unix.Flock(int(file.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// die ends the process as `kill -9` would.
func die() { _ = unix.Kill(os.Getpid(), unix.SIGKILL); select {} }
