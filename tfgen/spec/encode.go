package spec

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Encode writes an application that Parse returned as a description: the keys in
// the order of the types, those with default values left out. Parse gives the
// application back, except for where its rules stood.
func Encode(app *Application) []byte {
	whole := clone(reflect.ValueOf(*app)).Interface().(Application)
	groups := whole.Groups
	whole.Groups = nil
	root := newEncoder(&whole).structure(reflect.ValueOf(&whole).Elem(), "")
	list := new(yamlNode)
	for _, g := range groups {
		// Alone, so that the defaults of one group are looked for in that group only.
		one := Application{Groups: []Group{g}}
		item := newEncoder(&one).structure(reflect.ValueOf(&one.Groups[0]).Elem(), "groups[0]")
		list.items = append(list.items, item)
	}
	at := len(root.entries)
	if at > 0 && root.entries[at-1].key == "not_deployed" {
		at--
	}
	root.entries = slices.Insert(root.entries, at, yamlEntry{"groups", list})
	var w yamlWriter
	w.mapping(root, 0)
	return w.Bytes()
}

// encoder writes an application of at most one group.
type encoder struct {
	app *Application
	// defaulted are the paths of keys that have a default.
	defaulted map[string]bool
}

func newEncoder(app *Application) *encoder {
	e := &encoder{app: app, defaulted: map[string]bool{}}
	setDefaults(app, func(path string) bool {
		e.defaulted[path] = true
		return true
	})
	return e
}

// structure is the mapping of a struct's fields that are not at their defaults.
func (e *encoder) structure(v reflect.Value, path string) *yamlNode {
	mapping := &yamlNode{isMapping: true}
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		at := strictyaml.JoinKey(path, name)
		if e.omits(v.Field(i), at) {
			continue
		}
		value := e.value(v.Field(i), at)
		if value.isMapping && len(value.entries) == 0 && !keepsEmpty(v.Field(i)) {
			continue
		}
		mapping.entries = append(mapping.entries, yamlEntry{name, value})
	}
	return mapping
}

// keepsEmpty reports whether an empty mapping says something: that spot machines
// are wanted, for one. The settings of local nodes are there without being said.
func keepsEmpty(field reflect.Value) bool {
	return field.Kind() == reflect.Pointer && field.Type() != reflect.TypeFor[*Local]()
}

// omits reports whether a field has the value that it has when its key is absent.
func (e *encoder) omits(field reflect.Value, path string) bool {
	if !e.defaulted[path] {
		empty := (field.Kind() == reflect.Map || field.Kind() == reflect.Slice) && field.Len() == 0
		return empty || field.Kind() != reflect.Struct && field.IsZero()
	}
	written := reflect.New(field.Type()).Elem()
	written.Set(field)
	setDefaults(e.app, func(p string) bool { return p != path })
	same := reflect.DeepEqual(field.Interface(), written.Interface())
	field.Set(written)
	return same
}

func (e *encoder) value(v reflect.Value, path string) *yamlNode {
	switch value := v.Interface().(type) {
	case Query:
		if value.Label == "" {
			return &yamlNode{text: text(value.Expr), block: value.Expr}
		}
		return &yamlNode{text: "[" + quoted(value.Expr) + ", " + quoted(value.Label) + "]"}
	case CloudInit:
		mapping := e.structure(v, path)
		if len(mapping.entries) == 1 && mapping.entries[0].key == "content" {
			return mapping.entries[0].value
		}
		return mapping
	case []Policy:
		return e.policies(v, path)
	case Duration:
		return &yamlNode{text: value.String()}
	case encoding.TextMarshaler:
		if v.Kind() != reflect.Pointer {
			marshalled, _ := value.MarshalText() // never fails for the types of this package
			return &yamlNode{text: text(string(marshalled)), block: string(marshalled)}
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return e.value(v.Elem(), path)
	case reflect.Struct:
		return e.structure(v, path)
	case reflect.Slice:
		list := new(yamlNode)
		for i := range v.Len() {
			list.items = append(list.items, e.value(v.Index(i), strictyaml.JoinIndex(path, i)))
		}
		if v.Len() == 0 {
			list.text = "[]"
		}
		return list
	case reflect.Map:
		mapping := &yamlNode{isMapping: true}
		values := map[string]reflect.Value{}
		for _, key := range v.MapKeys() {
			values[key.String()] = v.MapIndex(key)
		}
		for _, key := range slices.Sorted(maps.Keys(values)) {
			mapping.entries = append(mapping.entries, yamlEntry{key, e.value(values[key], strictyaml.JoinKey(path, key))})
		}
		return mapping
	case reflect.String:
		return &yamlNode{text: text(v.String()), block: v.String()}
	case reflect.Float64:
		return &yamlNode{text: number(v.Float())}
	default:
		return &yamlNode{text: fmt.Sprint(v.Interface())}
	}
}

// policies leaves out the names that the policies get without being named.
func (e *encoder) policies(v reflect.Value, path string) *yamlNode {
	unnamed := slices.Clone(v.Interface().([]Policy))
	for i := range unnamed {
		unnamed[i].Name = ""
	}
	namePolicies(unnamed)
	usual := true
	for i := range unnamed {
		usual = usual && unnamed[i].Name == v.Index(i).FieldByName("Name").String()
	}
	list := new(yamlNode)
	for i := range v.Len() {
		policy := e.structure(v.Index(i), strictyaml.JoinIndex(path, i))
		if usual {
			policy.entries = policy.entries[1:] // name is the first key
		}
		list.items = append(list.items, policy)
	}
	return list
}

// number writes a float so that it is read as one.
func number(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// clone is a deep copy.
func clone(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.Set(reflect.New(v.Type().Elem()))
			c.Elem().Set(clone(v.Elem()))
		}
	case reflect.Interface:
		if !v.IsNil() {
			c.Set(clone(v.Elem()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			c.Field(i).Set(clone(v.Field(i)))
		}
	case reflect.Slice:
		if !v.IsNil() {
			c.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				c.Index(i).Set(clone(v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			c.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for _, key := range v.MapKeys() {
				c.SetMapIndex(key, clone(v.MapIndex(key)))
			}
		}
	default:
		c.Set(v)
	}
	return c
}
