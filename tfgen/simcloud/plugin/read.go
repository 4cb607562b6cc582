package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// ReadResource refreshes a resource; one that is gone becomes null.
func (s *Server) ReadResource(ctx context.Context, in *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	block, ty, k, err := s.resource(in.TypeName)
	if err != nil {
		return nil, err
	}
	state, err := decode(in.CurrentState, ty)
	if err != nil {
		return nil, err
	}
	out := &tfprotov6.ReadResourceResponse{Private: in.Private}
	o := open(state)
	c := &change{server: s, typ: in.TypeName, block: block, ty: ty, kind: k}
	call := c.call(simcloud.Read, o)
	found := cty.NullVal(ty)
	err = s.cloud.Do(ctx, call, func(tx *simcloud.Tx) error {
		r, exists := tx.Get(in.TypeName, o.str("id"))
		if !exists {
			return nil
		}
		stored, err := attributes(r, ty)
		if err != nil {
			return err
		}
		fresh := open(stored)
		for name, a := range block.Attributes {
			if secret(name, a) || slices.Contains(k.unread, name) {
				fresh.attrs[name] = o.attrs[name]
			}
		}
		for name := range block.NestedBlocks {
			if name == "timeouts" || slices.Contains(k.unread, name) {
				fresh.attrs[name] = o.attrs[name]
				if fresh.attrs[name].IsNull() && name != "timeouts" {
					fresh.attrs[name] = emptyBlocks(fresh.attrs[name].Type())
				}
			}
		}
		if k.refresh != nil {
			k.refresh(r, fresh)
		}
		found = fresh.value()
		return nil
	})
	if err != nil {
		out.Diagnostics = failure(s.words(c, call, o, err))
		found = state
	}
	out.NewState, err = encode(found, ty)
	return out, err
}

// emptyBlocks is the value of no blocks at all.
func emptyBlocks(ty cty.Type) cty.Value {
	if ty.IsSetType() {
		return cty.SetValEmpty(ty.ElementType())
	}
	return cty.ListValEmpty(ty.ElementType())
}

// ImportResourceState takes a resource by its id, on AWS also id@region. Terraform
// reads it right after, and says so where the cloud has none of that id.
func (s *Server) ImportResourceState(_ context.Context, in *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	block, ty, _, err := s.resource(in.TypeName)
	if err != nil {
		return nil, err
	}
	o := open(cty.NullVal(ty))
	for name, nested := range block.NestedBlocks {
		if nested.NestingMode != "single" {
			o.attrs[name] = emptyBlocks(o.attrs[name].Type())
		}
	}
	id, region := in.ID, s.account.region
	if at := strings.LastIndexByte(id, '@'); at >= 0 && s.schema.Name == "aws" {
		id, region = id[:at], id[at+1:]
	}
	if s.schema.Name == "azurerm" && !strings.HasPrefix(id, "/subscriptions/") {
		err := fmt.Errorf("parsing the %s ID: expected an ID that begins with /subscriptions/, got %q", in.TypeName, id)
		return &tfprotov6.ImportResourceStateResponse{Diagnostics: failure(err)}, nil
	}
	o.set("id", id)
	o.set("region", region)
	state, err := encode(o.value(), ty)
	if err != nil {
		return nil, err
	}
	return &tfprotov6.ImportResourceStateResponse{
		ImportedResources: []*tfprotov6.ImportedResource{{TypeName: in.TypeName, State: state}},
	}, nil
}

// UpgradeResourceState reads a state file's resource. There is one version of each
// schema here, so nothing is upgraded.
func (s *Server) UpgradeResourceState(_ context.Context, in *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	_, ty, _, err := s.resource(in.TypeName)
	if err != nil {
		return nil, err
	}
	v, err := ctyjson.Unmarshal(in.RawState.JSON, ty)
	if err != nil {
		err = fmt.Errorf("state of a %s does not fit the schema of %s %s: %w", in.TypeName, s.schema.Source, s.schema.Version, err)
		return &tfprotov6.UpgradeResourceStateResponse{Diagnostics: failure(err)}, nil
	}
	out := &tfprotov6.UpgradeResourceStateResponse{}
	out.UpgradedState, err = encode(v, ty)
	return out, err
}
