package terraform

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// roomForStep is the free disk space, in bytes, that a step needs besides room for
// its state: terraform's own files, the plan, and what others write meanwhile.
const roomForStep = 4 << 20

// checkRoom refuses to start a step on a disk that is nearly full: terraform writes
// its state in place, and would leave it cut short.
func checkRoom(dir string) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("free space of %s: %w", dir, err)
	}
	need := int64(roomForStep)
	if info, err := os.Stat(filepath.Join(dir, stateFile)); err == nil {
		need += 4 * info.Size() // the state, its backup, our copy, and growth
	}
	if free := int64(fs.Bavail) * int64(fs.Bsize); free < need {
		return fmt.Errorf("no space left on the disk of %s: %d bytes are free, a step needs %d; nothing was started", dir, free, need)
	}
	return nil
}
