package plugin

import (
	"context"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"
)

// PlanResourceChange says what an apply would do: what becomes known only then,
// and what changes by replacement only.
func (s *Server) PlanResourceChange(_ context.Context, in *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	block, ty, k, err := s.resource(in.TypeName)
	if err != nil {
		return nil, err
	}
	prior, err := decode(in.PriorState, ty)
	if err != nil {
		return nil, err
	}
	proposed, err := decode(in.ProposedNewState, ty)
	if err != nil {
		return nil, err
	}
	config, err := decode(in.Config, ty)
	if err != nil {
		return nil, err
	}
	if proposed.IsNull() {
		return &tfprotov6.PlanResourceChangeResponse{PlannedState: in.ProposedNewState}, nil
	}
	p := &planned{config: open(config), next: open(complete(block, prior, proposed, config, prior.IsNull()))}
	if !prior.IsNull() {
		p.prior = open(prior)
	}
	if k.plan != nil {
		k.plan(s, p)
	}
	out := &tfprotov6.PlanResourceChangeResponse{}
	if p.prior != nil {
		out.RequiresReplace = replaces(block, k, p)
	}
	out.PlannedState, err = encode(p.next.value(), ty)
	return out, err
}

// complete marks what the provider decides: computed attributes that the
// configuration leaves open become unknown where the resource, or the block they
// are in, is new, and stay as they were otherwise.
func complete(block *tfjson.SchemaBlock, prior, proposed, config cty.Value, isNew bool) cty.Value {
	if proposed.IsNull() || !proposed.IsKnown() {
		return proposed
	}
	o := open(proposed)
	for name, a := range block.Attributes {
		switch {
		case a.WriteOnly:
			o.attrs[name] = cty.NullVal(a.AttributeType)
		case a.Computed && isNew && (config.IsNull() || config.GetAttr(name).IsNull()):
			o.attrs[name] = cty.UnknownVal(a.AttributeType)
		}
	}
	for name, nested := range block.NestedBlocks {
		var before, given cty.Value
		if before = cty.NullVal(o.attrs[name].Type()); !prior.IsNull() {
			before = prior.GetAttr(name)
		}
		if given = cty.NullVal(o.attrs[name].Type()); !config.IsNull() {
			given = config.GetAttr(name)
		}
		o.attrs[name] = completeNested(nested, before, o.attrs[name], given)
	}
	return o.value()
}

func completeNested(nested *tfjson.SchemaBlockType, prior, proposed, config cty.Value) cty.Value {
	if proposed.IsNull() || !proposed.IsKnown() {
		return proposed
	}
	if nested.NestingMode == tfjson.SchemaNestingModeSingle {
		return complete(nested.Block, prior, proposed, config, prior.IsNull())
	}
	if proposed.LengthInt() == 0 {
		return proposed
	}
	null := cty.NullVal(proposed.Type().ElementType())
	var elements []cty.Value
	if nested.NestingMode == tfjson.SchemaNestingModeSet {
		// A set's elements have no place; one that was there before is not new.
		for _, e := range proposed.AsValueSlice() {
			isOld := !prior.IsNull() && prior.IsWhollyKnown() && e.IsWhollyKnown() && prior.HasElement(e).True()
			if !isOld {
				e = complete(nested.Block, null, e, e, true)
			}
			elements = append(elements, e)
		}
		return cty.SetVal(elements)
	}
	at := func(list cty.Value, i int) cty.Value {
		if list.IsNull() || !list.IsKnown() || i >= list.LengthInt() {
			return null
		}
		return list.Index(cty.NumberIntVal(int64(i)))
	}
	for i, e := range proposed.AsValueSlice() {
		elements = append(elements, complete(nested.Block, at(prior, i), e, at(config, i), at(prior, i).IsNull()))
	}
	return cty.ListVal(elements)
}

// replaces lists the changes that the cloud makes by replacement only.
func replaces(block *tfjson.SchemaBlock, k *kind, p *planned) []*tftypes.AttributePath {
	forces := slices.Clone(k.forceNew)
	if k.alsoForces != nil {
		forces = append(forces, k.alsoForces(p)...)
	}
	if k.inPlace != nil {
		for name, a := range block.Attributes {
			if (a.Optional || a.Required) && !a.WriteOnly && !slices.Contains(k.inPlace, name) {
				forces = append(forces, name)
			}
		}
		for name := range block.NestedBlocks {
			if name != "timeouts" && !slices.Contains(k.inPlace, name) {
				forces = append(forces, name)
			}
		}
	}
	var paths []*tftypes.AttributePath
	for _, force := range slices.Sorted(slices.Values(forces)) {
		outer, inner, nested := strings.Cut(force, ".")
		if !p.changed(outer) {
			continue
		}
		if !nested {
			paths = append(paths, attributePath(outer))
			continue
		}
		before, after := p.prior.blocks(outer), p.next.blocks(outer)
		for i := range min(len(before), len(after)) {
			if !before[i].attrs[inner].RawEquals(after[i].attrs[inner]) {
				paths = append(paths, attributePath(outer, i, inner))
			}
		}
		if len(before) != len(after) {
			paths = append(paths, attributePath(outer))
		}
	}
	return paths
}
