package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// offeringKeys are the keys of an offering that each cloud has.
var offeringKeys = map[Cloud][]string{
	CloudEC2:       {"instance_type", "zone", "subnet", "spot", "max_price"},
	CloudOpenStack: {"flavor_id", "flavor_name", "zone"},
	CloudAzure:     {"size", "zone", "spot", "max_price"},
	CloudModule:    {"node"},
}

func (c *checker) offerings(g *Group, path string) {
	if len(g.Offerings) == 0 {
		return
	}
	allowed, has := offeringKeys[g.Cloud]
	if !has {
		if slices.Contains(Clouds, g.Cloud) {
			c.mistake(path, fmt.Sprintf("is for machines of a cloud, and cloud is %s", g.Cloud), "remove it")
		}
		return
	}
	names := map[string]string{}
	for i, o := range g.Offerings {
		at := strictyaml.JoinIndex(path, i)
		c.offering(g, o, at, allowed)
		if c.doc.Has(at + ".name") {
			c.filled(at, "name", o.Name)
		}
		c.unique(names, at, o.Name, "offering")
	}
}

func (c *checker) offering(g *Group, o Offering, path string, allowed []string) {
	set := 0
	var keys []string
	for _, of := range offeringKeys {
		keys = append(keys, of...)
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		at := path + "." + key
		switch {
		case !c.doc.Has(at):
		case !slices.Contains(allowed, key):
			c.mistake(at, fmt.Sprintf("is no setting of an offering where cloud is %s", g.Cloud), "use "+strings.Join(allowed, ", "))
		default:
			set++
		}
	}
	if set == 0 && !c.doc.Wrong(path) {
		c.mistake(path, "differs in nothing from the group", "write one of "+strings.Join(allowed, ", "))
	}
	for _, text := range [][2]string{
		{"instance_type", o.InstanceType}, {"flavor_id", o.FlavorID}, {"flavor_name", o.FlavorName},
		{"size", o.Size}, {"zone", o.Zone}, {"subnet", o.Subnet},
	} {
		c.filled(path, text[0], text[1])
	}
	c.offeringPlace(g, o, path)
	if c.fine(path+".flavor_id", path+".flavor_name") {
		c.mistake(path+".flavor_name", "is set together with flavor_id", "keep one of them")
	}
	with := g.With(o)
	if c.fine(path+".max_price") && (with.EC2 != nil && with.EC2.Spot == nil || with.Azure != nil && with.Azure.Spot == nil) {
		c.mistake(path+".max_price", "is for spot machines", "write spot: true, or remove it")
	}
	for _, key := range slices.Sorted(maps.Keys(o.Node)) {
		if key == "user_data" || key == "offering" {
			c.mistake(strictyaml.JoinKey(path+".node", key), "is set by scalerd", "remove it")
		}
	}
}

// offeringPlace checks where an offering's machines are.
func (c *checker) offeringPlace(g *Group, o Offering, path string) {
	if c.fine(path+".zone", path+".subnet") {
		c.mistake(path+".zone", "is set together with subnet, which is in a zone of its own", "keep one of them")
		return
	}
	if g.EC2 == nil {
		return
	}
	if c.fine(path+".zone") && len(g.EC2.Subnets) > 0 {
		c.mistake(path+".zone", "is set, and the group's nodes are in subnets", "write subnet, one of that zone")
	}
	if c.fine(path+".subnet") && g.EC2.Endpoint == "" && o.Subnet != "" && !subnetPattern.MatchString(o.Subnet) {
		c.mistake(path+".subnet", fmt.Sprintf("is %q, which is no subnet's identifier", o.Subnet), "write an identifier such as subnet-0123456789abcdef0")
	}
}
