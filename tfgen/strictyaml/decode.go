package strictyaml

import (
	"fmt"
	"reflect"
)

// decoder decodes one document.
type decoder struct {
	*collection
	budget int
}

// wrong reports a mistake at a node.
func (d *decoder) wrong(at *Node, what, fix string) {
	at.markWrong()
	d.add(at.Mistake(what, fix))
}

// value decodes a node that is not null, and reports the mistakes in it.
func (d *decoder) value(n *Node, into reflect.Value, r rules) {
	d.budget--
	switch {
	case n.bad || d.budget < 0:
		n.markWrong()
		return
	case into.Kind() == reflect.Pointer:
		if into.IsNil() {
			into.Set(reflect.New(into.Type().Elem()))
		}
		d.value(n, into.Elem(), r)
		return
	case n.value.kind == KindOther:
		d.wrong(n, fmt.Sprintf("is %s, %s", n.value, n.value.problem), n.value.fix)
		return
	}
	switch target := into.Addr().Interface().(type) {
	case *Duration:
		d.duration(n, target)
		return
	case TextUnmarshaler:
		switch texts, ok := target.(TextsUnmarshaler); {
		case ok && n.value.kind == KindList:
			d.texts(n, texts)
			return
		case n.value.kind != KindMapping || !hasKeys(into.Type()):
			d.textAt(n, target)
			return
		}
	}
	switch into.Kind() {
	case reflect.Struct:
		d.structure(n, into)
	case reflect.Map:
		d.mapping(n, into)
	case reflect.Slice:
		d.list(n, into, r)
	case reflect.Interface:
		d.any(n, into)
	default:
		d.scalar(n, into, r)
	}
}

func (d *decoder) scalar(n *Node, into reflect.Value, r rules) {
	v := n.value
	switch into.Kind() {
	case reflect.String:
		if d.want(n, "text", KindText) {
			d.ifWrong(n)(r.checkEnum(v.text))
			into.SetString(v.text)
		}
	case reflect.Bool:
		if d.want(n, "true or false", KindBool) {
			into.SetBool(v.bool)
		}
	case reflect.Float32, reflect.Float64:
		if d.want(n, "a number", KindFloat, KindInt) {
			d.ifWrong(n)(r.checkNumber(v))
			into.SetFloat(v.float)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if d.want(n, "a whole number", KindInt) {
			d.integer(n, r, into.OverflowInt(v.int), func() { into.SetInt(v.int) })
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if d.want(n, "a whole number", KindInt) {
			d.integer(n, r, v.int < 0 || into.OverflowUint(uint64(v.int)), func() { into.SetUint(uint64(v.int)) })
		}
	default:
		panic(fmt.Sprintf("strictyaml: %s cannot be decoded into", into.Type()))
	}
}

func (d *decoder) integer(n *Node, r rules, overflows bool, set func()) {
	what, fix := r.checkNumber(n.value)
	if what == "" && overflows {
		what, fix = fmt.Sprintf("is %s, out of range", n.value.written), "write a number in range"
	}
	d.ifWrong(n)(what, fix)
	if !overflows {
		set()
	}
}

// ifWrong returns a function that reports a mistake unless it is empty.
func (d *decoder) ifWrong(at *Node) func(what, fix string) {
	return func(what, fix string) {
		if what != "" {
			d.wrong(at, what, fix)
		}
	}
}

// want reports a value that is of none of the kinds.
func (d *decoder) want(n *Node, name string, kinds ...Kind) bool {
	for _, k := range kinds {
		if n.value.kind == k {
			return true
		}
	}
	d.wrong(n, fmt.Sprintf("is %s, not %s", n.value, name), advice(n.value, kinds[0]))
	return false
}

func advice(v scalar, wanted Kind) string {
	switch {
	case wanted == KindList:
		return `start each item with "- "`
	case wanted == KindMapping:
		return "write its keys below it, indented"
	case v.kind == KindMapping && wanted == KindText:
		return `write one value, in quotes where it holds a colon: "host:80"`
	case v.kind == KindList || v.kind == KindMapping:
		return "write one value"
	case wanted == KindText:
		return fmt.Sprintf("put it in quotes: %q", shorten(v.written))
	case wanted == KindInt && v.kind == KindFloat:
		return "write it without a fraction or exponent"
	case v.kind == KindText && plain(v.text).kind == wanted:
		return "remove the quotes"
	case wanted == KindBool:
		return "write true or false"
	default:
		return "write a number"
	}
}

func (d *decoder) duration(n *Node, into *Duration) {
	v := n.value
	if v.kind == KindInt || v.kind == KindFloat {
		d.wrong(n, fmt.Sprintf("is %s, without a unit", v), fmt.Sprintf("write a unit, such as %ss", shorten(v.written)))
		return
	}
	if !d.want(n, "a duration", KindText) {
		return
	}
	if err := into.UnmarshalText([]byte(v.text)); err != nil {
		d.wrong(n, fmt.Sprintf("is %q: %v", shorten(v.text), err), `write it as "90s", "5m" or "1h30m"`)
	}
}

func (d *decoder) textAt(n *Node, into TextUnmarshaler) {
	if !d.want(n, "text", KindText) {
		return
	}
	text := Text{Value: n.value.text, File: n.file, Line: n.textLine, Column: n.textColumn}
	if err := into.UnmarshalTextAt(text); err != nil {
		d.wrong(n, err.Error(), "")
	}
}

// texts hands a list of texts to a value that decodes itself from one.
func (d *decoder) texts(n *Node, into TextsUnmarshaler) {
	var list []string
	d.list(n, reflect.ValueOf(&list).Elem(), rules{})
	if n.wrong {
		return
	}
	if err := into.UnmarshalTexts(list); err != nil {
		d.wrong(n, err.Error(), "")
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
