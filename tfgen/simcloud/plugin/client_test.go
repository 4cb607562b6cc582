package plugin_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/msgpack"

	"github.com/scalerd/scalerd/tfgen/schema"
	"github.com/scalerd/scalerd/tfgen/simcloud"
	"github.com/scalerd/scalerd/tfgen/simcloud/plugin"
)

// client speaks the plugin protocol with one provider, as terraform does, without
// the process between them.
type client struct {
	testing.TB
	server *plugin.Server
	schema *schema.Provider
	cloud  *simcloud.Cloud
}

// environment is one in which every provider finds its credentials.
func environment(cloud *simcloud.Cloud, extra ...string) func(string) string {
	all := []string{
		"SIMCLOUD_DIR=" + cloud.Dir(),
		"AWS_ACCESS_KEY_ID=AKIATEST", "AWS_SECRET_ACCESS_KEY=secret", "AWS_REGION=eu-west-1",
		"OS_AUTH_URL=https://keystone.example:5000/v3", "OS_USERNAME=tester", "OS_PASSWORD=secret", "OS_PROJECT_ID=p1", "OS_REGION_NAME=RegionOne",
		"ARM_SUBSCRIPTION_ID=s1", "ARM_TENANT_ID=t1", "ARM_CLIENT_ID=c1", "ARM_CLIENT_SECRET=secret",
	}
	env := map[string]string{}
	for _, e := range append(all, extra...) {
		key, value, _ := strings.Cut(e, "=")
		env[key] = value
	}
	return func(key string) string { return env[key] }
}

func newCloud(t testing.TB) *simcloud.Cloud {
	t.Helper()
	cloud, err := simcloud.New(filepath.Join(t.TempDir(), "cloud"))
	if err != nil {
		t.Fatal(err)
	}
	return cloud
}

// connect starts a provider and configures it with an empty provider block.
func connect(t testing.TB, provider string, cloud *simcloud.Cloud, extra ...string) *client {
	t.Helper()
	c := start(t, provider, environment(cloud, extra...))
	c.cloud = cloud
	if wrong := c.configure(nil); wrong != "" {
		t.Fatalf("configure %s: %s", provider, wrong)
	}
	return c
}

func start(t testing.TB, provider string, env func(string) string) *client {
	t.Helper()
	server, err := plugin.New(provider, env)
	if err != nil {
		t.Fatal(err)
	}
	s, err := schema.Read(provider)
	if err != nil {
		t.Fatal(err)
	}
	return &client{TB: t, server: server, schema: s}
}

func (c *client) configure(values map[string]cty.Value) string {
	c.Helper()
	s, err := c.schema.Config()
	if err != nil {
		c.Fatal(err)
	}
	ty := schema.Type(s.Block)
	out, err := c.server.ConfigureProvider(c.Context(), &tfprotov6.ConfigureProviderRequest{Config: c.encode(object(ty, values), ty)})
	if err != nil {
		c.Fatal(err)
	}
	return said(out.Diagnostics)
}

// object makes a value with the given attributes, the others null or empty.
func object(ty cty.Type, values map[string]cty.Value) cty.Value {
	attrs := map[string]cty.Value{}
	for name, a := range ty.AttributeTypes() {
		v, isGiven := values[name]
		switch {
		case isGiven && v.Type().IsTupleType() && v.LengthInt() > 0: // blocks
			var blocks []cty.Value
			for _, b := range v.AsValueSlice() {
				blocks = append(blocks, object(a.ElementType(), b.AsValueMap()))
			}
			if v = cty.ListVal(blocks); a.IsSetType() {
				v = cty.SetVal(blocks)
			}
			attrs[name] = v
		case isGiven && !v.Type().IsTupleType():
			attrs[name] = v
		case a.IsListType() && a.ElementType().IsObjectType():
			attrs[name] = cty.ListValEmpty(a.ElementType())
		case a.IsSetType() && a.ElementType().IsObjectType():
			attrs[name] = cty.SetValEmpty(a.ElementType())
		default:
			attrs[name] = cty.NullVal(a)
		}
	}
	return cty.ObjectVal(attrs)
}

func (c *client) encode(v cty.Value, ty cty.Type) *tfprotov6.DynamicValue {
	c.Helper()
	raw, err := msgpack.Marshal(v, ty)
	if err != nil {
		c.Fatal(err)
	}
	return &tfprotov6.DynamicValue{MsgPack: raw}
}

func (c *client) decode(v *tfprotov6.DynamicValue, ty cty.Type) cty.Value {
	c.Helper()
	out, err := msgpack.Unmarshal(v.MsgPack, ty)
	if err != nil {
		c.Fatal(err)
	}
	return out
}

func said(all []*tfprotov6.Diagnostic) string {
	var words []string
	for _, d := range all {
		words = append(words, d.Summary)
	}
	return strings.Join(words, "\n")
}

func (c *client) typeOf(typ string) cty.Type {
	c.Helper()
	s, err := c.schema.Resource(typ)
	if err != nil {
		c.Fatal(err)
	}
	return schema.Type(s.Block)
}

// validate gives what is wrong with a configuration.
func (c *client) validate(typ string, values map[string]cty.Value) string {
	c.Helper()
	ty := c.typeOf(typ)
	out, err := c.server.ValidateResourceConfig(c.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: typ, Config: c.encode(object(ty, values), ty)})
	if err != nil {
		c.Fatal(err)
	}
	return said(out.Diagnostics)
}

// create plans and applies a new resource. The state is null where Terraform would
// remember nothing.
func (c *client) create(typ string, values map[string]cty.Value) (cty.Value, string) {
	c.Helper()
	ty := c.typeOf(typ)
	config := object(ty, values)
	planned, _ := c.plan(typ, cty.NullVal(ty), config, config)
	return c.apply(typ, cty.NullVal(ty), planned)
}

func (c *client) plan(typ string, prior, proposed, config cty.Value) (cty.Value, []string) {
	c.Helper()
	ty := c.typeOf(typ)
	out, err := c.server.PlanResourceChange(c.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: typ, PriorState: c.encode(prior, ty), ProposedNewState: c.encode(proposed, ty), Config: c.encode(config, ty),
	})
	if err != nil {
		c.Fatal(err)
	}
	var replaces []string
	for _, p := range out.RequiresReplace {
		replaces = append(replaces, p.String())
	}
	return c.decode(out.PlannedState, ty), replaces
}

func (c *client) apply(typ string, prior, planned cty.Value) (cty.Value, string) {
	c.Helper()
	ty := c.typeOf(typ)
	out, err := c.server.ApplyResourceChange(c.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: typ, PriorState: c.encode(prior, ty), PlannedState: c.encode(planned, ty), Config: c.encode(planned, ty),
	})
	if err != nil {
		c.Fatal(err)
	}
	return c.decode(out.NewState, ty), said(out.Diagnostics)
}

func (c *client) destroy(typ string, state cty.Value) string {
	c.Helper()
	_, wrong := c.apply(typ, state, cty.NullVal(c.typeOf(typ)))
	return wrong
}

func (c *client) read(typ string, state cty.Value) (cty.Value, string) {
	c.Helper()
	ty := c.typeOf(typ)
	out, err := c.server.ReadResource(c.Context(), &tfprotov6.ReadResourceRequest{TypeName: typ, CurrentState: c.encode(state, ty)})
	if err != nil {
		c.Fatal(err)
	}
	return c.decode(out.NewState, ty), said(out.Diagnostics)
}

// imported imports and reads, as terraform does.
func (c *client) imported(typ, id string) (cty.Value, string) {
	c.Helper()
	out, err := c.server.ImportResourceState(c.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: typ, ID: id})
	if err != nil {
		c.Fatal(err)
	}
	if len(out.Diagnostics) > 0 {
		return cty.NullVal(c.typeOf(typ)), said(out.Diagnostics)
	}
	return c.read(typ, c.decode(out.ImportedResources[0].State, c.typeOf(typ)))
}

// lookup reads a data source.
func (c *client) lookup(typ string, values map[string]cty.Value) (cty.Value, string) {
	c.Helper()
	s, err := c.schema.DataSource(typ)
	if err != nil {
		c.Fatal(err)
	}
	ty := schema.Type(s.Block)
	out, err := c.server.ReadDataSource(c.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: typ, Config: c.encode(object(ty, values), ty)})
	if err != nil {
		c.Fatal(err)
	}
	if out.State == nil {
		return cty.NullVal(ty), said(out.Diagnostics)
	}
	return c.decode(out.State, ty), said(out.Diagnostics)
}

// Short forms for configurations.
type attrs = map[string]cty.Value

func str(s string) cty.Value { return cty.StringVal(s) }

func block(values attrs) cty.Value { return cty.TupleVal([]cty.Value{cty.ObjectVal(values)}) }

func strs(all ...string) cty.Value {
	values := make([]cty.Value, len(all))
	for i, s := range all {
		values[i] = cty.StringVal(s)
	}
	return cty.ListVal(values)
}

// text is a string attribute, or "name[0]" for the first of a list.
func text(v cty.Value, name string) string {
	list, isFirst := strings.CutSuffix(name, "[0]")
	a := v.GetAttr(list)
	if isFirst {
		a = a.Index(cty.Zero)
	}
	if a.IsNull() {
		return ""
	}
	return a.AsString()
}

// machine is a small machine of each provider, with what it needs before it.
func (c *client) machine(name string) (string, attrs) {
	c.Helper()
	switch c.schema.Name {
	case "aws":
		return "aws_instance", attrs{"ami": str("ami-1"), "instance_type": str("t3.micro"), "tags": cty.MapVal(attrs{"Name": str(name)})}
	case "openstack":
		return "openstack_compute_instance_v2", attrs{"name": str(name), "image_name": str("ubuntu"), "flavor_name": str("m1.small")}
	}
	nic, wrong := c.create("azurerm_network_interface", attrs{
		"name": str(name), "location": str("westeurope"), "resource_group_name": str("rg"),
		"ip_configuration": block(attrs{"name": str("main"), "private_ip_address_allocation": str("Dynamic")}),
	})
	if wrong != "" {
		c.Fatal(wrong)
	}
	return "azurerm_linux_virtual_machine", attrs{
		"name": str(name), "location": str("westeurope"), "resource_group_name": str("rg"), "size": str("Standard_B2s"), "admin_username": str("ubuntu"),
		"network_interface_ids":  strs(text(nic, "id")),
		"admin_ssh_key":          block(attrs{"username": str("ubuntu"), "public_key": str("ssh-ed25519 AAAA")}),
		"os_disk":                block(attrs{"caching": str("ReadWrite"), "storage_account_type": str("Standard_LRS")}),
		"source_image_reference": block(attrs{"publisher": str("Canonical"), "offer": str("ubuntu"), "sku": str("24_04"), "version": str("latest")}),
	}
}

func (c *client) machines() []simcloud.Resource {
	c.Helper()
	all, err := c.cloud.Machines()
	if err != nil {
		c.Fatal(err)
	}
	return all
}
