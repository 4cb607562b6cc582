// Package price says what nodes cost, by a price list that the user gives: a YAML
// or CSV file of offerings. There is no list of its own: prices change every week,
// and many are negotiated.
package price

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// List is a price list.
type List struct {
	// Currency is of all prices, such as USD.
	Currency string `yaml:"currency" jsonschema_description:"Currency of the prices, such as USD. Default USD."`
	// Offerings are what the clouds offer.
	Offerings []Offering `yaml:"offerings" jsonschema:"required,minItems=1" jsonschema_description:"What a machine costs, each."`
}

// Offering is one size of machine with its price.
type Offering struct {
	// Cloud is where it is offered.
	Cloud spec.Cloud `yaml:"cloud" jsonschema:"required,enum=ec2,enum=openstack,enum=azure,enum=module"`
	// Region is the cloud's region; without one the price is that of all regions
	// that the list does not name.
	Region string `yaml:"region"`
	// Name is the instance type, flavor or size. A module's is the value of the
	// first of machine_type, instance_type, flavor, size and shape among the
	// values for each node.
	Name string `yaml:"offering" jsonschema:"required"`
	// Spot is set for spot machines.
	Spot bool `yaml:"spot"`
	// PerHour is the price of a machine for an hour.
	PerHour float64 `yaml:"per_hour" jsonschema:"required,minimum=0"`
}

// Price is what something costs for an hour.
type Price struct {
	PerHour  float64
	Currency string
}

// String is the price as people write it: 0.0230 USD/h.
func (p Price) String() string { return fmt.Sprintf("%.4f %s/h", p.PerHour, p.Currency) }

// Times is the price of so many.
func (p Price) Times(n int) Price {
	return Price{PerHour: p.PerHour * float64(n), Currency: p.Currency}
}

// Load reads the price list in the file at path; see Parse.
func Load(path string) (*List, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read price list: %w", err)
	}
	return Parse(path, text)
}

// Parse reads a price list: CSV where the file's name ends in .csv, else YAML. All
// mistakes are answered at once, as strictyaml.Mistakes.
func Parse(file string, text []byte) (*List, error) {
	if strings.EqualFold(filepath.Ext(file), ".csv") {
		return parseCSV(file, text)
	}
	list := &List{Currency: "USD"}
	doc, err := strictyaml.Decode(file, text, list)
	if err != nil {
		return nil, err
	}
	places := make([]strictyaml.Mistake, len(list.Offerings))
	for i := range places {
		places[i] = doc.Mistake(strictyaml.JoinIndex("offerings", i), "", "")
	}
	return list, twice(list, places)
}

// twice reports offerings that the list has twice; places says where each stands.
func twice(list *List, places []strictyaml.Mistake) error {
	var mistakes strictyaml.Mistakes
	seen := map[Offering]int{}
	for i, o := range list.Offerings {
		o.PerHour = 0
		if first, is := seen[o]; is {
			m := places[i]
			m.What, m.Fix = fmt.Sprintf("is the same offering as in line %d", places[first].Line), "keep one of them"
			mistakes = append(mistakes, m)
			continue
		}
		seen[o] = i
	}
	if len(mistakes) > 0 {
		return mistakes
	}
	return nil
}

// Node is what a node of the group costs, and false where the list does not say.
func (l *List) Node(group *spec.Group) (Price, bool) { return l.Offering(Of(group)) }

// Offering is what the list has for a machine, and false where it does not say. The
// price of the one that is asked about does not count.
func (l *List) Offering(want Offering) (Price, bool) {
	if l == nil || want.Name == "" {
		return Price{}, false
	}
	var found *Offering
	for i := range l.Offerings {
		o := &l.Offerings[i]
		if o.Cloud != want.Cloud || o.Name != want.Name || o.Spot != want.Spot {
			continue
		}
		if o.Region == want.Region || o.Region == "" && found == nil {
			found = o
		}
	}
	if found == nil {
		return Price{}, false
	}
	return Price{PerHour: found.PerHour, Currency: l.Currency}, true
}

// OfNode is the offering of a node of the group that was created with these settings,
// which may be older than the description: they win where they name another size.
func OfNode(group *spec.Group, settings map[string]any) Offering {
	o := Of(group)
	if o.Name == "" || len(settings) == 0 {
		return o
	}
	if name := first(settings, "machine_type", "instance_type", "flavor", "flavor_name", "flavor_id", "size", "shape"); name != "" {
		o.Name = name
	}
	o.Spot = settings["spot"] != nil && settings["spot"] != false
	return o
}

// Of is the offering that a group's nodes are, without its price. Its name is empty
// where the group does not say it, or has none.
func Of(group *spec.Group) Offering {
	o := Offering{Cloud: group.Cloud}
	switch {
	case group.EC2 != nil:
		o.Region, o.Name, o.Spot = group.EC2.Region, group.EC2.InstanceType, group.EC2.Spot != nil
	case group.OpenStack != nil:
		o.Region, o.Name = group.OpenStack.Region, group.OpenStack.FlavorName+group.OpenStack.FlavorID
	case group.Azure != nil:
		o.Region, o.Name, o.Spot = group.Azure.Location, group.Azure.Size, group.Azure.Spot != nil
	case group.Module != nil:
		o.Region, o.Name = moduleRegion(group.Module), first(group.Module.Node, "machine_type", "instance_type", "flavor", "size", "shape")
		o.Spot, _ = group.Module.Node["spot"].(bool)
	}
	return o
}

// moduleRegion is what a module calls its region, or zone, among its inputs.
func moduleRegion(m *spec.Module) string {
	if region := first(m.Inputs, "region", "location", "zone"); region != "" {
		return region
	}
	return first(m.Node, "region", "location", "zone")
}

func first(values map[string]any, names ...string) string {
	for _, name := range names {
		if text, is := values[name].(string); is && text != "" {
			return text
		}
	}
	return ""
}
