package audit_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/scaler/audit"
)

// written is a log of n entries, closed.
func written(t testing.TB, dir string, n int, o audit.Options) audit.Head {
	t.Helper()
	l, err := audit.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := l.Append(audit.Entry{Who: "anna", How: "token", From: "10.0.0.1", Action: "scale-group", Target: fmt.Sprintf("shop/web%d", i), Result: "done 202"}); err != nil {
			t.Fatal(err)
		}
	}
	head := l.Head()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return head
}

func verify(t testing.TB, dir string, known audit.Head) audit.Verification {
	t.Helper()
	r, err := audit.Verify(dir, known)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAWholeLogIsSoundAndPrivate(t *testing.T) {
	dir := t.TempDir()
	written(t, dir, 3, audit.Options{})
	head := written(t, dir, 2, audit.Options{}) // after a restart
	r := verify(t, dir, head)
	if r.Problem != "" || len(r.Notes) > 0 || r.Entries != 5 || r.First != 1 || r.Head != head {
		t.Errorf("Verify() = %+v, want 5 sound entries up to %+v", r, head)
	}
	for _, name := range []string{audit.File, audit.HeadFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 0600", name, info.Mode(), err)
		}
	}
}

func TestVerifyNamesTheFirstLineThatWasTamperedWith(t *testing.T) {
	join := func(lines ...[]byte) []byte { return bytes.Join(lines, nil) }
	for _, tt := range []struct {
		does   string
		tamper func(lines [][]byte) []byte
		want   string
	}{
		{"edits a name", func(l [][]byte) []byte {
			return join(l[0], bytes.Replace(l[1], []byte("anna"), []byte("otto"), 1), l[2], l[3], l[4])
		}, "audit.log:2: was changed"},
		{"edits the last line", func(l [][]byte) []byte {
			return join(l[0], l[1], l[2], l[3], bytes.Replace(l[4], []byte("done"), []byte("gone"), 1))
		}, "audit.log:5: was changed"},
		{"adds a key", func(l [][]byte) []byte {
			return join(l[0], l[1], bytes.Replace(l[2], []byte(`{"seq"`), []byte(`{"x":1,"seq"`), 1), l[3], l[4])
		}, "audit.log:3: is not an entry"},
		{"adds a space", func(l [][]byte) []byte {
			return join(l[0], l[1], l[2], bytes.Replace(l[3], []byte(`,"time"`), []byte(`, "time"`), 1), l[4])
		}, "audit.log:4: is not an entry"},
		{"deletes a line", func(l [][]byte) []byte { return join(l[0], l[1], l[3], l[4]) }, "audit.log:3: entries 3 to 3 are missing"},
		{"swaps lines", func(l [][]byte) []byte { return join(l[0], l[2], l[1], l[3], l[4]) }, "audit.log:2: entries 2 to 2 are missing"},
		{"doubles a line", func(l [][]byte) []byte { return join(l[0], l[1], l[1], l[2], l[3], l[4]) }, "audit.log:3: is entry 2, which does not belong"},
		{"cuts the end off", func(l [][]byte) []byte { return join(l[0], l[1], l[2]) }, "entries 4 to 5 are missing at the end"},
		{"cuts the last line short", func(l [][]byte) []byte { return join(l[0], l[1], l[2], l[3], l[4][:20]) }, "entries 5 to 5 are missing at the end"},
		{"empties it", func([][]byte) []byte { return nil }, "entries 1 to 5 are missing at the end"},
		{"writes an empty line", func(l [][]byte) []byte { return join(l[0], []byte("\n"), l[1], l[2], l[3], l[4]) }, "audit.log:2: is not an entry"},
	} {
		t.Run(tt.does, func(t *testing.T) {
			dir := t.TempDir()
			written(t, dir, 5, audit.Options{})
			path := filepath.Join(dir, audit.File)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tt.tamper(bytes.SplitAfter(text, []byte("\n"))), 0o600); err != nil {
				t.Fatal(err)
			}
			if r := verify(t, dir, audit.Head{}); !strings.Contains(r.Problem, tt.want) {
				t.Errorf("Verify() = %q, want %q", r.Problem, tt.want)
			}
			// Going on does not hide it.
			written(t, dir, 2, audit.Options{})
			if r := verify(t, dir, audit.Head{}); r.Problem == "" {
				t.Error("after more entries, Verify() finds nothing any more")
			}
		})
	}
}

func TestAChainThatWasMadeAnewIsFoundByAHeadKeptElsewhere(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	head := written(t, dir, 3, audit.Options{})
	written(t, dir, 1, audit.Options{})
	if r := verify(t, dir, head); r.Problem != "" {
		t.Errorf("Verify() = %q, want none", r.Problem)
	}
	written(t, other, 5, audit.Options{})
	if r := verify(t, other, head); !strings.Contains(r.Problem, "entry 3 is not the one that was written, as the head that you gave says") {
		t.Errorf("Verify() = %q", r.Problem)
	}
	if err := os.Remove(filepath.Join(dir, audit.HeadFile)); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, dir, audit.Head{}); !strings.Contains(r.Problem, "audit.head is not there") {
		t.Errorf("Verify() without a head = %q", r.Problem)
	}
}

func TestACrashLosesOnlyWhatWasNeverWritten(t *testing.T) {
	dir := t.TempDir()
	head := written(t, dir, 3, audit.Options{})
	path := filepath.Join(dir, audit.File)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	next := []byte(`{"seq":4,"time":"2026-05-04T12:00:00Z","who":"an` + strings.Repeat("x", 200))
	for cut := 0; cut < len(next); cut += 13 {
		if err := os.WriteFile(path, append(slices.Clone(whole), next[:cut+1]...), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, audit.HeadFile), fmt.Appendf(nil, `{"seq":%d,"hash":%q}`, head.Seq, head.Hash), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := verify(t, dir, head); r.Problem != "" || len(r.Notes) != 1 {
			t.Fatalf("before the restart, after %d bytes: %+v", cut+1, r)
		}
		written(t, dir, 1, audit.Options{})
		r := verify(t, dir, head)
		if r.Problem != "" || r.Entries != 5 || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], fmt.Sprintf("torn: %d bytes", cut+1)) {
			t.Fatalf("after %d bytes: %+v, want a note of them and 5 entries", cut+1, r)
		}
	}
}

func TestACrashBetweenLineAndHeadIsNoDamage(t *testing.T) {
	dir := t.TempDir()
	written(t, dir, 2, audit.Options{})
	old, err := os.ReadFile(filepath.Join(dir, audit.HeadFile))
	if err != nil {
		t.Fatal(err)
	}
	written(t, dir, 1, audit.Options{})
	if err := os.WriteFile(filepath.Join(dir, audit.HeadFile), old, 0o600); err != nil {
		t.Fatal(err)
	}
	written(t, dir, 1, audit.Options{})
	if r := verify(t, dir, audit.Head{}); r.Problem != "" || r.Entries != 4 || len(r.Notes) > 0 {
		t.Errorf("Verify() = %+v", r)
	}
}

func TestFilesAreTurnedOverAndTheChainGoesOn(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		written(t, dir, 10, audit.Options{Limit: 1000})
	}
	files, err := filepath.Glob(filepath.Join(dir, "audit-*.log"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v, want several", len(files), err)
	}
	if r := verify(t, dir, audit.Head{}); r.Problem != "" || r.Entries != 30 || r.First != 1 {
		t.Errorf("Verify() = %+v, want 30 entries", r)
	}
	found, more, err := audit.Before(dir, 20, 12, func(audit.Entry) bool { return true })
	if err != nil || !more || len(found) != 12 || found[0].Seq != 19 || found[11].Seq != 8 {
		t.Errorf("Before(20) = %d entries, more %v, %v", len(found), more, err)
	}
	if err := os.Remove(filepath.Join(dir, audit.File)); err != nil { // killed while turning over
		t.Fatal(err)
	}
	if r := verify(t, dir, audit.Head{}); r.Problem == "" {
		t.Error("a file that is gone is not missed")
	}
	if err := os.Remove(files[2]); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, dir, audit.Head{}); !strings.Contains(r.Problem, filepath.Base(files[3])+":1: entries") {
		t.Errorf("Verify() = %q, want the file after the one that is gone", r.Problem)
	}
}

func TestManyWriteAtOnce(t *testing.T) {
	dir := t.TempDir()
	l, err := audit.Open(dir, audit.Options{Limit: 4000})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				if err := l.Append(audit.Entry{Who: fmt.Sprint("user", i), Action: "x", Result: "done"}); err != nil {
					t.Error(err)
				}
				if r, err := audit.Verify(dir, audit.Head{}); err != nil && l.Head().Seq == 0 || r.Problem != "" {
					t.Errorf("Verify() meanwhile = %+v, %v", r, err)
				}
			}
		})
	}
	wg.Wait()
	if r := verify(t, dir, l.Head()); r.Problem != "" || r.Entries != 80 {
		t.Errorf("Verify() = %+v, want 80 entries", r)
	}
}

func TestAnyTextsMakeASoundEntry(t *testing.T) {
	dir := t.TempDir()
	l, err := audit.Open(dir, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	text := rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")) })
	rapid.Check(t, func(rt *rapid.T) {
		e := audit.Entry{Who: text.Draw(rt, "who"), Target: text.Draw(rt, "target") + strings.Repeat("é", rapid.IntRange(0, 1000).Draw(rt, "long")), Detail: text.Draw(rt, "detail")}
		if err := l.Append(e); err != nil {
			rt.Fatal(err)
		}
	})
	if r := verify(t, dir, l.Head()); r.Problem != "" {
		t.Errorf("Verify() = %q", r.Problem)
	}
}

func TestWhatCannotBeWrittenIsToldLater(t *testing.T) {
	dir := t.TempDir()
	l, err := audit.Open(dir, audit.Options{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Append(audit.Entry{Who: "anna"}); err != nil {
		t.Fatal(err)
	}
	// The next file can't be begun.
	moved := dir + ".gone"
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Append(audit.Entry{Who: "otto"}); err == nil {
			t.Fatal("an entry was written to a folder that is gone")
		}
	}
	if err := l.Ready(); err == nil {
		t.Error("Ready() = nil while nothing can be written")
	}
	if err := os.Rename(moved, dir); err != nil {
		t.Fatal(err)
	}
	if err := l.Ready(); err != nil {
		t.Errorf("Ready() = %v after the folder is back", err)
	}
	r := verify(t, dir, l.Head())
	if r.Problem != "" || r.Entries != 2 || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "2 entries could not be written") {
		t.Errorf("Verify() = %+v, want a note of 2 lost entries", r)
	}
}
