package tfgen_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// The tests of this file are named after defects of MiCADO's Terraform adaptor and
// Policy Keeper: what they did wrong is what must not happen here.

// groups is an application of these groups, each written as {name: ..., ...}.
func groups(t *testing.T, settings ...string) *spec.Application {
	t.Helper()
	text := "name: shop\ngroups:\n"
	for _, s := range settings {
		text += "  - {max: 20, " + s + "}\n"
	}
	app, err := spec.Parse("/srv/shop/shop.yaml", []byte(text), tfgen.Check)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// file is a generated file of a group's shard, or of its base where root is "base".
func file(t *testing.T, app *spec.Application, group, root, name string) string {
	t.Helper()
	generate := tfgen.Shard
	if root == "base" {
		generate = tfgen.Base
	}
	m, err := generate(app, app.Group(group))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Files {
		if f.Name == name {
			return string(f.Content)
		}
	}
	t.Fatalf("the %s of group %s has no %s", root, group, name)
	return ""
}

// contains checks that a text has all the parts.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
}

const (
	ec2Settings   = "cloud: ec2, ec2: {region: eu-west-1, ami: ami-01234567, instance_type: t3.small"
	novaSettings  = "cloud: openstack, openstack: {project_id: p1, image_id: i, flavor_id: f, networks: [{id: n}]"
	azureSettings = "cloud: azure, azure: {resource_group: r, virtual_network: v, subnet: s, size: z, image_id: i, public_key: '" + publicKey + "'"
)

func TestTwoRegionsProjectsAndSubscriptionsGetTheirOwnProviders(t *testing.T) {
	app := groups(t,
		"name: a, "+ec2Settings+"}", "name: b, "+strings.Replace(ec2Settings, "eu-west-1", "us-east-1", 1)+"}",
		"name: c, "+novaSettings+"}", "name: d, "+strings.Replace(novaSettings, "p1", "p2", 1)+", auth_url: 'https://other:5000/v3'}",
		"name: e, "+azureSettings+", subscription: 00000000-0000-0000-0000-00000000000a}", "name: f, "+azureSettings+", subscription: 00000000-0000-0000-0000-00000000000b}")
	for group, want := range map[string]string{
		"a": `region = "eu-west-1"`, "b": `region = "us-east-1"`, "c": `tenant_id = "p1"`, "d": `"https://other:5000/v3"`,
		"e": `"00000000-0000-0000-0000-00000000000a"`, "f": `"00000000-0000-0000-0000-00000000000b"`,
	} {
		text := file(t, app, group, "shard", "providers.tf")
		contains(t, text, want)
		if strings.Count(text, "provider \"") != 1 {
			t.Errorf("group %s has several providers, want its own only:\n%s", group, text)
		}
	}
}

func TestNovaNamesHoldNoClock(t *testing.T) {
	settings := "name: web, " + novaSettings + ", public_key: '" + publicKey + "', floating_ip_pool: public}"
	first, again := groups(t, settings), groups(t, settings)
	for _, root := range []string{"base", "shard"} {
		a, b := file(t, first, "web", root, "main.tf"), file(t, again, "web", root, "main.tf")
		if a != b {
			t.Errorf("the %s differs the second time:\n%s\n%s", root, a, b)
		}
	}
	contains(t, file(t, first, "web", "base", "main.tf"), `name       = "shop-web-1b9ca017"`)
	other := groups(t, strings.Replace(settings, "AAAAIGk3", "AAAAIGl3", 1))
	if a, b := node(t, first, "web", 1)["key_pair"], node(t, other, "web", 1)["key_pair"]; a == b {
		t.Errorf("two keys have the pair %v, want one each", a)
	}
}

func node(t *testing.T, app *spec.Application, group string, number int) tfgen.Settings {
	t.Helper()
	settings, err := tfgen.NewNode(app, app.Group(group), number)
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

func TestFloatingAddressesGoToPorts(t *testing.T) {
	app := groups(t, "name: web, "+novaSettings+", floating_ip_pool: public}")
	text := file(t, app, "web", "shard", "main.tf")
	contains(t, text, "openstack_networking_floatingip_associate_v2", "port_id     = openstack_networking_port_v2.node[each.key].id")
	if strings.Contains(text, "openstack_compute_floatingip_associate_v2") {
		t.Error("the association that the provider removed is used")
	}
}

func TestOpenStackNeedsNoSecurityGroups(t *testing.T) {
	text := file(t, groups(t, "name: web, "+novaSettings+"}"), "web", "shard", "main.tf")
	if strings.Contains(text, "security_group") {
		t.Errorf("no security groups are given, and main.tf has some:\n%s", text)
	}
}

func TestServersCanBootFromVolumes(t *testing.T) {
	app := groups(t, "name: web, "+novaSettings+", boot_volume: {}}")
	settings := node(t, app, "web", 1)
	if _, has := settings["image_id"]; has {
		t.Errorf("a server that boots from a volume has an image of its own: %v", settings)
	}
	if got, want := fmt.Sprint(settings["boot_volume"]), "map[image_id:i keep:false size:10]"; got != want {
		t.Errorf("boot_volume = %s, want %s", got, want)
	}
}

func TestTagsWithoutNameGetOne(t *testing.T) {
	app := groups(t, "name: a, "+ec2Settings+", tags: {team: x}}", "name: b, "+ec2Settings+", tags: {Name: front}}")
	contains(t, file(t, app, "a", "shard", "main.tf"), "Name         = each.key", `team         = "x"`)
	contains(t, file(t, app, "b", "shard", "main.tf"), `Name         = "front-${each.key}"`)
}

func TestManagedIdentityIsABoolean(t *testing.T) {
	contains(t, file(t, groups(t, "name: a, "+azureSettings+", use_msi: true}"), "a", "shard", "providers.tf"), "use_msi = true")
}

func TestWindowsNodesGetTheirUserData(t *testing.T) {
	const windows = "name: a, cloud: azure, azure: {resource_group: r, virtual_network: v, subnet: s, size: z, image_id: i, os: windows}"
	for _, content := range []string{"#ps1_sysnative\nInstall-WindowsFeature x\n", "#cloud-config\nwrite_files:\n  - path: C:\\x\n"} {
		app := groups(t, fmt.Sprintf("%s, cloud_init: %q", windows, content))
		if got := userData(t, app); got != content {
			t.Errorf("user data is %q, want %q", got, content)
		}
		contains(t, file(t, app, "a", "shard", "main.tf"), `custom_data           = base64encode(replace(file("${path.module}/${each.value.user_data}")`)
	}
}

func TestWindowsPasswordHasNoDefault(t *testing.T) {
	app := groups(t, "name: a, cloud: azure, azure: {resource_group: r, virtual_network: v, subnet: s, size: z, image_id: i, os: windows}")
	text := file(t, app, "a", "shard", "variables.tf")
	_, declared, _ := strings.Cut(text, `variable "admin_password"`)
	contains(t, declared, "sensitive   = true")
	if strings.Contains(declared, "default") {
		t.Errorf("the password has a default:\n%s", declared)
	}
	contains(t, file(t, app, "a", "shard", "main.tf"), "admin_password        = var.admin_password")
}

func TestImagesOfAnyPublisherCanBeChosen(t *testing.T) {
	app := groups(t, "name: a, "+strings.Replace(azureSettings, "image_id: i", "image: {publisher: Debian, offer: debian-13, sku: 13-gen2}", 1)+"}")
	if got, want := fmt.Sprint(node(t, app, "a", 1)["image"]), "map[offer:debian-13 publisher:Debian sku:13-gen2 version:latest]"; got != want {
		t.Errorf("image = %s, want %s", got, want)
	}
}

func TestNodesAreSpreadOverZones(t *testing.T) {
	app := groups(t,
		"name: a, "+ec2Settings+", subnets: [subnet-0000000a, subnet-0000000b, subnet-0000000c]}",
		"name: b, "+novaSettings+", zones: [x, y]}", "name: c, "+azureSettings+", zones: ['1', '2', '3']}")
	for group, key := range map[string]string{"a": "subnet", "b": "zone", "c": "zone"} {
		seen := map[any]int{}
		for n := 1; n <= 12; n++ {
			seen[node(t, app, group, n)[key]]++
		}
		for place, nodes := range seen {
			if nodes != 12/len(seen) || len(seen) < 2 {
				t.Errorf("group %s has %d of 12 nodes in %v of %d places", group, nodes, place, len(seen))
			}
		}
	}
}

func TestTheTenthNodeIsNotTheSecond(t *testing.T) {
	seen := map[string]bool{}
	names := []string{}
	for n := 1; n <= 12_000; n++ {
		name := tfgen.NodeName("web", n)
		if seen[name] || tfgen.NodeNumber(name) != n {
			t.Fatalf("node %d is called %s, which stands for %d", n, name, tfgen.NodeNumber(name))
		}
		seen[name] = true
		names = append(names, name)
	}
	if !slices.IsSorted(names[:9999]) {
		t.Error("the names of the first 9,999 nodes are not in the order of their numbers")
	}
}

func TestDroppingTwoNodesRemovesTheTwoChosen(t *testing.T) {
	f := newFleet(t)
	f.describe(groups(t, "name: web, "+ec2Settings+"}"))
	numbers := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	f.add(numbers...)
	f.apply("create", numbers...)
	f.drop(2)
	f.drop(10)
	f.apply("delete", 2, 10)
	f.checkNodes(1, 3, 4, 5, 6, 7, 8, 9, 11, 12)
	f.add(13)
	f.apply("create", 13)
	f.checkNodes(1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13)
}

func TestAnotherCloudCanJoinLater(t *testing.T) {
	before := groups(t, "name: a, "+ec2Settings+"}")
	after := groups(t, "name: a, "+ec2Settings+"}", "name: b, "+novaSettings+"}")
	if a, b := file(t, before, "a", "shard", "main.tf"), file(t, after, "a", "shard", "main.tf"); a != b {
		t.Errorf("a group changes when another cloud joins:\n%s\n%s", a, b)
	}
	contains(t, file(t, after, "b", "shard", "versions.tf"), "terraform-provider-openstack/openstack")
}
