package tosca

import (
	"fmt"
	"strconv"

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

// spend counts work that the template multiplies; it reports false, and once why,
// when there is too much of it.
func (t *translator) spend(at *strictyaml.Node, n int) bool {
	if t.budget -= n; t.budget < 0 {
		t.tooMuch(at)
		return false
	}
	return true
}

func (t *translator) tooMuch(n *strictyaml.Node) *strictyaml.Node {
	if !t.spent {
		t.spent = true
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
	return t.charge(n, t.descend(n, input, path, s))
}

func (t *translator) unknownInput(n *strictyaml.Node, name string) {
	var known []string
	for k := range t.inputs {
		known = append(known, k)
	}
	t.wrong(n, fmt.Sprintf("asks for the input %q, which is not declared", name), t.suggest(name, known, "declare it under topology_template.inputs"))
}

// charge counts a value that is put in place of a function.
func (t *translator) charge(at, value *strictyaml.Node) *strictyaml.Node {
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
