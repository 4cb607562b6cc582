package tosca

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Limits on what functions, copies of nodes and defaults of types multiply.
const (
	maxNodes     = 100_000
	maxText      = 16 << 20
	maxFunctions = 50 // nested
)

// scope is what functions refer to: the node that they are part of, and which copy
// of it.
type scope struct {
	self  *node
	index int // of the copy, counted from 0
	depth int
}

// embeddedInput is get_input within a text: { get_input: name }, with an optional
// index.
var embeddedInput = regexp.MustCompile(`\{\s*["']?get_input["']?\s*:\s*(?:["']?([A-Za-z0-9_.-]+)["']?|\[\s*["']?([A-Za-z0-9_.-]+)["']?\s*,\s*["']?([A-Za-z0-9_-]+)["']?\s*\])\s*\}`)

// resolve returns n with the functions in it replaced by their values: n itself
// where there is none.
func (t *translator) resolve(n *strictyaml.Node, s scope) *strictyaml.Node {
	if n == nil || n.Bad() {
		return n
	}
	if t.budget--; t.budget < 0 {
		return t.tooMuch(n)
	}
	switch n.Kind() {
	case strictyaml.KindText:
		return t.resolveText(n, s)
	case strictyaml.KindList:
		return t.resolveAll(n, n.Items(), s)
	case strictyaml.KindMapping:
		if entries := n.Entries(); len(entries) == 1 {
			if value, isFunction := t.call(entries[0], s); isFunction {
				return value
			}
		}
		return t.resolveAll(n, n.Entries(), s)
	default:
		return n
	}
}

func (t *translator) tooMuch(n *strictyaml.Node) *strictyaml.Node {
	if !t.full {
		t.full = true
		t.wrong(n, "makes the template too large: its inputs, copies or types multiply", "write less of them")
	}
	return strictyaml.NewWrong(n)
}

// resolveAll resolves the values of a list or mapping.
func (t *translator) resolveAll(n *strictyaml.Node, values []*strictyaml.Node, s scope) *strictyaml.Node {
	resolved := make([]*strictyaml.Node, len(values))
	changed := false
	for i, v := range values {
		resolved[i] = t.resolve(v, s)
		changed = changed || resolved[i] != v
	}
	if !changed {
		return n
	}
	if n.Is(strictyaml.KindList) {
		list := strictyaml.NewList(n)
		for _, v := range resolved {
			list.Append(v)
		}
		return list
	}
	mapping := strictyaml.NewMapping(n)
	for i, v := range resolved {
		mapping.Set(values[i].Key(), v)
	}
	return mapping
}

// call evaluates a function, whose name is the key of n.
func (t *translator) call(n *strictyaml.Node, s scope) (value *strictyaml.Node, isFunction bool) {
	s.depth++
	if s.depth > maxFunctions {
		t.wrong(n, "refers to itself, or nests too many functions", "break the circle")
		return strictyaml.NewWrong(n), true
	}
	switch n.Key() {
	case "get_input":
		return t.getInput(n, s), true
	case "get_property":
		return t.getProperty(n, s), true
	case "concat":
		return t.concat(n, s), true
	case "get_attribute", "get_operation_output", "get_artifact", "get_nodes_of_type", "token":
		if s.self != nil && s.self.cloud != "" {
			t.wrong(n, "is a function that this version does not offer", "write its value")
			return strictyaml.NewWrong(n), true
		}
	}
	return nil, false
}

// getInput is {get_input: name} or {get_input: [name, index or key, ...]}.
func (t *translator) getInput(n *strictyaml.Node, s scope) *strictyaml.Node {
	name, path := n, []*strictyaml.Node(nil)
	if items := n.Items(); len(items) > 0 {
		name, path = items[0], items[1:]
	}
	input := t.inputs[name.Scalar()]
	if input == nil {
		t.unknownInput(n, name.Scalar())
		return strictyaml.NewWrong(n)
	}
	return t.spent(n, t.descend(n, input, path, s))
}

func (t *translator) unknownInput(n *strictyaml.Node, name string) {
	var known []string
	for k := range t.inputs {
		known = append(known, k)
	}
	t.wrong(n, fmt.Sprintf("asks for the input %q, which is not declared", name), suggest(name, known, "declare it under topology_template.inputs"))
}

// spent charges a value that is put in place of a function.
func (t *translator) spent(at, value *strictyaml.Node) *strictyaml.Node {
	if t.budget -= size(value); t.budget < 0 {
		return t.tooMuch(at)
	}
	return value
}

// size counts the values in a tree, 1000 bytes of text as one more.
func size(n *strictyaml.Node) int {
	count := 1 + len(n.Scalar())/1000
	for _, c := range n.Entries() {
		count += size(c)
	}
	for _, c := range n.Items() {
		count += size(c)
	}
	return count
}

// descend follows indices and keys into a value.
func (t *translator) descend(at, value *strictyaml.Node, path []*strictyaml.Node, s scope) *strictyaml.Node {
	for _, step := range path {
		key := step.Scalar()
		index, err := strconv.Atoi(key)
		if key == "INDEX" {
			index, err = s.index, nil
			if index < 0 {
				t.wrong(at, "asks for INDEX in a node without instance_count", "write a number, or add instance_count")
				return strictyaml.NewWrong(at)
			}
		}
		next := value.Get(key)
		if value.Is(strictyaml.KindList) && err == nil && index >= 0 && index < len(value.Items()) {
			next = value.Items()[index]
		}
		if value.Bad() {
			return strictyaml.NewWrong(at)
		}
		if next == nil {
			if key == "INDEX" {
				key = strconv.Itoa(index)
			}
			t.wrong(at, fmt.Sprintf("asks for item %s of %s, which has no such item", key, described(value)), "ask for one that is there")
			return strictyaml.NewWrong(at)
		}
		value = next
	}
	return value
}

// described is a value with the number of its items, for messages.
func described(n *strictyaml.Node) string {
	if n.Is(strictyaml.KindList) {
		return fmt.Sprintf("a list of %d", len(n.Items()))
	}
	return n.String()
}

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
			t.wrong(items[0], fmt.Sprintf("is %q, which is no node", name), suggest(name, t.nodeNames(), "write SELF or the name of a node"))
			return strictyaml.NewWrong(n)
		}
	}
	if of == nil {
		t.wrong(n, "is outside a node, where nothing is SELF", "name a node")
		return strictyaml.NewWrong(n)
	}
	value := of.raw(items[1].Scalar())
	if value == nil {
		t.wrong(n, fmt.Sprintf("asks for the property %q, which node %s does not set", items[1].Scalar(), of.name), suggest(items[1].Scalar(), of.rawNames(), "set it"))
		return strictyaml.NewWrong(n)
	}
	return t.spent(n, t.follow(n, value, items[2:], scope{self: of, index: of.index, depth: s.depth}))
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
