package cmd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// diskSize is the size of the small disk, in bytes.
const diskSize = 8 << 20

// mountDisk makes dir a disk of its own, or skips the test.
func mountDisk(t *testing.T, dir string) {
	t.Helper()
	if err := mountSmall(t, dir, diskSize); err != nil {
		t.Skip(err)
	}
}

// mountSmall makes dir a disk of its own with that many bytes, until the test ends.
func mountSmall(t testing.TB, dir string, size int) error {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", size), "tmpfs", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("a small disk can't be mounted here: %w: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return nil
}

// fill fills the disk except for some bytes, and returns the file that does it.
func fill(t testing.TB, dir string, room int) string {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var written int64
	for block := make([]byte, 4096); err == nil; {
		var n int
		n, err = f.Write(block)
		written += int64(n)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Truncate(max(0, written-int64(room))); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFullDiskHalvesNoFile(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	mountDisk(t, d.data)
	d.start()
	d.submit(describe("shop", "web max: 9, initial: 1, shard_size: 9"))
	size := 1
	d.settle("shop", "web", size)
	failures := 0
	// Little room is worse than none: the order is recorded, and fails on its way.
	for _, room := range []int{0, 16 << 10, 32 << 10, 48 << 10, 64 << 10, 96 << 10, 128 << 10} {
		ballast := fill(t, d.data, room)
		if _, err := d.client.Scale(t.Context(), "shop", "web", size+1); err != nil {
			if !strings.Contains(err.Error(), "full") && !strings.Contains(err.Error(), "no space left") {
				t.Errorf("with room for %d bytes an order is answered by %q, want that the disk is full", room, err)
			}
			failures++
		} else {
			size++
			failures += d.settledOrFull(room)
		}
		d.parses(true)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		d.settle("shop", "web", size)
	}
	if failures == 0 {
		t.Error("the disk was never too full for an order: the test tests nothing")
	}
	d.submit(describe("shop", "web max: 9, shard_size: 9"))
	d.scale("shop", "web", 9)
	d.settle("shop", "web", 9)
}

// settledOrFull waits until an order is carried out, or the status says why not,
// and returns 1 then.
func (d *daemon) settledOrFull(room int) int {
	d.t.Helper()
	full := 0
	d.eventually(fmt.Sprintf("with room for %d bytes the order is carried out or the status says why not", room), func() error {
		status, err := d.status("shop", "web")
		switch {
		case err != nil:
			return err
		case strings.Contains(status.Problem, "no space left") || strings.Contains(status.Problem, "full"):
			full = 1
			return nil
		case status.Problem != "":
			return fmt.Errorf("the problem is %q", status.Problem)
		case !status.Settled:
			return errors.New("it is not settled")
		}
		return nil
	})
	return full
}

// parses checks that no node set and no copy of a state is half written, and no state
// where no terraform is at work: that writes it in its place.
func (d *daemon) parses(atRest bool) {
	d.t.Helper()
	err := filepath.WalkDir(filepath.Join(d.data, "apps"), func(path string, entry fs.DirEntry, err error) error {
		name := filepath.Base(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		if err != nil || entry.IsDir() || !(strings.HasSuffix(name, ".tfvars.json") || atRest && name == "terraform.tfstate" || name == "terraform.seen.json") {
			return err
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !json.Valid(text) {
			d.t.Errorf("%s is half written: %q", path, text)
		}
		return err
	})
	if err != nil {
		d.t.Error(err)
	}
}
