package plugin

import (
	"maps"
	"math/big"

	"github.com/zclconf/go-cty/cty"
)

// object is an object value that can be changed: a resource, a data source or one
// of their blocks.
type object struct {
	ty    cty.Type
	attrs map[string]cty.Value
}

// open takes a value apart. A null object has null attributes.
func open(v cty.Value) *object {
	o := &object{ty: v.Type(), attrs: map[string]cty.Value{}}
	for name, ty := range o.ty.AttributeTypes() {
		if v.IsNull() {
			o.attrs[name] = cty.NullVal(ty)
		} else {
			o.attrs[name] = v.GetAttr(name)
		}
	}
	return o
}

// value puts the object together again.
func (o *object) value() cty.Value { return cty.ObjectVal(maps.Clone(o.attrs)) }

func (o *object) has(name string) bool { _, ok := o.attrs[name]; return ok }

// known says whether an attribute is set to something known.
func (o *object) known(name string) bool {
	v, ok := o.attrs[name]
	return ok && !v.IsNull() && v.IsWhollyKnown()
}

// set changes an attribute; types without it are left alone. The value is a
// string, bool, int, []string, map[string]string or cty.Value.
func (o *object) set(name string, value any) {
	if ty, ok := o.ty.AttributeTypes()[name]; ok {
		o.attrs[name] = convert(value, ty)
	}
}

// fill sets an attribute that the plan leaves to the provider: one that is unknown.
func (o *object) fill(name string, value any) {
	if v, ok := o.attrs[name]; ok && !v.IsKnown() {
		o.set(name, value)
	}
}

// answer sets an attribute that a data source's configuration leaves open.
func (o *object) answer(name string, value any) {
	if v, ok := o.attrs[name]; ok && v.IsNull() {
		o.set(name, value)
	}
}

// str is a string attribute, empty where it is null or unknown.
func (o *object) str(name string) string {
	if v, ok := o.attrs[name]; ok && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		return v.AsString()
	}
	return ""
}

// flag is a boolean attribute, or the given default where it is null or unknown.
func (o *object) flag(name string, otherwise bool) bool {
	if v, ok := o.attrs[name]; ok && v.Type() == cty.Bool && v.IsKnown() && !v.IsNull() {
		return v.True()
	}
	return otherwise
}

// strs is a list or set of strings, known elements only.
func (o *object) strs(name string) []string {
	v, ok := o.attrs[name]
	if !ok || v.IsNull() || !v.IsKnown() || !v.Type().IsCollectionType() {
		return nil
	}
	var all []string
	for _, e := range v.AsValueSlice() {
		if e.IsKnown() && !e.IsNull() {
			all = append(all, e.AsString())
		}
	}
	return all
}

// pairs is a map of strings, known values only.
func (o *object) pairs(name string) map[string]string {
	v, ok := o.attrs[name]
	if !ok || v.IsNull() || !v.IsKnown() {
		return nil
	}
	all := map[string]string{}
	for k, e := range v.AsValueMap() {
		if e.IsKnown() && !e.IsNull() {
			all[k] = e.AsString()
		}
	}
	return all
}

// blocks takes the blocks of a name apart, for reading.
func (o *object) blocks(name string) []*object {
	v, ok := o.attrs[name]
	if !ok || v.IsNull() || !v.IsKnown() {
		return nil
	}
	var all []*object
	for _, e := range v.AsValueSlice() {
		if e.IsKnown() {
			all = append(all, open(e))
		}
	}
	return all
}

// edit changes each of the blocks of a name.
func (o *object) edit(name string, change func(i int, block *object)) {
	blocks := o.blocks(name)
	if len(blocks) == 0 {
		return
	}
	values := make([]cty.Value, len(blocks))
	for i, b := range blocks {
		change(i, b)
		values[i] = b.value()
	}
	if o.attrs[name].Type().IsSetType() {
		o.attrs[name] = cty.SetVal(values)
	} else {
		o.attrs[name] = cty.ListVal(values)
	}
}

// convert makes a value of a type. It panics where the Go value does not fit,
// which is a mistake in this package.
func convert(value any, ty cty.Type) cty.Value {
	switch v := value.(type) {
	case cty.Value:
		return v
	case nil:
		return cty.NullVal(ty)
	case string:
		return cty.StringVal(v)
	case bool:
		return cty.BoolVal(v)
	case int:
		return cty.NumberVal(new(big.Float).SetInt64(int64(v)))
	case []string:
		return collection(v, ty)
	case map[string]string:
		if len(v) == 0 {
			return cty.MapValEmpty(cty.String)
		}
		values := map[string]cty.Value{}
		for k, e := range v {
			values[k] = cty.StringVal(e)
		}
		return cty.MapVal(values)
	}
	panic("no conversion of this value to " + ty.FriendlyName())
}

func collection(all []string, ty cty.Type) cty.Value {
	values := make([]cty.Value, len(all))
	for i, e := range all {
		values[i] = cty.StringVal(e)
	}
	switch {
	case ty.IsSetType() && len(values) == 0:
		return cty.SetValEmpty(ty.ElementType())
	case ty.IsSetType():
		return cty.SetVal(values)
	case len(values) == 0:
		return cty.ListValEmpty(ty.ElementType())
	}
	return cty.ListVal(values)
}
