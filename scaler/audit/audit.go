// Package audit keeps a log of who did what, from where, with which result, to which
// nothing but a new line can be added without it being noticed.
//
// The log is <data>/audit.log, one JSON object a line, mode 0600, flushed to disk line
// by line. Each entry has the SHA-256 of itself and of the entry before, so that a line
// that was changed, removed or moved breaks the chain, which Verify finds. The newest
// entry's number and hash are also in <data>/audit.head, so that lines that were cut off
// the end are missed. Whoever may write both files can make a new chain; who has to rule
// that out keeps a head of Verify elsewhere, such as in another machine's log.
//
// A file that has grown to its limit is renamed to audit-NUMBER.log, where NUMBER is
// that of its first entry, and the chain goes on in a new one. What a crash left of an
// unfinished line is cut off and told of by an entry; what was damaged otherwise is put
// aside as it is, and told of by the first entry of a new file.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Entry is one line of the log.
type Entry struct {
	// Seq counts from 1.
	Seq  int64     `json:"seq"`
	Time time.Time `json:"time"`
	// Who is the user's or the token's name, or scalerd for what it did by itself.
	Who string `json:"who"`
	// How they proved it: socket, password, form, token, session, certificate or oidc;
	// what made scalerd do it otherwise.
	How string `json:"how,omitempty"`
	// From is the address that the request came from, or "socket".
	From string `json:"from,omitempty"`
	// Action is the API's operation, such as scale-group, or its method and path.
	Action string `json:"action"`
	// Target is what it was done to, such as shop/web.
	Target string `json:"target,omitempty"`
	// Result is done, denied, wrong or failed with the HTTP status, or recorded.
	Result string `json:"result"`
	// Detail says more, and never a secret.
	Detail string `json:"detail,omitempty"`
	// Digest is the SHA-256 of what was sent, in hexadecimal; of what can hold a
	// password there is none.
	Digest string `json:"digest,omitempty"`
	// Prev is the Hash of the entry before, and Hash that of this one without itself.
	Prev string `json:"prev"`
	Hash string `json:"hash"`
}

// Head is the newest entry's number and hash; the zero value is that of no entry.
type Head struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// The actions of entries that the log writes about itself.
const (
	// Torn tells that an unfinished last line was cut off.
	Torn = "audit-torn"
	// Damaged tells that the file before was damaged, and put aside.
	Damaged = "audit-damaged"
	// Resumed tells that entries could not be written for a while.
	Resumed = "audit-resumed"
)

// longest bounds the bytes of each text of an entry.
const longest = 1 << 10

// sealed is the entry with bounded texts as the one after the head.
func (e Entry) sealed(after Head, now time.Time) Entry {
	for _, text := range []*string{&e.Who, &e.How, &e.From, &e.Action, &e.Target, &e.Result, &e.Detail, &e.Digest} {
		*text = strings.ToValidUTF8((*text)[:min(len(*text), longest)], "?")
	}
	e.Seq, e.Prev = after.Seq+1, after.Hash
	e.Time = now.UTC().Round(0)
	e.Hash = e.sum()
	return e
}

// sum is the hash of the entry: of its line without the hash.
func (e Entry) sum() string {
	e.Hash = ""
	sum := sha256.Sum256(e.line())
	return hex.EncodeToString(sum[:])
}

// line is the entry as it is on disk, without the newline.
func (e Entry) line() []byte {
	text, err := json.Marshal(e)
	if err != nil { // a year that RFC 3339 can't say: the clock is the programmer's
		panic(fmt.Sprintf("audit entry: %v", err))
	}
	return text
}

// head is the head of a log that ends with the entry.
func (e Entry) head() Head { return Head{e.Seq, e.Hash} }

var (
	errForm = errors.New("is not an entry: it was changed by something else than scalerd")
	errHash = errors.New("was changed: its hash is of another content")
)

// parse reads a line that is an entry and nothing else, down to the byte, and whose
// hash is that of its content.
func parse(line []byte) (Entry, error) {
	var e Entry
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil || e.Time.Year() > 9999 || e.Time.Year() < 0 || !bytes.Equal(e.line(), line) {
		return e, errForm
	}
	if e.sum() != e.Hash {
		return e, errHash
	}
	return e, nil
}

// follows says what is wrong with an entry after the one of the head.
func (e Entry) follows(before Head) error {
	switch {
	case e.Seq == before.Seq+1 && e.Prev == before.Hash:
		return nil
	case e.Seq > before.Seq+1:
		return fmt.Errorf("entries %d to %d are missing before it", before.Seq+1, e.Seq-1)
	case e.Seq <= before.Seq:
		return fmt.Errorf("is entry %d, which does not belong after entry %d", e.Seq, before.Seq)
	default:
		return fmt.Errorf("does not follow from the line before, which was changed together with its hash")
	}
}
