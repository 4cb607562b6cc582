package spec

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// ambiguous are words that some readers of YAML take for something else than text.
var ambiguous = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"}

var plainStart = regexp.MustCompile(`^[A-Za-z_/]`)

// text is a text in the form that reads best: as it is, as a block, or in quotes.
func text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch {
	case isPlain(s):
	case isBlock(s):
		n.Style = yaml.LiteralStyle
	default:
		return quoted(s)
	}
	return n
}

func quoted(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle}
	if strings.ContainsAny(s, `"\`) && isOneLine(s) {
		n.Style = yaml.SingleQuotedStyle
	}
	return n
}

// isPlain reports whether a text needs no quotes.
func isPlain(s string) bool {
	return plainStart.MatchString(s) && isOneLine(s) &&
		!slices.Contains(ambiguous, strings.ToLower(s)) &&
		!strings.Contains(s, ": ") && !strings.Contains(s, " #") && !strings.HasSuffix(s, ":") && !strings.HasSuffix(s, " ")
}

// isOneLine reports whether a text holds nothing but printable characters.
func isOneLine(s string) bool {
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
		if !isOneLine(line) || strings.TrimRight(line, " ") != line {
			return false
		}
	}
	return !strings.Contains(s, strings.Repeat("\n", 50)) // strictyaml bounds them
}
