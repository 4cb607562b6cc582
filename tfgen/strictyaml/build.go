package strictyaml

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// NewMapping returns an empty mapping that was made from at, which may be nil.
func NewMapping(at *Node) *Node { return made(at, scalar{kind: KindMapping}) }

// NewList returns an empty list that was made from at.
func NewList(at *Node) *Node { return made(at, scalar{kind: KindList}) }

// NewText returns a text that was made from at. Where at is a text itself, the new
// one begins where at's does.
func NewText(at *Node, text string) *Node {
	return made(at, scalar{kind: KindText, text: text, written: text, quoted: true})
}

// NewValue returns a node of a value in Go that was made from at: a string, bool,
// int, float64, []any or map[string]any.
func NewValue(at *Node, value any) *Node {
	switch value := value.(type) {
	case string:
		return NewText(at, value)
	case bool:
		return made(at, scalar{kind: KindBool, bool: value, written: strconv.FormatBool(value)})
	case int:
		return made(at, scalar{kind: KindInt, int: int64(value), float: float64(value), written: strconv.Itoa(value)})
	case float64:
		return made(at, scalar{kind: KindFloat, float: value, written: strconv.FormatFloat(value, 'g', -1, 64)})
	case []any:
		list := NewList(at)
		for _, item := range value {
			list.Append(NewValue(at, item))
		}
		return list
	case map[string]any:
		m := NewMapping(at)
		for _, key := range slices.Sorted(maps.Keys(value)) {
			m.Set(key, NewValue(at, value[key]))
		}
		return m
	case nil:
		return made(at, scalar{})
	default:
		panic(fmt.Sprintf("strictyaml: no node holds a %T", value))
	}
}

// NewWrong returns a value whose mistake was reported already, so that Decode says
// nothing more about it, not even that it is missing.
func NewWrong(at *Node) *Node {
	n := made(at, scalar{})
	n.bad, n.wrong = true, true
	return n
}

func made(at *Node, value scalar) *Node {
	n := &Node{value: value, line: 1, column: 1}
	if at != nil {
		n.origin = at.source()
		n.file, n.line, n.column = at.file, at.line, at.column
		n.textLine, n.textColumn = at.textLine, at.textColumn
	}
	return n
}

// source is what a node was made from, and a node that was read itself.
func (n *Node) source() *Node {
	if n.origin != nil {
		return n.origin
	}
	return n
}

// Set gives a made mapping a copy of the value, in place of the one that it has
// for the key.
func (n *Node) Set(key string, value *Node) {
	c := n.byKey[key]
	if c == nil {
		c = n.addKey(key)
	}
	c.become(value)
}

// Append gives a made list a copy of the value.
func (n *Node) Append(value *Node) { n.addItem().become(value) }

// become makes n a copy of another node, at n's place in its tree.
func (n *Node) become(other *Node) {
	*n = Node{parent: n.parent, key: n.key, index: n.index, isIndex: n.isIndex, depth: n.depth,
		file: other.file, line: other.line, column: other.column, textLine: other.textLine, textColumn: other.textColumn,
		origin: other.source(), value: other.value, bad: other.bad}
	if n.bad {
		n.markWrong()
	}
	for _, e := range other.entries {
		n.addKey(e.key).become(e)
	}
	for _, item := range other.items {
		n.addItem().become(item)
	}
}
