// Package secretfile reads files that hold a secret, and refuses those that others can
// read too.
package secretfile

import (
	"fmt"
	"os"
	"path/filepath"
)

// Read reads a file that its owner alone may read. Files in systemd's
// $CREDENTIALS_DIRECTORY are read as they are: systemd lets nobody else into that folder,
// and its files can show bits of a group, which stand for an access list there.
func Read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 && !provided(path) {
		return nil, fmt.Errorf("%s can be read by others (mode %04o); run chmod 600 on it", path, info.Mode().Perm())
	}
	return os.ReadFile(path)
}

// provided reports whether a file is in the folder that systemd provides credentials in.
func provided(path string) bool {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return false
	}
	inside, err := filepath.Rel(dir, path)
	return err == nil && inside != "." && filepath.IsLocal(inside)
}
