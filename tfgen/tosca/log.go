package tosca

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// maxReported is the most mistakes, and the most notes, that are reported.
const maxReported = 200

// log gathers mistakes and notes, each once: a value that several nodes share has
// its mistake only once.
type log struct {
	mistakes strictyaml.Mistakes
	notes    []Note
	said     map[Note]bool
}

func newLog() *log { return &log{said: map[Note]bool{}} }

// full reports whether no more mistakes are reported.
func (l *log) full() bool { return len(l.mistakes) == maxReported }

func (l *log) new(m strictyaml.Mistake) bool {
	key := Note{File: m.File, Line: m.Line, Column: m.Column, Text: m.What}
	if l.said[key] {
		return false
	}
	l.said[key] = true
	return true
}

// wrong reports a mistake at a value.
func (l *log) wrong(at *strictyaml.Node, what, fix string) {
	l.add(at.Mistake(what, fix))
}

// mistake reports a mistake at a key that the mapping need not have.
func (l *log) mistake(at *strictyaml.Node, key, what, fix string) {
	if n := at.Get(key); n != nil {
		at = n
		key = ""
	}
	m := at.Mistake(what, fix)
	if key != "" {
		m.Path = strictyaml.JoinKey(m.Path, key)
	}
	l.add(m)
}

func (l *log) add(m strictyaml.Mistake) {
	if !l.full() && l.new(m) {
		l.mistakes = append(l.mistakes, m)
	}
}

func (l *log) note(at *strictyaml.Node, text string) {
	m := at.Mistake(text, "")
	if len(l.notes) < maxReported && l.new(m) {
		l.notes = append(l.notes, Note{File: m.File, Line: m.Line, Column: m.Column, Path: m.Path, Text: text})
	}
}

func (l *log) sorted() strictyaml.Mistakes {
	l.mistakes.Sort()
	return l.mistakes
}

func (l *log) sortedNotes() []Note {
	slices.SortStableFunc(l.notes, func(a, b Note) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l.notes
}

// keys reports keys of a mapping that are not known, and whether n is a mapping.
func (l *log) keys(n *strictyaml.Node, known ...string) bool {
	if !l.mapping(n) {
		return false
	}
	for _, e := range n.Entries() {
		if !slices.Contains(known, e.Key()) {
			l.wrong(e, "is not a known key", l.suggest(e.Key(), known, "remove it"))
		}
	}
	return true
}

// mapping reports a value that is no mapping; nil and null pass for empty ones.
func (l *log) mapping(n *strictyaml.Node) bool {
	switch {
	case n == nil || n.Is(strictyaml.KindNull) || n.Is(strictyaml.KindMapping):
		return true
	case !n.Bad():
		l.wrong(n, fmt.Sprintf("is %s, not a mapping", n), "write its keys below it, indented")
	}
	return false
}

// list reports a value that is no list; nil and null pass for empty ones.
func (l *log) list(n *strictyaml.Node) bool {
	switch {
	case n == nil || n.Is(strictyaml.KindNull) || n.Is(strictyaml.KindList):
		return true
	case !n.Bad():
		l.wrong(n, fmt.Sprintf("is %s, not a list", n), `start each item with "- "`)
	}
	return false
}

// suggest says what an unknown word might have meant, or what else to do. It does
// not search where the mistake is not reported any more.
func (l *log) suggest(word string, known []string, otherwise string) string {
	if l.full() {
		return ""
	}
	known = slices.Clone(known)
	slices.Sort(known)
	if near := strictyaml.Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if len(known) == 0 || len(known) > 20 {
		return otherwise
	}
	return fmt.Sprintf("%s. Known: %s", otherwise, strings.Join(known, ", "))
}
