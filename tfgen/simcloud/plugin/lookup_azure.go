package plugin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

func azureLookups() map[string]lookup {
	return map[string]lookup{
		"azurerm_image":                  lookupAzureImage,
		"azurerm_network_security_group": lookupNSG,
		"azurerm_public_ip":              lookupPublicIP,
		"azurerm_resource_group":         lookupGroup,
		"azurerm_resources":              lookupAzureResources,
		"azurerm_subnet":                 lookupAzureSubnet,
		"azurerm_virtual_machine":        lookupAzureMachine,
		"azurerm_virtual_network":        lookupVirtualNetwork,
	}
}

// location is where the resource groups of the catalogue are.
const location = "westeurope"

func (l *looking) groupID(name string) string {
	return "/subscriptions/" + l.server.account.number + "/resourceGroups/" + name
}

// azure looks for a resource of ours, then in the catalogue, and sets the id.
func (l *looking) azure(kind, title, typ, id, name string) error {
	l.o.set("id", id)
	if typ != "" {
		o, err := l.resource(typ, id)
		if err != nil {
			return err
		}
		if o != nil {
			l.copyFrom(o)
			return nil
		}
	}
	group := l.o.str("resource_group_name")
	if group != "" && !l.Exists("azurerm_resource_group", l.groupID(group)) {
		has, err := l.Has("resource_group", group)
		if err != nil || !has {
			return or(err, fmt.Sprintf("retrieving %s: unexpected status 404 (404 Not Found) with error: ResourceGroupNotFound: Resource group '%s' could not be found.", id, group))
		}
	}
	has, err := l.Has(kind, name)
	if err != nil || !has {
		return or(err, fmt.Sprintf("%s (Subscription: %q\nResource Group Name: %q\nName: %q) was not found", title, l.server.account.number, group, name))
	}
	l.o.answer("location", location)
	l.o.answer("tags", map[string]string{})
	return nil
}

func lookupGroup(l *looking) error {
	name := l.o.str("name")
	l.o.answer("managed_by", "")
	return l.azure("resource_group", "Resource Group", "azurerm_resource_group", l.groupID(name), name)
}

func lookupVirtualNetwork(l *looking) error {
	name := l.o.str("name")
	id := l.groupID(l.o.str("resource_group_name")) + "/providers/" + azureNetwork + "/virtualNetworks/" + name
	if err := l.azure("virtual_network", "Virtual Network", "azurerm_virtual_network", id, name); err != nil {
		return err
	}
	l.o.answer("address_space", []string{"10.0.0.0/8"})
	l.o.answer("dns_servers", []string{})
	l.o.answer("subnets", []string{"default"})
	l.o.answer("guid", uuidOf("guid", id))
	l.o.answer("vnet_peerings", map[string]string{})
	l.o.answer("vnet_peerings_addresses", []string{})
	return nil
}

func lookupAzureSubnet(l *looking) error {
	name, network := l.o.str("name"), l.o.str("virtual_network_name")
	id := l.groupID(l.o.str("resource_group_name")) + "/providers/" + azureNetwork + "/virtualNetworks/" + network + "/subnets/" + name
	if err := l.azure("subnet", "Subnet", "azurerm_subnet", id, network+"/"+name); err != nil {
		return err
	}
	l.o.answer("address_prefixes", []string{"10.0.0.0/16"})
	l.o.answer("address_prefix", first(append(l.o.strs("address_prefixes"), "")...))
	l.o.answer("network_security_group_id", "")
	l.o.answer("route_table_id", "")
	l.o.answer("default_outbound_access_enabled", true)
	return nil
}

func lookupNSG(l *looking) error {
	name := l.o.str("name")
	id := l.groupID(l.o.str("resource_group_name")) + "/providers/" + azureNetwork + "/networkSecurityGroups/" + name
	l.list("security_rule", nil)
	return l.azure("security_group", "Network Security Group", "azurerm_network_security_group", id, name)
}

func lookupPublicIP(l *looking) error {
	name := l.o.str("name")
	id := l.groupID(l.o.str("resource_group_name")) + "/providers/" + azureNetwork + "/publicIPAddresses/" + name
	if err := l.azure("public_ip", "Public I P Address", "azurerm_public_ip", id, name); err != nil {
		return err
	}
	l.o.answer("allocation_method", "Static")
	l.o.answer("ip_address", "198.19.255.254")
	l.o.answer("sku", "Standard")
	l.o.answer("ip_version", "IPv4")
	return nil
}

func lookupAzureImage(l *looking) error {
	name := first(l.o.str("name"), l.o.str("name_regex"))
	id := l.groupID(l.o.str("resource_group_name")) + "/providers/" + azureCompute + "/images/" + name
	l.o.answer("name", name)
	l.o.answer("zone_resilient", false)
	l.list("data_disk", nil)
	l.list("os_disk", nil)
	return l.azure("image", "Image", "", id, name)
}

func lookupAzureMachine(l *looking) error {
	id := l.groupID(l.o.str("resource_group_name")) + "/providers/" + azureCompute + "/virtualMachines/" + l.o.str("name")
	for _, typ := range []string{"azurerm_linux_virtual_machine", "azurerm_windows_virtual_machine"} {
		o, err := l.resource(typ, id)
		if err != nil {
			return err
		}
		if o != nil {
			l.list("identity", nil)
			l.o.set("power_state", "running")
			l.copyFrom(o)
			return nil
		}
	}
	return inWords("Virtual Machine (Subscription: %q\nResource Group Name: %q\nVirtual Machine Name: %q) was not found",
		l.server.account.number, l.o.str("resource_group_name"), l.o.str("name"))
}

// azureTypes are Azure's names of the types that azurerm_resources finds.
var azureTypes = map[string]string{
	"azurerm_linux_virtual_machine":   "Microsoft.Compute/virtualMachines",
	"azurerm_windows_virtual_machine": "Microsoft.Compute/virtualMachines",
	"azurerm_managed_disk":            "Microsoft.Compute/disks",
	"azurerm_network_interface":       "Microsoft.Network/networkInterfaces",
	"azurerm_network_security_group":  "Microsoft.Network/networkSecurityGroups",
	"azurerm_public_ip":               "Microsoft.Network/publicIPAddresses",
	"azurerm_virtual_network":         "Microsoft.Network/virtualNetworks",
}

func lookupAzureResources(l *looking) error {
	var rows []map[string]any
	for _, typ := range slices.Sorted(maps.Keys(azureTypes)) {
		if want := l.o.str("type"); want != "" && !strings.EqualFold(want, azureTypes[typ]) {
			continue
		}
		all, err := l.List(typ)
		if err != nil {
			return err
		}
		for _, r := range all {
			if row := l.azureRow(r); row != nil {
				rows = append(rows, row)
			}
		}
	}
	l.list("resources", rows)
	l.o.answer("id", "resource-"+uuidOf(l.account, l.o.str("type")))
	for _, name := range []string{"name", "type", "resource_group_name"} {
		l.o.answer(name, "")
	}
	return nil
}

// azureRow shows a resource that the query is for, nil for any other.
func (l *looking) azureRow(r simcloud.Resource) map[string]any {
	group, _ := r.Attribute("resource_group_name").(string)
	where, _ := r.Attribute("location").(string)
	if want := l.o.str("resource_group_name"); want != "" && !strings.EqualFold(want, group) {
		return nil
	}
	if want := l.o.str("name"); want != "" && !strings.EqualFold(want, r.Name) {
		return nil
	}
	if !tagged(r.Tags, l.o.pairs("required_tags")) {
		return nil
	}
	return map[string]any{
		"id": r.ID, "name": r.Name, "type": azureTypes[r.Type], "location": where, "resource_group_name": group, "tags": r.Tags,
	}
}
