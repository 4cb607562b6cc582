package policy

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// token is a piece of a rule's source: a word (a name or number), a string, or a
// sign. Blanks and comments are left out.
type token struct {
	kind         byte // 'w', 's' or the sign itself; '^' is **
	text         string
	start, end   int // bytes in the source
	line, column int
	first        bool // begins a statement
}

// fromPython accepts `x is None` and `x is not None`, which MiCADO's rules are
// full of and Starlark has no word for, by writing == and != in their place
// without moving anything; and finds the habits of Python that can't be accepted.
func fromPython(rule spec.Rule) (string, []*RuleError) {
	tokens := scan(rule.Source)
	source := []byte(rule.Source)
	var found []*RuleError
	say := func(t token, format string, args ...any) {
		found = append(found, mistake(rule, t.line, t.column, format, args...))
	}
	for i, t := range tokens {
		next, previous := at(tokens, i+1), at(tokens, i-1)
		switch {
		case t.kind == '^' && operand(previous):
			say(t, "** is not an operator in rules: write pow(x, y)")
		case t.kind != 'w':
		case t.text == "print" && t.first && next.line == t.line && (next.kind == 'w' || next.kind == 's'):
			say(t, "print is a function: write print(...) with parentheses")
		case next.kind == 's' && next.start == t.end && strings.ContainsAny(t.text, "fF"):
			say(t, `f-strings are not offered: write "%%s and %%d" %% (x, y), or "{} and {}".format(x, y)`)
		case t.text == "is":
			if !replaceIs(source, tokens[i:]) {
				say(t, "is can only be used with None, True and False: write == to compare values")
			}
		case t.text == "load" && previous.kind != '.' && next.kind != '(':
			say(t, "load is a reserved word in rules: choose another name")
		case t.first && notOffered(t.text) != "":
			say(t, "%s is not offered in rules: %s", t.text, notOffered(t.text))
		}
	}
	return string(source), found
}

func at(tokens []token, i int) token {
	if i < 0 || i >= len(tokens) {
		return token{}
	}
	return tokens[i]
}

// operand is whether t can end the left side of an operator; otherwise ** unpacks
// a dict or declares a parameter.
func operand(t token) bool {
	return t.kind == 's' || t.kind == ')' || t.kind == ']' || t.kind == 'w' && t.text != "lambda"
}

func replaceIs(source []byte, tokens []token) bool {
	is, last, operator := tokens[0], tokens[0], "=="
	if next := at(tokens, 1); next.text == "not" {
		last, operator = next, "!="
		tokens = tokens[1:]
	}
	if is.line != last.line || !slices.Contains([]string{"None", "True", "False"}, at(tokens, 1).text) {
		return false
	}
	blank := strings.Repeat(" ", last.end-is.start-len(operator))
	copy(source[is.start:last.end], operator+blank)
	return true
}

// notOffered says what to write in place of a statement of Python.
func notOffered(word string) string {
	switch word {
	case "import", "from":
		return "time.time() and ceil, floor, sqrt, log, exp, mean, round, sum and pow are there without it"
	case "load":
		return "a rule is complete in itself"
	case "try", "except", "finally":
		return "a rule that fails holds the group; test for None before using a query"
	case "raise", "assert":
		return "write fail(\"...\")"
	case "global", "nonlocal":
		return "assign at the top level of the rule"
	case "class", "with", "yield", "async", "await":
		return "use functions, dicts and lists"
	case "del":
		return "write x.pop(key)"
	}
	return ""
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
		case strings.HasPrefix(source[i:], "**"):
			t.kind, i = '^', i+2
		default:
			t.kind, i = c, i+1
		}
		t.text, t.end = source[start:i], i
		tokens = append(tokens, t)
		first = t.kind == ':' || t.kind == ';'
	}
	return tokens
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
