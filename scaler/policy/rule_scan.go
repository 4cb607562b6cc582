package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a piece of a rule's source: a word (a name or number), a string, or a
// sign. Blanks and comments are left out.
type token struct {
	kind         byte // 'w', 's', 'c' for a comparison, '^' for **, 'o' for << and >>, or the sign itself
	text         string
	start, end   int // bytes in the source
	line, column int
	first        bool // begins a statement
}

// scan splits source roughly: just well enough that strings and comments are not
// taken for code. The parser has the last word on what is right.
func scan(source string) []token {
	var tokens []token
	line, lineStart, first := 1, 0, true
	for i := 0; i < len(source); {
		c := source[i]
		start := i
		switch {
		case c == '\n':
			line, lineStart, first = line+1, i+1, true
			i++
			continue
		case c == '#':
			for i < len(source) && source[i] != '\n' {
				i++
			}
			continue
		case c == ' ' || c == '\t' || c == '\r' || c == '\f':
			i++
			continue
		}
		t := token{start: start, line: line, column: utf8.RuneCountInString(source[lineStart:start]) + 1, first: first}
		switch {
		case c == '"' || c == '\'':
			t.kind, i = 's', stringEnd(source, i)
			if n := strings.Count(source[start:i], "\n"); n > 0 {
				line, lineStart = line+n, strings.LastIndex(source[:i], "\n")+1
			}
		case wordEnd(source, i) > i:
			t.kind, i = 'w', wordEnd(source, i)
		default:
			var size int
			t.kind, size = sign(source[i:])
			i += size
		}
		t.text, t.end = source[start:i], i
		tokens = append(tokens, t)
		first = t.kind == ':' || t.kind == ';'
	}
	return tokens
}

// sign is the kind and the size of the sign that s begins with.
func sign(s string) (kind byte, size int) {
	for _, known := range []struct {
		text string
		kind byte
	}{{"**", '^'}, {"<<", 'o'}, {">>", 'o'}, {"<=", 'c'}, {">=", 'c'}, {"==", 'c'}, {"!=", 'c'}, {"<", 'c'}, {">", 'c'}} {
		if strings.HasPrefix(s, known.text) {
			return known.kind, len(known.text)
		}
	}
	return s[0], 1
}

func wordEnd(source string, i int) int {
	for i < len(source) {
		r, size := utf8.DecodeRuneInString(source[i:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		i += size
	}
	return i
}

// stringEnd is where the string that begins at i ends, or the end of the line or
// source where it is not closed.
func stringEnd(source string, i int) int {
	quote := source[i : i+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(source[i:], triple) {
		quote = triple
	}
	for i += len(quote); i < len(source); i++ {
		switch {
		case source[i] == '\\':
			i++
		case strings.HasPrefix(source[i:], quote):
			return i + len(quote)
		case source[i] == '\n' && len(quote) == 1:
			return i
		}
	}
	return len(source)
}

// place is the line and column, both from 1, of an offset in a text.
func place(source string, offset int) (line, column int) {
	before := source[:offset]
	start := strings.LastIndex(before, "\n") + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}

// unedited is the place in a text of a place in what apply made of it with edits.
// No edit adds or removes a line.
func unedited(source string, edits []edit, line, column int) (int, int) {
	shift := 0
	for _, e := range edits {
		l, c := place(source, e.offset)
		added := utf8.RuneCountInString(e.text) - e.removed
		switch at := c + shift; {
		case l != line || column < at || added == 0:
		case column < at+utf8.RuneCountInString(e.text):
			return line, c // within what was put in
		default:
			shift += added
		}
	}
	return line, column - shift
}
