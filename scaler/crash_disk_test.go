package scaler_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// platters are the disk that outlives every scalerd.
type platters struct {
	mu sync.Mutex
	// skip writes go well, then left are refused.
	skip, left int
	// unsettled is what a power cut brings back: each changed file's content before its
	// folder was settled.
	unsettled map[string]before
}

// before is a file before a change; text is nil where there was none.
type before struct {
	text []byte
	at   time.Time
}

// writtenBack is when an operating system has written what it was not asked to sync.
const writtenBack = 30 * time.Second

func newPlatters() *platters { return &platters{unsettled: map[string]before{}} }

// fill makes the disk refuse writes from the n-th on, counted from 1; 0 is never.
func (p *platters) fill(n, refused int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.skip, p.left = n-1, refused
	if n == 0 {
		p.left = 0
	}
}

// refuses is the answer of a full disk, or nil.
func (p *platters) refuses(op, path string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.left == 0:
		return nil
	case p.skip > 0:
		p.skip--
		return nil
	}
	p.left--
	return &fs.PathError{Op: op, Path: path, Err: syscall.ENOSPC}
}

// keep remembers a file before it changes.
func (p *platters) keep(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old, kept := p.unsettled[path]; kept && time.Since(old.at) < writtenBack {
		return
	}
	text, _ := os.ReadFile(path)
	p.unsettled[path] = before{text, time.Now()}
}

// settle makes the changes in a folder last.
func (p *platters) settle(dir string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.unsettled, func(path string, _ before) bool { return filepath.Dir(path) == dir })
}

// cut undoes what was not settled, as a power cut may.
func (p *platters) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, path := range slices.Sorted(maps.Keys(p.unsettled)) {
		old := p.unsettled[path]
		_, err := os.Stat(filepath.Dir(path))
		switch {
		case err != nil || time.Since(old.at) >= writtenBack:
		case old.text == nil:
			_ = os.Remove(path) // it may not have come so far
		default:
			_ = os.WriteFile(path, old.text, 0o600)
		}
	}
	clear(p.unsettled)
}

// mortalDisk is the disk of a scalerd that dies at its changes: before one, within
// it, and after it.
type mortalDisk struct {
	fuse *fuse
	*platters
}

func (m mortalDisk) around(change, path string, do func() error) error {
	if err := m.fuse.point(); err != nil {
		return err
	}
	if err := m.refuses(change, path); change != scaler.DiskRemove && err != nil {
		return err
	}
	if dead, here := m.fuse.pass(); dead {
		if here {
			leave(change, path)
		}
		return m.fuse.point()
	}
	info, err := os.Lstat(path)
	if file := err != nil || !info.IsDir(); file && (change == scaler.DiskReplace || change == scaler.DiskRemove) {
		m.keep(path)
	}
	err = do()
	if change == scaler.DiskSettle && err == nil {
		m.settle(path)
	}
	if crashed := m.fuse.point(); crashed != nil {
		return crashed
	}
	return err
}

// leave does what a change has done in its middle.
func leave(change, path string) {
	switch change {
	case scaler.DiskReplace:
		_ = os.WriteFile(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"5577006791947779410"), []byte("{"), 0o600)
	case scaler.DiskRemove:
		entries, _ := os.ReadDir(path)
		for _, e := range entries[len(entries)/2:] {
			_ = os.RemoveAll(filepath.Join(path, e.Name()))
		}
	}
}
