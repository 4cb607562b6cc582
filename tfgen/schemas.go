package tfgen

import (
	"fmt"
	"regexp"
	"sync"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/scalerd/scalerd/tfgen/schema"
)

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// replacing lists the arguments of a machine's resource that a running machine
// cannot take on: Terraform replaces it where they change (the providers' ForceNew).
// Those that no setting of ours stands for can come with a description's arguments.
// True are those that replace even when they are only taken away again, because the
// provider does not keep the machine's own value, or we have one in their place.
var replacing = map[string]map[string]bool{
	"aws_instance": {
		"associate_public_ip_address": false, "availability_zone": false, "cpu_options": false, "ebs_block_device": false,
		"enclave_options": false, "ephemeral_block_device": false, "hibernation": true, "host_resource_group_arn": false,
		"instance_market_options": false, "ipv6_addresses": false, "key_name": false, "launch_template": true,
		"network_interface": false, "placement_group": false, "placement_group_id": false, "placement_partition_number": false,
		"primary_network_interface": false, "private_ip": false, "root_block_device": false, "secondary_network_interface": false,
		"security_groups": false, "subnet_id": false, "tenancy": false,
	},
	"openstack_compute_instance_v2": {
		"availability_zone": false, "availability_zone_hints": true, "hypervisor_hostname": true, "key_pair": true,
		"network_mode": true, "personality": true,
	},
	"azurerm_linux_virtual_machine": {
		"availability_set_id": true, "computer_name": true, "disable_password_authentication": false, "edge_zone": true,
		"os_managed_disk_id": false, "plan": true, "platform_fault_domain": true, "provision_vm_agent": false,
		"secure_boot_enabled": true, "virtual_machine_scale_set_id": true, "vtpm_enabled": true, "zone": true,
	},
	"azurerm_windows_virtual_machine": {
		"additional_unattend_content": true, "availability_set_id": true, "computer_name": true, "edge_zone": true,
		"os_managed_disk_id": false, "plan": true, "platform_fault_domain": true, "provision_vm_agent": false,
		"secure_boot_enabled": true, "virtual_machine_scale_set_id": true, "vtpm_enabled": true, "winrm_listener": true, "zone": true,
	},
}

// kinds are the resource types that take a description's arguments, with their
// providers.
var kinds = map[string]string{
	"aws_instance": "aws", "openstack_compute_instance_v2": "openstack",
	"azurerm_linux_virtual_machine": "azurerm", "azurerm_windows_virtual_machine": "azurerm",
}

// schemas are the schemas of kinds, and of the providers' own blocks by the
// providers' names. They are read once, because a large application asks for them
// hundreds of times.
var schemas = sync.OnceValues(func() (map[string]*tfjson.SchemaBlock, error) {
	blocks := map[string]*tfjson.SchemaBlock{}
	providers := map[string]*schema.Provider{}
	for _, name := range schema.Names {
		p, err := schema.Read(name)
		if err != nil {
			return nil, err
		}
		config, err := p.Config()
		if err != nil {
			return nil, err
		}
		providers[name], blocks[name] = p, config.Block
	}
	for kind, provider := range kinds {
		resource, err := providers[provider].Resource(kind)
		if err != nil {
			return nil, err
		}
		blocks[kind] = resource.Block
	}
	return blocks, nil
})

// schemaBlock is the schema of a resource type, or of a provider's own block.
func schemaBlock(name string) (*tfjson.SchemaBlock, error) {
	blocks, err := schemas()
	if err != nil {
		return nil, err
	}
	if blocks[name] == nil {
		return nil, fmt.Errorf("schema of %s is not known", name)
	}
	return blocks[name], nil
}
