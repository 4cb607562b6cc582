package tfgen

import (
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// azureNetwork writes the nodes' interfaces and what belongs to them.
func azureNetwork(body *hclwrite.Body, app *spec.Application, group *spec.Group) {
	a := group.Azure
	if a.PublicIP {
		ip := azureResource(body, app, group, azurePublicIP)
		ip.SetAttributeValue("allocation_method", cty.StringVal("Static"))
		ip.SetAttributeValue("sku", cty.StringVal("Standard"))
		setExpr(ip, "tags", "local.tags[each.key]")
		ignoreChanges(ip, []string{"location"}, "A running node keeps its address.")
		body.AppendNewline()
	}
	card := azureResource(body, app, group, azureInterface)
	card.AppendNewline()
	address := card.AppendNewBlock("ip_configuration", nil).Body()
	address.SetAttributeValue("name", cty.StringVal("node"))
	setExpr(address, "subnet_id", "var.shared.subnet_id")
	address.SetAttributeValue("private_ip_address_allocation", cty.StringVal("Dynamic"))
	if a.PublicIP {
		setExpr(address, "public_ip_address_id", azurePublicIP+".node[each.key].id")
	}
	card.AppendNewline()
	setExpr(card, "tags", "local.tags[each.key]")
	ignoreChanges(card, []string{"ip_configuration[0].subnet_id", "location"}, "A running node stays in its subnet.")
	body.AppendNewline()
	if a.NetworkSecurityGroup != "" {
		association := body.AppendNewBlock("resource", []string{azureAssociation, "node"}).Body()
		setExpr(association, "for_each", "var.nodes")
		association.AppendNewline()
		setExpr(association, "network_interface_id", azureInterface+".node[each.key].id")
		setExpr(association, "network_security_group_id", "var.shared.network_security_group_id")
		ignoreChanges(association, []string{"network_security_group_id"}, "Another security group would leave a running node without any for a moment.")
		body.AppendNewline()
	}
}

// azureResource starts a resource of each node with what all of them have.
func azureResource(body *hclwrite.Body, app *spec.Application, group *spec.Group, kind string) *hclwrite.Body {
	block := body.AppendNewBlock("resource", []string{kind, "node"}).Body()
	setExpr(block, "for_each", "var.nodes")
	block.AppendNewline()
	setExpr(block, "name", "%s", azureName(app))
	setExpr(block, "resource_group_name", "each.value.resource_group")
	setExpr(block, "location", "%s", azureLocation(group.Azure))
	return block
}
