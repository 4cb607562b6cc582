package tosca

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

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
