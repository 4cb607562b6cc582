package local

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// files are the paths that belong to one process.
type files struct {
	dir, name string
}

func (f files) record() string    { return filepath.Join(f.dir, f.name+".json") }
func (f files) alive() string     { return filepath.Join(f.dir, f.name+".alive") }
func (f files) startLock() string { return filepath.Join(f.dir, f.name+".start.lock") }
func (f files) log() string       { return filepath.Join(f.dir, f.name+".log") }

// holder is the id of the process that wrote itself into the alive file last,
// or 0 where none is written. It means something only while the file is locked.
func (f files) holder() (int, error) {
	text, err := os.ReadFile(f.alive())
	if os.IsNotExist(err) || (err == nil && !strings.HasSuffix(string(text), "\n")) {
		return 0, nil // not there, or not yet written to its end
	}
	if err != nil {
		return 0, fmt.Errorf("read process id: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("read process id %s: %q is none", f.alive(), text)
	}
	return pid, nil
}

// clear removes what a dead process left, and tells whether it did: not where
// the process lives, or where another looked at its lock just now.
func (f files) clear() (bool, error) {
	dead, err := tryLock(f.alive())
	if dead == nil {
		return false, err
	}
	defer dead.free()
	for _, path := range []string{f.record(), f.alive()} {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return false, fmt.Errorf("remove what %s left: %w", f.name, err)
		}
	}
	return true, nil
}
