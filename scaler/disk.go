package scaler

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/renameio/v2"
)

// disk changes the files of the data folder, so that scalerd can be killed anywhere
// and the machine can lose its power: a file and a folder are there as a whole or not
// at all. The zero value is ready; tests put something around every change.
type disk struct {
	around func(c diskChange, path string, do func() error) error
}

// diskChange is what changes on disk at once.
type diskChange string

const (
	diskReplace diskChange = "replace a file"
	diskFolder  diskChange = "make a folder"
	diskRemove  diskChange = "remove"
	diskSettle  diskChange = "settle a folder"
)

func (d disk) change(c diskChange, path string, do func() error) error {
	if d.around == nil {
		return do()
	}
	return d.around(c, path, do)
}

// replace puts content in the place of a file. A crash leaves the old one or the new
// one, and maybe a stray beside it; a power cut may bring the old one back until its
// folder is settled.
func (d disk) replace(path string, content []byte, mode fs.FileMode) error {
	return d.change(diskReplace, path, func() error {
		return renameio.WriteFile(path, content, mode, renameio.WithTempDir(filepath.Dir(path)))
	})
}

// settle makes what was replaced in a folder outlast a power cut.
func (d disk) settle(dir string) error {
	return d.change(diskSettle, dir, func() error {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// folder makes a folder, where there is none.
func (d disk) folder(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	err := d.change(diskFolder, path, func() error { return os.MkdirAll(path, 0o700) })
	if err != nil {
		return err
	}
	return d.settle(filepath.Dir(path))
}

// goneMark begins the name of a folder that is being removed.
const goneMark = ".gone-"

// remove removes a file or a folder, where there is one. A folder goes at once: cut
// short in between it would look like one that lost its state. Its remains have
// another name, and are strays.
func (d disk) remove(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return d.change(diskRemove, path, func() error { return os.Remove(path) })
	}
	gone := filepath.Join(filepath.Dir(path), goneMark+filepath.Base(path))
	if err := d.change(diskRemove, gone, func() error { return os.RemoveAll(gone) }); err != nil {
		return err
	}
	if err := d.change(diskReplace, gone, func() error { return os.Rename(path, gone) }); err != nil {
		return err
	}
	if err := d.settle(filepath.Dir(path)); err != nil {
		return err
	}
	return d.change(diskRemove, gone, func() error { return os.RemoveAll(gone) })
}

// strayFile is the name of a file that was to be renamed into its place.
var strayFile = regexp.MustCompile(`^\..+[0-9]{6}$`)

// sweepStrays removes what changes that were cut short left in a folder and in those
// within, three levels deep: applications, groups, root modules. What terraform keeps
// in folders of its own is not looked at.
func (d disk) sweepStrays(dir string, levels int) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for strays: %w", err)
	}
	var errs []error
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir() && strings.HasPrefix(e.Name(), goneMark), e.Type().IsRegular() && strayFile.MatchString(e.Name()):
			errs = append(errs, d.change(diskRemove, path, func() error { return os.RemoveAll(path) }))
		case e.IsDir() && levels > 0 && !strings.HasPrefix(e.Name(), "."):
			errs = append(errs, d.sweepStrays(path, levels-1))
		}
	}
	return errors.Join(errs...)
}
