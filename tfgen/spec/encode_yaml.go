package spec

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// yamlNode is a mapping, a list or a scalar to write.
type yamlNode struct {
	isMapping bool
	entries   []yamlEntry
	items     []*yamlNode
	// text is a scalar or an empty list in its written form.
	text string
	// block is a text that may be written as a block in place of text.
	block string
}

type yamlEntry struct {
	key   string
	value *yamlNode
}

// yamlWriter writes block style, indented by two.
type yamlWriter struct{ bytes.Buffer }

// mapping writes the entries, of which the first goes on the line that was begun.
func (w *yamlWriter) mapping(n *yamlNode, indent int) {
	for i, e := range n.entries {
		if i > 0 {
			w.indent(indent)
		}
		w.WriteString(yamlKey(e.key) + ":")
		w.value(e.value, indent)
	}
}

func (w *yamlWriter) indent(n int) { w.WriteString(strings.Repeat(" ", n)) }

// value writes what comes behind a key's colon.
func (w *yamlWriter) value(n *yamlNode, indent int) {
	switch {
	case n.isMapping && len(n.entries) > 0:
		w.WriteByte('\n')
		w.indent(indent + 2)
		w.mapping(n, indent+2)
	case n.isMapping:
		w.WriteString(" {}\n")
	case len(n.items) > 0:
		w.WriteByte('\n')
		w.list(n, indent+2)
	default:
		w.scalar(n, indent+2)
	}
}

func (w *yamlWriter) list(n *yamlNode, indent int) {
	for _, item := range n.items {
		w.indent(indent)
		w.WriteByte('-')
		switch {
		case item.isMapping && len(item.entries) > 0:
			w.WriteByte(' ')
			w.mapping(item, indent+2)
		case item.isMapping || len(item.items) == 0:
			w.value(item, indent)
		default:
			w.WriteByte('\n')
			w.list(item, indent+2)
		}
	}
}

func (w *yamlWriter) scalar(n *yamlNode, indent int) {
	if !isBlock(n.block) {
		w.WriteString(" " + n.text + "\n")
		return
	}
	w.WriteString(" |")
	if !strings.HasSuffix(n.block, "\n") {
		w.WriteByte('-')
	}
	w.WriteByte('\n')
	for line := range strings.Lines(n.block) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			w.indent(indent)
		}
		w.WriteString(line + "\n")
	}
}

// ambiguous are words that some readers of YAML take for something else than text.
var ambiguous = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"}

var plainStart = regexp.MustCompile(`^[A-Za-z_/]`)

// yamlKey is a mapping's key in its written form.
func yamlKey(s string) string {
	if isPlain(s) {
		return s
	}
	return doubleQuoted(s)
}

// text is a text in the form that reads best on one line.
func text(s string) string {
	if isPlain(s) {
		return s
	}
	return quoted(s)
}

func quoted(s string) string {
	if strings.ContainsAny(s, `"\`) && isPrintable(s) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return doubleQuoted(s)
}

func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// isPlain reports whether a text needs no quotes.
func isPlain(s string) bool {
	return plainStart.MatchString(s) && isPrintable(s) &&
		!slices.Contains(ambiguous, strings.ToLower(s)) &&
		!strings.Contains(s, ": ") && !strings.Contains(s, " #") && !strings.HasSuffix(s, ":") && !strings.HasSuffix(s, " ")
}

// isPrintable reports whether a text holds nothing but printable characters.
func isPrintable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) < 0
}

// isBlock reports whether a text of several lines can be written as it is, below
// its key.
func isBlock(s string) bool {
	body := strings.TrimSuffix(s, "\n")
	if !strings.Contains(s, "\n") || body == "" || strings.HasSuffix(body, "\n") || strings.HasPrefix(s, " ") || strings.HasPrefix(s, "\n") {
		return false
	}
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if !isPrintable(line) || strings.TrimRight(line, " ") != line {
			return false
		}
	}
	return !strings.Contains(s, strings.Repeat("\n", 50)) // strictyaml bounds them
}
