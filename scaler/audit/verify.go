package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Verification is what Verify found.
type Verification struct {
	// Entries counts those that are sound, from First to Last.
	Entries int64 `json:"entries"`
	First   int64 `json:"first"`
	Last    int64 `json:"last"`
	// Head is that of the last entry: who keeps it elsewhere can prove later that the
	// log up to here was not made anew.
	Head Head `json:"head"`
	// Problem names the first line that is wrong, or what is missing; it is empty where
	// the chain is whole.
	Problem string `json:"problem,omitempty"`
	// Notes tell what is no proof of a change, and worth knowing.
	Notes []string `json:"notes"`
}

// Verify checks the whole log of a folder: every entry, their order, and that the head
// is reached. Where known is not the zero value it must be the head of an earlier
// report. The log may be written to meanwhile. The error is of files that can't be read.
func Verify(dir string, known Head) (Verification, error) {
	for range 5 { // again where a new file was begun meanwhile
		before, err := files(dir)
		if err != nil {
			return Verification{}, fmt.Errorf("audit log: %w", err)
		}
		r, err := verify(dir, before, known)
		after, listErr := files(dir)
		if listErr == nil && slices.Equal(before, after) {
			return r, err
		}
	}
	return Verification{}, fmt.Errorf("audit log: the files in %s change all the time", dir)
}

func verify(dir string, paths []string, known Head) (Verification, error) {
	r := Verification{Notes: []string{}}
	anchor, anchorErr := readHead(dir) // before the files, which only grow
	if len(paths) == 0 && anchor.Seq == 0 {
		return r, fmt.Errorf("audit log: %s holds none: name the data folder's %s", dir, File)
	}
	hashes := map[int64]string{}
	for i, path := range paths {
		c, err := contentOf(path, r.Head, i == 0)
		if err != nil {
			return r, fmt.Errorf("audit log: %w", err)
		}
		if i == 0 && c.first > 1 {
			r.Notes = append(r.Notes, fmt.Sprintf("it begins at entry %d: older files are not here", c.first))
		}
		r.take(c)
		for _, want := range []Head{anchor, known} {
			if hash, ok := c.hashes[want.Seq]; ok {
				hashes[want.Seq] = hash
			}
		}
		if r.Problem = c.wrong; r.Problem != "" {
			return r, nil
		}
		if c.rest > 0 && i < len(paths)-1 {
			r.Problem = fmt.Sprintf("%s: its last line is not finished", filepath.Base(path))
			return r, nil
		}
		if c.rest > 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("%s: its last line is not finished: it is being written, or scalerd was killed", filepath.Base(path)))
		}
	}
	switch {
	case anchorErr != nil:
		r.Problem = anchorErr.Error()
	case anchor.Seq == 0 && r.Last > 1: // after the first entry scalerd may have been killed
		r.Problem = noHead
	default:
		r.Problem = r.reaches(anchor, hashes, HeadFile)
	}
	if r.Problem == "" && known.Seq > 0 {
		r.Problem = r.reaches(known, hashes, "the head that you gave")
	}
	return r, nil
}

const noHead = HeadFile + " is not there, so nobody knows whether the end of the log is missing"

func (r *Verification) take(c content) {
	if c.count > 0 {
		if r.Entries == 0 {
			r.First = c.first
		}
		r.Last, r.Head = c.head.Seq, c.head
		r.Entries += c.count
	}
	r.Notes = append(r.Notes, c.notes...)
}

// reaches says what speaks against the log having the head.
func (r *Verification) reaches(head Head, hashes map[int64]string, of string) string {
	switch {
	case head.Seq > r.Last:
		return fmt.Sprintf("%s: entries %d to %d are missing at the end, as %s says", File, r.Last+1, head.Seq, of)
	case head.Seq >= r.First && head.Seq > 0 && hashes[head.Seq] != head.Hash:
		return fmt.Sprintf("%s: entry %d is not the one that was written, as %s says", File, head.Seq, of)
	}
	return ""
}

// files are those of the log in a folder, the oldest first.
func files(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "audit-*.log"))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	if _, err := os.Stat(filepath.Join(dir, File)); err == nil {
		paths = append(paths, filepath.Join(dir, File))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return paths, nil
}

// content is what a file has.
type content struct {
	first, count int64
	head         Head
	// hashes are those of the entries, by number.
	hashes map[int64]string
	// end is where the sound lines end, and rest the bytes of an unfinished line there.
	end, rest int64
	// wrong names the first line that is not sound, and what is with it.
	wrong string
	notes []string
	// current is set for the file that is written to.
	current bool
}

// contentOf checks a file, whose first entry has to follow the head unless it is the oldest.
func contentOf(path string, before Head, oldest bool) (content, error) {
	c := content{head: before, hashes: map[int64]string{}, current: filepath.Base(path) == File}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		whole, finished := bytes.CutSuffix(line, []byte("\n"))
		if !finished {
			c.rest = int64(len(line))
			return c, nil
		}
		e, err := parse(whole)
		if err == nil && !(oldest && number == 1) {
			err = e.follows(c.head)
		}
		if err != nil {
			c.wrong = fmt.Sprintf("%s:%d: %v", filepath.Base(path), number, err)
			return c, nil
		}
		if number == 1 {
			c.first = e.Seq
		}
		if e.Action == Torn || e.Action == Damaged || e.Action == Resumed {
			c.notes = append(c.notes, fmt.Sprintf("%s:%d: %s: %s", filepath.Base(path), number, strings.TrimPrefix(e.Action, "audit-"), e.Detail))
		}
		c.count++
		c.head, c.hashes[e.Seq], c.end = e.head(), e.Hash, c.end+int64(len(line))
	}
	return c, nil
}

// newest is the content of the file that the log goes on in, or of the one before where
// that is not begun.
func newest(dir string) (content, error) {
	paths, err := files(dir)
	if err != nil {
		return content{}, err
	}
	for _, path := range slices.Backward(paths) {
		c, err := contentOf(path, Head{}, true)
		if err != nil || c.count > 0 || c.rest > 0 || c.wrong != "" {
			return c, err
		}
	}
	return content{}, nil
}

// firstOf is the number of a file's first entry.
func firstOf(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	e, err := parse(line)
	if err != nil {
		return 0, fmt.Errorf("%s:1: %w", filepath.Base(path), err)
	}
	return e.Seq, nil
}

// Before are at most limit of the newest entries with a number below the one given, or
// of all where it is 0, that keep keeps, the newest first; more is set where there may be
// others. Lines that are no entries are left out: Verify is who tells of them.
func Before(dir string, number int64, limit int, keep func(Entry) bool) (found []Entry, more bool, err error) {
	paths, err := files(dir)
	if err != nil {
		return nil, false, fmt.Errorf("audit log: %w", err)
	}
	found = []Entry{}
	for _, path := range slices.Backward(paths) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, false, fmt.Errorf("audit log: %w", err)
		}
		lines := bytes.Split(text, []byte("\n"))
		for _, line := range slices.Backward(lines) {
			e, err := parse(line)
			if err != nil || number > 0 && e.Seq >= number || !keep(e) {
				continue
			}
			if len(found) == limit {
				return found, true, nil
			}
			found = append(found, e)
		}
	}
	return found, false, nil
}
