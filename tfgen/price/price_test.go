package price_test

import (
	"strings"
	"testing"

	"github.com/scalerd/scalerd/tfgen/price"
	"github.com/scalerd/scalerd/tfgen/spec"
)

const asYAML = `currency: EUR
offerings:
  - {cloud: ec2, region: eu-west-1, offering: t3.small, per_hour: 0.02}
  - {cloud: ec2, offering: t3.small, per_hour: 0.03}
  - {cloud: ec2, offering: t3.small, spot: true, per_hour: 0.01}
  - {cloud: openstack, offering: m1.small, per_hour: 0.005}
  - {cloud: azure, region: westeurope, offering: Standard_B2s, per_hour: 0.04}
  - {cloud: module, region: europe-west1-b, offering: e2-small, spot: true, per_hour: 0.006}
`

const asCSV = `# What we pay.
cloud,region,offering,spot,per_hour,currency
ec2,eu-west-1,t3.small,,0.02,EUR
ec2,,t3.small,,0.03,EUR
ec2,,t3.small,true,0.01,EUR
openstack,,m1.small,,0.005,EUR
azure,westeurope,Standard_B2s,false,0.04,EUR
module,europe-west1-b,e2-small,true,0.006,EUR
`

func TestNodesCostWhatTheListSays(t *testing.T) {
	for file, text := range map[string]string{"prices.yaml": asYAML, "prices.csv": asCSV} {
		list, err := price.Parse(file, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name  string
			group spec.Group
			want  string
		}{
			{"in its region", spec.Group{Cloud: "ec2", EC2: &spec.EC2{Region: "eu-west-1", InstanceType: "t3.small"}}, "0.0200 EUR/h"},
			{"in another region", spec.Group{Cloud: "ec2", EC2: &spec.EC2{Region: "us-east-1", InstanceType: "t3.small"}}, "0.0300 EUR/h"},
			{"as spot", spec.Group{Cloud: "ec2", EC2: &spec.EC2{Region: "eu-west-1", InstanceType: "t3.small", Spot: &spec.EC2Spot{}}}, "0.0100 EUR/h"},
			{"of another size", spec.Group{Cloud: "ec2", EC2: &spec.EC2{Region: "eu-west-1", InstanceType: "t3.large"}}, ""},
			{"a flavor by name", spec.Group{Cloud: "openstack", OpenStack: &spec.OpenStack{Region: "r", FlavorName: "m1.small"}}, "0.0050 EUR/h"},
			{"Azure", spec.Group{Cloud: "azure", Azure: &spec.Azure{Location: "westeurope", Size: "Standard_B2s"}}, "0.0400 EUR/h"},
			{"Azure where the list has no price", spec.Group{Cloud: "azure", Azure: &spec.Azure{Location: "northeurope", Size: "Standard_B2s"}}, ""},
			{"a module", spec.Group{Cloud: "module", Module: &spec.Module{
				Node: map[string]any{"machine_type": "e2-small", "spot": true}, Inputs: map[string]any{"zone": "europe-west1-b"},
			}}, "0.0060 EUR/h"},
			{"a local node", spec.Group{Cloud: "local", Local: &spec.Local{}}, ""},
		} {
			got := ""
			if p, known := list.Node(&tt.group); known {
				got = p.String()
			}
			if got != tt.want {
				t.Errorf("%s: %s costs %q, want %q", file, tt.name, got, tt.want)
			}
		}
	}
	if got, want := (price.Price{PerHour: 0.02, Currency: "EUR"}).Times(50).String(), "1.0000 EUR/h"; got != want {
		t.Errorf("fifty cost %s, want %s", got, want)
	}
}

func TestParseReportsMistakes(t *testing.T) {
	for _, tt := range []struct{ name, file, text, want string }{
		{"an unknown cloud", "p.yaml", "offerings: [{cloud: ec3, offering: a, per_hour: 1}]",
			"p.yaml:1:14 offerings[0].cloud: is \"ec3\", which is not known; did you mean ec2? Known: ec2, openstack, azure, module"},
		{"an offering twice", "p.yaml", "offerings:\n- {cloud: ec2, offering: a, per_hour: 1}\n- {cloud: ec2, offering: a, per_hour: 2}\n",
			"p.yaml:3:3 offerings[1]: is the same offering as in line 2; keep one of them"},
		{"an empty table", "p.csv", "", "p.csv:1:1: is empty; write a line with cloud, offering, per_hour, and offerings below it"},
		{"columns", "p.csv", "cloud,offering,price\n", "p.csv:1:1 price: is no column of a price list; use cloud, offering, per_hour, region, spot, currency\np.csv:1:1: has no column per_hour; add it"},
		{"values", "p.csv", "cloud,offering,per_hour,spot,currency\nec2,a,1,,USD\nec3,,-1,perhaps,EUR\n",
			"p.csv:3:1 cloud: is \"ec3\", which is no cloud; use ec2, openstack, azure or module\n" +
				"p.csv:3:5 offering: is \"\", which is no offering; write an instance type, flavor or size\n" +
				"p.csv:3:6 per_hour: is \"-1\", which is no price; write a number, 0 or more\n" +
				"p.csv:3:9 spot: is \"perhaps\", which is neither true nor false; write true or false\n" +
				"p.csv:3:17 currency: is \"EUR\", and prices above are in USD; write all prices in one currency"},
		{"a short line", "p.csv", "cloud,offering,per_hour\nec2,a\n", "p.csv:2:1: wrong number of fields; mend the line"},
		{"a line twice", "p.csv", "cloud,offering,per_hour\nec2,a,1\nec2,a,1\n", "p.csv:3:1: is the same offering as in line 2; keep one of them"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := price.Parse(tt.file, []byte(tt.text))
			if err == nil || err.Error() != tt.want {
				t.Errorf("Parse() =\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
}

func TestNotANumberIsNoPrice(t *testing.T) {
	for _, text := range []string{"cloud,offering,per_hour\nec2,a,NaN\n", "cloud,offering,per_hour\nec2,a,+Inf\n"} {
		if _, err := price.Parse("p.csv", []byte(text)); err == nil || !strings.Contains(err.Error(), "no price") {
			t.Errorf("Parse(%q) = %v, want it refused", text, err)
		}
	}
}

// TestNodesOfOlderSettings looks at nodes that were created before a change of the
// description.
func TestNodesOfOlderSettings(t *testing.T) {
	group := &spec.Group{Cloud: "ec2", EC2: &spec.EC2{Region: "eu-west-1", InstanceType: "t3.large"}}
	flavor := &spec.Group{Cloud: "openstack", OpenStack: &spec.OpenStack{Region: "r", FlavorID: "42"}}
	for _, tt := range []struct {
		name     string
		group    *spec.Group
		settings map[string]any
		want     price.Offering
	}{
		{"another type", group, map[string]any{"instance_type": "t3.small", "ami": "a"}, price.Offering{Cloud: "ec2", Region: "eu-west-1", Name: "t3.small"}},
		{"on the spot market", group, map[string]any{"instance_type": "t3.small", "spot": map[string]any{}}, price.Offering{Cloud: "ec2", Region: "eu-west-1", Name: "t3.small", Spot: true}},
		{"unknown settings", group, nil, price.Offering{Cloud: "ec2", Region: "eu-west-1", Name: "t3.large"}},
		{"a flavor by its name, before one by its identifier", flavor, map[string]any{"flavor_name": "m1.small"}, price.Offering{Cloud: "openstack", Region: "r", Name: "m1.small"}},
		{"a local node", &spec.Group{Cloud: "local", Local: &spec.Local{}}, map[string]any{"slots": 4}, price.Offering{Cloud: "local"}},
	} {
		if got := price.OfNode(tt.group, tt.settings); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	if _, known := (*price.List)(nil).Node(group); known {
		t.Error("no list knows a price")
	}
}
