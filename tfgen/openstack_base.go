package tfgen

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/spec"
)

const (
	openstackKeyPair     = "openstack_compute_keypair_v2"
	openstackServerGroup = "openstack_compute_servergroup_v2"
)

// sharedValue is an attribute of the output "shared" of a base, with its type and
// value in HCL.
type sharedValue struct{ name, kind, value string }

// sharedType is the type of the variable "shared" of shards.
func sharedType(values []sharedValue) string {
	lines := make([]string, len(values))
	for i, v := range values {
		lines[i] = v.name + " = " + v.kind
	}
	return "object({\n" + strings.Join(lines, "\n") + "\n})"
}

// sharedOutput is the file with the output "shared" of a base.
func sharedOutput(app *spec.Application, group *spec.Group, values []sharedValue) File {
	f := newFile(app, group)
	output := f.Body().AppendNewBlock("output", []string{"shared"}).Body()
	output.SetAttributeValue("description", cty.StringVal("What the group's shards get as their variable shared."))
	lines := make([]string, len(values))
	for i, v := range values {
		lines[i] = v.name + " = " + v.value
	}
	setExpr(output, "value", "{\n%s\n}", strings.Join(lines, "\n"))
	return finish("outputs.tf", f)
}

// openstackID matches the identifiers of OpenStack's objects, which a name may not
// look like.
var openstackID = regexp.MustCompile(`^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$`)

// splitIDs tells identifiers from names.
func splitIDs(texts []string) (ids, names []string) {
	for _, text := range texts {
		if openstackID.MatchString(text) {
			ids = append(ids, text)
		} else {
			names = append(names, text)
		}
	}
	return ids, names
}

// separated reports whether nodes are kept on different hosts.
func separated(o *spec.OpenStack) bool {
	return o.AntiAffinity == spec.AntiAffinitySoft || o.AntiAffinity == spec.AntiAffinityHard
}

// openstackKey is the name of the nodes' key pair. That of a pair of our own tells
// the key, so that another key is another pair and the old nodes keep theirs.
func openstackKey(app *spec.Application, group *spec.Group) string {
	if group.OpenStack.PublicKey == "" {
		return group.OpenStack.KeyName
	}
	return fmt.Sprintf("%s-%s-%s", app.Name, group.Name, keyDigest(group.OpenStack.PublicKey))
}

func keyDigest(publicKey string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(publicKey)))
	return hex.EncodeToString(sum[:4])
}

// openstackShared is what the base looks up and makes for the shards.
func openstackShared(o *spec.OpenStack) []sharedValue {
	var values []sharedValue
	if o.BootVolume != nil && o.ImageID == "" {
		values = append(values, sharedValue{"image_id", "string", "data.openstack_images_image_v2.nodes.id"})
	}
	if len(o.Networks) > 0 && o.Networks[0].ID == "" {
		values = append(values, sharedValue{"network_id", "string", "data.openstack_networking_network_v2.nodes.id"})
	}
	ids, names := splitIDs(o.SecurityGroups)
	if len(o.Networks) > 0 && len(names) > 0 {
		value := "[for group in data.openstack_networking_secgroup_v2.by_name : group.id]"
		if len(ids) > 0 {
			value = fmt.Sprintf("concat(%s, %s)", stringList(ids), value)
		}
		values = append(values, sharedValue{"security_group_ids", "list(string)", value})
	}
	if len(o.Networks) != 1 && len(ids) > 0 {
		value := "[for group in data.openstack_networking_secgroup_v2.by_id : group.name]"
		if len(names) > 0 {
			value = fmt.Sprintf("concat(%s, %s)", stringList(names), value)
		}
		values = append(values, sharedValue{"security_groups", "list(string)", value})
	}
	if separated(o) {
		values = append(values, sharedValue{"server_group_id", "string", openstackServerGroup + "." + serverGroupLabel(o) + ".id"})
	}
	return values
}

// serverGroupLabel names the server group's resource by its policy, so that another
// policy is another server group and never replaces the one that nodes are in.
func serverGroupLabel(o *spec.OpenStack) string {
	if o.AntiAffinity == spec.AntiAffinitySoft {
		return "soft_anti_affinity"
	}
	return "anti_affinity"
}

func openstackBase(app *spec.Application, group *spec.Group) (Module, error) {
	o := group.OpenStack
	shared := openstackShared(o)
	if len(shared) == 0 && o.PublicKey == "" {
		return Module{}, nil
	}
	providerFile, err := openstackProvider(app, group)
	if err != nil {
		return Module{}, err
	}
	f := newFile(app, group)
	var m Module
	m.Shared = openstackSharedResources(f.Body(), app, group)
	openstackLookups(f.Body(), o, len(m.Shared) > 0)
	m.Files = []File{versions(app, group, openstackProviderSource), providerFile, finish("main.tf", f)}
	if len(shared) > 0 {
		m.Files = append(m.Files, sharedOutput(app, group, shared))
	}
	return m, nil
}

// openstackSharedResources writes what the base makes, and returns the addresses.
func openstackSharedResources(body *hclwrite.Body, app *spec.Application, group *spec.Group) (addresses []string) {
	o := group.OpenStack
	if o.PublicKey != "" {
		label := "key_" + keyDigest(o.PublicKey)
		comment(body, "Named after the key: another key makes another pair, and older nodes keep theirs.")
		pair := body.AppendNewBlock("resource", []string{openstackKeyPair, label}).Body()
		pair.SetAttributeValue("name", cty.StringVal(openstackKey(app, group)))
		pair.SetAttributeValue("public_key", cty.StringVal(strings.TrimSpace(o.PublicKey)))
		addresses = append(addresses, openstackKeyPair+"."+label)
	}
	if separated(o) {
		if len(addresses) > 0 {
			body.AppendNewline()
		}
		label := serverGroupLabel(o)
		servers := body.AppendNewBlock("resource", []string{openstackServerGroup, label}).Body()
		servers.SetAttributeValue("name", cty.StringVal(app.Name+"-"+group.Name))
		servers.SetAttributeValue("policies", cty.TupleVal([]cty.Value{cty.StringVal(strings.ReplaceAll(label, "_", "-"))}))
		addresses = append(addresses, openstackServerGroup+"."+label)
	}
	return addresses
}

// openstackLookups writes what the base looks up by name. The results are what
// shards see until the base is applied again.
func openstackLookups(body *hclwrite.Body, o *spec.OpenStack, more bool) {
	lookup := func(kind, label string) *hclwrite.Body {
		if more {
			body.AppendNewline()
		}
		more = true
		return body.AppendNewBlock("data", []string{kind, label}).Body()
	}
	if o.BootVolume != nil && o.ImageID == "" {
		image := lookup("openstack_images_image_v2", "nodes")
		image.SetAttributeValue("name", cty.StringVal(o.ImageName))
		image.SetAttributeValue("most_recent", cty.True)
	}
	if len(o.Networks) > 0 && o.Networks[0].ID == "" {
		lookup("openstack_networking_network_v2", "nodes").SetAttributeValue("name", cty.StringVal(o.Networks[0].Name))
	}
	ids, names := splitIDs(o.SecurityGroups)
	if len(o.Networks) > 0 && len(names) > 0 {
		groups := lookup("openstack_networking_secgroup_v2", "by_name")
		setExpr(groups, "for_each", "toset(%s)", stringList(names))
		groups.AppendNewline()
		setExpr(groups, "name", "each.key")
	}
	if len(o.Networks) != 1 && len(ids) > 0 {
		groups := lookup("openstack_networking_secgroup_v2", "by_id")
		setExpr(groups, "for_each", "toset(%s)", stringList(ids))
		groups.AppendNewline()
		setExpr(groups, "secgroup_id", "each.key")
	}
}
