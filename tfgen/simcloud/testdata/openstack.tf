terraform {
  required_providers {
    openstack = {
      source  = "terraform-provider-openstack/openstack"
      version = "~> 3.0"
    }
  }
}

provider "openstack" {}

locals {
  nodes = { a = {}, b = {} }
}

data "openstack_networking_network_v2" "private" {
  name = "private"
}

data "openstack_compute_flavor_v2" "small" {
  name = "m1.small"
}

data "openstack_images_image_v2" "ubuntu" {
  name        = "ubuntu-24.04"
  most_recent = true
}

resource "openstack_compute_keypair_v2" "node" {
  name       = "shop"
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJxQ nobody@example"
}

resource "openstack_compute_servergroup_v2" "node" {
  name     = "shop"
  policies = ["soft-anti-affinity"]
}

resource "openstack_networking_secgroup_v2" "node" {
  name = "shop"
}

resource "openstack_networking_secgroup_rule_v2" "ssh" {
  security_group_id = openstack_networking_secgroup_v2.node.id
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 22
  port_range_max    = 22
}

resource "openstack_networking_port_v2" "node" {
  for_each           = local.nodes
  name               = "shop-${each.key}"
  network_id         = data.openstack_networking_network_v2.private.id
  security_group_ids = [openstack_networking_secgroup_v2.node.id]
}

resource "openstack_compute_instance_v2" "node" {
  for_each     = local.nodes
  name         = "shop-${each.key}"
  image_id     = data.openstack_images_image_v2.ubuntu.id
  flavor_name  = "m1.small"
  key_pair     = openstack_compute_keypair_v2.node.name
  config_drive = true
  user_data    = "#cloud-config\n"
  metadata     = { application = "shop", node = each.key }

  network {
    port = openstack_networking_port_v2.node[each.key].id
  }

  scheduler_hints {
    group = openstack_compute_servergroup_v2.node.id
  }
}

resource "openstack_networking_floatingip_v2" "node" {
  for_each = { a = {} }
  pool     = "public"
}

resource "openstack_networking_floatingip_associate_v2" "node" {
  for_each    = openstack_networking_floatingip_v2.node
  floating_ip = each.value.address
  port_id     = openstack_networking_port_v2.node[each.key].id
}

output "nodes" {
  value = { for key, node in openstack_compute_instance_v2.node : key => {
    id         = node.id
    private_ip = node.access_ip_v4
    public_ip  = try(openstack_networking_floatingip_v2.node[key].address, "")
  } }
}
