package plugin

import (
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"
)

func openstackKinds() map[string]*kind {
	return map[string]*kind{
		"openstack_compute_instance_v2": openstackInstance(),
		"openstack_compute_keypair_v2": {
			title: "keypair", call: "v2.1/os-keypairs", inPlace: []string{}, plan: planOpenStack,
			unread: []string{"value_specs"},
			create: func(m *making) error {
				name := m.next.str("name")
				if m.next.str("public_key") == "" {
					m.next.set("public_key", "ssh-rsa "+hexOf("", name, fmt.Sprint(m.serial))+" Generated-by-Nova")
					m.next.set("private_key", "-----BEGIN RSA PRIVATE KEY-----\nsimulated\n-----END RSA PRIVATE KEY-----\n")
				}
				m.next.fill("private_key", "")
				m.next.fill("user_id", uuidOf("user", m.server.account.tenant))
				m.next.set("fingerprint", fingerprint(m.next.str("public_key")))
				m.next.set("id", name)
				return nil
			},
		},
		"openstack_compute_servergroup_v2": {
			title: "server group", call: "v2.1/os-server-groups", inPlace: []string{}, plan: planOpenStack,
			unread: []string{"value_specs"},
			rules:  []rule{serverGroupPolicy},
			create: func(m *making) error { m.next.fill("members", []string{}); return nil },
		},
		"openstack_networking_floatingip_v2": {
			title: "floating IP", call: "v2.0/floatingips", plan: planOpenStack,
			forceNew: []string{"address", "pool", "subnet_id", "subnet_ids", "tenant_id", "region", "value_specs", "dns_name", "dns_domain"},
			unread:   []string{"value_specs", "subnet_ids"},
			create: func(m *making) error {
				if err := m.lacks("network", m.next.str("pool"), `Error retrieving OpenStack floating IP pool name: No Network found with name "%s"`); err != nil {
					return err
				}
				m.next.fill("address", m.publicIP())
				m.next.set("id", floatingIPID(m.server.account.name, m.next.str("address")))
				m.next.fill("tenant_id", m.server.account.tenant)
				for _, name := range []string{"port_id", "fixed_ip", "subnet_id", "dns_name", "dns_domain"} {
					m.next.fill(name, "")
				}
				return nil
			},
		},
		"openstack_networking_floatingip_associate_v2": {
			title: "floating IP association", call: "v2.0/floatingips", forceNew: []string{"floating_ip", "region"}, plan: planOpenStack,
			create: func(m *making) error { return m.associateFloatingIP() },
			update: func(m *making) error { return m.associateFloatingIP() },
			remove: func(m *making) error { return m.showFloatingIP(m.prior, "", "") },
		},
		"openstack_networking_port_v2": openstackPort(),
		"openstack_networking_secgroup_v2": {
			title: "security group", call: "v2.0/security-groups", forceNew: []string{"tenant_id", "region", "delete_default_rules"}, plan: planOpenStack,
			unread: []string{"delete_default_rules"},
			create: func(m *making) error {
				m.next.fill("tenant_id", m.server.account.tenant)
				m.next.fill("stateful", true)
				m.next.fill("description", "")
				return nil
			},
		},
		"openstack_networking_secgroup_rule_v2": {
			title: "security group rule", call: "v2.0/security-group-rules", inPlace: []string{}, plan: planOpenStack,
			rules: []rule{oneOf("direction", "ingress", "egress"), oneOf("ethertype", "IPv4", "IPv6"), conflicts("remote_ip_prefix", "remote_group_id")},
			create: func(m *making) error {
				m.next.fill("tenant_id", m.server.account.tenant)
				for _, name := range []string{"remote_ip_prefix", "remote_group_id", "remote_address_group_id"} {
					m.next.fill(name, "")
				}
				return nil
			},
		},
		"openstack_blockstorage_volume_v3": {
			title: "volume", call: "v3/volumes", plan: planOpenStack,
			forceNew: []string{"availability_zone", "backup_id", "consistency_group_id", "image_id", "snapshot_id", "source_replica", "source_vol_id", "scheduler_hints", "region"},
			unread:   []string{"enable_online_resize", "volume_retype_policy", "scheduler_hints"},
			create: func(m *making) error {
				m.next.fill("availability_zone", "nova")
				m.next.fill("volume_type", "default")
				m.next.fill("metadata", map[string]string{})
				m.next.fill("attachment", emptyBlocks(m.next.attrs["attachment"].Type()))
				return nil
			},
		},
		"openstack_compute_volume_attach_v2": {
			title: "volume attachment", call: "v2.1/servers/os-volume_attachments", inPlace: []string{"vendor_options"}, plan: planOpenStack,
			unread: []string{"vendor_options"},
			create: func(m *making) error {
				m.next.fill("device", "/dev/vdb")
				m.next.set("id", m.next.str("instance_id")+"/"+m.next.str("volume_id"))
				return nil
			},
		},
	}
}

// planOpenStack settles the region and the tags, which are shown twice.
func planOpenStack(s *Server, p *planned) {
	if p.prior == nil {
		p.next.fill("region", s.account.region)
	}
	for all, own := range map[string]string{"all_tags": "tags", "all_metadata": "metadata"} {
		if !p.next.has(all) {
			continue
		}
		switch v := p.next.attrs[own]; {
		case v.IsNull() && p.next.attrs[all].Type().IsMapType():
			p.next.attrs[all] = cty.MapValEmpty(cty.String)
		case v.IsNull():
			p.next.attrs[all] = cty.SetValEmpty(cty.String)
		case v.IsWhollyKnown():
			p.next.attrs[all] = v
		default:
			p.later(all)
		}
	}
}

func serverGroupPolicy(o *object) (string, string) {
	known := []string{"affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"}
	for _, policy := range o.strs("policies") {
		if !slices.Contains(known, policy) {
			return "policies", fmt.Sprintf("expected policies to be one of %q, got %s", known, policy)
		}
	}
	return "", ""
}

// lacks refuses a name that the catalogue does not have.
func (m *making) lacks(kind, name, message string) error {
	if name == "" {
		return nil
	}
	has, err := m.Has(kind, name)
	if err != nil || has {
		return err
	}
	return fmt.Errorf(message, name)
}

func openstackPort() *kind {
	return &kind{
		title: "Neutron port", call: "v2.0/ports",
		plan: func(s *Server, p *planned) {
			planOpenStack(s, p)
			if p.changed("security_group_ids", "no_security_groups") {
				p.later("all_security_group_ids")
			}
		},
		forceNew: []string{"network_id", "mac_address", "tenant_id", "device_owner", "value_specs", "region"},
		unread:   []string{"value_specs", "no_fixed_ip", "no_security_groups", "fixed_ip", "security_group_ids", "extra_dhcp_option"},
		rules:    []rule{conflicts("fixed_ip", "no_fixed_ip"), conflicts("security_group_ids", "no_security_groups")},
		create: func(m *making) error {
			o := m.next
			if err := m.lacksID("network", o.str("network_id"), `Error creating openstack_networking_port_v2: Resource not found: [POST v2.0/ports], error message: {"NeutronError": {"type": "NetworkNotFound", "message": "Network %s could not be found.", "detail": ""}}`); err != nil {
				return err
			}
			ips := []string{}
			if !o.flag("no_fixed_ip", false) {
				for _, b := range o.blocks("fixed_ip") {
					ips = append(ips, first(b.str("ip_address"), m.privateIP()))
				}
				if len(ips) == 0 {
					ips = append(ips, m.privateIP())
				}
			}
			o.set("all_fixed_ips", ips)
			groups := o.strs("security_group_ids")
			if len(groups) == 0 && !o.flag("no_security_groups", false) {
				groups = []string{uuidOf("security_group", m.server.account.name, "default")}
			}
			o.set("all_security_group_ids", groups)
			o.fill("mac_address", m.mac())
			o.fill("admin_state_up", true)
			o.fill("port_security_enabled", true)
			o.fill("tenant_id", m.server.account.tenant)
			o.fill("dns_assignment", cty.ListValEmpty(cty.Map(cty.String)))
			for _, name := range []string{"device_id", "device_owner", "dns_name", "qos_policy_id"} {
				o.fill(name, "")
			}
			o.edit("binding", func(_ int, b *object) {
				b.fill("host_id", "")
				b.fill("vif_type", "ovs")
				b.fill("vif_details", map[string]string{})
			})
			return nil
		},
		update: func(m *making) error {
			if groups := m.next.strs("security_group_ids"); len(groups) > 0 {
				m.next.set("all_security_group_ids", groups)
			}
			return nil
		},
	}
}

// lacksID is lacks for an identifier: the catalogue may have it or the name it belongs to.
func (m *making) lacksID(kind, id, message string) error {
	names, listed, err := m.Names(kind)
	if err != nil || !listed || id == "" || slices.Contains(names, id) {
		return err
	}
	for _, name := range names {
		if uuidOf(kind, m.server.account.name, name) == id {
			return nil
		}
	}
	return fmt.Errorf(message, id)
}

// associateFloatingIP ties an address to a port.
func (m *making) associateFloatingIP() error {
	o := m.next
	id := floatingIPID(m.server.account.name, o.str("floating_ip"))
	fip, err := m.other("openstack_networking_floatingip_v2", id)
	if err != nil {
		return err
	}
	if fip == nil {
		return inWords("Unable to get ID of openstack_networking_floatingip_associate_v2 floating_ip %s: No Floating IP found", o.str("floating_ip"))
	}
	port, err := m.other("openstack_networking_port_v2", o.str("port_id"))
	if err != nil {
		return err
	}
	if port == nil {
		return inWords(`Error associating openstack_networking_floatingip_associate_v2 floating_ip %s with port %s: Expected HTTP response code [200] but got 404 instead: {"NeutronError": {"type": "PortNotFound", "message": "Port %s could not be found.", "detail": ""}}`, fip.str("id"), o.str("port_id"), o.str("port_id"))
	}
	if !o.known("fixed_ip") {
		o.set("fixed_ip", first(append(port.strs("all_fixed_ips"), "")...))
	}
	o.set("id", fip.str("id"))
	return m.showFloatingIP(o, o.str("port_id"), o.str("fixed_ip"))
}

// showFloatingIP shows an association, or its end, at the floating IP.
func (m *making) showFloatingIP(association *object, port, fixedIP string) error {
	return m.put("openstack_networking_floatingip_v2", association.str("id"), func(o *object) {
		o.set("port_id", port)
		o.set("fixed_ip", fixedIP)
	})
}

// floatingIPID is the identifier of an address, so that an association, which
// names the address, finds it without looking at all of them.
func floatingIPID(account, address string) string { return uuidOf("floatingip", account, address) }
