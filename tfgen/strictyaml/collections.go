package strictyaml

import (
	"fmt"
	"reflect"
	"strings"
)

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

func (d *decoder) structure(n *Node, into reflect.Value) {
	if !d.want(n, "a mapping", KindMapping) {
		return
	}
	names, byName := fields(into.Type())
	for _, e := range n.entries {
		field, ok := byName[e.key]
		switch {
		case !ok:
			d.unknown(e, names)
		case e.bad || e.value.kind != KindNull:
			d.value(e, into.FieldByIndex(field.Index), rulesOf(field))
		}
	}
	for _, name := range names {
		if e := n.byKey[name]; rulesOf(byName[name]).required && (e == nil || e.value.kind == KindNull && !e.bad) {
			d.missing(n, e, name, byName[name].Type)
		}
	}
}

func (d *decoder) unknown(at *Node, names []string) {
	fix := "remove it."
	if near := Nearest(at.key, names); near != "" {
		fix = fmt.Sprintf("did you mean %s?", near)
	}
	d.wrong(at, "is not a known key", fmt.Sprintf("%s Known: %s", fix, strings.Join(names, ", ")))
}

func (d *decoder) missing(parent, at *Node, name string, t reflect.Type) {
	if at == nil {
		at = parent.addKey(name)
	}
	at.missing = true
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
func (d *decoder) mapping(n *Node, into reflect.Value) {
	if !d.want(n, "a mapping", KindMapping) {
		return
	}
	if into.IsNil() {
		into.Set(reflect.MakeMap(into.Type()))
	}
	for _, e := range n.entries {
		if e.value.kind == KindNull && !e.bad {
			continue
		}
		element := reflect.New(into.Type().Elem()).Elem()
		d.value(e, element, rules{})
		into.SetMapIndex(reflect.ValueOf(e.key).Convert(into.Type().Key()), element)
	}
}

func (d *decoder) list(n *Node, into reflect.Value, r rules) {
	if !d.want(n, "a list", KindList) {
		return
	}
	if len(n.items) < r.minItems {
		d.wrong(n, fmt.Sprintf("has %d items, less than %d", len(n.items), r.minItems), "add items, or remove the key")
	}
	list := reflect.MakeSlice(into.Type(), 0, len(n.items))
	for _, item := range n.items {
		element := reflect.New(into.Type().Elem()).Elem()
		if item.value.kind == KindNull && !item.bad {
			d.wrong(item, "is empty", "write the item, or remove the dash")
		} else {
			d.value(item, element, rules{})
		}
		if d.budget < 0 {
			break
		}
		list = reflect.Append(list, element)
	}
	into.Set(list)
}

// any decodes into an empty interface: string, bool, int, float64, []any or
// map[string]any.
func (d *decoder) any(n *Node, into reflect.Value) {
	switch v := n.value; v.kind {
	case KindText:
		into.Set(reflect.ValueOf(v.text))
	case KindBool:
		into.Set(reflect.ValueOf(v.bool))
	case KindInt:
		into.Set(reflect.ValueOf(int(v.int)))
	case KindFloat:
		into.Set(reflect.ValueOf(v.float))
	case KindList:
		var list []any
		d.list(n, reflect.ValueOf(&list).Elem(), rules{})
		into.Set(reflect.ValueOf(list))
	case KindMapping:
		var m map[string]any
		d.mapping(n, reflect.ValueOf(&m).Elem())
		into.Set(reflect.ValueOf(m))
	}
}
