package tosca

import (
	"fmt"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

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
