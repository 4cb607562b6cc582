package tfgen_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

const (
	publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk3M1V4c2hvcGV4YW1wbGVrZXkwMDAwMDAwMDAwMDAw shop"
	onEC2     = "cloud: ec2, ec2: {region: eu-west-1, ami: ami-01234567, instance_type: t3.small"
	onNova    = "cloud: openstack, openstack: {image_id: i, flavor_id: f, networks: [{id: n}]"
	onAzure   = "cloud: azure, azure: {resource_group: r, virtual_network: v, subnet: s, size: z, image_id: i, public_key: '" + publicKey + "'"
	onWindows = "cloud: azure, azure: {resource_group: r, virtual_network: v, subnet: s, size: z, image_id: i, os: windows"
)

// one is a description with one group, whose settings may go on after the brace
// that ends them.
func one(settings, arguments string, more ...string) string {
	return "name: shop\ngroups:\n  - {name: web, max: 3, " + settings + ", arguments: {" + arguments + "}}" + strings.Join(more, "") + "}\n"
}

func TestArgumentsAreCheckedAgainstTheSchema(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"what the schema has", one(onEC2, "monitoring: true, ebs_block_device: [{device_name: /dev/sdb, volume_size: 10}], cpu_options: {core_count: 2}"), ""},
		{"a number as text", one(onEC2, "ipv6_address_count: '1'"), ""},
		{"a setting of ours in the provider's words", one(onEC2, "subnet_id: subnet-1, root_block_device: {volume_size: 20}"), ""},
		{"a mistyped argument", one(onEC2, "monitorin: true"), "arguments.monitorin: is no argument of aws_instance; did you mean monitoring?"},
		{"another argument", one(onEC2, "colour: red"), "arguments.colour: is no argument of aws_instance; remove it"},
		{"a mistyped argument of a block", one(onEC2, "cpu_options: {core_cont: 2}"), "arguments.cpu_options.core_cont: is no argument of aws_instance; did you mean core_count?"},
		{"a block without what it needs", one(onEC2, "ebs_block_device: [{volume_size: 10}]"), "arguments.ebs_block_device[0]: has no device_name, which is required; add device_name"},
		{"a block as text", one(onEC2, "cpu_options: two"), "arguments.cpu_options: is no mapping of arguments; write its arguments below it, indented"},
		{"two of a block that is there once", one(onEC2, "cpu_options: [{}, {}]"), "arguments.cpu_options: is a list of 2, and there can be one; keep one of them"},
		{"text for true or false", one(onEC2, "monitoring: often"), "arguments.monitoring: is not true or false: a bool is required"},
		{"a list for a text", one(onEC2, "tenancy: [a]"), "arguments.tenancy: is a list; write a text"},
		{"a text for a list", one(onEC2, "ipv6_addresses: a"), "arguments.ipv6_addresses: is a text; write a list"},
		{"what the cloud decides", one(onEC2, "arn: x"), "arguments.arn: is decided by the cloud and cannot be set; remove it"},
		{"what Terraform decides", one(onEC2, "for_each: x"), "arguments.for_each: is an argument of Terraform's own; remove it; scalerd decides it"},
		{"what has a key", one(onEC2, "ami: ami-01234567"), "arguments.ami: is set by scalerd; write ami"},
		{"user data", one(onEC2, "user_data: x"), "arguments.user_data: is set by scalerd; write cloud_init"},
		{"one thing twice", one(onEC2+", subnets: [subnet-01234567]", "subnet_id: subnet-1"), "arguments.subnet_id: is set by scalerd; keep it or subnets"},
		{"old metadata tokens", one(onEC2, "metadata_options: {http_tokens: optional}"),
			"arguments.metadata_options: is set by scalerd; remove its http_tokens; the metadata service hands out credentials only to who has a session token"},
		{"a server's password", one(onNova, "admin_pass: x"), "arguments.admin_pass: is a secret, and the description is written to files; remove it"},
		{"a server's mistyped argument", one(onNova, "stop_before_destory: true"), "arguments.stop_before_destory: is no argument of openstack_compute_instance_v2; did you mean stop_before_destroy?"},
		{"a provider's mistyped argument", one(onNova+", provider: {insecrue: true}", ""), "provider.insecrue: is no argument of the provider openstack; did you mean insecure?"},
		{"a machine's password", one(onWindows, "admin_password: x"), "arguments.admin_password: is set by scalerd; write admin_password_credential"},
		{"an argument of the other system", one(onAzure, "timezone: CET"), "arguments.timezone: is no argument of azurerm_linux_virtual_machine; remove it"},
		{"the same where it belongs", one(onWindows, "timezone: CET"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := found(t, tt.text); got != tt.want {
				t.Errorf("Check() finds\n%s\nwant\n%s\nin %s", got, tt.want, tt.text)
			}
		})
	}
}

func TestUserDataIsChecked(t *testing.T) {
	random := func(bytes int) string { // text that does not compress
		var b strings.Builder
		for i := 0; b.Len() < bytes; i++ {
			fmt.Fprintf(&b, "%x", sha256.Sum256([]byte(fmt.Sprint(i))))
		}
		return b.String()[:bytes]
	}
	for _, tt := range []struct{ name, text, want string }{
		{"a mistyped key", one(onEC2, "", ", cloud_init: 'pakcages: [x]'"),
			"cloud_init: line 1: pakcages is not a key of cloud-init; did you mean packages?; mend the cloud-config; lines count from its own first one"},
		{"no YAML", one(onEC2, "", ", cloud_init: {content: '['}"),
			"cloud_init.content: is not YAML: line 1: did not find expected node content; mend the cloud-config; lines count from its own first one"},
		{"a base that is not there", one(onEC2, "", ", cloud_init: {base: none.yaml}"), "cloud_init: base template: open none.yaml: no such file or directory"},
		{"much that compresses well", one(onEC2, "", ", cloud_init: 'runcmd: ["+strings.Repeat("x", 100_000)+"]'"), ""},
		{"too much for EC2", one(onEC2, "", ", cloud_init: 'runcmd: ["+random(40_000)+"]'"),
			"cloud_init: is N bytes even when compressed, more than the limit of ec2, 16384; make it shorter, or let it download the rest"},
		{"the same for OpenStack", one(onNova, "", ", cloud_init: 'runcmd: ["+random(40_000)+"]'"), ""},
		{"too much for OpenStack", one(onNova, "", ", cloud_init: 'runcmd: ["+random(90_000)+"]'"),
			"cloud_init: is N bytes even when compressed, more than the limit of openstack, 65535; make it shorter, or let it download the rest"},
		{"too much for Windows", one(onWindows, "", ", cloud_init: '#ps1 "+strings.Repeat("x", 60_000)+"'"),
			"cloud_init: is N bytes as azure counts them, more than its limit of 65535; make it shorter, or let it download the rest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := regexp.MustCompile(`is \d+ bytes`).ReplaceAllString(found(t, tt.text), "is N bytes")
			if got != tt.want {
				t.Errorf("Check() finds\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// found are the mistakes that Check finds, without their places.
func found(t *testing.T, text string) string {
	t.Helper()
	_, err := spec.Parse("shop.yaml", []byte(text), tfgen.Check)
	var mistakes strictyaml.Mistakes
	if err != nil && !errors.As(err, &mistakes) {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range mistakes {
		path := strings.TrimPrefix(m.Path, "groups[0].")
		for _, cloud := range spec.Clouds {
			path = strings.TrimPrefix(path, string(cloud)+".")
		}
		line := path + ": " + m.What
		if m.Fix != "" {
			line += "; " + m.Fix
		}
		lines = append(lines, line)
		if m.Line != 3 || m.Column < 20 {
			t.Errorf("%s is said to be at %d:%d, want a key's place in line 3", m.Path, m.Line, m.Column)
		}
	}
	return strings.Join(lines, "\n")
}

func TestBaseTemplateIsReadFromTheDescriptionsFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "base.yaml"), []byte("packages: [mine]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := one(onEC2, "", ", cloud_init: {base: base.yaml, content: 'packages: [more]'}")
	app, err := spec.Parse(filepath.Join(dir, "shop.yaml"), []byte(text), tfgen.Check)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := userData(t, app), "#cloud-config\npackages: [mine, more]\n"; got != want {
		t.Errorf("user data is\n%s\nwant\n%s", got, want)
	}
}

// userData is the user data file of an application's first group.
func userData(t *testing.T, app *spec.Application) string {
	t.Helper()
	shard, err := tfgen.Shard(app, &app.Groups[0])
	if err != nil {
		t.Fatal(err)
	}
	node, err := tfgen.NewNode(app, &app.Groups[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range shard.Files {
		if f.Name == node["user_data"] {
			return string(f.Content)
		}
	}
	t.Fatalf("the node's user data %v is no file of the shard", node["user_data"])
	return ""
}
