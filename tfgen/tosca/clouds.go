package tosca

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// put sets a key of a description where there is a value for it.
func put(into *strictyaml.Node, key string, value *strictyaml.Node) {
	if value != nil {
		into.Set(key, value)
	}
}

// one is a list of one value, and nil of none.
func one(value *strictyaml.Node) *strictyaml.Node {
	if value == nil {
		return nil
	}
	list := strictyaml.NewList(value)
	list.Append(value)
	return list
}

// cloudSettings makes a group's settings of its cloud.
func (t *translator) cloudSettings(n *node, s *settings) *strictyaml.Node {
	at := n.template.Get("properties")
	if at == nil {
		at = n.template
	}
	into := strictyaml.NewMapping(at)
	s.take("interface_cloud")
	s.take("context")
	if old := s.take("cloud"); old.Get("endpoint_cloud") != nil && s.lacks("endpoint") { // types before 0.6
		s.values = append(s.values, entry{"endpoint", old.Get("endpoint_cloud")})
	}
	switch n.cloud {
	case spec.CloudEC2:
		t.ec2(s, into)
	case spec.CloudOpenStack:
		t.openstack(s, into)
	case spec.CloudAzure:
		t.azure(s, into)
	}
	return into
}

var ec2Properties = []string{"region_name", "image_id", "instance_type", "key_name", "security_group_ids", "subnet_id", "tags", "endpoint", "context"}

func (t *translator) ec2(s *settings, into *strictyaml.Node) {
	region := s.require("region_name")
	into.Set("region", words(region))
	if endpoint := s.first("endpoint", "endpoint_cloud"); endpoint != nil {
		text := strings.TrimSpace(endpoint.Scalar())
		if strings.TrimSuffix(text, "/") != fmt.Sprintf("https://ec2.%s.amazonaws.com", region.Scalar()) {
			if endpoint.Is(strictyaml.KindText) && text != endpoint.Scalar() {
				endpoint = strictyaml.NewText(endpoint, text)
			}
			into.Set("endpoint", endpoint)
		}
	}
	into.Set("ami", words(s.require("image_id")))
	into.Set("instance_type", s.require("instance_type"))
	put(into, "key_name", words(s.take("key_name")))
	put(into, "security_groups", listed(s.first("security_group_ids", "vpc_security_group_ids")))
	put(into, "subnets", one(words(s.take("subnet_id"))))
	put(into, "zones", one(s.take("availability_zone")))
	put(into, "public_ip", boolean(s.take("associate_public_ip_address")))
	put(into, "instance_profile", words(s.take("iam_instance_profile")))
	put(into, "tags", labels(s.take("tags")))
	if volume := ec2Volume(s); volume != nil {
		into.Set("root_volume", volume)
	}
	s.arguments(into, ec2Properties...)
}

// ec2Volume is the root volume of a root_block_device that says no more than a
// description can.
func ec2Volume(s *settings) *strictyaml.Node {
	names := map[string]string{"volume_size": "size", "volume_type": "type", "encrypted": "encrypted", "iops": "iops", "throughput": "throughput"}
	for _, e := range s.values {
		device := e.value
		if e.name != "root_block_device" {
			continue
		}
		if items := device.Items(); len(items) == 1 {
			device = items[0]
		}
		volume := strictyaml.NewMapping(device)
		for _, setting := range device.Entries() {
			key, known := names[setting.Key()]
			if !known {
				return nil
			}
			if key == "encrypted" {
				setting = boolean(setting)
			}
			volume.Set(key, number(setting))
		}
		if device.Is(strictyaml.KindMapping) {
			s.taken[e.name] = true
			return volume
		}
	}
	return nil
}

// listed is a list of identifiers, of one where there is only a text.
func listed(n *strictyaml.Node) *strictyaml.Node {
	if n == nil || n.Bad() {
		return n
	}
	if !n.Is(strictyaml.KindList) {
		return one(words(n))
	}
	list := strictyaml.NewList(n)
	for _, item := range n.Items() {
		list.Append(words(item))
	}
	if len(n.Items()) == 0 {
		return nil
	}
	return list
}

// labels is a mapping of texts, with the numbers and booleans in it as texts.
func labels(n *strictyaml.Node) *strictyaml.Node {
	if n == nil || !n.Is(strictyaml.KindMapping) {
		return n
	}
	texts := strictyaml.NewMapping(n)
	for _, e := range n.Entries() {
		value := words(e)
		if e.Is(strictyaml.KindBool) {
			value = strictyaml.NewText(e, e.Scalar())
		}
		texts.Set(e.Key(), value)
	}
	return texts
}

var novaProperties = []string{
	"auth_url", "endpoint", "project_id", "image_id", "flavor_name", "flavor_id", "network_id", "network_name", "key_name",
	"public_key", "security_groups", "floating_ip_pool", "floating_ip", "config_drive", "volume_size", "volume_persist",
	"tenant_name", "user_domain_name", "server_name", "availability_zone", "provider", "context",
}

func (t *translator) openstack(s *settings, into *strictyaml.Node) {
	auth := s.first("auth_url", "endpoint", "endpoint_cloud")
	put(into, "auth_url", auth)
	project := words(s.take("project_id"))
	put(into, "project_id", project)
	if tenant := s.take("tenant_name"); tenant != nil && project == nil {
		into.Set("project_name", words(tenant))
	}
	provider := strictyaml.NewMapping(s.n.template)
	if own := s.take("provider"); own.Is(strictyaml.KindMapping) {
		provider = strictyaml.NewMapping(own)
		for _, e := range own.Entries() {
			provider.Set(e.Key(), plain(e))
		}
	}
	if domain := s.take("user_domain_name"); domain != nil && provider.Get("user_domain_name") == nil {
		provider.Set("user_domain_name", domain)
	}
	if len(provider.Entries()) > 0 {
		into.Set("provider", provider)
	}
	if name := words(s.take("image_name")); name != nil && s.lacks("image_id") {
		into.Set("image_name", name)
	} else {
		into.Set("image_id", words(s.require("image_id")))
	}
	put(into, "region", words(s.take("region")))
	put(into, "metadata", labels(s.take("metadata")))
	put(into, "flavor_id", words(s.take("flavor_id")))
	put(into, "flavor_name", words(s.take("flavor_name")))
	id, name := words(s.take("network_id")), words(s.take("network_name"))
	if id != nil || name != nil {
		network := strictyaml.NewMapping(first(id, name))
		put(network, "id", id)
		put(network, "name", name)
		into.Set("networks", one(network))
	}
	key := words(s.take("key_name"))
	if public := s.take("public_key"); public != nil {
		into.Set("public_key", public)
		if key != nil {
			t.note(key, "is left out: a key pair is made of public_key")
		}
	} else {
		put(into, "key_name", key)
	}
	put(into, "security_groups", listed(s.take("security_groups")))
	put(into, "floating_ip_pool", words(s.take("floating_ip_pool")))
	put(into, "floating_ip", s.take("floating_ip"))
	put(into, "config_drive", boolean(s.take("config_drive")))
	put(into, "zones", one(words(s.take("availability_zone"))))
	put(into, "boot_volume", t.bootVolume(s, auth))
	s.ignore("is left out: a machine is named after its node", "server_name")
	s.ignore("is left out: who logs in, and how, is said by the credentials", "identity_provider")
	s.arguments(into, novaProperties...)
}

func first(nodes ...*strictyaml.Node) *strictyaml.Node {
	for _, n := range nodes {
		if n != nil {
			return n
		}
	}
	return nil
}

// bootVolume is the volume that a machine boots from: where a size is given, and
// always on the clouds of SZTAKI, whose flavors have no disk.
func (t *translator) bootVolume(s *settings, auth *strictyaml.Node) *strictyaml.Node {
	size, kind := number(s.take("volume_size")), s.take("volume_type")
	persist, deleted := boolean(s.take("volume_persist")), boolean(s.take("delete_on_termination"))
	for _, only := range [][2]string{{"source_type", "image"}, {"destination_type", "volume"}, {"boot_index", "0"}} {
		if v := s.take(only[0]); v != nil && !v.Bad() && v.Scalar() != only[1] {
			t.wrong(v, fmt.Sprintf("is %s, and machines boot from a volume made of an image", v), fmt.Sprintf("write %s, or leave it out", only[1]))
		}
	}
	at := first(size, kind)
	switch sztaki := isSZTAKI(auth); {
	case at == nil && !sztaki:
		return nil
	case sztaki:
		t.note(auth, "is a cloud of SZTAKI, whose machines boot from a volume of 10 GB unless volume_size says more")
		at = first(at, auth)
	}
	volume := strictyaml.NewMapping(at)
	put(volume, "size", size)
	put(volume, "type", kind)
	if deleted != nil && deleted.Is(strictyaml.KindBool) {
		persist = strictyaml.NewValue(deleted, !deleted.Bool())
	}
	put(volume, "keep", persist)
	return volume
}

func isSZTAKI(auth *strictyaml.Node) bool {
	if auth == nil || auth.Bad() {
		return false
	}
	u, err := url.Parse(strings.TrimSpace(auth.Scalar()))
	return err == nil && strings.Contains(u.Hostname(), "sztaki")
}

var azureProperties = []string{
	"resource_group", "virtual_network", "subnet", "network_security_group", "size", "public_key", "admin_username",
	"admin_password", "image_sku", "source_image_id", "public_ip", "use_msi", "context",
}

func (t *translator) azure(s *settings, into *strictyaml.Node) {
	// The manual has these names; the types and the adaptor have the others.
	for _, names := range [][2]string{{"vm_size", "size"}, {"key_data", "public_key"}, {"image", "image_sku"}} {
		if v := s.take(names[0]); v != nil && s.lacks(names[1]) {
			s.values = append(s.values, entry{names[1], v})
			t.note(v, fmt.Sprintf("is taken as %s, which is its name in MiCADO's types", names[1]))
		}
	}
	into.Set("resource_group", words(s.require("resource_group")))
	into.Set("virtual_network", words(s.require("virtual_network")))
	into.Set("subnet", words(s.require("subnet")))
	put(into, "network_security_group", words(s.require("network_security_group")))
	into.Set("size", words(s.require("size")))
	put(into, "admin_username", s.take("admin_username"))
	key := s.take("public_key")
	if key == nil {
		into.Set("os", strictyaml.NewText(s.n.template, string(spec.AzureWindows)))
		t.note(s.n.template, "has no public_key, so its machines run Windows; the password of their first account comes from the credentials, where it is called admin_password")
	}
	put(into, "public_key", key)
	if password := s.take("admin_password"); password != nil {
		t.note(password, "is left out: a password belongs into scalerd's credentials, where it is called admin_password")
	}
	t.azureImage(s, into, key == nil)
	put(into, "public_ip", boolean(s.take("public_ip")))
	put(into, "use_msi", boolean(s.take("use_msi")))
	put(into, "zones", listed(s.first("zones", "zone")))
	put(into, "tags", labels(s.take("tags")))
	s.ignore("is left out: Azure has one", "endpoint", "endpoint_cloud")
	s.arguments(into, azureProperties...)
}

func (t *translator) azureImage(s *settings, into *strictyaml.Node, windows bool) {
	sku := words(s.take("image_sku"))
	if id := s.take("source_image_id"); id != nil {
		into.Set("image_id", id)
		if sku != nil {
			t.note(sku, "is left out: source_image_id says which image")
		}
		return
	}
	publisher, offer, usual := "Canonical", "UbuntuServer", "18.04-LTS"
	if windows {
		publisher, offer, usual = "MicrosoftWindowsServer", "WindowsServer", "2016-Datacenter"
	}
	if sku == nil {
		sku = strictyaml.NewText(s.n.template, usual)
		t.note(s.n.template, fmt.Sprintf("names no image; it gets %s %s %s, as in MiCADO", publisher, offer, usual))
	}
	image := strictyaml.NewMapping(sku)
	image.Set("publisher", strictyaml.NewText(sku, publisher))
	image.Set("offer", strictyaml.NewText(sku, offer))
	image.Set("sku", sku)
	into.Set("image", image)
}
