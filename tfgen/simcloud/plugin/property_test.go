package plugin_test

import (
	"flag"
	"maps"
	"os"
	"slices"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/tfgen/schema"
)

// TestMain draws fewer configurations than rapid does by itself, for there are forty
// resource types; -rapid.checks still says how many.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "15"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestAnyConfigurationKeepsTerraformsContract draws configurations of every
// resource type and does what terraform does with them: the plan keeps what is
// configured, the apply keeps what was planned and leaves nothing unknown, a read
// changes nothing and a second plan has nothing to do. Terraform refuses a provider
// that breaks any of it.
func TestAnyConfigurationKeepsTerraformsContract(t *testing.T) {
	for _, provider := range schema.Names {
		s, err := schema.Read(provider)
		if err != nil {
			t.Fatal(err)
		}
		for _, typ := range s.ResourceTypes() {
			t.Run(typ, func(t *testing.T) {
				resource, err := s.Resource(typ)
				if err != nil {
					t.Fatal(err)
				}
				c := connect(t, provider, newCloud(t))
				made := 0
				rapid.Check(t, func(rt *rapid.T) {
					b := resource.Block
					if c.keepsContract(rt, typ, b, drawBlock(rt, b, "first "), drawBlock(rt, b, "second ")) {
						made++
					}
				})
				// What needs another resource is refused with any configuration drawn.
				needy := []string{
					"aws_eip_association", "azurerm_linux_virtual_machine", "azurerm_windows_virtual_machine",
					"azurerm_network_interface_security_group_association", "openstack_networking_floatingip_associate_v2",
				}
				if made == 0 && !slices.Contains(needy, typ) {
					t.Errorf("no configuration was created")
				}
			})
		}
	}
}

// keepsContract tells whether the resource was created; breaches fail the test.
func (c *client) keepsContract(t *rapid.T, typ string, b *tfjson.SchemaBlock, config, next cty.Value) bool {
	null := cty.NullVal(c.typeOf(typ))
	planned, _ := c.plan(typ, null, withoutWriteOnly(b, config), config)
	if path := differs(b, config, planned); path != "" {
		t.Fatalf("the plan does not keep the configuration's %s", path)
	}
	state, wrong := c.apply(typ, null, planned)
	if wrong != "" {
		return false
	}
	if !state.IsWhollyKnown() {
		t.Fatalf("the new state has unknown values: %#v", state)
	}
	if path := changes(planned, state); path != "" {
		t.Fatalf("the apply does not keep the plan's %s", path)
	}
	read, wrong := c.read(typ, state)
	if wrong != "" {
		t.Fatalf("read: %s", wrong)
	}
	if path := changes(state, read); path != "" && path != "virtual_machine_id" {
		t.Fatalf("reading what was just made changes %s", path)
	}
	again, replaces := c.plan(typ, read, proposed(b, read, config, true), config)
	if path := changes(read, again); path != "" || len(replaces) > 0 {
		t.Fatalf("a second plan changes %s and replaces for %v:\n%#v\n%#v", path, replaces, read, again)
	}
	read = c.keepsUpdate(t, typ, b, read, next)
	if wrong := c.destroy(typ, read); wrong != "" {
		t.Fatalf("destroy: %s", wrong)
	}
	if gone, wrong := c.read(typ, read); wrong != "" || !gone.IsNull() {
		t.Fatalf("it is there after its destruction: %s", wrong)
	}
	return true
}

// keepsUpdate applies another configuration, if that is possible in place, and
// returns the state then.
func (c *client) keepsUpdate(t *rapid.T, typ string, b *tfjson.SchemaBlock, state, config cty.Value) cty.Value {
	planned, replaces := c.plan(typ, state, proposed(b, state, config, false), config)
	if path := differs(b, config, planned); path != "" {
		t.Fatalf("the plan of an update does not keep the configuration's %s", path)
	}
	if len(replaces) > 0 {
		return state
	}
	updated, wrong := c.apply(typ, state, planned)
	if wrong != "" {
		return state
	}
	if !updated.IsWhollyKnown() {
		t.Fatalf("the updated state has unknown values: %#v", updated)
	}
	if path := changes(planned, updated); path != "" {
		t.Fatalf("the update does not keep the plan's %s:\n%#v\n%#v", path, planned.GetAttr(path), updated.GetAttr(path))
	}
	read, wrong := c.read(typ, updated)
	if path := changes(updated, read); wrong != "" || path != "" {
		t.Fatalf("reading what was just updated changes %s: %s", path, wrong)
	}
	return read
}

// drawBlock draws a configuration: required attributes always, others sometimes.
func drawBlock(t *rapid.T, b *tfjson.SchemaBlock, path string) cty.Value {
	values := map[string]cty.Value{}
	for _, name := range slices.Sorted(maps.Keys(b.Attributes)) {
		a := b.Attributes[name]
		isNeeded := a.Required || name == "image_name" || name == "flavor_name" // a server is refused without them
		isSet := isNeeded || a.Optional && name != "id" && rapid.IntRange(0, 5).Draw(t, path+name+"?") == 0
		if isSet && !a.WriteOnly {
			values[name] = draw(t, a.AttributeType, path+name)
		} else {
			values[name] = cty.NullVal(a.AttributeType)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.NestedBlocks)) {
		nested := b.NestedBlocks[name]
		object := schema.Type(nested.Block)
		if nested.NestingMode == tfjson.SchemaNestingModeSingle {
			values[name] = cty.NullVal(object)
			continue
		}
		limit := 2
		if nested.MaxItems == 1 {
			limit = 1
		}
		n := rapid.IntRange(int(nested.MinItems), limit).Draw(t, path+name+"#")
		var blocks []cty.Value
		for range n {
			blocks = append(blocks, drawBlock(t, nested.Block, path+name+"."))
		}
		switch isSet := nested.NestingMode == tfjson.SchemaNestingModeSet; {
		case n == 0 && isSet:
			values[name] = cty.SetValEmpty(object)
		case n == 0:
			values[name] = cty.ListValEmpty(object)
		case isSet:
			values[name] = cty.SetVal(blocks)
		default:
			values[name] = cty.ListVal(blocks)
		}
	}
	return cty.ObjectVal(values)
}

func draw(t *rapid.T, ty cty.Type, path string) cty.Value {
	switch {
	case ty == cty.String:
		return cty.StringVal(rapid.StringMatching(`[a-z]{1,6}`).Draw(t, path))
	case ty == cty.Number:
		return cty.NumberIntVal(rapid.Int64Range(0, 100).Draw(t, path))
	case ty == cty.Bool:
		return cty.BoolVal(rapid.Bool().Draw(t, path))
	case ty.IsMapType():
		return cty.MapVal(map[string]cty.Value{"k": draw(t, ty.ElementType(), path)})
	case ty.IsListType():
		return cty.ListVal([]cty.Value{draw(t, ty.ElementType(), path)})
	case ty.IsSetType():
		return cty.SetVal([]cty.Value{draw(t, ty.ElementType(), path)})
	}
	attrs := map[string]cty.Value{}
	for _, name := range slices.Sorted(maps.Keys(ty.AttributeTypes())) {
		attrs[name] = draw(t, ty.AttributeType(name), path+"."+name)
	}
	return cty.ObjectVal(attrs)
}

func withoutWriteOnly(b *tfjson.SchemaBlock, v cty.Value) cty.Value {
	values := v.AsValueMap()
	for name, a := range b.Attributes {
		if a.WriteOnly {
			values[name] = cty.NullVal(a.AttributeType)
		}
	}
	return cty.ObjectVal(values)
}

// differs finds an attribute that is configured and planned otherwise.
func differs(b *tfjson.SchemaBlock, config, planned cty.Value) string {
	for name, a := range b.Attributes {
		given, got := config.GetAttr(name), planned.GetAttr(name)
		if !a.WriteOnly && (!given.IsNull() || !a.Computed) && !given.RawEquals(got) {
			return name
		}
	}
	for name := range b.NestedBlocks {
		if given, got := config.GetAttr(name), planned.GetAttr(name); !given.IsNull() && given.LengthInt() != got.LengthInt() {
			return name
		}
	}
	return ""
}

// changes finds an attribute whose known value is another afterwards.
func changes(before, after cty.Value) string {
	for name, v := range before.AsValueMap() {
		if v.IsWhollyKnown() && !v.RawEquals(after.GetAttr(name)) {
			return name
		}
	}
	return ""
}

// proposed is the new state that terraform proposes: computed attributes that are
// not configured stay as they were, in blocks at the same place too. The elements
// of a set keep them only where the configuration is the same as before.
func proposed(b *tfjson.SchemaBlock, prior, config cty.Value, same bool) cty.Value {
	values := withoutWriteOnly(b, config).AsValueMap()
	for name, a := range b.Attributes {
		if a.Computed && values[name].IsNull() {
			values[name] = prior.GetAttr(name)
		}
	}
	for name, nested := range b.NestedBlocks {
		before, given := prior.GetAttr(name), values[name]
		if given.IsNull() || nested.NestingMode == tfjson.SchemaNestingModeSingle || given.LengthInt() == 0 {
			continue
		}
		if nested.NestingMode == tfjson.SchemaNestingModeSet {
			if same {
				values[name] = before
			}
			continue
		}
		var blocks []cty.Value
		for i, e := range given.AsValueSlice() {
			if i < before.LengthInt() {
				e = proposed(nested.Block, before.Index(cty.NumberIntVal(int64(i))), e, same)
			}
			blocks = append(blocks, e)
		}
		values[name] = cty.ListVal(blocks)
	}
	return cty.ObjectVal(values)
}
