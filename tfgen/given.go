package tfgen

import (
	"maps"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// given are arguments of a resource that the description may not give among its
// further arguments, with what to do instead.
type given map[string]string

// own forbids arguments that have keys of their own.
func (g given) own(keys ...string) {
	for i := 0; i < len(keys); i += 2 {
		g[keys[i]] = "write " + keys[i+1]
	}
}

// set forbids an argument whose own key is used; else it can be given either way.
func (g given) set(is bool, argument, key string) {
	if is {
		g[argument] = "keep it or " + key
	}
}

// anyGiven is what the group may not give, nor with any of its offerings.
func anyGiven(group *spec.Group, of func(*spec.Group) given) given {
	g := of(group)
	for _, o := range group.Offerings {
		maps.Copy(g, of(group.With(o)))
	}
	return g
}

const fromCloudInit = "cloud_init"

func ec2Given(e *spec.EC2) given {
	g := given{"instance_initiated_shutdown_behavior": "remove it; a node that shuts itself down is terminated"}
	g.own("ami", "ami", "instance_type", "instance_type", "region", "region", "tags", "tags",
		"user_data", fromCloudInit, "user_data_base64", fromCloudInit, "user_data_replace_on_change", "rollout")
	g.set(e.KeyName != "", "key_name", "key_name")
	g.set(len(e.SecurityGroups) > 0, "vpc_security_group_ids", "security_groups")
	g.set(len(e.Subnets) > 0, "subnet_id", "subnets")
	g.set(len(e.Zones) > 0, "availability_zone", "zones")
	g.set(e.PublicIP != nil, "associate_public_ip_address", "public_ip")
	g.set(e.InstanceProfile != "", "iam_instance_profile", "instance_profile")
	g.set(e.RootVolume != nil, "root_block_device", "root_volume")
	g.set(e.Spot != nil, "instance_market_options", "spot")
	if options, is := e.Arguments["metadata_options"].(map[string]any); is && options["http_tokens"] != nil && options["http_tokens"] != "required" {
		g["metadata_options"] = "remove its http_tokens; the metadata service hands out credentials only to who has a session token"
	}
	return g
}

func openstackGiven(o *spec.OpenStack) given {
	g := given{"name": "remove it; a machine has its node's name"}
	g.own("image_id", "image_id", "image_name", "image_name", "flavor_id", "flavor_id", "flavor_name", "flavor_name",
		"metadata", "metadata", "user_data", fromCloudInit, "region", "region", "network", "networks",
		"security_groups", "security_groups", "config_drive", "config_drive")
	g.set(o.KeyName+o.PublicKey != "", "key_pair", "key_name")
	g.set(len(o.Zones) > 0, "availability_zone", "zones")
	g.set(o.BootVolume != nil, "block_device", "boot_volume")
	g.set(separated(o), "scheduler_hints", "anti_affinity")
	return g
}

func azureGiven(a *spec.Azure) given {
	g := given{
		"name":                  "remove it; a machine has its application's and its node's name",
		"network_interface_ids": "write virtual_network and subnet",
	}
	g.own("resource_group_name", "resource_group", "location", "location", "size", "size", "admin_username", "admin_username",
		"admin_password", "admin_password_credential", "source_image_id", "image_id", "source_image_reference", "image",
		"custom_data", fromCloudInit, "tags", "tags", "admin_ssh_key", "public_key", "priority", "spot",
		"eviction_policy", "spot", "max_bid_price", "spot", "os_disk", "os_disk")
	g.set(len(a.Zones) > 0, "zone", "zones")
	g.set(a.Identity != nil, "identity", "identity")
	return g
}
