package terraform

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/scalerd/scalerd/scaler"
)

// pluginDir is where `terraform init` puts providers and modules.
const pluginDir = ".terraform"

// fromSibling prepares a root module with what another shard of its group was
// initialised with, and reports whether there was one. All shards of a group have
// the same configuration but for their backend, so their providers, modules and
// lock file are the same: a new shard needs no process and no registry. Of a module
// with a backend it does all but that.
func fromSibling(dir string) (bool, error) {
	own, err := scaler.ModuleConfigDigest(dir)
	if err != nil {
		return false, err
	}
	markers, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*", initMarker))
	if err != nil {
		return false, fmt.Errorf("look for another shard of %s: %w", dir, err)
	}
	for _, marker := range markers {
		sibling := filepath.Dir(filepath.Dir(marker))
		if sibling == dir {
			continue
		}
		if ready, err := initialised(sibling); err != nil || !ready {
			continue // its own step says what is wrong
		}
		if theirs, err := scaler.ModuleConfigDigest(sibling); err != nil || theirs != own {
			continue
		}
		if err := copyPlugins(sibling, dir); err != nil {
			// As where that shard is initialised anew at this moment.
			return false, os.RemoveAll(filepath.Join(dir, pluginDir))
		}
		return true, nil
	}
	return false, nil
}

// initialised reports whether the configuration of a root module is the one that
// was last initialised.
func initialised(dir string) (bool, error) {
	have, err := os.ReadFile(filepath.Join(dir, initMarker))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read marker: %w", err)
	}
	digest, err := scaler.ConfigDigest(dir)
	return err == nil && string(have) == digest, err
}

// copyPlugins copies the lock file, the providers and the modules. Files become hard
// links where the file system has them: nobody changes them in place.
func copyPlugins(from, to string) error {
	if err := copyLock(filepath.Join(from, lockFile), filepath.Join(to, lockFile), true); err != nil {
		return err
	}
	for _, part := range []string{"providers", "modules"} {
		source, target := filepath.Join(from, pluginDir, part), filepath.Join(to, pluginDir, part)
		if err := os.RemoveAll(target); err != nil {
			return fmt.Errorf("remove old %s: %w", part, err)
		}
		if _, err := os.Stat(source); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := linkTree(source, target); err != nil {
			return fmt.Errorf("copy %s of %s: %w", part, from, err)
		}
	}
	return nil
}

func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, 0o700)
		case entry.Type()&fs.ModeSymlink != 0:
			// Not a link to the other shard, which may be removed.
			place, err := filepath.EvalSymlinks(path)
			if err != nil {
				return err
			}
			return os.Symlink(place, target)
		default:
			return linkFile(path, target)
		}
	})
}

// linkFile makes a hard link, or a copy where that is not possible.
func linkFile(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}
