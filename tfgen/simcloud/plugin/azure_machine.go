package plugin

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/zclconf/go-cty/cty"
)

func azureMachine(title string) *kind {
	return &kind{
		title: title, size: "size", zone: "zone",
		forceNew: []string{
			"name", "location", "resource_group_name", "os_disk.name", "source_image_reference", "source_image_id", "custom_data", "zone",
			"admin_username", "admin_password", "admin_ssh_key", "computer_name", "disable_password_authentication", "availability_set_id",
			"eviction_policy", "priority", "provision_vm_agent", "secure_boot_enabled", "vtpm_enabled", "edge_zone", "plan", "platform_fault_domain",
		},
		unread: []string{"custom_data"},
		rules: []rule{
			exactlyOne("source_image_id", "source_image_reference", "os_managed_disk_id"),
			conflicts("zone", "availability_set_id"), isBase64("custom_data"), isBase64("user_data"), longest("custom_data", 87380),
			oneOf("priority", "Regular", "Spot"), oneOf("eviction_policy", "Deallocate", "Delete"),
			oneOf("os_disk.caching", "None", "ReadOnly", "ReadWrite"),
			oneOf("os_disk.storage_account_type", "Premium_LRS", "Standard_LRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Premium_ZRS"),
			oneOf("identity.type", "SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned"),
			spotHasPolicy,
		},
		plan: func(_ *Server, p *planned) {
			if p.changed("network_interface_ids") {
				p.later("private_ip_address", "private_ip_addresses", "public_ip_address", "public_ip_addresses")
			}
		},
		create: createAzureMachine,
		update: func(m *making) error { return m.machineInterfaces() },
		remove: func(m *making) error { return m.useInterfaces(m.prior, "") },
	}
}

func azureWindows() *kind {
	k := azureMachine("Windows Virtual Machine")
	k.forceNew = append(k.forceNew, "automatic_updates_enabled", "timezone", "additional_unattend_content", "winrm_listener")
	k.rules = append(k.rules, each("admin_password", windowsPassword), each("computer_name", windowsName))
	return k
}

// spotHasPolicy is Azure's rule that spot machines, and only they, are evicted.
func spotHasPolicy(o *object) (string, string) {
	priority, policy := o.attrs["priority"], o.attrs["eviction_policy"]
	switch {
	case !priority.IsKnown() || !policy.IsKnown():
	case o.str("priority") == "Spot" && policy.IsNull():
		return "eviction_policy", "an `eviction_policy` must be specified when `priority` is set to `Spot`"
	case o.str("priority") != "Spot" && !policy.IsNull():
		return "eviction_policy", "an `eviction_policy` can only be specified when `priority` is set to `Spot`"
	}
	return "", ""
}

func windowsPassword(password string) string {
	if len(password) < 8 || len(password) > 123 {
		return `"admin_password" most be between 8 and 123 characters`
	}
	var lower, upper, digit, special int
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			lower = 1
		case unicode.IsUpper(r):
			upper = 1
		case unicode.IsDigit(r):
			digit = 1
		default:
			special = 1
		}
	}
	if lower+upper+digit+special < 3 {
		return `"admin_password" has to fulfill 3 out of these 4 conditions: Has lower characters, Has upper characters, Has a digit, Has a special character other than "_"`
	}
	return ""
}

func windowsName(name string) string {
	if len(name) > 15 {
		return fmt.Sprintf(`"computer_name" can be at most 15 characters, got %d`, len(name))
	}
	return ""
}

func createAzureMachine(m *making) error {
	o := m.next
	if err := m.azure(azureCompute + "/virtualMachines/" + o.str("name")); err != nil {
		return err
	}
	if err := azureLogin(m.typ, o); err != nil {
		return err
	}
	o.fill("computer_name", o.str("name"))
	o.set("virtual_machine_id", m.uuid())
	o.edit("os_disk", func(_ int, b *object) {
		b.fill("name", o.str("name")+"_OsDisk_1_"+strings.ReplaceAll(m.uuid(), "-", ""))
		b.set("id", m.group(strings.ToUpper(o.str("resource_group_name")))+"/providers/"+azureCompute+"/disks/"+b.str("name"))
		b.fill("disk_size_gb", 30)
		b.fill("storage_account_type", "Standard_LRS")
		o.fill("os_managed_disk_id", b.str("id"))
	})
	o.edit("identity", func(_ int, b *object) {
		b.set("tenant_id", m.server.account.tenant)
		b.set("principal_id", "")
		if strings.HasPrefix(b.str("type"), "SystemAssigned") {
			b.set("principal_id", uuidOf("principal", m.uuid()))
		}
	})
	patch := "ImageDefault"
	if m.typ == "azurerm_windows_virtual_machine" {
		patch = "AutomaticByOS"
	}
	for name, value := range map[string]any{
		"allow_extension_operations": true, "disable_password_authentication": true, "disk_controller_type": "SCSI",
		"patch_assessment_mode": "ImageDefault", "patch_mode": patch, "provision_vm_agent": true,
		"vm_agent_platform_updates_enabled": false,
	} {
		o.fill(name, value)
	}
	return m.machineInterfaces()
}

// azureLogin is what the providers check about the administrator when they create.
func azureLogin(typ string, o *object) error {
	if typ == "azurerm_windows_virtual_machine" {
		if wrong := windowsName(first(o.str("computer_name"), o.str("name"))); wrong != "" {
			return fmt.Errorf("unable to assume default computer name %s. Please adjust the %q, or specify an explicit %q", wrong, "name", "computer_name")
		}
		return nil
	}
	if o.flag("disable_password_authentication", true) {
		if len(o.blocks("admin_ssh_key")) == 0 && !o.attrs["os_managed_disk_id"].IsKnown() {
			return errors.New("at least one `admin_ssh_key` must be specified when `disable_password_authentication` is set to `true`")
		}
		return nil
	}
	if o.str("admin_password") == "" {
		return errors.New("an `admin_password` must be specified if `disable_password_authentication` is set to `false`")
	}
	return nil
}

// machineInterfaces attaches the interfaces and shows their addresses.
func (m *making) machineInterfaces() error {
	o := m.next
	var private, public []string
	for _, id := range o.strs("network_interface_ids") {
		nic, err := m.other("azurerm_network_interface", id)
		if err != nil {
			return err
		}
		if nic == nil {
			return m.needs("azurerm_network_interface", id)
		}
		if user := nic.str("virtual_machine_id"); user != "" && !strings.EqualFold(user, o.str("id")) && (m.Exists("azurerm_linux_virtual_machine", user) || m.Exists("azurerm_windows_virtual_machine", user)) {
			return fmt.Errorf("creating %s: unexpected status 409 (409 Conflict) with error: NicInUse: Network Interface %s is used by existing resource %s", o.str("id"), id, user)
		}
		private = append(private, nic.strs("private_ip_addresses")...)
		for _, b := range nic.blocks("ip_configuration") {
			ip, err := m.other("azurerm_public_ip", b.str("public_ip_address_id"))
			if err != nil {
				return err
			}
			if ip != nil && ip.str("ip_address") != "" {
				public = append(public, ip.str("ip_address"))
			}
		}
	}
	o.fill("private_ip_addresses", private)
	o.fill("public_ip_addresses", public)
	o.fill("private_ip_address", first(append(private, "")...))
	o.fill("public_ip_address", first(append(public, "")...))
	return m.useInterfaces(o, o.str("id"))
}

// useInterfaces shows at the interfaces which machine has them.
func (m *making) useInterfaces(machine *object, id string) error {
	for _, nic := range machine.strs("network_interface_ids") {
		if err := m.put("azurerm_network_interface", nic, func(o *object) { o.set("virtual_machine_id", cty.StringVal(id)) }); err != nil {
			return err
		}
	}
	return nil
}
