package strictyaml

// Node is a value of a document: a scalar, a list or a mapping, with its place.
// Anchors, aliases and merge keys are resolved: an aliased value is a Node of its
// own at each place, which stands where it was written.
type Node struct {
	parent  *Node
	key     string
	index   int
	isIndex bool
	depth   int

	file         string
	line, column int
	// textLine and textColumn are where the first character of a text stands.
	textLine, textColumn int
	// origin is what a made node was made from.
	origin *Node

	value scalar
	// bad is a value whose mistake was reported already.
	bad     bool
	entries []*Node // of a mapping, in order
	byKey   map[string]*Node
	items   []*Node

	missing bool // and only there to carry a mistake
	wrong   bool // a mistake was reported here or below
}

// Kind is what a value is by the core schema of YAML 1.2.2 (section 10.3).
type Kind int

const (
	// KindNull is no value: a key with nothing behind it, null or ~.
	KindNull Kind = iota
	// KindText is a string.
	KindText
	// KindBool is true or false.
	KindBool
	// KindInt is a whole number.
	KindInt
	// KindFloat is a number with a fraction or exponent.
	KindFloat
	// KindList is a sequence.
	KindList
	// KindMapping has keys.
	KindMapping
	// KindOther is a number that is out of range, or read differently by readers.
	KindOther
)

// Kind says what the value is.
func (n *Node) Kind() Kind { return n.value.kind }

// Key is the key of a mapping's entry, and empty for other values.
func (n *Node) Key() string { return n.key }

// Scalar is a scalar as it is written, without quotes.
func (n *Node) Scalar() string { return n.value.written }

// Quoted reports whether a text is written in quotes or as a block.
func (n *Node) Quoted() bool { return n.value.quoted }

// Bool is the value of a KindBool.
func (n *Node) Bool() bool { return n.value.bool }

// Int is the value of a KindInt.
func (n *Node) Int() int { return int(n.value.int) }

// Get returns the mapping's value of that key, and nil where there is none, or n
// is no mapping or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	return n.byKey[key]
}

// Entries are the values of a mapping, in order.
func (n *Node) Entries() []*Node {
	if n == nil {
		return nil
	}
	return n.entries
}

// Items are the values of a list.
func (n *Node) Items() []*Node {
	if n == nil {
		return nil
	}
	return n.items
}

// Is reports whether n is not nil and of that kind.
func (n *Node) Is(kind Kind) bool { return n != nil && n.value.kind == kind }

// Bad reports whether the value has a mistake that was reported when it was read.
func (n *Node) Bad() bool { return n.bad }

// Value is the value in Go: string, bool, int, float64, []any or map[string]any.
// Nulls are left out of lists and mappings, and a KindOther is the text that is
// written.
func (n *Node) Value() any {
	switch n.value.kind {
	case KindNull:
		return nil
	case KindBool:
		return n.value.bool
	case KindInt:
		return int(n.value.int)
	case KindFloat:
		return n.value.float
	case KindList:
		list := make([]any, 0, len(n.items))
		for _, item := range n.items {
			if v := item.Value(); v != nil {
				list = append(list, v)
			}
		}
		return list
	case KindMapping:
		m := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			if v := e.Value(); v != nil {
				m[e.key] = v
			}
		}
		return m
	default:
		return n.value.written
	}
}

// String says what the value is, for messages: the number 3, a list.
func (n *Node) String() string { return n.value.String() }

// Place returns where the value stands, counted from 1: where its key does in a
// mapping.
func (n *Node) Place() (file string, line, column int) { return n.file, n.line, n.column }

// Path is the path of the value, such as groups[0].min. That of a made node is the
// path of what it was made from.
func (n *Node) Path() string {
	switch {
	case n.origin != nil:
		return n.origin.Path()
	case n.parent == nil:
		return ""
	case n.isIndex:
		return JoinIndex(n.parent.Path(), n.index)
	default:
		return JoinKey(n.parent.Path(), shorten(n.key))
	}
}

// Mistake is a mistake at the value.
func (n *Node) Mistake(what, fix string) Mistake {
	return Mistake{File: n.file, Line: n.line, Column: n.column, Path: n.Path(), What: what, Fix: fix}
}

// addKey returns a new value of a mapping, at the mapping's own place.
func (n *Node) addKey(key string) *Node {
	c := &Node{parent: n, key: key, depth: n.depth + 1, file: n.file, line: n.line, column: n.column}
	if n.byKey == nil {
		n.byKey = map[string]*Node{}
	}
	n.entries = append(n.entries, c)
	n.byKey[key] = c
	return c
}

// addItem returns the next item of a list, at the list's own place.
func (n *Node) addItem() *Node {
	c := &Node{parent: n, index: len(n.items), isIndex: true, depth: n.depth + 1, file: n.file, line: n.line, column: n.column}
	n.items = append(n.items, c)
	return c
}

func (n *Node) markWrong() {
	for ; n != nil && !n.wrong; n = n.parent {
		n.wrong = true
	}
}

// find returns the node of the path, or of its nearest parent.
func (n *Node) find(path string) (at *Node, rest string) {
	for path != "" {
		key, index, isIndex, rest := nextStep(path)
		next := n.byKey[key]
		if isIndex {
			next = nil
			if index >= 0 && index < len(n.items) {
				next = n.items[index]
			}
		}
		if next == nil {
			return n, path
		}
		n, path = next, rest
	}
	return n, ""
}
