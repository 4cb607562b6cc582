package plugin

import (
	"fmt"
	"maps"
	"slices"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"github.com/zclconf/go-cty/cty/msgpack"
)

// decode reads a value as Terraform sends it.
func decode(v *tfprotov6.DynamicValue, ty cty.Type) (cty.Value, error) {
	switch {
	case v == nil:
		return cty.NullVal(ty), nil
	case len(v.MsgPack) > 0:
		return msgpack.Unmarshal(v.MsgPack, ty)
	default:
		return ctyjson.Unmarshal(v.JSON, ty)
	}
}

// encode writes a value as Terraform wants it.
func encode(v cty.Value, ty cty.Type) (*tfprotov6.DynamicValue, error) {
	raw, err := msgpack.Marshal(v, ty)
	if err != nil {
		return nil, fmt.Errorf("answer terraform: %w", err)
	}
	return &tfprotov6.DynamicValue{MsgPack: raw}, nil
}

// wireSchema is a schema in the plugin protocol's words.
func wireSchema(s *tfjson.Schema) *tfprotov6.Schema {
	return &tfprotov6.Schema{Version: int64(s.Version), Block: wireBlock(s.Block)}
}

func wireBlock(b *tfjson.SchemaBlock) *tfprotov6.SchemaBlock {
	out := &tfprotov6.SchemaBlock{}
	for _, name := range slices.Sorted(maps.Keys(b.Attributes)) {
		a := b.Attributes[name]
		out.Attributes = append(out.Attributes, &tfprotov6.SchemaAttribute{
			Name: name, Type: wireType(a.AttributeType), Required: a.Required, Optional: a.Optional,
			Computed: a.Computed, Sensitive: a.Sensitive, WriteOnly: a.WriteOnly, Deprecated: a.Deprecated,
		})
	}
	nesting := map[tfjson.SchemaNestingMode]tfprotov6.SchemaNestedBlockNestingMode{
		tfjson.SchemaNestingModeSingle: tfprotov6.SchemaNestedBlockNestingModeSingle,
		tfjson.SchemaNestingModeList:   tfprotov6.SchemaNestedBlockNestingModeList,
		tfjson.SchemaNestingModeSet:    tfprotov6.SchemaNestedBlockNestingModeSet,
	}
	for _, name := range slices.Sorted(maps.Keys(b.NestedBlocks)) {
		n := b.NestedBlocks[name]
		out.BlockTypes = append(out.BlockTypes, &tfprotov6.SchemaNestedBlock{
			TypeName: name, Block: wireBlock(n.Block), Nesting: nesting[n.NestingMode],
			MinItems: int64(n.MinItems), MaxItems: int64(n.MaxItems),
		})
	}
	return out
}

func wireType(ty cty.Type) tftypes.Type {
	switch {
	case ty == cty.String:
		return tftypes.String
	case ty == cty.Number:
		return tftypes.Number
	case ty == cty.Bool:
		return tftypes.Bool
	case ty.IsListType():
		return tftypes.List{ElementType: wireType(ty.ElementType())}
	case ty.IsSetType():
		return tftypes.Set{ElementType: wireType(ty.ElementType())}
	case ty.IsMapType():
		return tftypes.Map{ElementType: wireType(ty.ElementType())}
	case ty.IsObjectType():
		attrs := map[string]tftypes.Type{}
		for name, a := range ty.AttributeTypes() {
			attrs[name] = wireType(a)
		}
		return tftypes.Object{AttributeTypes: attrs}
	}
	panic("no wire type for " + ty.FriendlyName()) // tfgen/schema's tests exclude it
}

// attributePath is an attribute's place for Terraform's messages: "os_disk.name" is the
// attribute name of the first block os_disk.
func attributePath(names ...any) *tftypes.AttributePath {
	p := tftypes.NewAttributePath()
	for _, n := range names {
		switch n := n.(type) {
		case string:
			p = p.WithAttributeName(n)
		case int:
			p = p.WithElementKeyInt(n)
		}
	}
	return p
}

// failure is one error for Terraform to show. In Terraform's look the summary is
// the line that tells; the providers' SDK puts the whole error there.
func failure(err error) []*tfprotov6.Diagnostic {
	return []*tfprotov6.Diagnostic{{Severity: tfprotov6.DiagnosticSeverityError, Summary: err.Error()}}
}
