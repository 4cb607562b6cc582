package plugin

import (
	"context"
	"errors"
	"fmt"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// ApplyResourceChange creates, changes or deletes one resource.
func (s *Server) ApplyResourceChange(ctx context.Context, in *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	block, ty, k, err := s.resource(in.TypeName)
	if err != nil {
		return nil, err
	}
	prior, err := decode(in.PriorState, ty)
	if err != nil {
		return nil, err
	}
	next, err := decode(in.PlannedState, ty)
	if err != nil {
		return nil, err
	}
	c := &change{server: s, typ: in.TypeName, block: block, ty: ty, kind: k}
	var result cty.Value
	switch {
	case prior.IsNull():
		result, err = c.create(ctx, next)
	case next.IsNull():
		result, err = c.remove(ctx, prior)
	default:
		result, err = c.update(ctx, prior, next)
	}
	out := &tfprotov6.ApplyResourceChangeResponse{}
	if err != nil {
		out.Diagnostics = failure(err)
	}
	out.NewState, err = encode(result, ty)
	return out, err
}

// change is the creation, change in place or deletion of one resource.
type change struct {
	server *Server
	typ    string
	block  *tfjson.SchemaBlock
	ty     cty.Type
	kind   *kind
}

// call describes an operation on the resource to the faults.
func (c *change) call(op simcloud.Operation, o *object) simcloud.Call {
	return simcloud.Call{
		Account: c.server.account.in(o.str("region")), Type: c.typ, Operation: op,
		Size: o.str(c.kind.size), Zone: o.str(c.kind.zone),
	}
}

// create gives Terraform's new state: null where nothing was made or the answer
// was lost, and with an error where something was made that is not as wanted,
// which Terraform then marks as tainted.
func (c *change) create(ctx context.Context, next cty.Value) (cty.Value, error) {
	none, made := cty.NullVal(c.ty), cty.NilVal
	o := open(next)
	call := c.call(simcloud.Create, o)
	err := c.server.cloud.Do(ctx, call, func(tx *simcloud.Tx) error {
		serial, err := tx.Serial()
		if err != nil {
			return err
		}
		m := &making{Tx: tx, server: c.server, typ: c.typ, serial: serial, next: o}
		o.fill("region", c.server.account.region)
		if c.kind.create != nil {
			if err := c.kind.create(m); err != nil {
				return err
			}
		}
		o.fill("id", m.uuid())
		if tx.Exists(c.typ, o.str("id")) {
			return c.server.exists(c, o)
		}
		settled := cty.UnknownAsNull(o.value())
		r := simcloud.Resource{Type: c.typ, ID: o.str("id"), Size: o.str(c.kind.size), Zone: o.str(c.kind.zone)}
		if err := store(&r, c.block, settled, c.ty); err != nil {
			return err
		}
		made = settled
		return tx.Create(r)
	})
	if err == nil {
		return made, nil
	}
	var refusal *simcloud.Refusal
	lost := errors.As(err, &refusal) && refusal.Kind == simcloud.Lost
	// azurerm notes an id only after the whole wait, the others as soon as they have it.
	if made == cty.NilVal || lost || c.server.schema.Name == "azurerm" {
		return none, c.server.words(c, call, o, err)
	}
	return made, c.server.words(c, call, o, err)
}

func (c *change) update(ctx context.Context, prior, next cty.Value) (cty.Value, error) {
	o, made := open(next), cty.NilVal
	call := c.call(simcloud.Update, o)
	err := c.server.cloud.Do(ctx, call, func(tx *simcloud.Tx) error {
		r, exists := tx.Get(c.typ, o.str("id"))
		if !exists {
			return c.server.notFound(c, o)
		}
		stored, err := attributes(r, c.ty)
		if err != nil {
			return err
		}
		serial, err := tx.Serial()
		if err != nil {
			return err
		}
		m := &making{Tx: tx, server: c.server, typ: c.typ, serial: serial, prior: open(stored), next: o}
		if c.kind.update != nil {
			if err := c.kind.update(m); err != nil {
				return err
			}
		}
		settled := cty.UnknownAsNull(o.value())
		r.Size, r.Zone = o.str(c.kind.size), o.str(c.kind.zone)
		if err := store(&r, c.block, settled, c.ty); err != nil {
			return err
		}
		made = settled
		return tx.Put(r)
	})
	if err == nil {
		return made, nil
	}
	return prior, c.server.words(c, call, o, err)
}

func (c *change) remove(ctx context.Context, prior cty.Value) (cty.Value, error) {
	o, gone := open(prior), cty.NullVal(c.ty)
	call := c.call(simcloud.Remove, o)
	err := c.server.cloud.Do(ctx, call, func(tx *simcloud.Tx) error {
		r, exists := tx.Get(c.typ, o.str("id"))
		if !exists {
			return nil // somebody was faster
		}
		stored, err := attributes(r, c.ty)
		if err != nil {
			return err
		}
		if c.kind.remove != nil {
			m := &making{Tx: tx, server: c.server, typ: c.typ, prior: open(stored)}
			if err := c.kind.remove(m); err != nil {
				return err
			}
		}
		return tx.Delete(c.typ, r.ID)
	})
	if err != nil {
		return prior, c.server.words(c, call, o, err)
	}
	return gone, nil
}

// secret says whether an attribute is kept out of the cloud's files. User data is
// marked as sensitive by azurerm, but a machine cannot boot without it.
func secret(name string, a *tfjson.SchemaAttribute) bool {
	return a.Sensitive && name != "custom_data" || a.WriteOnly
}

// store puts a resource's attributes and what is shown of them into the record.
func store(r *simcloud.Resource, block *tfjson.SchemaBlock, v cty.Value, ty cty.Type) error {
	o := open(v)
	for name, a := range block.Attributes {
		if secret(name, a) {
			o.attrs[name] = cty.NullVal(a.AttributeType)
		}
	}
	content, err := ctyjson.Marshal(o.value(), ty)
	if err != nil {
		return fmt.Errorf("store %s %s: %w", r.Type, r.ID, err)
	}
	r.Attributes = content
	describe(r, o)
	return nil
}

// describe fills in what simcloud.Resource shows of every provider's machines.
func describe(r *simcloud.Resource, o *object) {
	r.Name = o.str("name")
	r.PrivateIP, r.PublicIP = o.str("private_ip"), o.str("public_ip")
	switch {
	case o.has("tags_all"): // AWS
		r.Tags = o.pairs("tags_all")
		if name := r.Tags["Name"]; name != "" {
			r.Name = name
		}
	case o.has("all_metadata"): // OpenStack
		r.Tags = o.pairs("all_metadata")
		r.PrivateIP = o.str("access_ip_v4")
	case o.has("virtual_machine_id") || o.has("location"): // Azure
		r.Tags = o.pairs("tags")
		r.PrivateIP, r.PublicIP = o.str("private_ip_address"), o.str("public_ip_address")
	}
}

// attributes reads a record's attributes back.
func attributes(r simcloud.Resource, ty cty.Type) (cty.Value, error) {
	v, err := ctyjson.Unmarshal(r.Attributes, ty)
	if err != nil {
		return cty.NilVal, fmt.Errorf("read %s %s: %w", r.Type, r.ID, err)
	}
	return v, nil
}
