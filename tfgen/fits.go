package tfgen

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// fits reports why a value of the description cannot be of a schema's type.
func fits(want cty.Type, value any) error {
	have := ctyValue(value)
	if have.IsNull() {
		return fmt.Errorf("is empty; write a value or remove it")
	}
	if have.Type().IsPrimitiveType() != want.IsPrimitiveType() {
		return fmt.Errorf("is %s; write %s", friendly(have.Type()), friendly(want))
	}
	if _, err := convert.Convert(have, want); err != nil {
		return fmt.Errorf("is not %s: %w", friendly(want), err)
	}
	return nil
}

// friendly names a type as people do.
func friendly(t cty.Type) string {
	switch {
	case t == cty.String:
		return "a text"
	case t == cty.Number:
		return "a number"
	case t == cty.Bool:
		return "true or false"
	case t.IsListType() || t.IsSetType() || t.IsTupleType():
		return "a list"
	default:
		return "a mapping"
	}
}
