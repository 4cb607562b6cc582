package strictyaml

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// entry is one key of a mapping, whether written there or merged into it.
type entry struct {
	key          string
	line, column int
	value        ast.Node
}

// entries returns the keys of a mapping: its own in order, then those that merge
// keys bring and that it does not have itself.
func (d *decoder) entries(n ast.Node, at *place, merged int) []entry {
	values, _ := pairs(n)
	var list []entry
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
				d.report(Mistake{Line: line, Column: column, Path: JoinKey(at.path(), shorten(key)),
					What: fmt.Sprintf("is there already, on line %d", first), Fix: "keep one of them"})
			}
			continue
		}
		lines[key] = line
		list = append(list, entry{key, line, column, v.Value})
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
func (d *decoder) merge(n ast.Node, at *place, merged int) []entry {
	line, column := position(n)
	target := d.follow(n)
	if target == nil || !d.spend(at) {
		at.markWrong()
		return nil
	}
	if merged > maxDepth {
		d.wrong(at, fmt.Sprintf("merges mappings that merge mappings, more than %d deep", maxDepth), "merge fewer")
		return nil
	}
	switch v := classify(target); v.kind {
	case kindMapping:
		return d.entries(target, at, merged)
	case kindList:
		var list []entry
		for _, item := range target.(*ast.SequenceNode).Values {
			list = append(list, d.merge(item, at, merged+1)...)
		}
		return list
	default:
		at.markWrong()
		d.report(Mistake{Line: max(line, 1), Column: max(column, 1), Path: JoinKey(at.path(), "<<"),
			What: fmt.Sprintf("is %s, not a mapping", v), Fix: "write an alias of a mapping, such as *defaults"})
		return nil
	}
}

// key is the text of a key.
func (d *decoder) key(n ast.Node, line, column int, at *place) (string, bool) {
	if anchor, ok := n.(*ast.AnchorNode); ok {
		n = anchor.Value
	}
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value, true
	}
	at.markWrong()
	mistake := Mistake{Line: line, Column: column, Path: at.path(),
		What: "has an alias as a key", Fix: "write the key itself"}
	if _, alias := n.(*ast.AliasNode); !alias {
		written := shorten(n.GetToken().Value)
		mistake.What = fmt.Sprintf("has the key %s, which is not text", written)
		mistake.Fix = fmt.Sprintf("put it in quotes: %q", written)
	}
	d.report(mistake)
	return "", false
}

// fields are the keys of a struct type, in the order of its fields.
func fields(t reflect.Type) (names []string, byName map[string]reflect.StructField) {
	byName = map[string]reflect.StructField{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			names = append(names, name)
			byName[name] = t.Field(i)
		}
	}
	return names, byName
}

func (d *decoder) structure(n ast.Node, v scalar, into reflect.Value, at *place) {
	if !d.want(v, "a mapping", at, kindMapping) {
		return
	}
	names, byName := fields(into.Type())
	for _, e := range d.entries(n, at, 0) {
		p := at.addKey(e.key, e.line, e.column)
		field, ok := byName[e.key]
		if !ok {
			d.unknown(p, names)
			continue
		}
		if isNull(d.follow(e.value)) {
			p.found = false
			continue
		}
		d.value(e.value, into.FieldByIndex(field.Index), p, rulesOf(field))
	}
	for _, name := range names {
		if p := at.keys[name]; rulesOf(byName[name]).required && (p == nil || !p.found) {
			d.missing(at, p, name, byName[name].Type)
		}
	}
}

func (d *decoder) unknown(at *place, names []string) {
	fix := "remove it."
	if near := Nearest(at.key, names); near != "" {
		fix = fmt.Sprintf("did you mean %s?", near)
	}
	d.wrong(at, "is not a known key", fmt.Sprintf("%s Known: %s", fix, strings.Join(names, ", ")))
}

func (d *decoder) missing(parent, at *place, name string, t reflect.Type) {
	if at == nil {
		at = parent.addKey(name, parent.line, parent.column)
		at.found = false
	}
	d.wrong(at, "is missing", "add "+describe(t))
}

// describe names what a type takes.
func describe(t reflect.Type) string {
	if t == reflect.TypeFor[Duration]() {
		return `a duration, such as "90s"`
	}
	switch t.Kind() {
	case reflect.Pointer:
		return describe(t.Elem())
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a mapping"
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Interface:
		return "a value"
	default:
		return "a whole number"
	}
}

// mapping decodes into a map with string keys.
func (d *decoder) mapping(n ast.Node, v scalar, into reflect.Value, at *place) {
	if !d.want(v, "a mapping", at, kindMapping) {
		return
	}
	if into.IsNil() {
		into.Set(reflect.MakeMap(into.Type()))
	}
	for _, e := range d.entries(n, at, 0) {
		p := at.addKey(e.key, e.line, e.column)
		if isNull(d.follow(e.value)) {
			p.found = false
			continue
		}
		element := reflect.New(into.Type().Elem()).Elem()
		d.value(e.value, element, p, rules{})
		into.SetMapIndex(reflect.ValueOf(e.key).Convert(into.Type().Key()), element)
	}
}

func (d *decoder) list(n ast.Node, v scalar, into reflect.Value, at *place, r rules) {
	if !d.want(v, "a list", at, kindList) {
		return
	}
	sequence := n.(*ast.SequenceNode)
	items := sequence.Values
	if len(items) < r.minItems {
		d.wrong(at, fmt.Sprintf("has %d items, less than %d", len(items), r.minItems), "add items, or remove the key")
	}
	list := reflect.MakeSlice(into.Type(), 0, min(len(items), 64))
	for i, item := range items {
		element := reflect.New(into.Type().Elem()).Elem()
		d.item(sequence, i, item, element, at)
		if d.budget < 0 {
			break
		}
		list = reflect.Append(list, element)
	}
	into.Set(list)
}

func (d *decoder) item(sequence *ast.SequenceNode, i int, n ast.Node, into reflect.Value, list *place) {
	line, column := position(n)
	p := list.addItem(max(line, 1), max(column, 1))
	if isNull(d.follow(n)) {
		p.found = false
		if !sequence.IsFlowStyle { // nothing stands there but the dash
			p.line, p.column = sequence.Entries[i].Start.Position.Line, sequence.Entries[i].Start.Position.Column
		}
		d.wrong(p, "is empty", "write the item, or remove the dash")
		return
	}
	d.value(n, into, p, rules{})
}

// any decodes into an empty interface: string, bool, int, float64, []any or
// map[string]any.
func (d *decoder) any(n ast.Node, v scalar, into reflect.Value, at *place) {
	switch v.kind {
	case kindText:
		into.Set(reflect.ValueOf(v.text))
	case kindBool:
		into.Set(reflect.ValueOf(v.bool))
	case kindInt:
		into.Set(reflect.ValueOf(int(v.int)))
	case kindFloat:
		into.Set(reflect.ValueOf(v.float))
	case kindList:
		var list []any
		d.list(n, v, reflect.ValueOf(&list).Elem(), at, rules{})
		into.Set(reflect.ValueOf(list))
	case kindMapping:
		var m map[string]any
		d.mapping(n, v, reflect.ValueOf(&m).Elem(), at)
		into.Set(reflect.ValueOf(m))
	}
}
