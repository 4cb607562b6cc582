package spec

import (
	"maps"
	"strconv"
	"strings"
)

// Offering is a kind of machine that a group may consist of: what differs from the
// group's own settings. Only the keys of the group's cloud may be set.
type Offering struct {
	// Name is shown with the nodes.
	Name string `yaml:"name" jsonschema_description:"Name shown with its nodes. Default: from its other keys."`
	// InstanceType is for cloud: ec2.
	InstanceType string `yaml:"instance_type" jsonschema_description:"Instance type (cloud: ec2)."`
	// FlavorID and FlavorName are for cloud: openstack; one is enough.
	FlavorID string `yaml:"flavor_id" jsonschema_description:"Identifier of the flavor (cloud: openstack)."`
	// FlavorName is looked up when a node is created.
	FlavorName string `yaml:"flavor_name" jsonschema_description:"Name of the flavor (cloud: openstack)."`
	// Size is for cloud: azure.
	Size string `yaml:"size" jsonschema_description:"Size of the machines (cloud: azure)."`
	// Zone is an availability zone.
	Zone string `yaml:"zone" jsonschema_description:"Availability zone, in place of the group's."`
	// Subnet is for cloud: ec2.
	Subnet string `yaml:"subnet" jsonschema_description:"Identifier of the subnet, in place of the group's (cloud: ec2)."`
	// Spot makes the nodes spot machines, or keeps them from being any.
	Spot *bool `yaml:"spot" jsonschema_description:"Whether the nodes are spot machines (cloud: ec2 and azure). Default: as the group says."`
	// MaxPrice is in US dollars per hour; 0 is the group's, else the on-demand price.
	MaxPrice float64 `yaml:"max_price" jsonschema:"minimum=0" jsonschema_description:"Most to pay for a spot machine, in US dollars per hour. Default: as the group says."`
	// Node is for cloud: module.
	Node map[string]any `yaml:"node" jsonschema_description:"Values for each node, over those of the group (cloud: module)."`
	// PricePerHour is what such a machine costs.
	PricePerHour float64 `yaml:"price_per_hour" jsonschema:"minimum=0" jsonschema_description:"What such a machine costs an hour, in the currency of your price list."`
}

// usual is the name of an offering that is not named.
func (o Offering) usual() string {
	var parts []string
	for _, part := range []string{o.InstanceType, o.FlavorID, o.FlavorName, o.Size} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	for _, key := range []string{"machine_type", "instance_type", "flavor", "size", "shape", "zone"} {
		if part, is := o.Node[key].(string); is && part != "" {
			parts = append(parts, part)
		}
	}
	if where := o.Zone + o.Subnet; where != "" {
		parts = append(parts, "in "+where)
	}
	if o.Spot != nil && *o.Spot {
		parts = append(parts, "spot")
	} else if o.Spot != nil {
		parts = append(parts, "on demand")
	}
	return strings.Join(parts, " ")
}

// With is the group as it is with an offering: a copy, whose cloud's settings are
// those of the offering where it has any.
func (g *Group) With(o Offering) *Group {
	with := *g
	switch {
	case g.EC2 != nil:
		with.EC2 = o.ec2(*g.EC2)
	case g.OpenStack != nil:
		with.OpenStack = o.openstack(*g.OpenStack)
	case g.Azure != nil:
		with.Azure = o.azure(*g.Azure)
	case g.Module != nil:
		module := *g.Module
		module.Node = maps.Clone(module.Node)
		if module.Node == nil {
			module.Node = map[string]any{}
		}
		maps.Copy(module.Node, o.Node)
		with.Module = &module
	}
	return &with
}

func (o Offering) ec2(e EC2) *EC2 {
	over(&e.InstanceType, o.InstanceType)
	if o.Subnet != "" {
		e.Subnets, e.Zones = []string{o.Subnet}, nil
	}
	if o.Zone != "" {
		e.Zones, e.Subnets = []string{o.Zone}, nil
	}
	var spot EC2Spot
	if e.Spot != nil {
		spot = *e.Spot
	}
	if o.MaxPrice > 0 {
		spot.MaxPrice = strconv.FormatFloat(o.MaxPrice, 'f', -1, 64)
	}
	if o.spot(e.Spot != nil) {
		e.Spot = &spot
	} else {
		e.Spot = nil
	}
	return &e
}

func (o Offering) azure(a Azure) *Azure {
	over(&a.Size, o.Size)
	if o.Zone != "" {
		a.Zones = []string{o.Zone}
	}
	spot := AzureSpot{MaxPrice: -1}
	if a.Spot != nil {
		spot = *a.Spot
	}
	if o.MaxPrice > 0 {
		spot.MaxPrice = o.MaxPrice
	}
	if o.spot(a.Spot != nil) {
		a.Spot = &spot
	} else {
		a.Spot = nil
	}
	return &a
}

func (o Offering) openstack(s OpenStack) *OpenStack {
	if o.FlavorID+o.FlavorName != "" {
		s.FlavorID, s.FlavorName = o.FlavorID, o.FlavorName
	}
	if o.Zone != "" {
		s.Zones = []string{o.Zone}
	}
	return &s
}

// spot is whether machines are spot ones, given what the group says.
func (o Offering) spot(group bool) bool {
	if o.Spot != nil {
		return *o.Spot
	}
	return group
}

func over(setting *string, value string) {
	if value != "" {
		*setting = value
	}
}
