package strictyaml

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// position is where a node begins, 0 where the library does not say.
func position(n ast.Node) (line, column int) {
	switch n := n.(type) {
	case nil:
		return 0, 0
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return position(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return position(n.Key)
	}
	tk := n.GetToken()
	if tk == nil || tk.Position == nil {
		return 0, 0
	}
	return max(tk.Position.Line, 1), max(tk.Position.Column, 1)
}

func isNull(n ast.Node) bool {
	_, ok := n.(*ast.NullNode)
	return ok
}

// pairs returns the entries of a mapping node, in order.
func pairs(n ast.Node) (values []*ast.MappingValueNode, ok bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// resolveAliases finds the node that each alias stands for: the last one before
// it of that name. An anchor's own content comes before it counts, so that no
// alias stands for something that it is part of.
func (d *reader) resolveAliases(body ast.Node) {
	d.aliases = map[*ast.AliasNode]ast.Node{}
	anchors := map[string]ast.Node{}
	var walk func(ast.Node)
	walk = func(n ast.Node) {
		switch n := n.(type) {
		case *ast.AnchorNode:
			walk(n.Value)
			anchors[n.Name.GetToken().Value] = n.Value
		case *ast.AliasNode:
			d.aliases[n] = d.lookup(anchors, n)
		case *ast.SequenceNode:
			for _, item := range n.Values {
				walk(item)
			}
		default:
			values, _ := pairs(n)
			for _, v := range values {
				walk(v.Key)
				walk(v.Value)
			}
		}
	}
	walk(body)
}

func (d *reader) lookup(anchors map[string]ast.Node, alias *ast.AliasNode) ast.Node {
	name := alias.Value.GetToken().Value
	target, ok := anchors[name]
	if !ok {
		line, column := position(alias)
		d.report(Mistake{Line: line, Column: column,
			What: fmt.Sprintf("*%s stands for nothing", shorten(name)), Fix: fmt.Sprintf("mark a value above it with &%s", shorten(name))})
	}
	return target
}

// follow strips anchors and aliases off a node. It returns nil for an alias that
// stands for nothing, which has been reported.
func (d *reader) follow(n ast.Node) ast.Node {
	for {
		switch at := n.(type) {
		case *ast.AnchorNode:
			n = at.Value
		case *ast.AliasNode:
			n = d.aliases[at]
		default:
			return n
		}
	}
}
