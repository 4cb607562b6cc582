package tosca

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// The placeholders of MiCADO's own templates: ADD_YOUR_ID_HERE (e.g. x),
// <REGION_NAME> (e.g. x), (e.g. x), with (OPTIONAL) or -OPTIONAL- in front.
var (
	toAdd      = regexp.MustCompile(`\bADD_[A-Z][A-Z0-9_]*`)
	bracketed  = regexp.MustCompile(`^\s*(\([A-Za-z]+\)\s*)?<[A-Z][A-Z0-9_ -]*>`)
	example    = regexp.MustCompile(`^\s*\(e\.?g\.?[ .:,]`)
	optional   = regexp.MustCompile(`(?i)^\s*[-(]optional[-)]`)
	exampleEnd = regexp.MustCompile(`\s*\(e\.?g\.?.*$`)
)

// placeholder returns the placeholder in a text, and "" where there is none.
func placeholder(text string) string {
	switch {
	case toAdd.MatchString(text):
		return toAdd.FindString(text)
	case bracketed.MatchString(text):
		return strings.TrimSpace(bracketed.FindString(text))
	case optional.MatchString(text):
		return strings.TrimSpace(exampleEnd.ReplaceAllString(firstLine(text), ""))
	case example.MatchString(text):
		return strings.TrimSpace(firstLine(text))
	default:
		return ""
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// filled reports the placeholders in a value, which come back as wrong. It returns
// nil, with a note, for one that is optional.
func (t *translator) filled(n *strictyaml.Node) *strictyaml.Node {
	if n == nil || n.Bad() {
		return n
	}
	switch n.Kind() {
	case strictyaml.KindText:
		p := placeholder(n.Scalar())
		switch {
		case p == "":
			return n
		case optional.MatchString(n.Scalar()):
			t.note(n, "is an optional placeholder that is not filled in; it is left out")
			return nil
		}
		t.wrong(n, fmt.Sprintf("is the placeholder %s", p), "fill in the value")
		return strictyaml.NewWrong(n)
	case strictyaml.KindList:
		return t.filledAll(n, n.Items())
	case strictyaml.KindMapping:
		return t.filledAll(n, n.Entries())
	default:
		return n
	}
}

func (t *translator) filledAll(n *strictyaml.Node, values []*strictyaml.Node) *strictyaml.Node {
	kept := make([]*strictyaml.Node, len(values))
	changed := false
	for i, v := range values {
		kept[i] = t.filled(v)
		changed = changed || kept[i] != v
	}
	if !changed {
		return n
	}
	made := strictyaml.NewMapping(n)
	if n.Is(strictyaml.KindList) {
		made = strictyaml.NewList(n)
	}
	for i, v := range kept {
		switch {
		case v == nil:
		case n.Is(strictyaml.KindList):
			made.Append(v)
		default:
			made.Set(values[i].Key(), v)
		}
	}
	return made
}
