package strictyaml

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// maxVisits is how many nodes are read, counting a node again for each alias that
// stands for it. It is above what maxIndicators allows without aliases.
const maxVisits = 250_000

// reader turns the YAML library's syntax tree into Nodes.
type reader struct {
	*collection
	file    string
	lines   []string
	aliases map[*ast.AliasNode]ast.Node
	budget  int
}

// read turns a panic over an odd syntax tree into a mistake of the document.
func read(file string, text []byte) (root *Node, found *collection) {
	found = new(collection)
	d := &reader{collection: found, file: file, budget: maxVisits}
	defer func() {
		if r := recover(); r != nil {
			root = nil
			d.report(Mistake{Line: 1, Column: 1, What: fmt.Sprintf("cannot be decoded: %v", r), Fix: "simplify the file"})
		}
	}()
	body := d.parse(text)
	if body == nil {
		return nil, found
	}
	root = &Node{file: file, line: 1, column: 1}
	if line, column := position(body); line > 0 {
		root.line, root.column = line, column
	}
	d.value(body, root)
	if d.budget < 0 {
		return nil, found
	}
	return root, found
}

// parse returns the body of the document, or nil after reporting why there is
// none.
func (d *reader) parse(text []byte) ast.Node {
	source, mistake := clean(text)
	if mistake != nil {
		d.report(*mistake)
		return nil
	}
	body, mistakes := syntaxTree(source)
	for _, m := range mistakes {
		d.report(m)
	}
	if body == nil && len(mistakes) > 0 {
		return nil
	}
	if body == nil || isNull(body) {
		d.report(Mistake{Line: 1, Column: 1, What: "is empty", Fix: "write a description"})
		return nil
	}
	d.lines = strings.Split(source, "\n")
	d.resolveAliases(body)
	return body
}

func (d *reader) report(m Mistake) {
	m.File = d.file
	d.add(m)
}

// bad reports a mistake at a node whose value is then not read.
func (d *reader) bad(at *Node, what, fix string) {
	at.bad = true
	at.markWrong()
	d.add(at.Mistake(what, fix))
}

// spend counts a visit. It reports the first visit beyond the budget and answers
// false from then on.
func (d *reader) spend(at *Node) bool {
	d.budget--
	if d.budget == -1 {
		d.bad(at, "stands for too much: the aliases of this file multiply", "write fewer aliases of aliases")
	}
	return d.budget >= 0
}

// value reads what n stands for into the node at its place.
func (d *reader) value(n ast.Node, into *Node) {
	if n = d.follow(n); n == nil || !d.spend(into) {
		into.bad = true
		into.markWrong()
		return
	}
	if into.depth > maxDepth {
		d.bad(into, fmt.Sprintf("is nested more than %d deep", maxDepth), "write it flatter")
		return
	}
	into.value = classify(n)
	switch into.value.kind {
	case KindText:
		into.textLine, into.textColumn = d.begin(n, into.value.text)
	case KindMapping:
		for _, e := range d.pairs(n, into, 0) {
			c := into.addKey(e.key)
			c.line, c.column = e.line, e.column
			d.value(e.value, c)
		}
	case KindList:
		sequence := n.(*ast.SequenceNode)
		for i, item := range sequence.Values {
			if d.budget < 0 {
				break
			}
			line, column := position(item)
			c := into.addItem()
			c.line, c.column = max(line, 1), max(column, 1)
			if isNull(d.follow(item)) && !sequence.IsFlowStyle { // nothing stands there but the dash
				c.line, c.column = sequence.Entries[i].Start.Position.Line, sequence.Entries[i].Start.Position.Column
			}
			d.value(item, c)
		}
	}
}

// begin is where the first character of a text stands.
func (d *reader) begin(n ast.Node, text string) (line, column int) {
	line, column = position(n)
	switch n := n.(type) {
	case *ast.StringNode:
		if isQuoted(n.Token) {
			column++
		}
	case *ast.LiteralNode:
		line++
		return line, d.indentation(line, text) + 1
	}
	return line, column
}

// indentation is by how much a block scalar is indented whose text begins on the
// given line: what its first line with text has in the document and not in the
// text.
func (d *reader) indentation(line int, text string) int {
	i := line - 1
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		if strings.TrimSpace(l) != "" && i < len(d.lines) {
			return max(leadingSpaces(d.lines[i])-leadingSpaces(l), 0)
		}
		i++
	}
	return 0
}

func leadingSpaces(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }

// pair is one key of a mapping, whether written there or merged into it.
type pair struct {
	key          string
	line, column int
	value        ast.Node
}

// pairs returns the keys of a mapping: its own in order, then those that merge
// keys bring and that it does not have itself.
func (d *reader) pairs(n ast.Node, at *Node, merged int) []pair {
	values, _ := pairs(n)
	var list []pair
	var merges []ast.Node
	lines := map[string]int{}
	for _, v := range values {
		if !d.spend(at) {
			return nil
		}
		line, column := position(v.Key)
		if v.Key.IsMergeKey() {
			merges = append(merges, v.Value)
			continue
		}
		key, ok := d.key(v.Key, line, column, at)
		if !ok {
			continue
		}
		if first, twice := lines[key]; twice {
			if merged == 0 {
				at.markWrong()
				d.report(Mistake{Line: line, Column: column, Path: JoinKey(at.Path(), shorten(key)),
					What: fmt.Sprintf("is there already, on line %d", first), Fix: "keep one of them"})
			}
			continue
		}
		lines[key] = line
		list = append(list, pair{key, line, column, v.Value})
	}
	for _, m := range merges {
		for _, e := range d.merge(m, at, merged+1) {
			if _, own := lines[e.key]; !own {
				lines[e.key] = e.line
				list = append(list, e)
			}
		}
	}
	return list
}

// merge returns the keys that the value of a merge key brings: a mapping, or a
// list of them of which the first wins.
func (d *reader) merge(n ast.Node, at *Node, merged int) []pair {
	line, column := position(n)
	target := d.follow(n)
	if target == nil || !d.spend(at) {
		at.markWrong()
		return nil
	}
	if merged > maxDepth {
		at.markWrong()
		d.add(at.Mistake(fmt.Sprintf("merges mappings that merge mappings, more than %d deep", maxDepth), "merge fewer"))
		return nil
	}
	switch v := classify(target); v.kind {
	case KindMapping:
		return d.pairs(target, at, merged)
	case KindList:
		var list []pair
		for _, item := range target.(*ast.SequenceNode).Values {
			list = append(list, d.merge(item, at, merged+1)...)
		}
		return list
	default:
		at.markWrong()
		d.report(Mistake{Line: max(line, 1), Column: max(column, 1), Path: JoinKey(at.Path(), "<<"),
			What: fmt.Sprintf("is %s, not a mapping", v), Fix: "write an alias of a mapping, such as *defaults"})
		return nil
	}
}

// key is the text of a key.
func (d *reader) key(n ast.Node, line, column int, at *Node) (string, bool) {
	if anchor, ok := n.(*ast.AnchorNode); ok {
		n = anchor.Value
	}
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value, true
	}
	at.markWrong()
	mistake := Mistake{Line: line, Column: column, Path: at.Path(),
		What: "has an alias as a key", Fix: "write the key itself"}
	if _, alias := n.(*ast.AliasNode); !alias {
		written := shorten(n.GetToken().Value)
		mistake.What = fmt.Sprintf("has the key %s, which is not text", written)
		mistake.Fix = fmt.Sprintf("put it in quotes: %q", written)
	}
	d.report(mistake)
	return "", false
}
