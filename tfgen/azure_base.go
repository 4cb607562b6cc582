package tfgen

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// azureShared is what the base looks up for the shards.
func azureShared(a *spec.Azure) []sharedValue {
	values := []sharedValue{{"subnet_id", "string", "data.azurerm_subnet.nodes.id"}}
	if a.Location == "" {
		values = append(values, sharedValue{"location", "string", "data.azurerm_resource_group.nodes.location"})
	}
	if a.NetworkSecurityGroup != "" {
		values = append(values, sharedValue{"network_security_group_id", "string", "data.azurerm_network_security_group.nodes.id"})
	}
	return values
}

// azureBase looks up what exists already and the nodes need. It makes nothing.
func azureBase(app *spec.Application, group *spec.Group) Module {
	a := group.Azure
	f := newFile(app, group)
	if a.Location == "" {
		resources := f.Body().AppendNewBlock("data", []string{"azurerm_resource_group", "nodes"}).Body()
		resources.SetAttributeValue("name", cty.StringVal(a.ResourceGroup))
		f.Body().AppendNewline()
	}
	subnet := f.Body().AppendNewBlock("data", []string{"azurerm_subnet", "nodes"}).Body()
	subnet.SetAttributeValue("name", cty.StringVal(a.Subnet))
	subnet.SetAttributeValue("virtual_network_name", cty.StringVal(a.VirtualNetwork))
	subnet.SetAttributeValue("resource_group_name", cty.StringVal(a.NetworkResourceGroup))
	if a.NetworkSecurityGroup != "" {
		f.Body().AppendNewline()
		security := f.Body().AppendNewBlock("data", []string{"azurerm_network_security_group", "nodes"}).Body()
		security.SetAttributeValue("name", cty.StringVal(a.NetworkSecurityGroup))
		security.SetAttributeValue("resource_group_name", cty.StringVal(a.NetworkResourceGroup))
	}
	return Module{Files: []File{
		versions(app, group, azureProviderSource),
		azureProvider(app, group),
		finish("main.tf", f),
		sharedOutput(app, group, azureShared(a)),
	}}
}
