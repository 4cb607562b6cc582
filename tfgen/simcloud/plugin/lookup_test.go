package plugin_test

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// TestLookupsFindWhatIsThere looks for machines as an adoption of lost ones would.
func TestLookupsFindWhatIsThere(t *testing.T) {
	aws := connect(t, "aws", newCloud(t))
	var ids []string
	for _, name := range []string{"web-0001", "web-0002"} {
		typ, values := aws.machine(name)
		state, wrong := aws.create(typ, values)
		if wrong != "" {
			t.Fatal(wrong)
		}
		ids = append(ids, text(state, "id"))
	}
	found, wrong := aws.lookup("aws_instances", attrs{"instance_tags": cty.MapVal(attrs{"Name": str("web-0002")})})
	if wrong != "" || found.GetAttr("ids").LengthInt() != 1 || text(found, "ids[0]") != ids[1] {
		t.Errorf("aws_instances by tag = %#v %q, want %s", found.GetAttr("ids"), wrong, ids[1])
	}
	filter := block(attrs{"name": str("tag:Name"), "values": cty.SetVal([]cty.Value{str("web-*")})})
	found, wrong = aws.lookup("aws_instances", attrs{"filter": filter})
	if wrong != "" || found.GetAttr("ids").LengthInt() != 2 {
		t.Errorf("aws_instances by pattern = %#v %q, want two", found.GetAttr("ids"), wrong)
	}
	one, wrong := aws.lookup("aws_instance", attrs{"instance_id": str(ids[0])})
	if wrong != "" || text(one, "instance_type") != "t3.micro" || text(one, "private_ip") == "" {
		t.Errorf("aws_instance = %#v %q, want the first", one, wrong)
	}
	if _, wrong := aws.lookup("aws_instance", attrs{"filter": filter}); !strings.Contains(wrong, "more than one result") {
		t.Errorf("aws_instance of two = %q, want a refusal", wrong)
	}
	if _, wrong := aws.lookup("aws_instance", attrs{"instance_id": str("i-0")}); !strings.Contains(wrong, "returned no results") {
		t.Errorf("aws_instance of none = %q, want a refusal", wrong)
	}

	openstack := connect(t, "openstack", newCloud(t))
	typ, values := openstack.machine("web-0001")
	state, wrong := openstack.create(typ, with(values, attrs{"network": block(attrs{"name": str("private")})}))
	if wrong != "" {
		t.Fatal(wrong)
	}
	one, wrong = openstack.lookup("openstack_compute_instance_v2", attrs{"id": state.GetAttr("id")})
	if wrong != "" || text(one, "name") != "web-0001" || text(one.GetAttr("network").Index(cty.Zero), "fixed_ip_v4") != text(state, "access_ip_v4") {
		t.Errorf("openstack_compute_instance_v2 = %#v %q", one, wrong)
	}
	if _, wrong := openstack.lookup("openstack_compute_instance_v2", attrs{"id": str("x")}); !strings.Contains(wrong, "itemNotFound") {
		t.Errorf("a server that's not there = %q, want a refusal", wrong)
	}

	azure := connect(t, "azurerm", newCloud(t))
	typ, values = azure.machine("web-0001")
	state, wrong = azure.create(typ, with(values, attrs{"tags": cty.MapVal(attrs{"node": str("web-0001")})}))
	if wrong != "" {
		t.Fatal(wrong)
	}
	found, wrong = azure.lookup("azurerm_resources", attrs{
		"type": str("Microsoft.Compute/virtualMachines"), "required_tags": cty.MapVal(attrs{"node": str("web-0001")}),
	})
	if wrong != "" || found.GetAttr("resources").LengthInt() != 1 || text(found.GetAttr("resources").Index(cty.Zero), "id") != text(state, "id") {
		t.Errorf("azurerm_resources = %#v %q, want the machine", found.GetAttr("resources"), wrong)
	}
	one, wrong = azure.lookup("azurerm_virtual_machine", attrs{"name": str("web-0001"), "resource_group_name": str("rg")})
	if wrong != "" || text(one, "private_ip_address") != text(state, "private_ip_address") {
		t.Errorf("azurerm_virtual_machine = %#v %q", one, wrong)
	}
}

// TestCatalogueDecidesWhatExists goes through all kinds of things that Terraform
// looks up: without a catalogue each exists, with an empty one none does.
func TestCatalogueDecidesWhatExists(t *testing.T) {
	group := attrs{"resource_group_name": str("rg"), "name": str("x")}
	rows := []struct {
		provider, source string
		values           attrs
		kind, name       string // in the catalogue
		wrong            string
	}{
		{"aws", "aws_ami", attrs{"filter": block(attrs{"name": str("name"), "values": cty.SetVal([]cty.Value{str("ubuntu-*")})})}, "image", "ubuntu-24.04", "Your query returned no results"},
		{"aws", "aws_vpc", attrs{"id": str("vpc-1")}, "vpc", "vpc-1", "no matching EC2 VPC found"},
		{"aws", "aws_subnet", attrs{"id": str("subnet-1")}, "subnet", "subnet-1", "no matching EC2 Subnet found"},
		{"aws", "aws_security_group", attrs{"name": str("web")}, "security_group", "web", "no matching EC2 Security Group found"},
		{"openstack", "openstack_compute_flavor_v2", attrs{"name": str("m1.small")}, "flavor", "m1.small", "Your query returned no results"},
		{"openstack", "openstack_images_image_v2", attrs{"name": str("ubuntu")}, "image", "ubuntu", "Your query returned no results"},
		{"openstack", "openstack_networking_network_v2", attrs{"name": str("private")}, "network", "private", "Your query returned no results"},
		{"azurerm", "azurerm_resource_group", attrs{"name": str("rg")}, "resource_group", "rg", "was not found"},
		{"azurerm", "azurerm_virtual_network", group, "virtual_network", "x", "was not found"},
		{"azurerm", "azurerm_subnet", with(group, attrs{"virtual_network_name": str("n")}), "subnet", "n/x", "was not found"},
		{"azurerm", "azurerm_network_security_group", group, "security_group", "x", "was not found"},
		{"azurerm", "azurerm_public_ip", group, "public_ip", "x", "was not found"},
		{"azurerm", "azurerm_image", group, "image", "x", "was not found"},
		{"azurerm", "azurerm_subnet", with(group, attrs{"virtual_network_name": str("n")}), "resource_group", "rg", "ResourceGroupNotFound"},
	}
	for _, r := range rows {
		t.Run(r.source+" by "+r.kind, func(t *testing.T) {
			c := connect(t, r.provider, newCloud(t))
			open, wrong := c.lookup(r.source, r.values)
			if wrong != "" || text(open, "id") == "" {
				t.Fatalf("without a catalogue = %q, want an id", wrong)
			}
			if err := c.cloud.SetCatalogue(simcloud.Catalogue{r.kind: {r.name}}); err != nil {
				t.Fatal(err)
			}
			if found, wrong := c.lookup(r.source, r.values); wrong != "" || text(found, "id") == "" {
				t.Errorf("with it in the catalogue = %q, want an id", wrong)
			}
			if err := c.cloud.SetCatalogue(simcloud.Catalogue{r.kind: {}}); err != nil {
				t.Fatal(err)
			}
			if _, wrong := c.lookup(r.source, r.values); !strings.Contains(wrong, r.wrong) {
				t.Errorf("with an empty catalogue = %q, want %q in it", wrong, r.wrong)
			}
		})
	}
}

func TestSubnetsSpreadOverZones(t *testing.T) {
	c := connect(t, "aws", newCloud(t))
	found, wrong := c.lookup("aws_subnets", nil)
	if wrong != "" {
		t.Fatal(wrong)
	}
	zones := map[string]bool{}
	for _, id := range found.GetAttr("ids").AsValueSlice() {
		typ, values := c.machine("web")
		state, wrong := c.create(typ, with(values, attrs{"subnet_id": id}))
		if wrong != "" {
			t.Fatal(wrong)
		}
		zones[text(state, "availability_zone")] = true
	}
	if len(zones) != 3 {
		t.Errorf("machines in the three subnets lie in %v, want three zones", zones)
	}
}

// TestImportGivesWhatTheCloudKnows adopts a machine that Terraform has forgotten.
func TestImportGivesWhatTheCloudKnows(t *testing.T) {
	for provider, forgotten := range map[string]string{
		"aws": "user_data_replace_on_change", "openstack": "user_data", "azurerm": "custom_data",
	} {
		t.Run(provider, func(t *testing.T) {
			c := connect(t, provider, newCloud(t))
			typ, values := c.machine("web-0001")
			given := cty.Value(str("aGVsbG8="))
			if provider == "aws" {
				given = cty.True
			}
			state, wrong := c.create(typ, with(values, attrs{forgotten: given}))
			if wrong != "" {
				t.Fatal(wrong)
			}
			adopted, wrong := c.imported(typ, text(state, "id"))
			if wrong != "" {
				t.Fatal(wrong)
			}
			if !adopted.GetAttr(forgotten).IsNull() {
				t.Errorf("import gives %s, which no cloud tells", forgotten)
			}
			restored := adopted.AsValueMap()
			restored[forgotten] = given
			for _, name := range []string{"metadata", "tags"} { // OpenStack shows them as all_metadata
				if v, ok := restored[name]; ok && v.IsNull() {
					restored[name] = state.GetAttr(name)
				}
			}
			if path := changes(state, cty.ObjectVal(restored)); path != "" {
				t.Errorf("import gives another %s", path)
			}
			if none, wrong := c.imported(typ, text(state, "id")+"0"); wrong != "" || !none.IsNull() {
				t.Errorf("import of what's not there = %#v %q, want null", none, wrong)
			}
		})
	}
}

func TestAWSRegionsAreApart(t *testing.T) {
	c := connect(t, "aws", newCloud(t))
	typ, values := c.machine("web-0001")
	state, wrong := c.create(typ, with(values, attrs{"region": str("us-east-1")}))
	if wrong != "" {
		t.Fatal(wrong)
	}
	if got, want := c.machines()[0].Account, simcloud.AWSAccount("AKIATEST", "us-east-1", ""); got != want {
		t.Errorf("the machine is in %s, want %s", got, want)
	}
	if none, _ := c.imported(typ, text(state, "id")); !none.IsNull() {
		t.Error("the provider's own region has the machine of another")
	}
	if adopted, wrong := c.imported(typ, text(state, "id")+"@us-east-1"); wrong != "" || adopted.IsNull() {
		t.Errorf("import with the region = %q, want the machine", wrong)
	}
}
