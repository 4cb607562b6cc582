// Package tfgen turns node groups into Terraform root modules that a person can
// read: hclwrite trees, formatted as `terraform fmt` does, the same bytes for the
// same description.
//
// A group is spread over shards, root modules of at most spec.Group.ShardSize
// nodes with a state each, because planning one for_each costs time that grows
// with the square of its keys. What the shards of a group share lives in one more
// root module, the base: it makes it or looks it up, and its output "shared" is
// handed to the shards (see SharedFile). Both hold no node names: these are in the
// one file that changes when the group is scaled, nodes.auto.tfvars.json (see Nodes).
//
// A changed description never replaces a node that exists. What only a new machine
// can have stands in each node's settings, or in the lifecycle's ignore_changes;
// the rest is written into main.tf and changed in place.
//
// Nodes of a cloud boot with user data: the cloud-config of templates, joined with
// the group's. The file is named after its content, each node's settings name the
// file it booted with, and so the file has to stay as long as a node names it.
//
// No generated file holds a credential. Providers read theirs from the environment,
// and Windows machines their first password from TF_VAR_admin_password; azurerm keeps
// that one in Terraform's state.
package tfgen

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// File is one generated file.
type File struct {
	// Name is relative to the root module's directory.
	Name    string
	Content []byte
}

// Module is one Terraform root module without its node set.
type Module struct {
	// Files are the same in all root modules of its kind; see RootFiles.
	Files []File
	// PerNode are the resources that exist once for each node, the machine first:
	// "terraform_data.node" stands for terraform_data.node["<node>"]. A base has
	// none.
	PerNode []string
	// Within, in place of PerNode, is the address of a Terraform module whose
	// resources are not known: all that it has for a node has the node's name as a
	// key in its address, as in module.nodes.aws_instance.this["web-0001"].
	Within string
	// Shared are the resource addresses of a base.
	Shared []string
	kept   *kept
}

// Addresses are the addresses of everything that belongs to one node of a shard.
func (m Module) Addresses(node string) []string {
	addresses := make([]string, len(m.PerNode))
	for i, resource := range m.PerNode {
		addresses[i] = fmt.Sprintf("%s[%q]", resource, node)
	}
	return addresses
}

// TakesShared reports whether the module is a shard's that needs what its group's
// base hands over; see SharedFile.
func (m Module) TakesShared() bool {
	return slices.ContainsFunc(m.Files, func(f File) bool { return bytes.Contains(f.Content, []byte(`variable "shared"`)) })
}

// AddressKeys are the keys of for_each in a resource's address, outermost first.
func AddressKeys(address string) []string {
	var keys []string
	for _, m := range addressKey.FindAllString(address, -1) {
		if key, err := strconv.Unquote(m[1 : len(m)-1]); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

var addressKey = regexp.MustCompile(`\["(?:[^"\\]|\\.)*"\]`)

// AddressNode is the node that a resource belongs to: the first key in its address
// that is a node's name. It reports false for a resource of no node.
func AddressNode(address string) (node string, ok bool) {
	for _, key := range AddressKeys(address) {
		if NodeNumber(key) > 0 {
			return key, true
		}
	}
	return "", false
}

// Shard generates the root module that every shard of the group uses.
func Shard(app *spec.Application, group *spec.Group) (Module, error) {
	m, err := shard(app, group)
	m.kept = &kept{app: app, group: group}
	return m, err
}

func shard(app *spec.Application, group *spec.Group) (Module, error) {
	switch group.Cloud {
	case spec.CloudLocal:
		return localShard(app, group), nil
	case spec.CloudEC2:
		return ec2Shard(app, group)
	case spec.CloudOpenStack:
		return openstackShard(app, group)
	case spec.CloudAzure:
		return azureShard(app, group)
	case spec.CloudModule:
		return moduleShard(app, group)
	default:
		return Module{}, unknownCloud(group)
	}
}

// Base generates the root module with what the group's shards share. It has no
// files where they share nothing.
func Base(app *spec.Application, group *spec.Group) (Module, error) {
	m, err := base(app, group)
	m.kept = &kept{app: app, group: group}
	return m, err
}

func base(app *spec.Application, group *spec.Group) (Module, error) {
	switch group.Cloud {
	case spec.CloudLocal:
		return localBase(app, group), nil
	case spec.CloudEC2, spec.CloudModule:
		return Module{}, nil
	case spec.CloudOpenStack:
		return openstackBase(app, group)
	case spec.CloudAzure:
		return azureBase(app, group), nil
	default:
		return Module{}, unknownCloud(group)
	}
}

// NewNode returns the settings that the group's node of the given number, counted
// from 1, starts with if it is created now, as the value of its key in the node
// set. They are all that a running machine cannot change: they stay with the node
// for its life, so a changed description shapes new nodes, and an old one differs
// from what NewNode gives for its number. What a running machine can change, such
// as its tags, is part of the module instead. Keys that the module does not declare
// are only for that comparison (see Settings.Differences).
func NewNode(app *spec.Application, group *spec.Group, number int) (Settings, error) {
	settings, err := NewNodes(app, group)
	if err != nil {
		return nil, err
	}
	return settings(number), nil
}

// NewNodes returns the function NewNode of one group, for many nodes.
func NewNodes(app *spec.Application, group *spec.Group) (func(number int) Settings, error) {
	switch group.Cloud {
	case spec.CloudLocal:
		return func(int) Settings { return localNode(group) }, nil
	case spec.CloudEC2:
		return ec2Settings(app, group)
	case spec.CloudOpenStack:
		return openstackSettings(app, group)
	case spec.CloudAzure:
		return azureSettings(app, group)
	case spec.CloudModule:
		return moduleSettings(app, group)
	default:
		return nil, unknownCloud(group)
	}
}

// Offered are the machines of one offering of a group.
type Offered struct {
	// Offering is what the description says of it; its name is empty for a group
	// without offerings, whose machines are all alike.
	Offering spec.Offering
	// Settings are those of NewNodes, with the name of the offering.
	Settings func(number int) Settings
}

// Offerings returns what nodes of the group may be created with, the wanted first:
// at least one.
func Offerings(app *spec.Application, group *spec.Group) ([]Offered, error) {
	if len(group.Offerings) == 0 {
		settings, err := NewNodes(app, group)
		return []Offered{{Settings: settings}}, err
	}
	var offered []Offered
	for _, o := range group.Offerings {
		settings, err := NewNodes(app, group.With(o))
		if err != nil {
			return nil, err
		}
		offered = append(offered, Offered{Offering: o, Settings: func(number int) Settings {
			s := settings(number)
			s[offering] = o.Name
			return s
		}})
	}
	return offered, nil
}

func unknownCloud(group *spec.Group) error {
	return fmt.Errorf("group %s: cloud %q is not known; use one of %q", group.Name, group.Cloud, spec.Clouds)
}
