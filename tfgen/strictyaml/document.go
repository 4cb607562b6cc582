package strictyaml

import "strings"

// Document knows where the keys of a decoded document stand, for checks that come
// after decoding. Paths are written groups[0].min; see JoinKey and JoinIndex. It
// is safe for concurrent use.
type Document struct {
	root *Node
}

// File is the name that the document was read under.
func (d *Document) File() string { return d.root.file }

// At returns where path stands, counted from 1, and the place of the nearest
// parent where the document does not have it.
func (d *Document) At(path string) (line, column int) {
	n, _ := d.root.find(path)
	return n.line, n.column
}

// Has reports whether the document sets path, to something other than null.
func (d *Document) Has(path string) bool {
	n, rest := d.root.find(path)
	return rest == "" && !n.missing && (n.bad || n.value.kind != KindNull)
}

// Wrong reports whether Decode found a mistake at path or below it, so that the
// value there is not what the writer meant.
func (d *Document) Wrong(path string) bool {
	n, rest := d.root.find(path)
	return rest == "" && n.wrong
}

// Mistake is a mistake at the path. In a tree that was made from another document,
// it names that one's path.
func (d *Document) Mistake(path, what, fix string) Mistake {
	n, rest := d.root.find(path)
	m := n.Mistake(what, fix)
	if rest != "" && m.Path != "" && !strings.HasPrefix(rest, "[") {
		m.Path += "."
	}
	m.Path += strings.TrimPrefix(rest, ".")
	return m
}
