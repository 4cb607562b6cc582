package tfgen

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/spec"
)

const (
	azureLinux       = "azurerm_linux_virtual_machine"
	azureWindows     = "azurerm_windows_virtual_machine"
	azureInterface   = "azurerm_network_interface"
	azureAssociation = "azurerm_network_interface_security_group_association"
	azurePublicIP    = "azurerm_public_ip"
)

// maxComputerName is the most characters of a Windows machine's name.
const maxComputerName = 15

var azureProviderSource = provider{"azurerm", "hashicorp/azurerm", "~> 5.0"}

// azureNode is the type of a node's settings.
const azureNode = `object({
	resource_group = string
	size = string
	zone = optional(string)
	admin_username = string
	public_key = optional(string)
	image = optional(object({
		publisher = string
		offer = string
		sku = string
		version = string
	}))
	image_id = optional(string)
	os_disk = object({
		size = optional(number)
		type = string
		caching = string
	})
	spot = optional(object({
		max_price = number
	}))
	user_data = string
	decision = optional(string, "")
	installation = optional(string, "")
})`

// azureMachine is the resource type of the group's machines.
func azureMachine(a *spec.Azure) string {
	if a.OS == spec.AzureWindows {
		return azureWindows
	}
	return azureLinux
}

func azureShard(app *spec.Application, group *spec.Group) (Module, error) {
	a := group.Azure
	data, err := groupUserData(app, group)
	if err != nil {
		return Module{}, err
	}
	main, err := azureMain(app, group, data)
	if err != nil {
		return Module{}, err
	}
	declared := []variable{nodesVariable(azureNode), sharedVariable(sharedType(azureShared(a)))}
	if a.OS == spec.AzureWindows {
		declared = append(declared, variable{
			name: "admin_password", kind: "string", sensitive: true,
			description: "Password of the first account, from the environment: TF_VAR_admin_password.",
		})
	}
	m := Module{
		PerNode: []string{azureMachine(a) + ".node", azureInterface + ".node"},
		Files: []File{
			versions(app, group, azureProviderSource),
			azureProvider(app, group),
			variables(app, group, declared...),
			main,
			nodesOutput(app, group, azureNodes(a)),
			data.File,
		},
	}
	if a.NetworkSecurityGroup != "" {
		m.PerNode = append(m.PerNode, azureAssociation+".node")
	}
	if a.PublicIP {
		m.PerNode = append(m.PerNode, azurePublicIP+".node")
	}
	return m, nil
}

// azureNodes is the value of the output "nodes".
func azureNodes(a *spec.Azure) string {
	public := "null"
	if a.PublicIP {
		public = "try(" + azurePublicIP + ".node[name].ip_address, null)"
	}
	return fmt.Sprintf(`{
		for name, node in %s.node : name => {
			id = node.id
			private_ip = node.private_ip_address
			public_ip = %s
		}
	}`, azureMachine(a), public)
}

func azureProvider(app *spec.Application, group *spec.Group) File {
	a := group.Azure
	f := newFile(app, group)
	comment(f.Body(), "Credentials come from the environment: ARM_CLIENT_ID, ARM_CLIENT_SECRET, ARM_TENANT_ID, ...")
	block := f.Body().AppendNewBlock("provider", []string{"azurerm"}).Body()
	if a.Subscription != "" {
		block.SetAttributeValue("subscription_id", cty.StringVal(a.Subscription))
	}
	if a.UseMSI {
		block.SetAttributeValue("use_msi", cty.True)
	}
	if a.Subscription != "" || a.UseMSI {
		block.AppendNewline()
	}
	comment(block, "Registering resource providers needs rights over the whole subscription.")
	block.SetAttributeValue("resource_provider_registrations", cty.StringVal("none"))
	block.AppendNewline()
	appendBlock(block, "features", func(*hclwrite.Body) {})
	return finish("providers.tf", f)
}

func azureMain(app *spec.Application, group *spec.Group, data userData) (File, error) {
	a := group.Azure
	f := newFile(app, group)
	comment(f.Body(), "What tells whose each node is, from the call on that creates it.")
	setExpr(f.Body().AppendNewBlock("locals", nil).Body(), "tags", "{ for name, node in var.nodes : name => %s }",
		tags(app, group, a.Tags, "name", "node"))
	f.Body().AppendNewline()
	azureNetwork(f.Body(), app, group)
	m, err := newMachine(f.Body(), azureMachine(a), a.Arguments)
	if err != nil {
		return File{}, err
	}
	m.expr("name", "%s", azureName(app))
	m.expr("computer_name", "%s", computerName(group))
	m.expr("resource_group_name", "each.value.resource_group")
	m.expr("location", "%s", azureLocation(a))
	m.expr("size", "each.value.size")
	m.expr("zone", "each.value.zone")
	m.expr("admin_username", "each.value.admin_username")
	if a.OS == spec.AzureWindows {
		m.expr("admin_password", "var.admin_password")
	}
	m.expr("network_interface_ids", "[%s.node[each.key].id]", azureInterface)
	m.expr("source_image_id", "each.value.image_id")
	m.expr("priority", `each.value.spot == null ? "Regular" : "Spot"`)
	m.expr("eviction_policy", `each.value.spot == null ? null : "Delete"`)
	m.expr("max_bid_price", "try(each.value.spot.max_price, null)")
	if data.compressed {
		m.expr("custom_data", "base64gzip(%s)", userDataExpr())
	} else {
		m.expr("custom_data", "base64encode(%s)", userDataExpr())
	}
	m.attributes()
	azureBlocks(m, a)
	m.blocks()
	m.body.AppendNewline()
	setExpr(m.body, "tags", "local.tags[each.key]")
	ignored := []string{"custom_data", "location"}
	if a.OS == spec.AzureWindows {
		ignored = append(ignored, "admin_password")
	}
	m.lifecycle(ignored...)
	return finish("main.tf", f), nil
}

// azureName names what a node has in a resource group, which it may share with
// other applications.
func azureName(app *spec.Application) string { return fmt.Sprintf(`"%s-${each.key}"`, app.Name) }

// computerName is what the node calls itself: its name, or the end of it where
// Windows allows no more.
func computerName(group *spec.Group) string {
	if group.Azure.OS == spec.AzureLinux || len(NodeName(group.Name, 99999)) <= maxComputerName {
		return "each.key"
	}
	return fmt.Sprintf(`trimprefix(substr(each.key, -%d, %d), "-")`, maxComputerName, maxComputerName)
}

// azureLocation is where the group's nodes are, in HCL.
func azureLocation(a *spec.Azure) string {
	if a.Location != "" {
		return quote(a.Location)
	}
	return "var.shared.location"
}

func azureBlocks(m *machine, a *spec.Azure) {
	if a.OS == spec.AzureLinux && !m.has("admin_ssh_key") {
		m.body.AppendNewline()
		key := m.body.AppendNewBlock("admin_ssh_key", nil).Body()
		setExpr(key, "username", "each.value.admin_username")
		setExpr(key, "public_key", "each.value.public_key")
	}
	if !m.has("os_disk") {
		m.body.AppendNewline()
		disk := m.body.AppendNewBlock("os_disk", nil).Body()
		setExpr(disk, "disk_size_gb", "each.value.os_disk.size")
		setExpr(disk, "storage_account_type", "each.value.os_disk.type")
		setExpr(disk, "caching", "each.value.os_disk.caching")
	}
	if image := m.dynamic("source_image_reference", "each.value.image[*]"); image != nil {
		for _, name := range []string{"publisher", "offer", "sku", "version"} {
			setExpr(image, name, "source_image_reference.value.%s", name)
		}
	}
	if a.Identity != nil && !m.has("identity") {
		m.body.AppendNewline()
		identity := m.body.AppendNewBlock("identity", nil).Body()
		identity.SetAttributeValue("type", cty.StringVal(identityType(a.Identity)))
		if len(a.Identity.IDs) > 0 {
			setExpr(identity, "identity_ids", "%s", stringList(a.Identity.IDs))
		}
	}
}

func identityType(i *spec.AzureIdentity) string {
	switch {
	case i.System && len(i.IDs) > 0:
		return "SystemAssigned, UserAssigned"
	case i.System:
		return "SystemAssigned"
	default:
		return "UserAssigned"
	}
}

func azureSettings(app *spec.Application, group *spec.Group) (func(number int) Settings, error) {
	data, err := groupUserData(app, group)
	if err != nil {
		return nil, err
	}
	a := group.Azure
	return func(number int) Settings {
		disk := map[string]any{"type": a.OSDisk.Type, "caching": a.OSDisk.Caching}
		put(disk, "size", a.OSDisk.Size)
		s := Settings{
			"resource_group": a.ResourceGroup,
			"size":           a.Size,
			"admin_username": a.AdminUsername,
			"os_disk":        disk,
			"user_data":      data.Name,
			"subnet":         a.NetworkResourceGroup + "/" + a.VirtualNetwork + "/" + a.Subnet,
		}
		put(s, "location", a.Location)
		put(s, "network_security_group", a.NetworkSecurityGroup)
		put(s, "zone", inTurn(a.Zones, number))
		put(s, "public_key", a.PublicKey)
		put(s, "image_id", a.ImageID)
		if i := a.Image; i != nil {
			s["image"] = map[string]any{"publisher": i.Publisher, "offer": i.Offer, "sku": i.SKU, "version": i.Version}
		}
		if a.Spot != nil {
			s["spot"] = map[string]any{"max_price": a.Spot.MaxPrice}
		}
		putFixed(s, azureMachine(a), a.Arguments)
		return s
	}, nil
}
