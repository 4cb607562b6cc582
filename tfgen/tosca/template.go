package tosca

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

var (
	braces   = regexp.MustCompile(`\{\{(.*?)\}\}|\{%.*?%\}`)
	constant = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// constants are what {{NAME}} stands for in a policy: the policy's own constants,
// else those of all policies.
type constants struct {
	own, all map[string]*strictyaml.Node
	// texts are the constants that were expanded already.
	texts map[string]string
}

func (c constants) get(name string) *strictyaml.Node {
	if n := c.own[name]; n != nil {
		return n
	}
	return c.all[name]
}

// names are the names of all constants, for a suggestion; none where there will be
// none.
func (c constants) names(l *log) []string {
	if l.full() {
		return nil
	}
	return append(sortedKeys(c.own), sortedKeys(c.all)...)
}

// render replaces {{NAME}} in the texts of a value. Unless lenient, a name that is
// no constant is a mistake; else ok is false.
func (t *translator) render(n *strictyaml.Node, c constants, lenient bool) (rendered *strictyaml.Node, ok bool) {
	if n == nil || n.Bad() {
		return n, true
	}
	if t.budget--; t.budget < 0 {
		return t.tooMuch(n), true
	}
	values := n.Items()
	switch n.Kind() {
	case strictyaml.KindText:
		text, ok := t.expand(n, n.Scalar(), c, lenient, nil)
		switch {
		case !ok && lenient:
			return n, false
		case !ok:
			return strictyaml.NewWrong(n), true
		case text == n.Scalar():
			return n, true
		}
		return strictyaml.NewText(n, text), true
	case strictyaml.KindMapping:
		values = n.Entries()
	case strictyaml.KindList:
	default:
		return n, true
	}
	made := strictyaml.NewMapping(n)
	if n.Is(strictyaml.KindList) {
		made = strictyaml.NewList(n)
	}
	changed, all := false, true
	for _, v := range values {
		r, ok := t.render(v, c, lenient)
		changed, all = changed || r != v, all && ok
		if n.Is(strictyaml.KindList) {
			made.Append(r)
		} else {
			made.Set(v.Key(), r)
		}
	}
	if !changed {
		return n, all
	}
	return made, all
}

// expand replaces {{NAME}} in a text; within are the constants that it is part of.
func (t *translator) expand(at *strictyaml.Node, text string, c constants, lenient bool, within []string) (string, bool) {
	matches := braces.FindAllStringSubmatchIndex(text, -1)
	if matches == nil {
		return text, true
	}
	var b strings.Builder
	end := 0
	for _, m := range matches {
		written := text[m[0]:m[1]]
		value, keep, ok := written, true, true
		if m[2] < 0 {
			ok = t.refuse(at, lenient, fmt.Sprintf("holds the Jinja statement %s, and only {{NAME}} of a constant is replaced", written), "write what it gives")
		} else if inner := strings.TrimSpace(text[m[2]:m[3]]); !strings.Contains(inner, "$") && !strings.HasPrefix(inner, ".") {
			keep = false
			value, ok = t.value(at, inner, c, lenient, within)
		}
		if !ok || !t.write(at, m[0]-end+len(value)) {
			return text, false
		}
		b.WriteString(text[end:m[0]])
		if keep {
			b.WriteString(written)
		} else {
			b.WriteString(value)
		}
		end = m[1]
	}
	b.WriteString(text[end:])
	return b.String(), true
}

// refuse reports a template that cannot be expanded, unless lenient.
func (t *translator) refuse(at *strictyaml.Node, lenient bool, what, fix string) bool {
	if !lenient {
		t.wrong(at, what, fix)
	}
	return false
}

// value is the text of a constant.
func (t *translator) value(at *strictyaml.Node, name string, c constants, lenient bool, within []string) (string, bool) {
	if !constant.MatchString(name) {
		return "", t.refuse(at, lenient, fmt.Sprintf("holds the Jinja expression {{%s}}, and only {{NAME}} of a constant is replaced", name), "write what it gives, or make it a constant")
	}
	n := c.get(name)
	if n == nil {
		return "", t.refuse(at, lenient, fmt.Sprintf("uses {{%s}}, which is no constant", name), t.suggest(name, c.names(t.log), "add it to the constants of a policy"))
	}
	for _, outer := range within {
		if outer == name {
			return "", t.refuse(at, lenient, fmt.Sprintf("uses {{%s}}, a constant that uses itself", name), "break the circle")
		}
	}
	switch {
	case n.Bad():
		return "", false
	case n.Is(strictyaml.KindList), n.Is(strictyaml.KindMapping):
		return "", t.refuse(at, lenient, fmt.Sprintf("uses {{%s}}, which is %s", name, n), "use a constant with one value")
	case n.Is(strictyaml.KindBool):
		return map[bool]string{true: "True", false: "False"}[n.Bool()], true // as Jinja writes them
	}
	text, done := c.texts[name]
	if done {
		return text, true
	}
	text, ok := t.expand(at, n.Scalar(), c, lenient, append(within[:len(within):len(within)], name))
	if ok {
		c.texts[name] = text
	}
	return text, ok
}
