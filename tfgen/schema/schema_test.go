package schema_test

import (
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/scalerd/scalerd/tfgen/schema"
)

// TestEverySchemaDecodes decodes all blocks and checks what the simulated clouds
// and the attribute checks rely on: plain types only, no block without a mode.
func TestEverySchemaDecodes(t *testing.T) {
	for _, name := range schema.Names {
		p, err := schema.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		config, err := p.Config()
		if err != nil {
			t.Fatal(err)
		}
		checkBlock(t, name, config.Block)
		for _, typ := range p.ResourceTypes() {
			s, err := p.Resource(typ)
			if err != nil {
				t.Fatal(err)
			}
			checkBlock(t, typ, s.Block)
		}
		for _, typ := range p.DataSourceTypes() {
			s, err := p.DataSource(typ)
			if err != nil {
				t.Fatal(err)
			}
			checkBlock(t, "data."+typ, s.Block)
		}
	}
}

func checkBlock(t *testing.T, path string, b *tfjson.SchemaBlock) {
	t.Helper()
	for name, a := range b.Attributes {
		if a.AttributeNestedType != nil || a.AttributeType.HasDynamicTypes() {
			t.Errorf("%s.%s has a nested or dynamic type, which nothing here handles", path, name)
		}
		if !a.Required && !a.Optional && !a.Computed {
			t.Errorf("%s.%s is neither required, optional nor computed", path, name)
		}
		if a.Description != "" {
			t.Errorf("%s.%s has prose: %q", path, name, a.Description)
		}
	}
	for name, nested := range b.NestedBlocks {
		switch nested.NestingMode {
		case tfjson.SchemaNestingModeList, tfjson.SchemaNestingModeSet, tfjson.SchemaNestingModeSingle:
		default:
			t.Errorf("%s.%s nests as %q, which nothing here handles", path, name, nested.NestingMode)
		}
		checkBlock(t, path+"."+name, nested.Block)
	}
}

func TestSchemaSaysWhatAnAttributeIs(t *testing.T) {
	p, err := schema.Read("openstack")
	if err != nil {
		t.Fatal(err)
	}
	if p.Source != "registry.terraform.io/terraform-provider-openstack/openstack" || p.Version != "3.4.1" {
		t.Errorf("Read(openstack) = %s %s", p.Source, p.Version)
	}
	s, err := p.Resource("openstack_compute_instance_v2")
	if err != nil {
		t.Fatal(err)
	}
	if a := s.Block.Attributes["name"]; !a.Required {
		t.Error("name is not required")
	}
	if a := s.Block.Attributes["flavor_id"]; !a.Optional || !a.Computed {
		t.Error("flavor_id is not optional and computed")
	}
	object := schema.Type(s.Block)
	if got := object.AttributeType("network").FriendlyName(); got != "list of object" {
		t.Errorf("network is a %s, want a list of object", got)
	}
}

func TestUnknownNamesAreNamed(t *testing.T) {
	if _, err := schema.Read("gcp"); err == nil || !strings.Contains(err.Error(), `"gcp"`) {
		t.Errorf("Read(gcp) = %v, want an error with the name", err)
	}
	p, err := schema.Read("aws")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Resource("aws_bucket"); err == nil || !strings.Contains(err.Error(), "aws_bucket") {
		t.Errorf("Resource(aws_bucket) = %v, want an error with the name", err)
	}
}

// TestDerivedSchemasExist guards the list of what was not recorded.
func TestDerivedSchemasExist(t *testing.T) {
	for _, name := range schema.Names {
		p, err := schema.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, derived := range p.Derived {
			rest, isData := strings.CutPrefix(derived, "data.")
			typ, attribute, _ := strings.Cut(rest, ".")
			var found *tfjson.Schema
			if isData {
				found, err = p.DataSource(typ)
			} else {
				found, err = p.Resource(typ)
			}
			if err != nil {
				t.Fatalf("%s lists %s as derived: %v", name, derived, err)
			}
			attribute, _, _ = strings.Cut(attribute, ".")
			if attribute != "" && found.Block.Attributes[attribute] == nil {
				t.Errorf("%s lists %s as derived, which is not there", name, derived)
			}
		}
	}
}
