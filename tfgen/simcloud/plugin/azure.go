package plugin

import (
	"errors"
	"fmt"
	"strings"
)

// Places of Azure's resources under a resource group.
const (
	azureCompute = "Microsoft.Compute"
	azureNetwork = "Microsoft.Network"
)

func azureKinds() map[string]*kind {
	return map[string]*kind{
		"azurerm_linux_virtual_machine":   azureMachine("Linux Virtual Machine"),
		"azurerm_windows_virtual_machine": azureWindows(),
		"azurerm_network_interface":       azureInterface(),
		"azurerm_public_ip":               azurePublicIP(),
		"azurerm_resource_group": {
			title: "Resource Group", forceNew: []string{"name", "location"},
			create: func(m *making) error {
				m.next.set("id", m.group(m.next.str("name")))
				return nil
			},
		},
		"azurerm_virtual_network": {
			title: "Virtual Network", forceNew: []string{"name", "location", "resource_group_name", "edge_zone"},
			rules: []rule{exactlyOne("address_space", "ip_address_pool")},
			create: func(m *making) error {
				m.next.set("guid", uuidOf("guid", m.uuid()))
				m.next.fill("dns_servers", []string{})
				m.next.fill("subnet", emptyBlocks(m.next.attrs["subnet"].Type()))
				return m.azure(azureNetwork + "/virtualNetworks/" + m.next.str("name"))
			},
		},
		"azurerm_subnet": {
			title: "Subnet", forceNew: []string{"name", "resource_group_name", "virtual_network_name"},
			rules: []rule{exactlyOne("address_prefixes", "ip_address_pool")},
			create: func(m *making) error {
				m.next.fill("network_security_group_id", "")
				m.next.fill("route_table_id", "")
				return m.azure(azureNetwork + "/virtualNetworks/" + m.next.str("virtual_network_name") + "/subnets/" + m.next.str("name"))
			},
		},
		"azurerm_network_security_group": {
			title: "Network Security Group", forceNew: []string{"name", "location", "resource_group_name"},
			create: func(m *making) error {
				m.next.fill("security_rule", emptyBlocks(m.next.attrs["security_rule"].Type()))
				return m.azure(azureNetwork + "/networkSecurityGroups/" + m.next.str("name"))
			},
		},
		"azurerm_network_security_rule": {
			title: "Security Rule", forceNew: []string{"name", "resource_group_name", "network_security_group_name"},
			rules: []rule{
				oneOf("access", "Allow", "Deny"), oneOf("direction", "Inbound", "Outbound"),
				oneOf("protocol", "*", "Tcp", "Udp", "Icmp", "Ah", "Esp"),
				conflicts("source_port_range", "source_port_ranges"), conflicts("destination_port_range", "destination_port_ranges"),
			},
			create: func(m *making) error {
				return m.azure(azureNetwork + "/networkSecurityGroups/" + m.next.str("network_security_group_name") + "/securityRules/" + m.next.str("name"))
			},
		},
		"azurerm_network_interface_security_group_association": {
			title: "Network Interface Security Group Association", inPlace: []string{},
			create: func(m *making) error {
				m.next.set("id", m.next.str("network_interface_id")+"|"+m.next.str("network_security_group_id"))
				return m.needs("azurerm_network_interface", m.next.str("network_interface_id"))
			},
		},
		"azurerm_managed_disk": {
			title: "Managed Disk", forceNew: []string{"name", "location", "resource_group_name", "create_option", "zone", "edge_zone", "image_reference_id", "source_resource_id", "hyper_v_generation", "os_type"},
			rules: []rule{
				oneOf("create_option", "Copy", "Empty", "FromImage", "Import", "ImportSecure", "Restore", "Upload"),
				oneOf("storage_account_type", "Standard_LRS", "StandardSSD_ZRS", "Premium_LRS", "PremiumV2_LRS", "Premium_ZRS", "StandardSSD_LRS", "UltraSSD_LRS"),
			},
			create: func(m *making) error {
				m.next.fill("source_uri", "")
				m.next.fill("tier", "")
				for _, name := range []string{"disk_size_gb", "disk_iops_read_write", "disk_mbps_read_write", "disk_iops_read_only", "disk_mbps_read_only", "max_shares", "logical_sector_size"} {
					m.next.fill(name, 0)
				}
				return m.azure(azureCompute + "/disks/" + m.next.str("name"))
			},
			remove: azureInUse("azurerm_virtual_machine_data_disk_attachment", "managed_disk_id", "Disk %s is attached to VM %s."),
		},
		"azurerm_virtual_machine_data_disk_attachment": {
			title: "Data Disk Attachment", inPlace: []string{"caching", "write_accelerator_enabled"},
			rules: []rule{oneOf("caching", "None", "ReadOnly", "ReadWrite")},
			create: func(m *making) error {
				disk := m.next.str("managed_disk_id")
				m.next.set("id", m.next.str("virtual_machine_id")+"/dataDisks/"+disk[strings.LastIndexByte(disk, '/')+1:])
				return nil
			},
		},
	}
}

// group is the id of a resource group.
func (m *making) group(name string) string {
	return "/subscriptions/" + m.server.account.number + "/resourceGroups/" + name
}

// azure sets the id of a resource in its group, which must exist.
func (m *making) azure(place string) error {
	name := m.next.str("resource_group_name")
	m.next.set("id", m.group(name)+"/providers/"+place)
	if m.Exists("azurerm_resource_group", m.group(name)) {
		return nil
	}
	has, err := m.Has("resource_group", name)
	if err != nil || has {
		return err
	}
	return inWords("creating %s: unexpected status 404 (404 Not Found) with error: ResourceGroupNotFound: Resource group '%s' could not be found.", m.next.str("id"), name)
}

// needs refuses a creation that names a resource of ours that does not exist.
func (m *making) needs(typ, id string) error {
	if m.Exists(typ, id) {
		return nil
	}
	return inWords("creating %s: unexpected status 400 (400 Bad Request) with error: InvalidResourceReference: Resource %s referenced by resource %s was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.", m.next.str("id"), id, m.next.str("id"))
}

// azureInUse refuses a deletion while a resource of another type names this one.
func azureInUse(typ, attribute, message string) func(*making) error {
	return func(m *making) error {
		others, err := m.List(typ)
		if err != nil {
			return err
		}
		id := m.prior.str("id")
		for _, r := range others {
			named, _ := r.Attribute(attribute).(string)
			if strings.EqualFold(named, id) {
				return fmt.Errorf("deleting %s: unexpected status 409 (409 Conflict) with error: OperationNotAllowed: "+message, id, id, r.ID)
			}
		}
		return nil
	}
}

func azureInterface() *kind {
	return &kind{
		title: "Network Interface", forceNew: []string{"name", "location", "resource_group_name", "edge_zone"},
		rules: []rule{oneOf("ip_configuration.private_ip_address_allocation", "Dynamic", "Static")},
		plan: func(_ *Server, p *planned) {
			if p.changed("ip_configuration") {
				p.later("private_ip_address", "private_ip_addresses")
			}
		},
		create: func(m *making) error {
			o := m.next
			if err := m.azure(azureNetwork + "/networkInterfaces/" + o.str("name")); err != nil {
				return err
			}
			o.set("mac_address", strings.ToUpper(strings.ReplaceAll(m.mac(), ":", "-")))
			o.set("applied_dns_servers", []string{})
			o.set("internal_domain_name_suffix", uuidOf("dns", o.str("location"))[:18]+".internal.cloudapp.net")
			o.set("virtual_machine_id", "")
			return m.ipConfigurations()
		},
		update: func(m *making) error { return m.ipConfigurations() },
		remove: func(m *making) error {
			if vm := m.prior.str("virtual_machine_id"); vm != "" && (m.Exists("azurerm_linux_virtual_machine", vm) || m.Exists("azurerm_windows_virtual_machine", vm)) {
				return inWords("deleting %s: performing Delete: unexpected status 400 (400 Bad Request) with error: NicInUse: Network Interface %s is used by existing resource %s. In order to delete the network interface, it must be dissociated from the resource.", m.prior.str("id"), m.prior.str("id"), vm)
			}
			return nil
		},
	}
}

// ipConfigurations gives an interface its addresses.
func (m *making) ipConfigurations() error {
	o := m.next
	var ips []string
	var failed error
	if m.prior != nil {
		for _, b := range m.prior.blocks("ip_configuration") {
			failed = errors.Join(failed, m.usePublicIP(b.str("public_ip_address_id"), ""))
		}
	}
	o.edit("ip_configuration", func(i int, b *object) {
		ip := m.privateIP()
		if i > 0 { // the serial belongs to one address
			ip = fmt.Sprintf("127.255.%d.%d", m.serial%256, i)
		}
		b.fill("private_ip_address", ip)
		b.fill("primary", i == 0)
		b.fill("gateway_load_balancer_frontend_ip_configuration_id", "")
		ips = append(ips, b.str("private_ip_address"))
		failed = errors.Join(failed, m.usePublicIP(b.str("public_ip_address_id"), o.str("id")))
	})
	if !o.known("private_ip_address") {
		o.set("private_ip_address", ips[0])
	}
	if !o.known("private_ip_addresses") {
		o.set("private_ip_addresses", ips)
	}
	return failed
}

// usePublicIP shows at a public address which interface has it. One that Terraform
// did not make may be in the catalogue.
func (m *making) usePublicIP(id, user string) error {
	if id == "" {
		return nil
	}
	r, exists := m.Get("azurerm_public_ip", id)
	if !exists && user == "" {
		return nil
	}
	if !exists {
		has, err := m.Has("public_ip", id, id[strings.LastIndexByte(id, '/')+1:])
		if err == nil && !has {
			err = m.needs("azurerm_public_ip", id)
		}
		return err
	}
	if user != "" && r.User != "" && !strings.EqualFold(r.User, user) && m.Exists("azurerm_network_interface", r.User) {
		return inWords("creating %s: unexpected status 400 (400 Bad Request) with error: PublicIPAddressInUse: Resource %s is referencing public IP address %s that is already allocated to resource %s.", user, user, id, r.User)
	}
	r.User = user
	return m.Put(r)
}

func azurePublicIP() *kind {
	return &kind{
		title: "Public IP Address", forceNew: []string{"name", "location", "resource_group_name", "edge_zone", "ip_version", "public_ip_prefix_id", "sku", "sku_tier", "zones", "ip_tags"},
		rules: []rule{oneOf("allocation_method", "Static", "Dynamic"), oneOf("sku", "Basic", "Standard"), oneOf("ip_version", "IPv4", "IPv6"), standardIsStatic},
		create: func(m *making) error {
			ip := m.publicIP()
			if m.next.str("allocation_method") == "Dynamic" {
				ip = ""
			}
			m.next.fill("ip_address", ip)
			fqdn := ""
			if label := m.next.str("domain_name_label"); label != "" {
				fqdn = label + "." + m.next.str("location") + ".cloudapp.azure.com"
			}
			m.next.fill("fqdn", fqdn)
			return m.azure(azureNetwork + "/publicIPAddresses/" + m.next.str("name"))
		},
		remove: func(m *making) error {
			id := m.prior.str("id")
			r, _ := m.Get(m.typ, id)
			if r.User == "" || !m.Exists("azurerm_network_interface", r.User) {
				return nil
			}
			return inWords("deleting %s: performing Delete: unexpected status 400 (400 Bad Request) with error: PublicIPAddressCannotBeDeleted: Public IP address %s can not be deleted since it is still allocated to resource %s.", id, id, r.User)
		},
	}
}

// standardIsStatic is Azure's rule that a Standard address, the default, is Static.
func standardIsStatic(o *object) (string, string) {
	if o.str("allocation_method") == "Dynamic" && o.attrs["sku"].IsKnown() && first(o.str("sku"), "Standard") == "Standard" {
		return "allocation_method", "Static IP allocation must be used when creating Standard SKU public IP addresses"
	}
	return "", ""
}
