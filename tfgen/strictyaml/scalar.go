package strictyaml

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// scalar is a node's kind and value.
type scalar struct {
	kind    Kind
	written string // as in the document
	quoted  bool
	text    string
	bool    bool
	int     int64
	float   float64 // also of an int
	problem string  // what is wrong with a Other
	fix     string
}

var (
	decimal  = regexp.MustCompile(`^[-+]?[0-9]+$`)
	prefixed = regexp.MustCompile(`^0(o[0-7]+|x[0-9a-fA-F]+)$`)
	floating = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	infinite = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
	grouped  = regexp.MustCompile(`^[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?$`)
	octal    = regexp.MustCompile(`^[-+]?0[0-9]+$`)
)

// classify says what a node is, without anchors and aliases.
func classify(n ast.Node) scalar {
	switch n := n.(type) {
	case *ast.SequenceNode:
		return scalar{kind: KindList}
	case *ast.MappingNode, *ast.MappingValueNode:
		return scalar{kind: KindMapping}
	case *ast.NullNode:
		return scalar{kind: KindNull}
	case *ast.LiteralNode:
		return scalar{kind: KindText, text: n.Value.Value, written: n.Value.Value, quoted: true}
	case *ast.StringNode:
		if isQuoted(n.Token) {
			return scalar{kind: KindText, text: n.Value, written: n.Value, quoted: true}
		}
	}
	return plain(n.GetToken().Value)
}

func isQuoted(tk *token.Token) bool {
	return tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType
}

// plain reads a scalar that is written without quotes. The library's own reading
// is not used: it takes 1e3 for text and 1_000 for a number.
func plain(s string) scalar {
	v := scalar{kind: KindText, written: s, text: s}
	switch {
	case s == "true" || s == "True" || s == "TRUE":
		v.kind, v.bool = KindBool, true
	case s == "false" || s == "False" || s == "FALSE":
		v.kind = KindBool
	case infinite.MatchString(s):
		v.refuse("not a finite number", "write a finite number")
	case octal.MatchString(s):
		v.refuse("which some read as octal", fmt.Sprintf("drop the leading zero, write %q in quotes, or octal as 0o17", shorten(s)))
	case grouped.MatchString(s):
		v.refuse("which some read as a number and some as text", "drop the underscores, or put it in quotes")
	case decimal.MatchString(s) || prefixed.MatchString(s):
		v.integer(s)
	case floating.MatchString(s):
		v.kind = KindFloat
		v.float, _ = strconv.ParseFloat(s, 64)
		if math.IsInf(v.float, 0) {
			v.refuse("beyond what a number can be", "write a smaller number")
		}
	}
	return v
}

func (v *scalar) integer(s string) {
	base := 0
	if decimal.MatchString(s) {
		base = 10
	}
	i, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), base, strconv.IntSize)
	if err != nil {
		v.refuse("beyond what a whole number can be", "write a smaller number")
		return
	}
	v.kind, v.int, v.float = KindInt, i, float64(i)
}

func (v *scalar) refuse(problem, fix string) {
	v.kind, v.problem, v.fix = KindOther, problem, fix
}

// String says what the scalar is, for messages.
func (v scalar) String() string {
	switch v.kind {
	case KindNull:
		return "empty"
	case KindText:
		return fmt.Sprintf("the text %q", shorten(v.text))
	case KindInt, KindFloat:
		return "the number " + shorten(v.written)
	case KindList:
		return "a list"
	case KindMapping:
		return "a mapping"
	default:
		return shorten(v.written)
	}
}
