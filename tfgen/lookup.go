package tfgen

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// LookupName is the directory name of the root module that finds a group's machines.
const LookupName = "lookup"

// FoundOutput is the output of a lookup: a list of objects with the attributes of
// Found.
const FoundOutput = "found"

// KnownFile is the name of the file that tells a lookup what need not be looked at.
const KnownFile = "known.auto.tfvars.json"

// Found is a resource in a cloud that has a group's tags.
type Found struct {
	// Type is Terraform's resource type, and ID what an import takes.
	Type string `json:"type"`
	ID   string `json:"id"`
	// Application, Group, Node, Decision and Installation are its tags, empty where
	// it has none.
	Application  string `json:"application"`
	Group        string `json:"group"`
	Node         string `json:"node"`
	Decision     string `json:"decision"`
	Installation string `json:"installation"`
}

// Known is the content of KnownFile: identifiers of resources that are known, of
// which a lookup tells nothing. It saves a call to the cloud for each.
func Known(ids []string) ([]byte, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if ids == nil {
		ids = []string{}
	}
	text, err := json.Marshal(map[string][]string{"known": ids})
	if err != nil {
		return nil, fmt.Errorf("encode known resources: %w", err)
	}
	return text, nil
}

// Lookup generates the root module that finds what a cloud has of a group, by the
// tags that each node carries from its creation call on. It manages nothing: its
// output FoundOutput is all it makes. It has no files where nothing can be found:
// nodes that are processes, or made by a module of the user's.
//
// What it finds is what the providers' data sources can: on EC2 instances; on Azure
// machines, interfaces and public addresses; on OpenStack, whose provider cannot
// list servers, the group's ports and the servers on them. So on OpenStack it finds
// no server of a group without networks, and no floating address.
func Lookup(app *spec.Application, group *spec.Group) (Module, error) {
	f := newFile(app, group)
	var source provider
	var configured File
	var err error
	switch group.Cloud {
	case spec.CloudEC2:
		source, configured = ec2ProviderSource, ec2Provider(app, group)
		ec2Lookup(f.Body(), app, group)
	case spec.CloudAzure:
		source, configured = azureProviderSource, azureProvider(app, group)
		azureLookup(f.Body(), app, group)
	case spec.CloudOpenStack:
		if len(group.OpenStack.Networks) == 0 {
			return Module{}, nil
		}
		source = openstackProviderSource
		if configured, err = openstackProvider(app, group); err != nil {
			return Module{}, err
		}
		openstackLookup(f.Body(), app, group)
	case spec.CloudLocal, spec.CloudModule:
		return Module{}, nil
	default:
		return Module{}, unknownCloud(group)
	}
	return Module{Files: []File{
		versions(app, group, source),
		configured,
		variables(app, group, variable{
			name: "known", kind: "set(string)",
			description: "Identifiers of what is known and not looked at. scalerd keeps them in " + KnownFile + ".",
		}),
		finish("main.tf", f),
	}}, nil
}

// data appends a data source.
func data(body *hclwrite.Body, kind, label string) *hclwrite.Body {
	return body.AppendNewBlock("data", []string{kind, label}).Body()
}

// foundOutput appends the output; value is an HCL list.
func foundOutput(body *hclwrite.Body, value string) {
	body.AppendNewline()
	output := body.AppendNewBlock("output", []string{FoundOutput}).Body()
	setExpr(output, "value", "%s", value)
}

// foundObject is one element of the output, in HCL; tag is the expression of a tag,
// with %s for its name.
func foundObject(kind, id, tag string) string {
	lines := []string{"type = " + quote(kind), "id = " + id}
	for _, name := range []string{"application", "group", "node", decided, installed} {
		lines = append(lines, name+" = "+fmt.Sprintf(tag, quote(name)))
	}
	return "{\n" + strings.Join(lines, "\n") + "\n}"
}

// groupTags are the tags that all nodes of a group have, in HCL.
func groupTags(app *spec.Application, group *spec.Group) string {
	return "{\napplication = " + quote(app.Name) + "\ngroup = " + quote(group.Name) + "\n}"
}

func ec2Lookup(body *hclwrite.Body, app *spec.Application, group *spec.Group) {
	all := data(body, "aws_instances", "group")
	setExpr(all, "instance_tags", "%s", groupTags(app, group))
	setExpr(all, "instance_state_names", `["pending", "running", "stopping", "stopped"]`)
	body.AppendNewline()
	each := data(body, ec2Machine, "unknown")
	setExpr(each, "for_each", "setsubtract(data.aws_instances.group.ids, var.known)")
	each.AppendNewline()
	setExpr(each, "instance_id", "each.key")
	foundOutput(body, "[for id, found in data.aws_instance.unknown : "+foundObject(ec2Machine, "id", `try(found.tags[%s], "")`)+"]")
}

// azureKinds are Azure's names of what a node may have, with Terraform's.
func azureKinds(a *spec.Azure) [][3]string {
	return [][3]string{
		{"machines", "Microsoft.Compute/virtualMachines", azureMachine(a)},
		{"interfaces", "Microsoft.Network/networkInterfaces", azureInterface},
		{"addresses", "Microsoft.Network/publicIPAddresses", azurePublicIP},
	}
}

func azureLookup(body *hclwrite.Body, app *spec.Application, group *spec.Group) {
	var lists []string
	for i, kind := range azureKinds(group.Azure) {
		if i > 0 {
			body.AppendNewline()
		}
		found := data(body, "azurerm_resources", kind[0])
		found.SetAttributeValue("type", cty.StringVal(kind[1]))
		setExpr(found, "required_tags", "%s", groupTags(app, group))
		lists = append(lists, "[for found in data.azurerm_resources."+kind[0]+".resources : "+
			foundObject(kind[2], "found.id", `try(found.tags[%s], "")`)+" if !contains(var.known, found.id)]")
	}
	foundOutput(body, "concat(\n"+strings.Join(lists, ",\n")+",\n)")
}

func openstackLookup(body *hclwrite.Body, app *spec.Application, group *spec.Group) {
	comment(body, "The provider can't list servers: they are found by the ports that they are on.")
	all := data(body, "openstack_networking_port_ids_v2", "group")
	setExpr(all, "tags", "[%s, %s]", quote("application="+app.Name), quote("group="+group.Name))
	body.AppendNewline()
	port := data(body, openstackPort, "unknown")
	setExpr(port, "for_each", "setsubtract(data.openstack_networking_port_ids_v2.group.ids, var.known)")
	port.AppendNewline()
	setExpr(port, "port_id", "each.key")
	body.AppendNewline()
	server := data(body, openstackMachine, "unknown")
	setExpr(server, "for_each", `toset([
		for port in data.openstack_networking_port_v2.unknown : port.device_id
		if startswith(port.device_owner, "compute:") && !contains(var.known, port.device_id)
	])`)
	server.AppendNewline()
	setExpr(server, "id", "each.key")
	portTag := `try([for tag in found.all_tags : split("=", tag)[1] if split("=", tag)[0] == %s][0], "")`
	foundOutput(body, "concat(\n[for id, found in data."+openstackPort+".unknown : "+foundObject(openstackPort, "id", portTag)+"],\n"+
		"[for id, found in data."+openstackMachine+".unknown : "+foundObject(openstackMachine, "id", `try(found.metadata[%s], "")`)+"],\n)")
}
