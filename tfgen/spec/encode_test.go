package spec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// sameApplication compares applications but for where they and their rules stand.
var sameApplication = cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Rule{}, "File", "Line", "Column"), cmpopts.IgnoreFields(Application{}, "Dir")}

func TestEncodeLeavesDefaultsOut(t *testing.T) {
	app, err := Parse("shop.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	got := Encode(app)
	if diff := cmp.Diff(small, string(got)); diff != "" {
		t.Errorf("Encode() (-want +got):\n%s", diff)
	}
}

func TestEncodeWritesWhatIsNotADefault(t *testing.T) {
	const written = `name: shop
interval: 30s
monitoring:
  targets:
    - job: db
      addresses:
        - db:9187
constants:
  flag: true
  half: 0.5
  limits:
    - 1
    - 2.0
  none: {}
  nothing: []
  octal: "0755"
  word: "yes"
queries:
  busy: ["busy > 0", "node"]
  cpu: avg(rate(cpu{mode!="idle"}[1m])) > 0.5
  quoted: '{group="web"}'
groups:
  - name: web
    cloud: ec2
    min: 0
    max: 3
    initial: 2
    ec2:
      region: eu-west-1
      ami: ami-01234567
      instance_type: t3.small
      public_ip: false
      spot: {}
    cloud_init: |
      #cloud-config
      runcmd:
        - echo "hello"
    rollout:
      batch: 2
      surge: 0
    policies:
      - rule: |
          if cpu > half:
              m_node_count += 1
      - target:
          query: cpu
          value: 0.5
      - rule: m_node_count = 3
    scaling:
      cooldown_in: 0s
  - name: vm
    cloud: azure
    max: 2
    azure:
      resource_group: rg
      virtual_network: net
      subnet: default
      size: Standard_B2s
      os: windows
      image:
        publisher: MicrosoftWindowsServer
        offer: WindowsServer
        sku: "2022-Datacenter"
    cloud_init:
      mode: replace
      content: |
        #cloud-config
not_deployed:
  - name: app
    type: tosca.nodes.MiCADO.Container.Application.Docker
    definition:
      properties:
        image: nginx:1.27
        ports:
          - 80
`
	app, err := Parse("shop.yaml", []byte(written))
	if err != nil {
		t.Fatal(err)
	}
	got := Encode(app)
	if diff := cmp.Diff(written, string(got)); diff != "" {
		t.Errorf("Encode() (-want +got):\n%s", diff)
	}
}

// TestParseReadsWhatEncodeWrites draws valid applications of every cloud, and
// checks that Encode changes nothing, in them or in what Parse reads back.
func TestParseReadsWhatEncodeWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := drawApplication(t)
		for i := range drawn.Groups {
			drawCloud(t, &drawn.Groups[i])
		}
		drawn.Constants["odd"] = drawOdd.Draw(t, "odd constant")
		drawn.NotDeployed = []NotDeployed{{Name: "app", Type: "container", Definition: map[string]any{
			drawOdd.Draw(t, "odd key"): drawOdd.Draw(t, "odd value"), "list": []any{drawOdd.Draw(t, "odd item"), map[string]any{"a": 1, "b": []any{}}},
		}}}
		want := reread(t, drawn)
		before := fmt.Sprintf("%+v", *want)
		text := Encode(want)
		if after := fmt.Sprintf("%+v", *want); before != after {
			t.Fatalf("Encode() changed the application:\n%s\n%s", before, after)
		}
		got, err := Parse("encoded.yaml", text)
		if err != nil {
			t.Fatalf("Parse() error:\n%v\nof:\n%s", err, text)
		}
		if diff := cmp.Diff(want, got, sameApplication); diff != "" {
			t.Fatalf("Parse() (-want +got):\n%s\nof:\n%s", diff, text)
		}
		if again := Encode(got); string(again) != string(text) {
			t.Fatalf("Encode() =\n%s\nthe second time, and the first\n%s", again, text)
		}
	})
}

// reread fills in what Parse would.
func reread(t *rapid.T, app *Application) *Application {
	setDefaults(app, func(path string) bool {
		return !strings.Contains(path, "openstack") && !strings.Contains(path, "azure")
	})
	return app
}

// drawOdd draws texts that are hard to write in YAML.
var drawOdd = rapid.OneOf(
	rapid.SampledFrom([]string{
		"", " ", "yes", "No", "on", "~", "null", "0755", "1e3", "1_000", ".5", "-", "- a", "? a", ": a", "a:", "a: b", "a #b", "#c", "&a", "*a", "!a", "|", ">", "@a", "`a",
		"%a", "{a}", "[a]", "a,b", "'a'", `"a"`, `a\b`, "a\tb", "a\nb", "a\nb\n", "a\n\nb\n\n", "\na", " a\nb", "a \nb", "a\n  b\n c\n", "---", "...", "---\na\n", "é", "日本", "\u00a0", "\u0085", "\u2028", "\ufeff", "😀",
		"a\r\nb", "#cloud-config\nruncmd:\n  - a: b\n", "if x:\n    y = {'a': 1}\n", "{{ $labels.node }}", "<<", "=", "2026-11-25", "12:30", "0x1f", "0o17", ".inf", ".nan", "true", "a\n\n\n\nb\n",
	}),
	rapid.StringN(0, 40, 120).Filter(func(s string) bool {
		return strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 && r != 0x85 }) < 0
	}),
)

func drawCloud(t *rapid.T, g *Group) {
	g.Cloud = rapid.SampledFrom(Clouds).Draw(t, "cloud")
	g.CloudInit.Content = drawOdd.Draw(t, "odd cloud-init")
	if g.Cloud != CloudLocal {
		g.Local = nil
	}
	maybe := rapid.Bool()
	arguments := map[string]any{"monitoring": true, "ports": []any{1, "2"}, "nested": map[string]any{"a": 1.0}}
	switch g.Cloud {
	case CloudEC2:
		g.EC2 = &EC2{Region: "eu-west-1", AMI: "ami-01234567", InstanceType: "t3.small", Tags: map[string]string{"odd": drawOdd.Draw(t, "tag")}, Arguments: arguments}
		if maybe.Draw(t, "public ip") {
			public := maybe.Draw(t, "public")
			g.EC2.PublicIP = &public
		}
		if maybe.Draw(t, "volume") {
			g.EC2.RootVolume = &EC2Volume{Size: rapid.IntRange(0, 100).Draw(t, "size")}
		}
		if maybe.Draw(t, "spot") {
			g.EC2.Spot = &EC2Spot{MaxPrice: "0.02"}
		}
	case CloudOpenStack:
		g.OpenStack = &OpenStack{AuthURL: "https://cloud.example:5000/v3", ImageID: "i", FlavorName: "3", Networks: []OpenStackNetwork{{ID: "0123"}, {Name: "net"}}, Arguments: arguments}
		if maybe.Draw(t, "volume") {
			g.OpenStack.BootVolume = &OpenStackVolume{Keep: maybe.Draw(t, "keep")}
		}
	case CloudAzure:
		g.Azure = &Azure{ResourceGroup: "rg", VirtualNetwork: "net", Subnet: "default", Size: "Standard_B1ms", PublicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9hPOhk0e7Wf9ZhWnSvsuT5l8kSXpYI1jYVbZ0tXQbM me", Image: &AzureImage{Publisher: "a", Offer: "b", SKU: "18.04-LTS"}}
		if maybe.Draw(t, "spot") {
			g.Azure.Spot = &AzureSpot{}
		}
	case CloudModule:
		g.Module = &Module{Source: "./module", Node: arguments, Providers: map[string]ModuleProvider{"google": {Source: "hashicorp/google", Version: "~> 7.0"}}}
	}
}
