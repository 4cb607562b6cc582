package spec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseReportsMistakesOfOfferingsDrainAndRepair(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a size where cloud is ec2", on("ec2", ec2, "    offerings: [{size: z}]"),
			"offerings[0].size: is no setting of an offering where cloud is ec2; use instance_type, zone, subnet, spot, max_price"},
		{"nothing", on("ec2", ec2, "    offerings: [{name: same}]"),
			"offerings[0]: differs in nothing from the group; write one of instance_type, zone, subnet, spot, max_price"},
		{"the same twice", on("ec2", ec2, "    offerings: [{instance_type: m}, {instance_type: m}]"),
			`offerings[1]: is "m", as is groups[0].offerings[0]; give each offering its own`},
		{"a zone among subnets", on("ec2", ec2+", subnets: [subnet-01234567]", "    offerings: [{zone: a}]"),
			"offerings[0].zone: is set, and the group's nodes are in subnets; write subnet, one of that zone"},
		{"a subnet by name", on("ec2", ec2, "    offerings: [{subnet: a}]"), `offerings[0].subnet: is "a", which is no subnet's identifier`},
		{"a price on demand", on("ec2", ec2, "    offerings: [{instance_type: m, max_price: 1.0}]"), "offerings[0].max_price: is for spot machines; write spot: true, or remove it"},
		{"two flavors", on("openstack", nova, "    offerings: [{flavor_id: f, flavor_name: g}]"), "offerings[0].flavor_name: is set together with flavor_id; keep one of them"},
		{"an empty type", on("ec2", ec2, "    offerings: [{instance_type: ''}]"), "offerings[0].instance_type: is empty; write a value"},
		{"user data", on("module", provider+"}}", "    offerings: [{node: {user_data: x}}]"), "offerings[0].node.user_data: is set by scalerd; remove it"},
		{"local nodes", on("local", "slots: 1", "    offerings: [{zone: a}]"), "offerings: is for machines of a cloud, and cloud is local; remove it"},
		{"a drain that does nothing", on("ec2", ec2, "    drain: {timeout: 1m}"), "drain: does nothing; write command: [program, argument] or url:"},
		{"a drain that does two things", on("ec2", ec2, "    drain: {command: [x], url: 'http://h/'}"), "drain.url: is set together with command; keep one of them"},
		{"a drain with a password", on("ec2", ec2, "    drain: {url: 'http://u:p@h/'}"), "drain.url: holds a user or a password; use a command that reads it from a file"},
		{"a drain without time", on("ec2", ec2, "    drain: {command: [x], timeout: 0s}"), "drain.timeout: is 0s; write more than 0s"},
		{"a hasty repair", on("ec2", ec2, "    repair: {unhealthy_after: 5s}"), "repair.unhealthy_after: is 5s, less than 1m; write 1m or more: a node that is slow once is not broken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := mistakes(t, tt.text); !strings.Contains(got, tt.want) {
				t.Errorf("Parse() of\n%s\nfinds\n%s\nwant\n%s", tt.text, got, tt.want)
			}
		})
	}
}

func TestOfferingsAreNamedAfterWhatTheyAre(t *testing.T) {
	app, err := Parse("shop.yaml", []byte(on("ec2", ec2, "    offerings: [{instance_type: m, zone: a, spot: true}, {spot: false}, {name: last, zone: b}]")))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range app.Groups[0].Offerings {
		names = append(names, o.Name)
	}
	if diff := cmp.Diff([]string{"m in a spot", "on demand", "last"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestWithAnOfferingAGroupIsItsOwnButForIt(t *testing.T) {
	yes, no := true, false
	spot := &Group{Cloud: CloudEC2, EC2: &EC2{InstanceType: "a", Subnets: []string{"s"}, Spot: &EC2Spot{MaxPrice: "0.1"}}}
	azure := &Group{Cloud: CloudAzure, Azure: &Azure{Size: "a", Zones: []string{"1", "2"}}}
	nova := &Group{Cloud: CloudOpenStack, OpenStack: &OpenStack{FlavorID: "a", ImageID: "i"}}
	module := &Group{Cloud: CloudModule, Module: &Module{Node: map[string]any{"type": "a", "disk": 1}}}
	for _, tt := range []struct {
		does     string
		group    *Group
		offering Offering
		want     *Group
	}{
		{"takes the type and keeps the rest", spot, Offering{InstanceType: "b"}, &Group{Cloud: CloudEC2, EC2: &EC2{InstanceType: "b", Subnets: []string{"s"}, Spot: &EC2Spot{MaxPrice: "0.1"}}}},
		{"goes on demand", spot, Offering{Spot: &no}, &Group{Cloud: CloudEC2, EC2: &EC2{InstanceType: "a", Subnets: []string{"s"}}}},
		{"goes elsewhere for another price", spot, Offering{Zone: "z", MaxPrice: 0.25}, &Group{Cloud: CloudEC2, EC2: &EC2{InstanceType: "a", Zones: []string{"z"}, Spot: &EC2Spot{MaxPrice: "0.25"}}}},
		{"makes Azure machines spot ones at the on-demand price", azure, Offering{Size: "b", Zone: "3", Spot: &yes}, &Group{Cloud: CloudAzure, Azure: &Azure{Size: "b", Zones: []string{"3"}, Spot: &AzureSpot{MaxPrice: -1}}}},
		{"takes a flavor by name in place of the identifier", nova, Offering{FlavorName: "b"}, &Group{Cloud: CloudOpenStack, OpenStack: &OpenStack{FlavorName: "b", ImageID: "i"}}},
		{"merges a module's values", module, Offering{Node: map[string]any{"type": "b"}}, &Group{Cloud: CloudModule, Module: &Module{Node: map[string]any{"type": "b", "disk": 1}}}},
	} {
		t.Run(tt.does, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.group.With(tt.offering)); diff != "" {
				t.Errorf("With() (-want +got):\n%s", diff)
			}
		})
	}
	if module.Module.Node["type"] != "a" || spot.EC2.Spot == nil {
		t.Error("With() changed the group")
	}
}
