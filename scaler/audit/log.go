package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/renameio/v2"
)

const (
	// File is the name of the log in the data folder, and HeadFile that of its head.
	File     = "audit.log"
	HeadFile = "audit.head"
	// DefaultLimit is the size of a file, in bytes, from which on the next is begun.
	DefaultLimit = 8 << 20
)

// Options of a Log.
type Options struct {
	// Limit is the size in bytes from which on a new file is begun; 0 is DefaultLimit.
	Limit int64
	// Log hears of damage, and of entries that can't be written; nil for none.
	Log *slog.Logger
}

// Log is an open log. It is safe for concurrent use; only one process may have it open.
type Log struct {
	dir   string
	limit int64
	log   *slog.Logger

	mu   sync.Mutex
	file *os.File
	// size is that of the whole lines.
	size int64
	head Head
	// broken is why the last entry was not written; lost counts those that were not.
	broken error
	lost   int
}

// Open opens the log in a folder, and makes one where there is none. Damage is no
// error: it is told of, by an entry too, and the log goes on.
func Open(dir string, o Options) (*Log, error) {
	l := &Log{dir: dir, limit: o.Limit, log: o.Log}
	if l.limit <= 0 {
		l.limit = DefaultLimit
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	found, err := l.find()
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	if l.file, err = os.OpenFile(l.path(), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	if err := l.file.Truncate(l.size); err != nil {
		return nil, errors.Join(fmt.Errorf("audit log: %w", err), l.file.Close())
	}
	if found.Action != "" {
		l.log.Warn("the audit log was not as it was left", "found", found.Action, "detail", found.Detail)
		if err := l.Append(found); err != nil {
			return nil, errors.Join(err, l.file.Close())
		}
	}
	return l, nil
}

// find works out where the log goes on. Its Entry is what has to be told of; it has no
// action where everything is as it was left.
func (l *Log) find() (Entry, error) {
	anchor, anchorErr := readHead(l.dir)
	c, err := newest(l.dir)
	if err != nil {
		return Entry{}, err
	}
	l.head, l.size = c.head, c.end
	if !c.current {
		l.size = 0
	}
	tell := Entry{Who: "scalerd", How: "start", Target: File, Result: "recorded"}
	missing := ""
	switch {
	case c.wrong != "":
		missing = c.wrong
	case anchorErr != nil:
		missing = anchorErr.Error()
	case anchor.Seq == 0 && c.head.Seq > 1:
		missing = noHead
	case anchor.Seq > c.head.Seq:
		missing = fmt.Sprintf("entries up to %d were written, and the last one there is %d", anchor.Seq, c.head.Seq)
	case c.hashes[anchor.Seq] != "" && c.hashes[anchor.Seq] != anchor.Hash:
		missing = fmt.Sprintf("entry %d is not the one that was written", anchor.Seq)
	case c.rest > 0:
		tell.Action, tell.Detail = Torn, fmt.Sprintf("%d bytes of an unfinished line were cut off", c.rest)
	}
	if missing == "" {
		return tell, nil
	}
	tell.Action, tell.Detail = Damaged, missing
	if anchorErr == nil && anchor.Seq > l.head.Seq {
		l.head = anchor // no number twice
	}
	return tell, l.putAside()
}

// putAside keeps a damaged file as it is, under another name.
func (l *Log) putAside() error {
	l.size = 0
	err := os.Rename(l.path(), free(filepath.Join(l.dir, fmt.Sprintf("audit-%012d-damaged", l.head.Seq)), ".log"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// free is a path that nothing is at.
func free(stem, extension string) string {
	path := stem + extension
	for n := 2; ; n++ {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return path
		}
		path = fmt.Sprintf("%s-%d%s", stem, n, extension)
	}
}

func (l *Log) path() string { return filepath.Join(l.dir, File) }

// Append adds an entry, whose number, time and hashes are the log's to set. When it
// returns nil the entry is on disk.
func (l *Log) Append(e Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.append(e)
	if err != nil {
		l.lost++
		if l.broken == nil {
			l.log.Error("audit log can't be written", "error", err)
		}
	}
	l.broken = err
	return err
}

// Ready reports why entries can't be written, after it tried again.
func (l *Log) Ready() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		l.broken = l.resume()
	}
	return l.broken
}

// resume tells of the entries that are lost.
func (l *Log) resume() error {
	lost := l.lost
	l.lost, l.broken = 0, nil
	err := l.write(Entry{Who: "scalerd", How: "audit", Action: Resumed, Result: "recorded", Detail: fmt.Sprintf("%d entries could not be written before this one", lost)})
	if err != nil {
		l.lost, l.broken = lost, err
	}
	return err
}

func (l *Log) append(e Entry) error {
	if l.broken != nil {
		if err := l.resume(); err != nil {
			return err
		}
	}
	return l.write(e)
}

// write adds one line. After a failure nothing of it stays.
func (l *Log) write(e Entry) error {
	if l.size >= l.limit {
		if err := l.rotate(); err != nil {
			return fmt.Errorf("audit log: %w", err)
		}
	}
	e = e.sealed(l.head, time.Now())
	line := append(e.line(), '\n')
	_, err := l.file.WriteAt(line, l.size)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("audit log: %w", err), l.file.Truncate(l.size))
	}
	l.size += int64(len(line))
	l.head = e.head()
	return writeHead(l.dir, l.head)
}

// rotate begins a new file. What is killed between the two steps goes on in Open.
func (l *Log) rotate() error {
	first, err := firstOf(l.path())
	if err != nil {
		return err
	}
	if err := os.Rename(l.path(), free(filepath.Join(l.dir, fmt.Sprintf("audit-%012d", first)), ".log")); err != nil {
		return err
	}
	file, err := os.OpenFile(l.path(), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	old := l.file
	l.file, l.size = file, 0
	return errors.Join(old.Close(), syncDir(l.dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Head is the newest entry's number and hash.
func (l *Log) Head() Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head
}

// Close closes the file; nothing can be appended then.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// readHead is the zero Head where there is none.
func readHead(dir string) (Head, error) {
	var h Head
	text, err := os.ReadFile(filepath.Join(dir, HeadFile))
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	if err != nil {
		return Head{}, fmt.Errorf("%s can't be read, so nobody knows whether the end of the log is missing: %w", HeadFile, err)
	}
	return h, nil
}

func writeHead(dir string, h Head) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(filepath.Join(dir, HeadFile), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("audit head: %w", err)
	}
	return nil
}
