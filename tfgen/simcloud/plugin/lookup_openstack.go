package plugin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

func openstackLookups() map[string]lookup {
	return map[string]lookup{
		"openstack_compute_flavor_v2":      lookupFlavor,
		"openstack_compute_instance_v2":    lookupServer,
		"openstack_images_image_v2":        lookupImage,
		"openstack_networking_network_v2":  lookupNetwork,
		"openstack_networking_port_ids_v2": lookupPortIDs,
		"openstack_networking_port_v2":     lookupPort,
		"openstack_networking_secgroup_v2": lookupNeutronGroup,
	}
}

// named finds a thing of the catalogue by name or identifier: a name has one
// identifier, an identifier that belongs to no listed name gets one from it.
func (l *looking) named(kind, name, id string) (string, string, bool, error) {
	if id == "" {
		has, err := l.Has(kind, name)
		return name, uuidOf(kind, l.account, name), has, err
	}
	names, listed, err := l.Names(kind)
	for _, n := range names {
		if n == id || uuidOf(kind, l.account, n) == id {
			return n, id, true, err
		}
	}
	return first(name, kind+"-"+id[:min(8, len(id))]), id, !listed, err
}

func lookupFlavor(l *looking) error {
	name, id, found, err := l.named("flavor", l.o.str("name"), l.o.str("flavor_id"))
	if err != nil {
		return err
	}
	if !found || name == "" && l.o.attrs["vcpus"].IsNull() && l.o.attrs["ram"].IsNull() {
		return inWords("Your query returned no results. Please change your search criteria and try again.")
	}
	name = first(name, "flavor")
	for attribute, value := range map[string]any{
		"id": id, "name": name, "flavor_id": id, "vcpus": 2, "ram": 4096, "disk": 20, "swap": 0, "is_public": true,
		"extra_specs": map[string]string{},
	} {
		l.o.answer(attribute, value)
	}
	return nil
}

func lookupImage(l *looking) error {
	name, id, found, err := l.named("image", first(l.o.str("name"), l.o.str("name_regex")), "")
	if err != nil {
		return err
	}
	if !found {
		return inWords("Your query returned no results. Please change your search criteria and try again.")
	}
	for attribute, value := range map[string]any{
		"id": id, "name": name, "container_format": "bare", "disk_format": "qcow2", "visibility": "public", "protected": false,
		"min_disk_gb": 0, "min_ram_mb": 0, "size_bytes": 1 << 30, "checksum": uuidOf("checksum", id), "schema": "/v2/schemas/image",
		"file": "/v2/images/" + id + "/file", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
		"metadata": map[string]string{}, "tags": []string{},
	} {
		l.o.answer(attribute, value)
	}
	return nil
}

func lookupNetwork(l *looking) error {
	name, id, found, err := l.named("network", l.o.str("name"), l.o.str("network_id"))
	if err != nil {
		return err
	}
	if !found {
		return inWords("Your query returned no results. Please change your search criteria and try again.")
	}
	for attribute, value := range map[string]any{
		"id": id, "name": first(name, "network"), "network_id": id, "admin_state_up": "true", "shared": "false", "status": "ACTIVE",
		"mtu": 1500, "subnets": []string{uuidOf("subnet", id)}, "tenant_id": l.server.account.tenant, "all_tags": []string{},
		"availability_zone_hints": []string{}, "dns_domain": "", "external": false, "transparent_vlan": false,
	} {
		l.o.answer(attribute, value)
	}
	return nil
}

func lookupNeutronGroup(l *looking) error {
	all, err := l.List("openstack_networking_secgroup_v2")
	if err != nil {
		return err
	}
	for _, r := range all { // one of Terraform's
		if want := l.o.str("secgroup_id"); r.ID == want || want == "" && r.Name == l.o.str("name") {
			o, err := l.resource(r.Type, r.ID)
			if err != nil {
				return err
			}
			l.o.answer("secgroup_id", r.ID)
			l.copyFrom(o)
			return nil
		}
	}
	name, id, found, err := l.named("security_group", l.o.str("name"), l.o.str("secgroup_id"))
	if err != nil {
		return err
	}
	if !found {
		return inWords("Your query returned no results. Please change your search criteria and try again.")
	}
	for attribute, value := range map[string]any{
		"id": id, "name": name, "secgroup_id": id, "stateful": true, "tenant_id": l.server.account.tenant, "all_tags": []string{},
	} {
		l.o.answer(attribute, value)
	}
	return nil
}

func lookupServer(l *looking) error {
	id := l.o.str("id")
	r, exists := l.Get("openstack_compute_instance_v2", id)
	if !exists {
		return inWords("Unable to retrieve OpenStack %s server: Resource not found: [GET v2.1/servers/%s], error message: {\"itemNotFound\": {\"code\": 404, \"message\": \"Instance %s could not be found.\"}}", id, id, id)
	}
	o, err := l.resource(r.Type, id)
	if err != nil {
		return err
	}
	var networks []map[string]any
	for _, b := range o.blocks("network") {
		row := map[string]any{}
		for _, field := range []string{"uuid", "name", "port", "fixed_ip_v4", "fixed_ip_v6", "mac"} {
			row[field] = b.str(field)
		}
		networks = append(networks, row)
	}
	l.list("network", networks)
	l.o.set("metadata", r.Tags)
	state := "active"
	if r.Failed {
		state = "error"
	}
	l.o.set("power_state", state)
	l.copyFrom(o)
	return nil
}

// ports lists the ports that a query finds.
func (l *looking) ports() ([]*object, error) {
	all, err := l.List("openstack_networking_port_v2")
	if err != nil {
		return nil, err
	}
	var found []*object
	for _, r := range all {
		o, err := l.resource(r.Type, r.ID)
		if err != nil {
			return nil, err
		}
		if l.portMatches(r, o) {
			found = append(found, o)
		}
	}
	return found, nil
}

// lookupPortIDs finds any number of ports, also none.
func lookupPortIDs(l *looking) error {
	found, err := l.ports()
	if err != nil {
		return err
	}
	ids := []string{}
	for _, port := range found {
		ids = append(ids, port.str("id"))
	}
	l.o.set("ids", ids)
	l.o.answer("id", uuidOf("ports", fmt.Sprint(ids)))
	return nil
}

func lookupPort(l *looking) error {
	found, err := l.ports()
	if err != nil {
		return err
	}
	switch len(found) {
	case 0:
		return inWords("No openstack_networking_port_v2 found")
	case 1:
		l.o.answer("port_id", found[0].str("id"))
		l.copyFrom(found[0])
		return nil
	}
	return inWords("More than one openstack_networking_port_v2 found (%d)", len(found))
}

func (l *looking) portMatches(r simcloud.Resource, o *object) bool {
	if id := l.o.str("port_id"); id != "" && id != r.ID {
		return false
	}
	for _, attribute := range []string{"name", "network_id", "device_id", "device_owner", "mac_address"} {
		if want := l.o.str(attribute); want != "" && want != o.str(attribute) {
			return false
		}
	}
	for _, tag := range l.o.strs("tags") {
		if !slices.Contains(o.strs("all_tags"), tag) {
			return false
		}
	}
	ip := l.o.str("fixed_ip")
	return ip == "" || strings.Contains(" "+strings.Join(o.strs("all_fixed_ips"), " ")+" ", " "+ip+" ")
}
