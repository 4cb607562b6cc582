package strictyaml

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/token"
)

// Limits on the shape, checked before the tokens are parsed. The library's parser
// recurses once for each level and once for each key of a block mapping, whose
// list it copies each time; it copies all tokens for each value that is left out,
// and gives every node the text of its path. A stack that overflows cannot be
// recovered from.
const (
	maxDepth     = 64
	maxKeys      = 2000
	maxOmitted   = 2000
	maxPathBytes = 64 << 20
)

// guard follows the nesting of a token stream without recursion.
type guard struct {
	blocks  []block
	flows   []flow
	run     int // keys since the last bracket or comma
	omitted int // values that are left out
	bytes   int // length of all paths together
}

// flow is an open bracket: the lengths of the path above it and of its last key.
type flow struct {
	path, key int
	mapping   bool
}

// block is an open block sequence, or mapping with its last key.
type block struct {
	column   int
	sequence bool
	keys     int
	path     int // length of the path to here
}

// check returns the first thing in the tokens that is not supported or goes
// beyond a limit.
func (g *guard) check(tokens token.Tokens) *Mistake {
	var key *token.Token // the last scalar, a key if a colon follows
	for i, tk := range tokens {
		if what, fix := unsupported(tokens, i); what != "" {
			m := tokenMistake(tk, what, fix)
			return &m
		}
		owner := tk
		if tk.Type == token.MappingValueType && key != nil {
			owner = key
		}
		if g.omits(tokens, i, owner.Position.Column) {
			g.omitted++
		}
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			g.flows = append(g.flows, flow{path: g.path(), mapping: tk.Type == token.MappingStartType})
			g.run = 0
		case token.SequenceEndType, token.MappingEndType:
			g.flows = g.flows[:max(len(g.flows)-1, 0)]
			g.run = 0
		case token.CollectEntryType:
			g.next()
		case token.SequenceEntryType:
			if len(g.flows) > 0 {
				m := tokenMistake(tk, "is a dash inside brackets", "write a list in brackets as [a, b], or all of it with dashes")
				return &m
			}
			g.open(tk.Position.Column, true, 8)
		case token.MappingValueType:
			if key == nil {
				key = tk
			}
			g.key(key)
		case token.CommentType:
		default:
			key = tk
		}
		if what, fix := g.exceeded(); what != "" {
			m := tokenMistake(tk, what, fix)
			return &m
		}
	}
	return nil
}

func unsupported(tokens token.Tokens, i int) (what, fix string) {
	switch tk := tokens[i]; tk.Type {
	case token.TagType:
		return fmt.Sprintf("has the tag %s, and tags are not supported", shorten(tk.Value)), "remove it"
	case token.DirectiveType:
		return "is a directive, and directives are not supported", "remove the line"
	case token.MappingKeyType:
		return `is a key marked with "?", which is not supported`, `write "key: value"`
	case token.AnchorType:
		if after := tokens[i+1 : min(i+3, len(tokens))]; slices.ContainsFunc(after, isAnchor) {
			return "is followed by another anchor", "keep one anchor"
		}
	}
	return "", ""
}

// omits reports whether nothing stands where a value belongs after the token at i.
// The column is that of the dash or key that the value belongs to.
func (g *guard) omits(tokens token.Tokens, i, column int) bool {
	tk := tokens[i]
	if i+1 == len(tokens) {
		return true
	}
	next := tokens[i+1]
	switch tk.Type {
	case token.SequenceEntryType:
		return next.Position.Line > tk.Position.Line && next.Position.Column <= column
	case token.MappingValueType:
		sequence := next.Type == token.SequenceEntryType && next.Position.Column == column
		return endsItem(next) || next.Position.Line > tk.Position.Line && next.Position.Column <= column && !sequence
	case token.CollectEntryType, token.MappingStartType:
		keys := tk.Type == token.MappingStartType || len(g.flows) > 0 && g.flows[len(g.flows)-1].mapping
		return keys && (i+2 == len(tokens) || endsItem(tokens[i+2]))
	}
	return false
}

func endsItem(tk *token.Token) bool {
	return tk.Type == token.CollectEntryType || tk.Type == token.MappingEndType || tk.Type == token.SequenceEndType
}

func isAnchor(tk *token.Token) bool { return tk.Type == token.AnchorType }

// next begins the next item of a flow collection.
func (g *guard) next() {
	g.run = 0
	if n := len(g.flows); n > 0 {
		g.flows[n-1].key = 0
	}
	g.bytes += g.path()
}

func (g *guard) key(key *token.Token) {
	size := len(key.Value) + 3
	if len(g.flows) == 0 {
		g.open(key.Position.Column, false, size)
		return
	}
	g.run++
	g.flows[len(g.flows)-1].key = size
	g.bytes += g.path()
}

// open closes the blocks that end where something begins in the column, and opens
// the block that it belongs to.
func (g *guard) open(column int, sequence bool, size int) {
	if len(g.flows) > 0 {
		return
	}
	keys := 0
	for n := len(g.blocks); n > 0; n-- {
		top := g.blocks[n-1]
		if top.column < column || top.column == column && sequence && !top.sequence {
			break
		}
		if top.column == column && top.sequence == sequence {
			keys = top.keys
		}
		g.blocks = g.blocks[:n-1]
	}
	if !sequence {
		keys++
	}
	g.blocks = append(g.blocks, block{column, sequence, keys, g.path() + size})
	g.bytes += g.path()
}

// path is the length of the path to the current token, in bytes.
func (g *guard) path() int {
	if n := len(g.flows); n > 0 {
		return g.flows[n-1].path + g.flows[n-1].key + 8
	}
	if n := len(g.blocks); n > 0 {
		return g.blocks[n-1].path
	}
	return 0
}

func (g *guard) exceeded() (what, fix string) {
	keys := g.run
	if n := len(g.blocks); n > 0 {
		keys = max(keys, g.blocks[n-1].keys)
	}
	switch {
	case len(g.blocks)+len(g.flows) > maxDepth:
		return fmt.Sprintf("is nested more than %d deep", maxDepth), "write it flatter"
	case keys > maxKeys:
		return fmt.Sprintf("is one of more than %d keys of a mapping", maxKeys), "split the mapping"
	case g.omitted > maxOmitted:
		return fmt.Sprintf("comes after more than %d values that are left out", maxOmitted), "write the values, one a line"
	case g.bytes > maxPathBytes:
		return "is too intricate: long keys hold too much", "shorten the keys"
	}
	return "", ""
}
