package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Mistake is one thing in a document that its writer has to change.
type Mistake struct {
	File string `json:"file"`
	// Line and Column count from 1, as editors do; columns are characters. The
	// place of a mapping's entry is that of its key.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Path is the key, such as groups[0].min; empty for the document as a whole.
	Path string `json:"path,omitempty"`
	// What says what is wrong, and Fix what to do about it.
	What string `json:"what"`
	Fix  string `json:"fix,omitempty"`
}

// String is the mistake on one line:
//
//	shop.yaml:12:5 groups[0].min: is 5, more than max 3; lower min or raise max
func (m Mistake) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d", m.File, m.Line, m.Column)
	if m.Path != "" {
		b.WriteString(" " + m.Path)
	}
	b.WriteString(": " + m.What)
	if m.Fix != "" {
		b.WriteString("; " + m.Fix)
	}
	return strings.Map(printable, b.String())
}

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// Mistakes are the mistakes of one document, in its order.
type Mistakes []Mistake

// Error is one mistake a line.
func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// Sort puts the mistakes into the order of the document, file by file.
func (ms Mistakes) Sort() {
	slices.SortStableFunc(ms, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// maxMistakes is the most that are reported of one document; nobody reads more,
// and aliases can multiply one mistake.
const maxMistakes = 100

// collection gathers mistakes while a document is decoded.
type collection struct {
	found Mistakes
	more  int
}

func (c *collection) add(m Mistake) {
	if len(c.found) == maxMistakes {
		c.more++
		return
	}
	c.found = append(c.found, m)
}

// sorted returns the mistakes in order, and last how many were left out.
func (c *collection) sorted() Mistakes {
	c.found.Sort()
	if c.more == 0 {
		return c.found
	}
	last := c.found[len(c.found)-1]
	return append(c.found, Mistake{
		File: last.File, Line: last.Line, Column: last.Column,
		What: fmt.Sprintf("%d more mistakes are not shown", c.more), Fix: "mend these first",
	})
}
