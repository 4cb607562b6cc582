package tfgen_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/tfgen"
)

// TestChangedDescriptionTouchesNoRunningNode changes all that only a new machine
// can have. Nodes that exist stay as they are, and a new one has the new settings.
func TestChangedDescriptionTouchesNoRunningNode(t *testing.T) {
	const (
		moreKey  = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGl3M1V4c2hvcGV4YW1wbGVrZXkwMDAwMDAwMDAwMDAw other"
		cloudCfg = "cloud_init: 'runcmd: [other]'"
	)
	for _, tt := range []struct {
		name, before, after string
		updates             []string // changed in place
	}{
		{
			name:   "ec2",
			before: ec2Settings + ", subnets: [subnet-0000000a], tags: {team: x}, security_groups: [sg-0000000a]}",
			after: "cloud: ec2, ec2: {region: eu-west-1, ami: ami-0000000b, instance_type: m7i.large, key_name: k, subnets: [subnet-0000000b], " +
				"public_ip: true, root_volume: {size: 50, encrypted: true}, spot: {}, tags: {team: y}, security_groups: [sg-0000000b], " +
				"arguments: {hibernation: true, tenancy: dedicated, ebs_block_device: [{device_name: /dev/sdb, volume_size: 1}]}}, " + cloudCfg,
			updates: []string{"aws_instance.node"},
		},
		{
			name: "openstack",
			before: novaSettings + ", key_name: k, security_groups: [default], anti_affinity: hard, metadata: {team: x}, " +
				"floating_ip_pool: public}",
			after: "cloud: openstack, openstack: {project_id: p1, image_name: other, flavor_name: large, networks: [{name: private}, {id: m}], " +
				"public_key: '" + moreKey + "', security_groups: [other], anti_affinity: soft, boot_volume: {size: 20}, config_drive: true, " +
				"zones: [z], floating_ip_pool: elsewhere, metadata: {team: y}, arguments: {personality: [{file: /x, content: y}]}}, " + cloudCfg,
			updates: []string{"openstack_compute_instance_v2.node", "openstack_networking_port_v2.node"},
		},
		{
			name:   "azure",
			before: azureSettings + ", network_security_group: one, tags: {team: x}}",
			after: "cloud: azure, azure: {resource_group: other, virtual_network: w, subnet: u, size: large, location: northeurope, " +
				"image: {publisher: p, offer: o, sku: s}, public_key: '" + moreKey + "', admin_username: someone, zones: ['2'], spot: {}, " +
				"network_security_group: two, os_disk: {size: 99, type: Premium_LRS}, tags: {team: y}, " +
				"arguments: {secure_boot_enabled: true, eviction_policy: Deallocate, plan: {name: n, product: p, publisher: q}}}, " + cloudCfg,
			updates: []string{"azurerm_linux_virtual_machine.node", "azurerm_network_interface.node"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFleet(t)
			before, after := groups(t, "name: web, "+tt.before), groups(t, "name: web, "+tt.after)
			f.describe(before)
			f.add(1)
			f.apply("create", 1)
			was := f.machines()["web-0001"]

			f.describe(after)
			f.add(2)
			want := map[string]string{}
			for _, address := range f.module.Addresses("web-0002") {
				want[address] = "create"
			}
			for _, resource := range tt.updates {
				want[resource+`["web-0001"]`] = "update"
			}
			if diff := cmp.Diff(want, f.changes()); diff != "" {
				t.Errorf("the plan (-want +got):\n%s", diff)
			}
			f.must("shard", "apply", "-input=false", "plan.bin")
			if now := f.machines()["web-0001"]; now.ID != was.ID || now.Size != was.Size || now.Zone != was.Zone {
				t.Errorf("the old machine was %v and is %v", was, now)
			}
			if machines := f.machines(); len(machines) != 2 || machines["web-0001"].Tags["team"] != "y" {
				t.Errorf("machines are %v, want two, the old one with its new tag", machines)
			}

			// And the other way round: what the first description had stays with its node.
			f.describe(before)
			for address, actions := range f.changes() {
				if strings.Contains(actions, "delete") || strings.Contains(actions, "create") {
					t.Errorf("the first description again: the plan does %s to %s", actions, address)
				}
			}
		})
	}
}

func TestNodesKnowWhetherTheyAreUpToDate(t *testing.T) {
	base := groups(t, "name: web, "+ec2Settings+"}")
	for name, tt := range map[string]struct {
		settings string
		old      bool
	}{
		"the same":                    {ec2Settings + "}", false},
		"another tag":                 {ec2Settings + ", tags: {a: b}}", false},
		"another security group":      {ec2Settings + ", security_groups: [sg-0000000a]}", false},
		"an argument for any machine": {ec2Settings + ", arguments: {monitoring: true}}", false},
		"another image":               {strings.Replace(ec2Settings, "01234567", "0123456a", 1) + "}", true},
		"other user data":             {ec2Settings + "}, cloud_init: 'packages: [x]'", true},
		"another port of metrics":     {ec2Settings + "}, metrics: {port: 9200}", true},
		"an argument for new ones":    {ec2Settings + ", arguments: {hibernation: true}}", true},
		"spot":                        {ec2Settings + ", spot: {}}", true},
	} {
		changed := node(t, groups(t, "name: web, "+tt.settings), "web", 1)
		if old := !cmp.Equal(node(t, base, "web", 1), changed); old != tt.old {
			t.Errorf("%s: the node is old: %v, want %v", name, old, tt.old)
		}
	}
}

// TestLargeUserDataIsCompressed has more user data than EC2 takes in plain text.
func TestLargeUserDataIsCompressed(t *testing.T) {
	f := newFleet(t)
	f.describe(groups(t, "name: web, "+ec2Settings+"}, cloud_init: 'runcmd: ["+strings.Repeat("x", 60_000)+"]'"))
	f.add(1)
	f.apply("create", 1)
	f.checkNodes(1)
	if _, err := tfgen.Shard(f.app, &f.app.Groups[0]); err != nil {
		t.Error(err)
	}
}
