package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

const (
	// stopPatience is how long a process may take to end by itself; it gives its
	// requests shutdownPatience of that.
	stopPatience = 6 * time.Second
	// killPatience is how long the kernel may take to end a killed process.
	killPatience = 10 * time.Second
)

// Stop makes sure that no process of that name lives and removes its files. It asks the process to end, and kills it where that takes
// longer than 6 s. It succeeds where there is none. It does not run at the same
// time as a Start or another Stop of the same name.
func Stop(ctx context.Context, dir, name string) error {
	if err := validPlace(dir, name); err != nil {
		return err
	}
	f := files{dir, name}
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		return nil
	}
	turn, err := waitLock(ctx, f.startLock(), lockPatience)
	if err != nil {
		return fmt.Errorf("stop %s: %w", name, err)
	}
	defer turn.free()
	if err := end(ctx, f); err != nil {
		return fmt.Errorf("stop %s: %w", name, err)
	}
	for _, path := range []string{f.log(), f.startLock()} {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("stop %s: %w", name, err)
		}
	}
	return nil
}

// end ends the process and removes its files.
func end(ctx context.Context, f files) error {
	if err := signalHolder(f, syscall.SIGTERM); err != nil {
		return err
	}
	err := poll(ctx, stopPatience, f.clear)
	if !errors.Is(err, errPatience) {
		return err
	}
	if err := signalHolder(f, syscall.SIGKILL); err != nil {
		return err
	}
	if err := poll(ctx, killPatience, f.clear); err != nil {
		return fmt.Errorf("it was killed and still holds %s: %w", f.alive(), err)
	}
	return nil
}

// signalHolder sends to the process that holds the lock, if there is one.
func signalHolder(f files, s syscall.Signal) error {
	var pid int
	err := poll(context.Background(), time.Second, func() (done bool, err error) {
		pid, err = f.holder()
		return pid != 0 || !held(f.alive()), err
	})
	if err != nil {
		return fmt.Errorf("find the process that holds %s: %w", f.alive(), err)
	}
	if pid == 0 {
		return nil
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return fmt.Errorf("find process %d: %w", pid, err)
	}
	defer func() { _ = process.Release() }()
	// The handle was opened before the look at the lock: as long as that is
	// held, the handle can't be of another process that got the same id.
	if !held(f.alive()) {
		return nil
	}
	if err := process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %s to process %d: %w", s, pid, err)
	}
	return nil
}
