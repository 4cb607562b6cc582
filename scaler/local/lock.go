package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// lock is an exclusively locked file. The kernel frees it when the process ends.
type lock struct {
	file *os.File
}

// tryLock locks the file at path, which it makes where there is none. It
// returns nil, and no error, where another holds the lock.
func tryLock(path string) (*lock, error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open lock: %w", err)
		}
		l := &lock{file: file}
		switch ok, err := flock(file, true); {
		case err != nil || !ok:
			_ = file.Close()
			return nil, err
		case l.inPlace():
			return l, nil
		}
		// The holder before us removed the file: what we locked has no name.
		l.free()
	}
}

// waitLock locks the file at path once the others that hold it are done.
func waitLock(ctx context.Context, path string, patience time.Duration) (*lock, error) {
	var l *lock
	var refused error
	err := poll(ctx, patience, func() (bool, error) {
		l, refused = tryLock(path)
		return l != nil, refused
	})
	if err != nil && refused == nil {
		return nil, fmt.Errorf("another process holds %s: %w", path, err)
	}
	return l, err
}

// inPlace tells whether the path still names the locked file.
func (l *lock) inPlace() bool {
	mine, err := l.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(l.file.Name())
	if err != nil {
		return !os.IsNotExist(err)
	}
	return os.SameFile(mine, there)
}

// write replaces the content of the locked file.
func (l *lock) write(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("empty lock: %w", err)
	}
	if _, err := l.file.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	return nil
}

// free unlocks and leaves the file.
func (l *lock) free() {
	funlock(l.file)
	_ = l.file.Close()
}

// held tells whether a process holds the lock at path. A file that can't be
// looked at counts as held, since to take a living process for a dead one costs
// a node, and the other way round only time.
func held(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return !os.IsNotExist(err)
	}
	defer file.Close()
	ok, err := flock(file, false)
	if ok {
		funlock(file)
	}
	return !ok || err != nil
}

// pollInterval is how often poll looks.
const pollInterval = 10 * time.Millisecond

// errPatience is what a wait ends with that took too long.
var errPatience = errors.New("gave up")

// poll asks until done answers true or an error, ctx ends, or patience is used
// up, which is errPatience.
func poll(ctx context.Context, patience time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%w after %s", errPatience, patience))
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}
