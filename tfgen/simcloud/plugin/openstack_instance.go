package plugin

import (
	"fmt"
	"strings"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

func openstackInstance() *kind {
	return &kind{
		title: "server", call: "v2.1/servers", size: "flavor_name", zone: "availability_zone",
		forceNew: []string{
			"image_id", "image_name", "key_pair", "network", "block_device", "config_drive", "availability_zone", "availability_zone_hints",
			"user_data", "network_mode", "hypervisor_hostname", "scheduler_hints", "personality", "region",
		},
		unread: []string{
			"user_data", "block_device", "personality", "scheduler_hints", "stop_before_destroy", "force_delete", "vendor_options",
			"network_mode", "config_drive", "metadata", "availability_zone_hints", "power_state",
		},
		rules: []rule{
			conflicts("availability_zone", "availability_zone_hints"), conflicts("network_mode", "network"),
			conflicts("personality", "hypervisor_hostname"), oneOf("network_mode", "auto", "none"),
			oneOf("power_state", "active", "shutoff", "shelved_offloaded", "paused"),
		},
		plan:    planServer,
		create:  createServer,
		update:  updateServer,
		remove:  func(m *making) error { return m.usePorts(m.prior, "") },
		refresh: refreshServer,
	}
}

// planServer adds to the tags that a new flavor has another name or identifier.
func planServer(s *Server, p *planned) {
	planOpenStack(s, p)
	for changed, follows := range map[string]string{"flavor_id": "flavor_name", "flavor_name": "flavor_id"} {
		if p.changed(changed) && p.config.attrs[follows].IsNull() {
			p.later(follows)
		}
	}
}

func createServer(m *making) error {
	o := m.next
	if err := m.serverImage(); err != nil {
		return err
	}
	if err := m.serverFlavor(); err != nil {
		return err
	}
	if len(o.str("user_data")) > 65535*3/4 {
		return inWords(`Error creating OpenStack server: Bad request with: [POST v2.1/servers], error message: {"badRequest": {"code": 400, "message": "Invalid input for field/attribute user_data. Value is too long"}}`)
	}
	if name := o.str("key_pair"); name != "" && !m.Exists("openstack_compute_keypair_v2", name) {
		if err := m.lacks("key_pair", name, `Error creating OpenStack server: Bad request with: [POST v2.1/servers], error message: {"badRequest": {"code": 400, "message": "Invalid key_name provided: %s"}}`); err != nil {
			return err
		}
	}
	o.set("id", m.uuid())
	if err := m.serverNetworks(); err != nil {
		return err
	}
	o.fill("availability_zone", first(o.str("availability_zone_hints"), "nova"))
	o.fill("security_groups", []string{"default"})
	o.fill("hypervisor_hostname", "")
	o.fill("access_ip_v6", "")
	now := m.Now().Format("2006-01-02 15:04:05 +0000 UTC")
	o.set("created", now)
	o.set("updated", now)
	return m.usePorts(o, o.str("id"))
}

// serverImage finds the image or the device that the server boots from.
func (m *making) serverImage() error {
	o := m.next
	if o.str("image_id") == "" && o.str("image_name") == "" {
		for _, b := range o.blocks("block_device") {
			if b.str("source_type") == "blank" {
				continue
			}
			if b.str("uuid") == "" {
				return inWords("You must specify a uuid for %s block device types", b.str("source_type"))
			}
			if b.str("source_type") == "image" && b.str("destination_type") == "volume" && b.attrs["volume_size"].IsNull() {
				return inWords("You must specify a volume_size when creating a volume from an image")
			}
			o.fill("image_id", "Attempt to boot from volume - no image supplied")
			o.fill("image_name", "")
			return nil
		}
		return inWords("Neither a boot device, image ID, or image name were able to be determined.")
	}
	if o.str("image_id") != "" {
		o.fill("image_name", "image-"+o.str("image_id")[:min(8, len(o.str("image_id")))])
		return m.lacksID("image", o.str("image_id"), `Error creating OpenStack server: Bad request with: [POST v2.1/servers], error message: {"badRequest": {"code": 400, "message": "Can not find requested image %s"}}`)
	}
	o.fill("image_id", uuidOf("image", m.server.account.name, o.str("image_name")))
	return m.lacks("image", o.str("image_name"), "Unable to find image with name %s")
}

func (m *making) serverFlavor() error {
	o := m.next
	name, id := o.str("flavor_name"), o.str("flavor_id")
	switch {
	case name == "" && id == "":
		return inWords("Neither a flavor_id or flavor_name could be determined")
	case id != "":
		o.fill("flavor_name", "flavor-"+id)
		return m.lacksID("flavor", id, `Error creating OpenStack server: Bad request with: [POST v2.1/servers], error message: {"badRequest": {"code": 400, "message": "Flavor %s could not be found."}}`)
	}
	o.fill("flavor_id", uuidOf("flavor", m.server.account.name, name))
	return m.lacks("flavor", name, "Unable to find flavor with name %s")
}

// serverNetworks gives the server its addresses, those of its ports first.
func (m *making) serverNetworks() error {
	o := m.next
	var failed error
	access := ""
	o.edit("network", func(i int, b *object) {
		port, err := m.other("openstack_networking_port_v2", b.str("port"))
		if err == nil && port == nil && b.str("port") != "" {
			err = inWords(`Error creating OpenStack server: Bad request with: [POST v2.1/servers], error message: {"badRequest": {"code": 400, "message": "Port %s could not be found."}}`, b.str("port"))
		}
		if err == nil && port == nil {
			err = m.knownNetwork(b)
		}
		if err != nil {
			failed = err
			return
		}
		ip, mac := m.privateIP(), m.mac()
		if i > 0 { // the serial belongs to one address
			ip, mac = fmt.Sprintf("127.255.%d.%d", m.serial%256, i), mac[:15]+fmt.Sprintf("%02x", i)
		}
		if port != nil {
			ip, mac = first(append(port.strs("all_fixed_ips"), "")...), port.str("mac_address")
			b.fill("uuid", port.str("network_id"))
		}
		name := b.str("name")
		b.fill("uuid", uuidOf("network", m.server.account.name, name))
		b.fill("name", "network-"+b.str("uuid")[:min(8, len(b.str("uuid")))])
		b.fill("fixed_ip_v4", ip)
		b.fill("fixed_ip_v6", "")
		b.fill("port", "")
		b.set("mac", mac)
		if access == "" || b.flag("access_network", false) {
			access = b.str("fixed_ip_v4")
		}
	})
	if len(o.blocks("network")) == 0 && o.str("network_mode") != "none" {
		access = m.privateIP()
	}
	o.fill("access_ip_v4", access)
	return failed
}

func (m *making) knownNetwork(b *object) error {
	if err := m.lacksID("network", b.str("uuid"), "Could not find any matching network for id %s"); err != nil {
		return err
	}
	return m.lacks("network", b.str("name"), `No Network found with name "%s"`)
}

// usePorts shows at the ports which server has them.
func (m *making) usePorts(server *object, id string) error {
	owner := ""
	if id != "" {
		owner = "compute:nova"
	}
	for _, b := range server.blocks("network") {
		if b.str("port") == "" {
			continue
		}
		err := m.put("openstack_networking_port_v2", b.str("port"), func(o *object) {
			o.set("device_id", id)
			o.set("device_owner", owner)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func updateServer(m *making) error { return m.serverFlavor() }

// refreshServer shows a server that found no host as the API does.
func refreshServer(r simcloud.Resource, o *object) {
	if r.Failed {
		o.set("power_state", "error")
	} else if strings.EqualFold(o.str("power_state"), "error") {
		o.set("power_state", nil)
	}
}
