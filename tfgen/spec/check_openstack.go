package spec

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// providerKeys are arguments of the openstack provider that have keys of their own.
var providerKeys = map[string]string{
	"auth_url": "auth_url", "cloud": "cloud", "region": "region", "tenant_id": "project_id", "tenant_name": "project_name",
}

func (c *checker) openstack(g *Group, path string) {
	o := g.OpenStack
	c.oneOf(path, map[string]bool{"image_id": o.ImageID != "", "image_name": o.ImageName != ""})
	c.oneOf(path, map[string]bool{"flavor_id": o.FlavorID != "", "flavor_name": o.FlavorName != ""})
	c.notBoth(path, "key_name", o.KeyName != "", "public_key", o.PublicKey != "")
	c.notBoth(path, "floating_ip", o.FloatingIP != "", "floating_ip_pool", o.FloatingIPPool != "")
	if o.AuthURL != "" && c.fine(path+".auth_url") {
		c.endpoint(path+".auth_url", o.AuthURL)
	}
	c.publicKey(path+".public_key", o.PublicKey)
	c.openstackNetworks(o, path)
	c.floatingIP(g, path)
	c.texts(path+".security_groups", o.SecurityGroups)
	c.texts(path+".zones", o.Zones)
	c.tags(path+".metadata", o.Metadata, 124, 255, 255)
	c.notSecret(path+".provider", o.Provider, "OS_ environment variables, clouds.yaml or scalerd's credentials")
	for _, name := range slices.Sorted(maps.Keys(o.Provider)) {
		if key, own := providerKeys[name]; own {
			c.mistake(strictyaml.JoinKey(path+".provider", name), "has a key of its own", "write openstack."+key)
		}
	}
}

func (c *checker) openstackNetworks(o *OpenStack, path string) {
	for i, n := range o.Networks {
		if at := strictyaml.JoinIndex(path+".networks", i); n.ID == "" && n.Name == "" && !c.doc.Wrong(at) {
			c.mistake(at, "has neither id nor name", "add one of them")
		}
	}
	if len(o.Networks) > 0 {
		return
	}
	for _, set := range []struct{ key, value string }{{"floating_ip", o.FloatingIP}, {"floating_ip_pool", o.FloatingIPPool}} {
		if set.value != "" {
			c.mistake(path+"."+set.key, "needs the network that the address leads to", "add networks")
		}
	}
}

// floatingIP checks an existing address, which one node can have.
func (c *checker) floatingIP(g *Group, path string) {
	at := path + ".floating_ip"
	if g.OpenStack.FloatingIP == "" || !c.fine(at) {
		return
	}
	if net.ParseIP(g.OpenStack.FloatingIP) == nil {
		c.mistake(at, fmt.Sprintf("is %q, which is no address", g.OpenStack.FloatingIP), "write an existing floating address, such as 203.0.113.7")
	}
	if g.Max > 1 {
		c.mistake(at, fmt.Sprintf("is one address, and max is %d", g.Max), "write max: 1, or floating_ip_pool for an address for each node")
	}
	if g.Rollout.Surge > 0 {
		c.mistake(at, fmt.Sprintf("is one address, and rollout.surge is %d", g.Rollout.Surge), "write surge: 0, so that a node goes before its replacement comes")
	}
}

// oneOf reports a mapping that has none of two keys, or both.
func (c *checker) oneOf(path string, set map[string]bool) {
	var has []string
	keys := slices.Sorted(maps.Keys(set))
	for _, key := range keys {
		if set[key] || c.doc.Wrong(path+"."+key) {
			has = append(has, key)
		}
	}
	c.exactlyOne(path, has, strings.Join(keys, " and "))
}

// notBoth reports two keys that exclude each other.
func (c *checker) notBoth(path, first string, a bool, second string, b bool) {
	if a && b {
		c.mistake(path+"."+second, "is set together with "+first, "keep one of them")
	}
}

// publicKey checks that an SSH key is one, and not its private half.
func (c *checker) publicKey(path, key string) {
	if key == "" || !c.fine(path) {
		return
	}
	fields := strings.Fields(key)
	switch {
	case strings.Contains(key, "PRIVATE KEY"):
		c.mistake(path, "is a private key, which nobody else should see", "write the public key, from the file that ends in .pub")
	case len(fields) < 2 || !strings.Contains(fields[0], "-") || len(fields[1]) < 32 || strings.Contains(strings.TrimSpace(key), "\n"):
		c.mistake(path, "is no SSH public key", `write one line such as "ssh-ed25519 AAAA... name"`)
	}
}

// secretWords are parts of the names of arguments whose values nobody may read.
var secretWords = []string{"password", "passwd", "pass", "secret", "token", "credentials"}

// notSecret reports arguments that would put a secret into a file.
func (c *checker) notSecret(path string, arguments map[string]any, instead string) {
	for _, name := range slices.Sorted(maps.Keys(arguments)) {
		if isSecret(name) {
			c.mistake(strictyaml.JoinKey(path, name), "is a secret, and the description is written to files", "remove it, and use "+instead)
		}
	}
}

func isSecret(name string) bool {
	if slices.Contains([]string{"access_key", "secret_key", "private_key"}, name) {
		return true
	}
	words := strings.Split(strings.ToLower(name), "_")
	last := words[len(words)-1]
	if slices.Contains([]string{"file", "path", "id", "name", "url", "capacity"}, last) {
		return false
	}
	return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(secretWords, word) })
}
