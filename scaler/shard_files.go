package scaler

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/scalerd/scalerd/tfgen"
)

// appliedFile holds the digest of the module's files as they were applied last.
const appliedFile = "applied.digest"

// noteApplied remembers that the files of the digest were applied.
func (s *shard) noteApplied(digest string) error {
	if s.applied == digest {
		return nil
	}
	if err := s.disk.replace(filepath.Join(s.dir, appliedFile), []byte(digest), 0o600); err != nil {
		return fmt.Errorf("note what was applied: %w", err)
	}
	s.applied = digest
	return nil
}

// writeModule writes the module's files and what the group's base hands to it,
// where they differ from what is there, and removes generated files that neither
// the module nor a node of the shard needs any more.
func (s *shard) writeModule(module tfgen.Module, shared json.RawMessage) error {
	if err := s.disk.folder(s.dir); err != nil {
		return fmt.Errorf("root module: %w", err)
	}
	keep := map[string]bool{}
	for _, file := range module.RootFiles(s.name) {
		keep[file.Name] = true
		if err := s.disk.writeFile(filepath.Join(s.dir, file.Name), file.Content); err != nil {
			return err
		}
	}
	if shared != nil {
		text, err := json.Marshal(map[string]json.RawMessage{"shared": shared})
		if err != nil {
			return fmt.Errorf("write shared values: %w", err)
		}
		if err := s.disk.writeFile(filepath.Join(s.dir, tfgen.SharedFile), text); err != nil {
			return err
		}
	}
	if err := s.removeOld(keep); err != nil {
		return err
	}
	var err error
	s.written, err = moduleDigest(s.dir)
	return err
}

// writeFile replaces a file at once, where it differs.
func (d disk) writeFile(path string, content []byte) error {
	if have, err := os.ReadFile(path); err == nil && string(have) == string(content) {
		return nil
	}
	if err := d.replace(path, content, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// removeOld removes .tf files that are not to be kept, and user data that no node
// refers to.
func (s *shard) removeOld(keep map[string]bool) error {
	for _, settings := range s.nodes {
		for _, value := range settings {
			if name, ok := value.(string); ok {
				keep[name] = true
			}
		}
	}
	for _, pattern := range []string{"*.tf", tfgen.UserDataFiles} {
		old, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			return fmt.Errorf("list %s: %w", s.dir, err)
		}
		for _, path := range old {
			if !keep[filepath.Base(path)] {
				if err := s.disk.remove(path); err != nil {
					return fmt.Errorf("remove old file: %w", err)
				}
			}
		}
	}
	return nil
}

// moduleDigest is a digest of what a change of the description may change in a
// root module: its configuration and what its base hands to it. User data is not
// part of it, because a node keeps the one that it started with, and neither is the
// backend, which is not the nodes' business.
func moduleDigest(dir string) (string, error) {
	paths, err := configuration(dir)
	if err != nil {
		return "", err
	}
	return filesDigest(append(withoutBackend(paths), filepath.Join(dir, tfgen.SharedFile)))
}

// ModuleConfigDigest is ConfigDigest without the backend: the same for all shards of a
// group.
func ModuleConfigDigest(dir string) (string, error) {
	paths, err := configuration(dir)
	if err != nil {
		return "", err
	}
	return filesDigest(withoutBackend(paths))
}

func withoutBackend(paths []string) []string {
	return slices.DeleteFunc(paths, func(path string) bool { return filepath.Base(path) == tfgen.BackendFile })
}

// fileDigest is the sha256 of a file's content.
func fileDigest(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }

// ConfigDigest is a digest of a root module's .tf files by name and content.
func ConfigDigest(dir string) (string, error) {
	paths, err := configuration(dir)
	if err != nil {
		return "", err
	}
	return filesDigest(paths)
}

// configuration lists a root module's .tf files in order.
func configuration(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	slices.Sort(paths)
	return paths, nil
}

// filesDigest is a digest of files by name and content; files that are not there do
// not count.
func filesDigest(paths []string) (string, error) {
	h := sha256.New()
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("read configuration: %w", err)
		}
		fmt.Fprintf(h, "%s %d\n", filepath.Base(path), len(text))
		h.Write(text)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
