package tfgen

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/spec"
)

const (
	openstackMachine     = "openstack_compute_instance_v2"
	openstackPort        = "openstack_networking_port_v2"
	openstackFloatingIP  = "openstack_networking_floatingip_v2"
	openstackAssociation = "openstack_networking_floatingip_associate_v2"
)

var openstackProviderSource = provider{"openstack", "terraform-provider-openstack/openstack", "~> 3.0"}

// openstackNode is the type of a node's settings.
const openstackNode = `object({
	image_id = optional(string)
	image_name = optional(string)
	flavor_id = optional(string)
	flavor_name = optional(string)
	key_pair = optional(string)
	zone = optional(string)
	networks = optional(list(object({
		id = optional(string)
		name = optional(string)
	})), [])
	boot_volume = optional(object({
		image_id = optional(string)
		size = number
		type = optional(string)
		keep = bool
	}))
	config_drive = optional(bool)
	floating_ip_pool = optional(string)
	user_data = string
	decision = optional(string, "")
	installation = optional(string, "")
})`

func openstackShard(app *spec.Application, group *spec.Group) (Module, error) {
	o := group.OpenStack
	data, err := groupUserData(app, group)
	if err != nil {
		return Module{}, err
	}
	main, err := openstackMain(app, group, data)
	if err != nil {
		return Module{}, err
	}
	providerFile, err := openstackProvider(app, group)
	if err != nil {
		return Module{}, err
	}
	declared := []variable{nodesVariable(openstackNode)}
	if shared := openstackShared(o); len(shared) > 0 {
		declared = append(declared, sharedVariable(sharedType(shared)))
	}
	m := Module{
		PerNode: []string{openstackMachine + ".node"},
		Files: []File{
			versions(app, group, openstackProviderSource),
			providerFile,
			variables(app, group, declared...),
			main,
			nodesOutput(app, group, openstackNodes(o)),
			data.File,
		},
	}
	if len(o.Networks) > 0 {
		m.PerNode = append(m.PerNode, openstackPort+".node")
	}
	if o.FloatingIPPool != "" {
		m.PerNode = append(m.PerNode, openstackFloatingIP+".node")
	}
	if o.FloatingIPPool != "" || o.FloatingIP != "" {
		m.PerNode = append(m.PerNode, openstackAssociation+".node")
	}
	return m, nil
}

// openstackNodes is the value of the output "nodes".
func openstackNodes(o *spec.OpenStack) string {
	public := "null"
	if o.FloatingIPPool != "" || o.FloatingIP != "" {
		public = "try(" + openstackAssociation + ".node[name].floating_ip, null)"
	}
	return `{
		for name, node in openstack_compute_instance_v2.node : name => {
			id = node.id
			private_ip = node.access_ip_v4
			public_ip = ` + public + `
		}
	}`
}

func openstackProvider(app *spec.Application, group *spec.Group) (File, error) {
	o := group.OpenStack
	f := newFile(app, group)
	comment(f.Body(), "Credentials come from the environment (OS_USERNAME, OS_PASSWORD, OS_TOKEN,", "OS_APPLICATION_CREDENTIAL_ID, ...) or from clouds.yaml.")
	block := f.Body().AppendNewBlock("provider", []string{"openstack"}).Body()
	for _, setting := range []struct{ name, value string }{
		{"cloud", o.Cloud}, {"auth_url", o.AuthURL}, {"region", o.Region}, {"tenant_id", o.ProjectID}, {"tenant_name", o.ProjectName},
	} {
		if setting.value != "" {
			block.SetAttributeValue(setting.name, cty.StringVal(setting.value))
		}
	}
	schema, err := schemaBlock("openstack")
	if err != nil {
		return File{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(o.Provider)) {
		appendArgument(block, schema, name, o.Provider[name])
	}
	return finish("providers.tf", f), nil
}

func openstackMain(app *spec.Application, group *spec.Group, data userData) (File, error) {
	o := group.OpenStack
	f := newFile(app, group)
	if len(o.Networks) > 0 {
		openstackPorts(f.Body(), app, group)
	}
	if err := openstackInstances(f.Body(), app, group, data); err != nil {
		return File{}, err
	}
	openstackAddresses(f.Body(), app, group)
	return finish("main.tf", f), nil
}

// openstackPorts writes each node's port in the first network. It is ours, because
// a floating address is associated with a port.
func openstackPorts(body *hclwrite.Body, app *spec.Application, group *spec.Group) {
	o := group.OpenStack
	port := body.AppendNewBlock("resource", []string{openstackPort, "node"}).Body()
	setExpr(port, "for_each", "var.nodes")
	port.AppendNewline()
	setExpr(port, "name", "each.key")
	if o.Networks[0].ID != "" {
		setExpr(port, "network_id", "%s", quote(o.Networks[0].ID))
	} else {
		setExpr(port, "network_id", "var.shared.network_id")
	}
	switch ids, names := splitIDs(o.SecurityGroups); {
	case len(names) > 0:
		setExpr(port, "security_group_ids", "var.shared.security_group_ids")
	case len(ids) > 0:
		setExpr(port, "security_group_ids", "%s", stringList(ids))
	}
	setExpr(port, "tags", "%s", neutronTags(app, group))
	ignoreChanges(port, []string{"network_id"}, "A running node stays in its network.")
	body.AppendNewline()
}

func openstackInstances(body *hclwrite.Body, app *spec.Application, group *spec.Group, data userData) error {
	o := group.OpenStack
	m, err := newMachine(body, openstackMachine, o.Arguments)
	if err != nil {
		return err
	}
	m.expr("name", "each.key")
	m.expr("image_id", "each.value.image_id")
	m.expr("image_name", "each.value.image_name")
	m.expr("flavor_id", "each.value.flavor_id")
	m.expr("flavor_name", "each.value.flavor_name")
	m.expr("key_pair", "each.value.key_pair")
	m.expr("availability_zone", "each.value.zone")
	m.expr("config_drive", "each.value.config_drive")
	if data.compressed {
		m.expr("user_data", "base64gzip(%s)", userDataExpr())
	} else {
		m.expr("user_data", "%s", userDataExpr())
	}
	if ids, _ := splitIDs(o.SecurityGroups); len(o.SecurityGroups) > 0 && len(o.Networks) != 1 {
		if len(ids) > 0 {
			m.expr("security_groups", "var.shared.security_groups")
		} else {
			m.expr("security_groups", "%s", stringList(o.SecurityGroups))
		}
	}
	m.attributes()
	openstackBlocks(m, o)
	m.blocks()
	m.body.AppendNewline()
	setExpr(m.body, "metadata", "%s", tags(app, group, o.Metadata, "each.key", "each.value"))
	m.lifecycle("block_device", "flavor_name", "image_name", "network", "scheduler_hints", "user_data")
	return nil
}

func openstackBlocks(m *machine, o *spec.OpenStack) {
	if len(o.Networks) > 0 && !m.has("network") {
		m.body.AppendNewline()
		setExpr(m.body.AppendNewBlock("network", nil).Body(), "port", openstackPort+".node[each.key].id")
	}
	if len(o.Networks) > 1 {
		more := m.dynamic("network", "{ for i, network in each.value.networks : i => network if i > 0 }")
		if more != nil {
			setExpr(more, "uuid", "network.value.id")
			setExpr(more, "name", "network.value.name")
		}
	}
	if volume := m.dynamic("block_device", "each.value.boot_volume[*]"); volume != nil {
		if o.BootVolume != nil && o.ImageID == "" {
			setExpr(volume, "uuid", "coalesce(block_device.value.image_id, var.shared.image_id)")
		} else {
			setExpr(volume, "uuid", "block_device.value.image_id")
		}
		setExpr(volume, "source_type", `"image"`)
		setExpr(volume, "destination_type", `"volume"`)
		setExpr(volume, "volume_size", "block_device.value.size")
		setExpr(volume, "volume_type", "block_device.value.type")
		setExpr(volume, "boot_index", "0")
		setExpr(volume, "delete_on_termination", "!block_device.value.keep")
	}
	if separated(o) && !m.has("scheduler_hints") {
		m.body.AppendNewline()
		setExpr(m.body.AppendNewBlock("scheduler_hints", nil).Body(), "group", "var.shared.server_group_id")
	}
}

// openstackAddresses writes what gives each node a floating address.
func openstackAddresses(body *hclwrite.Body, app *spec.Application, group *spec.Group) {
	o := group.OpenStack
	address := quote(o.FloatingIP)
	if o.FloatingIPPool != "" {
		body.AppendNewline()
		ip := body.AppendNewBlock("resource", []string{openstackFloatingIP, "node"}).Body()
		setExpr(ip, "for_each", "var.nodes")
		ip.AppendNewline()
		setExpr(ip, "pool", "coalesce(each.value.floating_ip_pool, %s)", quote(o.FloatingIPPool))
		setExpr(ip, "tags", "%s", neutronTags(app, group))
		address = openstackFloatingIP + ".node[each.key].address"
	} else if o.FloatingIP == "" {
		return
	}
	body.AppendNewline()
	association := body.AppendNewBlock("resource", []string{openstackAssociation, "node"}).Body()
	setExpr(association, "for_each", "var.nodes")
	association.AppendNewline()
	setExpr(association, "floating_ip", "%s", address)
	setExpr(association, "port_id", openstackPort+".node[each.key].id")
}

// neutronTags says whose a port or an address is; Neutron has lists of words for it.
func neutronTags(app *spec.Application, group *spec.Group) string {
	return "[\n" + quote("application="+app.Name) + ",\n" + quote("group="+group.Name) + `,
		"node=${each.key}",
		"decision=${each.value.decision}",
		"installation=${each.value.installation}",
	]`
}

func openstackSettings(app *spec.Application, group *spec.Group) (func(number int) Settings, error) {
	data, err := groupUserData(app, group)
	if err != nil {
		return nil, err
	}
	o := group.OpenStack
	return func(number int) Settings {
		s := Settings{"user_data": data.Name}
		if v := o.BootVolume; v != nil {
			volume := map[string]any{"size": v.Size, "keep": v.Keep}
			put(volume, "image_id", o.ImageID)
			put(volume, "image_name", o.ImageName)
			put(volume, "type", v.Type)
			s["boot_volume"] = volume
		} else {
			put(s, "image_id", o.ImageID)
			put(s, "image_name", o.ImageName)
		}
		put(s, "flavor_id", o.FlavorID)
		put(s, "flavor_name", o.FlavorName)
		put(s, "key_pair", openstackKey(app, group))
		put(s, "zone", inTurn(o.Zones, number))
		put(s, "config_drive", o.ConfigDrive)
		put(s, "floating_ip_pool", o.FloatingIPPool)
		if separated(o) {
			s["anti_affinity"] = string(o.AntiAffinity)
		}
		var networks []any
		for _, n := range o.Networks {
			network := map[string]any{}
			put(network, "id", n.ID)
			put(network, "name", n.Name)
			networks = append(networks, network)
		}
		if len(networks) > 0 {
			s["networks"] = networks
		}
		putFixed(s, openstackMachine, o.Arguments)
		return s
	}, nil
}
