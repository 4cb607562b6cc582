package tfgen

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
)

// ctyValue is a value of the description as Terraform's.
func ctyValue(value any) cty.Value {
	switch v := value.(type) {
	case string:
		return cty.StringVal(v)
	case bool:
		return cty.BoolVal(v)
	case int:
		return cty.NumberIntVal(int64(v))
	case int64:
		return cty.NumberIntVal(v)
	case uint64:
		return cty.NumberUIntVal(v)
	case float64:
		return cty.NumberFloatVal(v)
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return ctyValue(list)
	case []any:
		if len(v) == 0 {
			return cty.EmptyTupleVal
		}
		list := make([]cty.Value, len(v))
		for i, item := range v {
			list[i] = ctyValue(item)
		}
		return cty.TupleVal(list)
	case map[string]any:
		if len(v) == 0 {
			return cty.EmptyObjectVal
		}
		object := make(map[string]cty.Value, len(v))
		for key, item := range v {
			object[key] = ctyValue(item)
		}
		return cty.ObjectVal(object)
	case nil:
		return cty.NullVal(cty.DynamicPseudoType)
	default:
		panic(fmt.Sprintf("tfgen: value of type %T in a description", value))
	}
}
