//go:build unix

package local

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// The lock file is removed by its holder each time, as Stop does, so that others
// often lock a file that has lost its name.
func TestOneHoldsALockWhoseFileIsRemoved(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.start.lock")
	var holders, taken atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for taken.Load() < 2000 {
				l, err := tryLock(path)
				if err != nil {
					t.Error(err)
					return
				}
				if l == nil {
					continue
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d hold the lock at once, want 1", n)
					return
				}
				taken.Add(1)
				holders.Add(-1) // with the name gone, the next may hold the lock
				if err := os.Remove(path); err != nil {
					t.Errorf("the holder's file is gone: %v", err)
					return
				}
				l.free()
			}
		})
	}
	all.Wait()
}

func TestHeld(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.alive")
	if held(path) {
		t.Error("held() = true where there is no file")
	}
	l, err := tryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // looking must not take the lock away
		if !held(path) {
			t.Error("held() = false while the lock is held")
		}
	}
	l.free()
	if held(path) {
		t.Error("held() = true after the lock was freed")
	}
}
