package plugin_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

func TestConfigurationsBeyondTheSchemaAreChecked(t *testing.T) {
	instance := attrs{"ami": str("ami-1"), "instance_type": str("t3.micro")}
	server := attrs{"name": str("web"), "image_name": str("ubuntu"), "flavor_name": str("m1.small")}
	vm := attrs{
		"name": str("web"), "location": str("westeurope"), "resource_group_name": str("rg"), "size": str("Standard_B2s"),
		"admin_username": str("ubuntu"), "network_interface_ids": strs("nic"), "source_image_id": str("image"),
		"os_disk": block(attrs{"caching": str("ReadWrite")}),
	}
	windows := with(vm, attrs{"admin_password": str("Pa55word!")})
	address := attrs{"name": str("ip"), "location": str("westeurope"), "resource_group_name": str("rg"), "allocation_method": str("Static")}
	unknown := cty.UnknownVal(cty.String)
	rows := map[string]struct {
		typ    string
		values attrs
		wrong  string // empty: nothing is wrong
	}{
		"an instance":                               {"aws_instance", instance, ""},
		"an instance needs an image":                {"aws_instance", attrs{"instance_type": str("t3.micro")}, "one of `ami,launch_template` must be specified"},
		"user data is given once":                   {"aws_instance", with(instance, attrs{"user_data": str("a"), "user_data_base64": str("YQ==")}), `"user_data": conflicts with user_data_base64`},
		"unknown user data may turn out absent":     {"aws_instance", with(instance, attrs{"user_data": str("a"), "user_data_base64": unknown}), ""},
		"user data has a limit":                     {"aws_instance", with(instance, attrs{"user_data": str(strings.Repeat("x", 16385))}), "in the range (0 - 16384), got 16385"},
		"user data at its limit":                    {"aws_instance", with(instance, attrs{"user_data": str(strings.Repeat("x", 16384))}), ""},
		"user data in base64":                       {"aws_instance", with(instance, attrs{"user_data_base64": str("%")}), "to be a base64 string"},
		"the shutdown behaviour has two values":     {"aws_instance", with(instance, attrs{"instance_initiated_shutdown_behavior": str("delete")}), `one of ["stop" "terminate"], got delete`},
		"tokens in the metadata options":            {"aws_instance", with(instance, attrs{"metadata_options": block(attrs{"http_tokens": str("yes")})}), "expected http_tokens to be one of"},
		"a rule has one source":                     {"aws_vpc_security_group_ingress_rule", attrs{"security_group_id": str("sg"), "ip_protocol": str("tcp")}, "must be specified"},
		"a rule has not two sources":                {"aws_vpc_security_group_ingress_rule", attrs{"security_group_id": str("sg"), "ip_protocol": str("tcp"), "cidr_ipv4": str("0.0.0.0/0"), "cidr_ipv6": str("::/0")}, "only one of"},
		"a server":                                  {"openstack_compute_instance_v2", server, ""},
		"a zone or hints to it":                     {"openstack_compute_instance_v2", with(server, attrs{"availability_zone": str("a"), "availability_zone_hints": str("b")}), "conflicts with"},
		"networks or a mode":                        {"openstack_compute_instance_v2", with(server, attrs{"network_mode": str("auto"), "network": block(attrs{"name": str("n")})}), "conflicts with network"},
		"a server group's policies":                 {"openstack_compute_servergroup_v2", attrs{"name": str("g"), "policies": strs("spread")}, "expected policies to be one of"},
		"a machine":                                 {"azurerm_linux_virtual_machine", vm, ""},
		"one image only":                            {"azurerm_linux_virtual_machine", with(vm, attrs{"source_image_reference": block(attrs{"publisher": str("p"), "offer": str("o"), "sku": str("s"), "version": str("v")})}), "only one of"},
		"custom data in base64":                     {"azurerm_linux_virtual_machine", with(vm, attrs{"custom_data": str("#cloud-config")}), "to be a base64 string"},
		"spot machines are evicted":                 {"azurerm_linux_virtual_machine", with(vm, attrs{"priority": str("Spot")}), "an `eviction_policy` must be specified"},
		"regular machines are not evicted":          {"azurerm_linux_virtual_machine", with(vm, attrs{"eviction_policy": str("Delete")}), "can only be specified when"},
		"a Windows machine":                         {"azurerm_windows_virtual_machine", windows, ""},
		"a weak password":                           {"azurerm_windows_virtual_machine", with(windows, attrs{"admin_password": str("password")}), "has to fulfill 3 out of these 4 conditions"},
		"a short password":                          {"azurerm_windows_virtual_machine", with(windows, attrs{"admin_password": str("Pa55!")}), "between 8 and 123 characters"},
		"a long Windows name":                       {"azurerm_windows_virtual_machine", with(windows, attrs{"computer_name": str("sixteen-letters-")}), "at most 15 characters"},
		"an address":                                {"azurerm_public_ip", address, ""},
		"a standard address is static":              {"azurerm_public_ip", with(address, attrs{"allocation_method": str("Dynamic")}), "Static IP allocation must be used"},
		"a basic address may be dynamic":            {"azurerm_public_ip", with(address, attrs{"allocation_method": str("Dynamic"), "sku": str("Basic")}), ""},
		"an address whose sku is not yet known may": {"azurerm_public_ip", with(address, attrs{"allocation_method": str("Dynamic"), "sku": unknown}), ""},
	}
	clients := map[string]*client{}
	for _, provider := range []string{"aws", "openstack", "azurerm"} {
		clients[provider] = connect(t, provider, newCloud(t))
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			provider, _, _ := strings.Cut(r.typ, "_")
			c := *clients[provider]
			c.TB = t
			wrong := c.validate(r.typ, r.values)
			if (wrong == "") != (r.wrong == "") || !strings.Contains(wrong, r.wrong) {
				t.Errorf("validate = %q, want %q", wrong, r.wrong)
			}
		})
	}
}

// with adds attributes to others.
func with(base, more attrs) attrs {
	all := maps.Clone(base)
	maps.Copy(all, more)
	return all
}

// TestCreationsThatACloudRefuses are what the real providers only notice then.
func TestCreationsThatACloudRefuses(t *testing.T) {
	rows := map[string]struct {
		provider string
		change   attrs // of the machine
		wrong    string
	}{
		"no image":                 {"openstack", attrs{"image_name": cty.NullVal(cty.String)}, "Neither a boot device, image ID, or image name"},
		"no flavor":                {"openstack", attrs{"flavor_name": cty.NullVal(cty.String)}, "Neither a flavor_id or flavor_name could be determined"},
		"too much user data":       {"openstack", attrs{"user_data": str(strings.Repeat("x", 60000))}, "user_data. Value is too long"},
		"a port that is not there": {"openstack", attrs{"network": block(attrs{"port": str("p")})}, "Port p could not be found"},
		"a device without a size": {"openstack", attrs{
			"image_name":   cty.NullVal(cty.String),
			"block_device": block(attrs{"source_type": str("image"), "destination_type": str("volume"), "uuid": str("i"), "boot_index": cty.Zero}),
		}, "You must specify a volume_size"},
		"no way to log in":              {"azurerm", attrs{"admin_ssh_key": cty.EmptyTupleVal}, "at least one `admin_ssh_key` must be specified"},
		"a password that is missing":    {"azurerm", attrs{"disable_password_authentication": cty.False}, "an `admin_password` must be specified"},
		"an interface that's not there": {"azurerm", attrs{"network_interface_ids": strs("/subscriptions/s1/nic")}, "InvalidResourceReference"},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			c := connect(t, r.provider, newCloud(t))
			typ, values := c.machine("web-0001")
			state, wrong := c.create(typ, with(values, r.change))
			if !strings.Contains(wrong, r.wrong) {
				t.Errorf("create = %q, want %q in it", wrong, r.wrong)
			}
			if !state.IsNull() || len(c.machines()) != 0 {
				t.Error("a refused creation leaves something")
			}
		})
	}
}

func TestWindowsMachineNeedsAShortName(t *testing.T) {
	c := connect(t, "azurerm", newCloud(t))
	_, values := c.machine("a-name-of-a-node-0001")
	values = with(values, attrs{"admin_password": str("Pa55word!")})
	delete(values, "admin_ssh_key")
	if _, wrong := c.create("azurerm_windows_virtual_machine", values); !strings.Contains(wrong, "unable to assume default computer name") {
		t.Errorf("create = %q, want that the name is too long", wrong)
	}
	if _, wrong := c.create("azurerm_windows_virtual_machine", with(values, attrs{"computer_name": str("node-0001")})); wrong != "" {
		t.Errorf("create with a computer name = %q", wrong)
	}
}

// TestTwiceTheSameName is what meets whoever creates again after a lost answer.
func TestTwiceTheSameName(t *testing.T) {
	azure := connect(t, "azurerm", newCloud(t))
	typ, values := azure.machine("web-0001")
	if _, wrong := azure.create(typ, values); wrong != "" {
		t.Fatal(wrong)
	}
	if _, wrong := azure.create(typ, values); !strings.Contains(wrong, "already exists - to be managed via Terraform this resource needs to be imported") {
		t.Errorf("second create = %q, want that it exists", wrong)
	}
	aws := connect(t, "aws", newCloud(t))
	key := attrs{"key_name": str("shop"), "public_key": str("ssh-rsa AAAA")}
	if _, wrong := aws.create("aws_key_pair", key); wrong != "" {
		t.Fatal(wrong)
	}
	if _, wrong := aws.create("aws_key_pair", key); !strings.Contains(wrong, "InvalidKeyPair.Duplicate") {
		t.Errorf("second key pair = %q, want InvalidKeyPair.Duplicate", wrong)
	}
	openstack := connect(t, "openstack", newCloud(t))
	if _, wrong := openstack.create("openstack_compute_keypair_v2", attrs{"name": str("shop")}); wrong != "" {
		t.Fatal(wrong)
	}
	if _, wrong := openstack.create("openstack_compute_keypair_v2", attrs{"name": str("shop")}); !strings.Contains(wrong, "Key pair 'shop' already exists") {
		t.Errorf("second keypair = %q, want that it exists", wrong)
	}
}

// TestNothingInUseGoes keeps the order of destruction honest.
func TestNothingInUseGoes(t *testing.T) {
	aws := connect(t, "aws", newCloud(t))
	group, wrong := aws.create("aws_security_group", attrs{"name": str("shop")})
	if wrong != "" {
		t.Fatal(wrong)
	}
	typ, values := aws.machine("web-0001")
	machine, wrong := aws.create(typ, with(values, attrs{"vpc_security_group_ids": cty.SetVal([]cty.Value{group.GetAttr("id")})}))
	if wrong != "" {
		t.Fatal(wrong)
	}
	if wrong := aws.destroy("aws_security_group", group); !strings.Contains(wrong, "DependencyViolation") {
		t.Errorf("destroy of a group in use = %q, want DependencyViolation", wrong)
	}
	if wrong := aws.destroy(typ, machine) + aws.destroy("aws_security_group", group); wrong != "" {
		t.Errorf("destroy in order = %q", wrong)
	}

	azure := connect(t, "azurerm", newCloud(t))
	typ, values = azure.machine("web-0001")
	machine, wrong = azure.create(typ, values)
	if wrong != "" {
		t.Fatal(wrong)
	}
	nic, wrong := azure.imported("azurerm_network_interface", text(machine, "network_interface_ids[0]"))
	if wrong != "" {
		t.Fatal(wrong)
	}
	if got := text(nic, "virtual_machine_id"); got != text(machine, "id") {
		t.Errorf("the interface is of %q, want of the machine", got)
	}
	if wrong := azure.destroy("azurerm_network_interface", nic); !strings.Contains(wrong, "NicInUse") {
		t.Errorf("destroy of an interface in use = %q, want NicInUse", wrong)
	}
	if wrong := azure.destroy(typ, machine) + azure.destroy("azurerm_network_interface", nic); wrong != "" {
		t.Errorf("destroy in order = %q", wrong)
	}
}
