package strictyaml

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// maxVisits is how many nodes are decoded, counting a node again for each alias
// that stands for it. It is above what maxIndicators allows without aliases.
const maxVisits = 250_000

// decoder decodes one document.
type decoder struct {
	collection
	file    string
	lines   []string
	aliases map[*ast.AliasNode]ast.Node
	budget  int
}

func (d *decoder) report(m Mistake) {
	m.File = d.file
	d.add(m)
}

// wrong reports a mistake at a place.
func (d *decoder) wrong(at *place, what, fix string) {
	at.markWrong()
	d.report(Mistake{Line: at.line, Column: at.column, Path: at.path(), What: what, Fix: fix})
}

// spend counts a visit. It reports the first visit beyond the budget and answers
// false from then on.
func (d *decoder) spend(at *place) bool {
	d.budget--
	if d.budget == -1 {
		d.wrong(at, "stands for too much: the aliases of this file multiply", "write fewer aliases of aliases")
	}
	return d.budget >= 0
}

// value decodes a node that is not null, and reports the mistakes in it.
func (d *decoder) value(n ast.Node, into reflect.Value, at *place, r rules) {
	if n = d.follow(n); n == nil || !d.spend(at) {
		at.markWrong()
		return
	}
	if at.depth > maxDepth {
		d.wrong(at, fmt.Sprintf("is nested more than %d deep", maxDepth), "write it flatter")
		return
	}
	if into.Kind() == reflect.Pointer {
		if into.IsNil() {
			into.Set(reflect.New(into.Type().Elem()))
		}
		d.value(n, into.Elem(), at, r)
		return
	}
	v := classify(n)
	if v.kind == kindOther {
		d.wrong(at, fmt.Sprintf("is %s, %s", v, v.problem), v.fix)
		return
	}
	switch target := into.Addr().Interface().(type) {
	case *Duration:
		d.duration(v, target, at)
		return
	case TextUnmarshaler:
		switch texts, ok := target.(TextsUnmarshaler); {
		case ok && v.kind == kindList:
			d.texts(n, v, texts, at)
			return
		case v.kind != kindMapping || !hasKeys(into.Type()):
			d.textAt(n, v, target, at)
			return
		}
	}
	switch into.Kind() {
	case reflect.Struct:
		d.structure(n, v, into, at)
	case reflect.Map:
		d.mapping(n, v, into, at)
	case reflect.Slice:
		d.list(n, v, into, at, r)
	case reflect.Interface:
		d.any(n, v, into, at)
	default:
		d.scalar(v, into, at, r)
	}
}

func (d *decoder) scalar(v scalar, into reflect.Value, at *place, r rules) {
	switch into.Kind() {
	case reflect.String:
		if d.want(v, "text", at, kindText) {
			d.ifWrong(at)(r.checkEnum(v.text))
			into.SetString(v.text)
		}
	case reflect.Bool:
		if d.want(v, "true or false", at, kindBool) {
			into.SetBool(v.bool)
		}
	case reflect.Float32, reflect.Float64:
		if d.want(v, "a number", at, kindFloat, kindInt) {
			d.ifWrong(at)(r.checkNumber(v))
			into.SetFloat(v.float)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if d.want(v, "a whole number", at, kindInt) {
			d.integer(v, at, r, into.OverflowInt(v.int), func() { into.SetInt(v.int) })
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if d.want(v, "a whole number", at, kindInt) {
			d.integer(v, at, r, v.int < 0 || into.OverflowUint(uint64(v.int)), func() { into.SetUint(uint64(v.int)) })
		}
	default:
		panic(fmt.Sprintf("strictyaml: %s cannot be decoded into", into.Type()))
	}
}

func (d *decoder) integer(v scalar, at *place, r rules, overflows bool, set func()) {
	what, fix := r.checkNumber(v)
	if what == "" && overflows {
		what, fix = fmt.Sprintf("is %s, out of range", v.written), "write a number in range"
	}
	d.ifWrong(at)(what, fix)
	if !overflows {
		set()
	}
}

// ifWrong returns a function that reports a mistake unless it is empty.
func (d *decoder) ifWrong(at *place) func(what, fix string) {
	return func(what, fix string) {
		if what != "" {
			d.wrong(at, what, fix)
		}
	}
}

// want reports a value that is of none of the kinds.
func (d *decoder) want(v scalar, name string, at *place, kinds ...kind) bool {
	for _, k := range kinds {
		if v.kind == k {
			return true
		}
	}
	d.wrong(at, fmt.Sprintf("is %s, not %s", v, name), advice(v, kinds[0]))
	return false
}

func advice(v scalar, wanted kind) string {
	switch {
	case wanted == kindList:
		return `start each item with "- "`
	case wanted == kindMapping:
		return "write its keys below it, indented"
	case v.kind == kindMapping && wanted == kindText:
		return `write one value, in quotes where it holds a colon: "host:80"`
	case v.kind == kindList || v.kind == kindMapping:
		return "write one value"
	case wanted == kindText:
		return fmt.Sprintf("put it in quotes: %q", shorten(v.written))
	case wanted == kindInt && v.kind == kindFloat:
		return "write it without a fraction or exponent"
	case v.kind == kindText && plain(v.text).kind == wanted:
		return "remove the quotes"
	case wanted == kindBool:
		return "write true or false"
	default:
		return "write a number"
	}
}

func (d *decoder) duration(v scalar, into *Duration, at *place) {
	if v.kind == kindInt || v.kind == kindFloat {
		d.wrong(at, fmt.Sprintf("is %s, without a unit", v), fmt.Sprintf("write a unit, such as %ss", shorten(v.written)))
		return
	}
	if !d.want(v, "a duration", at, kindText) {
		return
	}
	if err := into.UnmarshalText([]byte(v.text)); err != nil {
		d.wrong(at, fmt.Sprintf("is %q: %v", shorten(v.text), err), `write it as "90s", "5m" or "1h30m"`)
	}
}

func (d *decoder) textAt(n ast.Node, v scalar, into TextUnmarshaler, at *place) {
	if !d.want(v, "text", at, kindText) {
		return
	}
	text := Text{Value: v.text, File: d.file}
	text.Line, text.Column = d.begin(n, v.text)
	if err := into.UnmarshalTextAt(text); err != nil {
		d.wrong(at, err.Error(), "")
	}
}

// texts hands a list of texts to a value that decodes itself from one.
func (d *decoder) texts(n ast.Node, v scalar, into TextsUnmarshaler, at *place) {
	var list []string
	d.list(n, v, reflect.ValueOf(&list).Elem(), at, rules{})
	if at.wrong {
		return
	}
	if err := into.UnmarshalTexts(list); err != nil {
		d.wrong(at, err.Error(), "")
	}
}

// hasKeys reports whether a type can be written as a mapping, besides the text
// that it decodes itself from.
func hasKeys(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("yaml") != "" {
			return true
		}
	}
	return false
}

// begin is where the first character of a text stands.
func (d *decoder) begin(n ast.Node, text string) (line, column int) {
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
func (d *decoder) indentation(line int, text string) int {
	for i, l := range strings.Split(text, "\n") {
		if strings.TrimSpace(l) != "" && line-1+i < len(d.lines) {
			return max(leadingSpaces(d.lines[line-1+i])-leadingSpaces(l), 0)
		}
	}
	return 0
}

func leadingSpaces(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }
