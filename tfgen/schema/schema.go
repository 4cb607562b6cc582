// Package schema holds the schemas of the Terraform providers that tfgen writes
// for: which resources and data sources exist, which attributes they take, which
// of them are required, optional or computed, and which blocks nest in them.
//
// The files beside this one were recorded with `terraform providers schema -json`
// and cut to what a fleet of virtual machines needs. They hold facts and no prose.
// What [Provider.Derived] lists was not recorded but written after the provider's
// public documentation and source: the Windows machine of azurerm (the Linux one
// without SSH keys, with a required password and the Windows-only settings) and
// the data sources that find existing machines, and the attributes named
// description, which had gone with the prose. The aws provider block is that of
// 6.25.0, everything else is of [Provider.Version].
//
// Schemas are described with the types of [github.com/hashicorp/terraform-json].
// A schema does not say which attributes replace a resource when they change.
package schema

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/zclconf/go-cty/cty"
)

//go:embed aws.json openstack.json azurerm.json
var files embed.FS

// Names are the providers that [Read] knows, in the order of the documentation.
var Names = []string{"aws", "openstack", "azurerm"}

// Provider is one provider's schema. Blocks are decoded when asked for, because
// a provider process that serves one of forty resources should not wait for all.
// It may be used by several goroutines: nothing in it changes after Read.
type Provider struct {
	// Name is the local name, such as "aws".
	Name string
	// Source is the full address, such as "registry.terraform.io/hashicorp/aws".
	Source string
	// Version is the provider version whose schema this is, such as "6.47.0".
	Version string
	// Derived lists what was written by hand rather than recorded: resource types,
	// data sources with the prefix "data.", and attributes as "type.attribute".
	Derived []string

	config      json.RawMessage
	resources   map[string]json.RawMessage
	dataSources map[string]json.RawMessage
}

// Read returns the schema of one of [Names].
func Read(name string) (*Provider, error) {
	if !slices.Contains(Names, name) {
		return nil, fmt.Errorf("read provider schema: no provider %q is known, only %v", name, Names)
	}
	content, err := files.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("read provider schema %s: %w", name, err)
	}
	var file struct {
		Source      string                     `json:"source"`
		Version     string                     `json:"version"`
		Derived     []string                   `json:"derived"`
		Provider    json.RawMessage            `json:"provider"`
		Resources   map[string]json.RawMessage `json:"resources"`
		DataSources map[string]json.RawMessage `json:"data_sources"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("read provider schema %s: %w", name, err)
	}
	return &Provider{
		Name: name, Source: file.Source, Version: file.Version, Derived: file.Derived,
		config: file.Provider, resources: file.Resources, dataSources: file.DataSources,
	}, nil
}

// Config is the schema of the provider block.
func (p *Provider) Config() (*tfjson.Schema, error) {
	return p.decode("provider block", p.config)
}

// ResourceTypes lists the resource types, sorted.
func (p *Provider) ResourceTypes() []string { return slices.Sorted(maps.Keys(p.resources)) }

// DataSourceTypes lists the data sources, sorted.
func (p *Provider) DataSourceTypes() []string { return slices.Sorted(maps.Keys(p.dataSources)) }

// Resource is the schema of a resource type. The error of an unknown type names it.
func (p *Provider) Resource(typ string) (*tfjson.Schema, error) {
	return p.decode("resource "+typ, p.resources[typ])
}

// DataSource is the schema of a data source. The error of an unknown one names it.
func (p *Provider) DataSource(typ string) (*tfjson.Schema, error) {
	return p.decode("data source "+typ, p.dataSources[typ])
}

func (p *Provider) decode(what string, raw json.RawMessage) (*tfjson.Schema, error) {
	if raw == nil {
		return nil, fmt.Errorf("schema of %s %s: the provider has no such thing here", p.Name, what)
	}
	var s tfjson.Schema
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("schema of %s %s: %w", p.Name, what, err)
	}
	return &s, nil
}

// Type is the type of a block's value as Terraform sees it: an object of the
// attributes and the nested blocks.
func Type(block *tfjson.SchemaBlock) cty.Type {
	attrs := make(map[string]cty.Type, len(block.Attributes)+len(block.NestedBlocks))
	for name, a := range block.Attributes {
		attrs[name] = a.AttributeType
	}
	for name, nested := range block.NestedBlocks {
		object := Type(nested.Block)
		switch nested.NestingMode {
		case tfjson.SchemaNestingModeList:
			attrs[name] = cty.List(object)
		case tfjson.SchemaNestingModeSet:
			attrs[name] = cty.Set(object)
		case tfjson.SchemaNestingModeMap:
			attrs[name] = cty.Map(object)
		default: // single and group
			attrs[name] = object
		}
	}
	return cty.Object(attrs)
}
