package tosca

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// embeddedInput is get_input within a text: { get_input: name }, with an optional
// index.
var embeddedInput = regexp.MustCompile(`\{\s*["']?get_input["']?\s*:\s*(?:["']?([A-Za-z0-9_.-]+)["']?|\[\s*["']?([A-Za-z0-9_.-]+)["']?\s*,\s*["']?([A-Za-z0-9_-]+)["']?\s*\])\s*\}`)

// getProperty is {get_property: [SELF or a node, name, key or index, ...]}.
func (t *translator) getProperty(n *strictyaml.Node, s scope) *strictyaml.Node {
	items := n.Items()
	if len(items) < 2 {
		t.wrong(n, "does not say which property", "write [SELF, property]")
		return strictyaml.NewWrong(n)
	}
	of := s.self
	if name := items[0].Scalar(); name != "SELF" {
		of = t.node(name)
		if name == "HOST" && s.self != nil {
			of = t.node(s.self.host)
		}
		if of == nil {
			t.wrong(items[0], fmt.Sprintf("is %q, which is no node", name), t.suggest(name, t.nodeNames(), "write SELF or the name of a node"))
			return strictyaml.NewWrong(n)
		}
	}
	if of == nil {
		t.wrong(n, "is outside a node, where nothing is SELF", "name a node")
		return strictyaml.NewWrong(n)
	}
	value := of.raw(items[1].Scalar())
	if value == nil {
		t.wrong(n, fmt.Sprintf("asks for the property %q, which node %s does not set", items[1].Scalar(), of.name), t.suggest(items[1].Scalar(), of.rawNames(), "set it"))
		return strictyaml.NewWrong(n)
	}
	return t.charge(n, t.follow(n, value, items[2:], scope{self: of, index: of.index, depth: s.depth}))
}

// follow descends into a property, of which only the part that is asked for is
// resolved: other parts may ask for each other.
func (t *translator) follow(at, value *strictyaml.Node, path []*strictyaml.Node, s scope) *strictyaml.Node {
	for len(path) > 0 && !isFunction(value) && !value.Bad() {
		value = t.descend(at, value, path[:1], s)
		path = path[1:]
	}
	if t.active[value] {
		t.wrong(at, "asks for a property that asks for this one", "break the circle")
		return strictyaml.NewWrong(at)
	}
	t.active[value] = true
	defer delete(t.active, value)
	return t.descend(at, t.resolve(value, s), path, s)
}

func isFunction(n *strictyaml.Node) bool {
	if entries := n.Entries(); len(entries) == 1 {
		switch entries[0].Key() {
		case "get_input", "get_property", "concat":
			return true
		}
	}
	return false
}

// concat is {concat: [text or function, ...]}.
func (t *translator) concat(n *strictyaml.Node, s scope) *strictyaml.Node {
	if !t.list(n) {
		return strictyaml.NewWrong(n)
	}
	var b strings.Builder
	for _, item := range n.Items() {
		part := t.resolve(item, s)
		if part.Bad() || part.Is(strictyaml.KindList) || part.Is(strictyaml.KindMapping) {
			if !part.Bad() {
				t.wrong(item, fmt.Sprintf("is %s, which cannot be part of a text", part), "write a text")
			}
			return strictyaml.NewWrong(n)
		}
		b.WriteString(part.Scalar())
		if !t.write(n, len(part.Scalar())) {
			return strictyaml.NewWrong(n)
		}
	}
	return strictyaml.NewText(n, b.String())
}

// write charges bytes of text that is made; it reports the first beyond the limit.
func (t *translator) write(at *strictyaml.Node, n int) bool {
	if t.bytes >= 0 && t.bytes < n {
		t.wrong(at, "makes the template too large: its texts multiply", "use fewer inputs and constants in it")
		t.bytes = -1
	}
	if t.bytes < 0 {
		return false
	}
	t.bytes -= n
	return true
}

// resolveText replaces get_input within a text.
func (t *translator) resolveText(n *strictyaml.Node, s scope) *strictyaml.Node {
	text := n.Scalar()
	if !strings.Contains(text, "get_input") {
		return n
	}
	matches := embeddedInput.FindAllStringSubmatchIndex(text, -1)
	if matches == nil {
		return n
	}
	group := func(m []int, i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return text[m[2*i]:m[2*i+1]]
	}
	var b strings.Builder
	end := 0
	for _, m := range matches {
		value, ok := t.inputs[group(m, 1)+group(m, 2)]
		if !ok {
			t.unknownInput(n, group(m, 1)+group(m, 2))
			return strictyaml.NewWrong(n)
		}
		if step := group(m, 3); step != "" {
			value = t.descend(n, value, []*strictyaml.Node{strictyaml.NewText(n, step)}, s)
		}
		if value.Bad() {
			return strictyaml.NewWrong(n)
		}
		if value.Is(strictyaml.KindList) || value.Is(strictyaml.KindMapping) {
			t.wrong(n, fmt.Sprintf("asks for %s within a text", value), "ask for one item of it")
			return strictyaml.NewWrong(n)
		}
		if !t.write(n, m[0]-end+len(value.Scalar())) {
			return strictyaml.NewWrong(n)
		}
		b.WriteString(text[end:m[0]] + value.Scalar())
		end = m[1]
	}
	b.WriteString(text[end:])
	return strictyaml.NewText(n, b.String())
}
