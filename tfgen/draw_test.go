package tfgen_test

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// drawText draws text with what HCL and YAML would take for more than text.
var drawText = rapid.OneOf(
	rapid.StringMatching(`[ -~]{1,20}`),
	rapid.SampledFrom([]string{"${x}", "%{ if true }", `"`, `\`, "a\nb", "<<EOT", "ünïcode", "$${", "#", "{{x}}", "null", "true", "007"}),
)

// drawTags draws tags, named as every cloud allows.
func drawTags(t *rapid.T) map[string]string {
	tags := map[string]string{}
	for _, name := range rapid.SliceOfDistinct(rapid.StringMatching(`[A-Za-z][A-Za-z0-9 _.-]{0,10}x`), rapid.ID[string]).Draw(t, "tags") {
		if len(tags) < 5 {
			tags[name] = drawText.Draw(t, "tag")
		}
	}
	return tags
}

// maybe draws a value or the zero value.
func maybe[T any](t *rapid.T, label string, value T) T {
	var zero T
	if rapid.Bool().Draw(t, label) {
		return value
	}
	return zero
}

func some(t *rapid.T, label string, values ...string) []string {
	return values[:rapid.IntRange(0, len(values)).Draw(t, label)]
}

func drawApplication(t *rapid.T) *spec.Application {
	group := spec.Group{
		Name: rapid.StringMatching(`[a-z]([a-z0-9-]{0,18}[a-z0-9])?`).Draw(t, "group"), Max: 5, Min: 1, Initial: 1, ShardSize: 50,
		Cloud: rapid.SampledFrom([]spec.Cloud{spec.CloudEC2, spec.CloudOpenStack, spec.CloudAzure, spec.CloudModule}).Draw(t, "cloud"),
		CloudInit: spec.CloudInit{
			Mode:    rapid.SampledFrom([]spec.CloudInitMode{spec.CloudInitAppend, spec.CloudInitInsert, spec.CloudInitReplace}).Draw(t, "mode"),
			Content: maybe(t, "cloud init", fmt.Sprintf("runcmd: [%q]\n", rapid.StringMatching(`[a-z ${}%]{0,20}`).Draw(t, "command"))),
		},
		Metrics: spec.Metrics{Port: rapid.IntRange(1, 65535).Draw(t, "port"), Path: "/metrics"},
		Rollout: spec.Rollout{Mode: spec.RolloutReplace, Batch: 1},
		Drift:   spec.Drift{OnDeleted: spec.DriftRepair, OnChanged: spec.DriftReport},
	}
	switch group.Cloud {
	case spec.CloudEC2:
		group.EC2 = drawEC2(t)
	case spec.CloudOpenStack:
		group.OpenStack = drawOpenStack(t)
	case spec.CloudAzure:
		group.Azure = drawAzure(t)
	case spec.CloudModule:
		group.Module = drawModule(t)
	}
	return &spec.Application{
		Name: rapid.StringMatching(`[a-z]([a-z0-9-]{0,18}[a-z0-9])?`).Draw(t, "name"), Interval: 15e9, Groups: []spec.Group{group},
	}
}

func drawEC2(t *rapid.T) *spec.EC2 {
	e := &spec.EC2{
		Region: "eu-west-1", AMI: "ami-01234567", InstanceType: "t3.small",
		Endpoint:        maybe(t, "endpoint", rapid.SampledFrom([]string{"https://one.example:4567/x", "https://ec2.eu-west-1.amazonaws.com"}).Draw(t, "address")),
		KeyName:         maybe(t, "key", drawText.Draw(t, "key name")),
		SecurityGroups:  some(t, "groups", "sg-01234567", "sg-0123456a", "sg-0123456789abcdef0", "sg-0123456789abcdef1", "sg-0123456789abcdef2"),
		InstanceProfile: maybe(t, "profile", drawText.Draw(t, "profile name")),
		Tags:            drawTags(t),
		Arguments:       map[string]any{},
	}
	if rapid.Bool().Draw(t, "subnets") {
		e.Subnets = some(t, "subnet", "subnet-01234567", "subnet-0123456a")
	} else {
		e.Zones = some(t, "zone", "a", "b", "c")
	}
	if rapid.Bool().Draw(t, "public") {
		public := rapid.Bool().Draw(t, "public ip")
		e.PublicIP = &public
	}
	if rapid.Bool().Draw(t, "root volume") {
		e.RootVolume = &spec.EC2Volume{Size: rapid.IntRange(1, 100).Draw(t, "size"), Type: "gp3", IOPS: maybe(t, "iops", 3000)}
	} else if rapid.Bool().Draw(t, "root block device") {
		e.Arguments["root_block_device"] = map[string]any{"volume_size": 8, "tags": map[string]any{"a": drawText.Draw(t, "volume tag")}}
	}
	if rapid.Bool().Draw(t, "spot") {
		e.Spot = &spec.EC2Spot{MaxPrice: "0.1"}
	}
	for name, value := range map[string]any{
		"monitoring": true, "hibernation": true, "placement_group": "p", "ipv6_address_count": 1, "tenancy": "dedicated",
		"cpu_options":      map[string]any{"core_count": 2},
		"ebs_block_device": []any{map[string]any{"device_name": "/dev/b"}, map[string]any{"device_name": "/dev/c", "volume_size": 3}},
		"metadata_options": map[string]any{"http_put_response_hop_limit": 2},
		"capacity_reservation_specification": map[string]any{
			"capacity_reservation_target": map[string]any{"capacity_reservation_id": drawText.Draw(t, "reservation")},
		},
	} {
		if rapid.Bool().Draw(t, name) {
			e.Arguments[name] = value
		}
	}
	return e
}

func drawOpenStack(t *rapid.T) *spec.OpenStack {
	const uuid = "8a6f6b0e-1f7a-4a5c-9d57-0c2f3b6a9d1"
	o := &spec.OpenStack{
		AuthURL: maybe(t, "auth", "https://keystone:5000/v3"), Cloud: maybe(t, "cloud entry", drawText.Draw(t, "entry")), Region: maybe(t, "region", "r"),
		ProjectID: maybe(t, "project", "p"), Provider: maybe(t, "provider", map[string]any{"insecure": true, "max_retries": 3}),
		Metadata: drawTags(t), SecurityGroups: some(t, "security groups", "default", uuid+"1", "web", uuid+"2"), Zones: some(t, "zones", "a", "b"),
		ConfigDrive: rapid.Bool().Draw(t, "drive"), FlavorName: "f", AntiAffinity: rapid.SampledFrom([]spec.AntiAffinity{spec.AntiAffinityNone, spec.AntiAffinitySoft, spec.AntiAffinityHard}).Draw(t, "affinity"),
		Arguments: maybe(t, "arguments", map[string]any{"stop_before_destroy": true, "tags": []any{"x"}, "vendor_options": map[string]any{"ignore_resize_confirmation": true}}),
	}
	if rapid.Bool().Draw(t, "image by name") {
		o.ImageName = "i"
	} else {
		o.ImageID = "i"
	}
	o.Networks = []spec.OpenStackNetwork{{ID: uuid + "3"}, {Name: "n"}, {ID: uuid + "4", Name: "m"}}[rapid.IntRange(0, 2).Draw(t, "from"):]
	if rapid.Bool().Draw(t, "no network") {
		o.Networks = nil
	} else {
		o.FloatingIPPool = maybe(t, "floating", "public")
	}
	if rapid.Bool().Draw(t, "public key") {
		o.PublicKey = publicKey
	} else {
		o.KeyName = maybe(t, "key", "k")
	}
	if rapid.Bool().Draw(t, "volume") {
		o.BootVolume = &spec.OpenStackVolume{Size: 10, Type: maybe(t, "volume type", "ssd"), Keep: rapid.Bool().Draw(t, "keep")}
	}
	return o
}

func drawAzure(t *rapid.T) *spec.Azure {
	a := &spec.Azure{
		Subscription:  maybe(t, "subscription", "00000000-1111-2222-3333-444444444444"),
		ResourceGroup: drawText.Draw(t, "resource group") + "r", Location: maybe(t, "location", "westeurope"), VirtualNetwork: "v", Subnet: "s",
		NetworkSecurityGroup: maybe(t, "security", "n"), NetworkResourceGroup: "m", Size: "z", OS: spec.AzureLinux, AdminUsername: "someone",
		Zones: some(t, "zones", "1", "2"), PublicIP: rapid.Bool().Draw(t, "public"), UseMSI: rapid.Bool().Draw(t, "msi"), Tags: drawTags(t),
		OSDisk: spec.AzureDisk{Size: maybe(t, "size", 30), Type: "Standard_LRS", Caching: "None"},
	}
	if rapid.Bool().Draw(t, "windows") {
		a.OS, a.AdminPassword = spec.AzureWindows, "admin_password"
	} else {
		a.PublicKey = publicKey
	}
	if rapid.Bool().Draw(t, "image") {
		a.Image = &spec.AzureImage{Publisher: "p", Offer: "o", SKU: "s", Version: "latest"}
	} else {
		a.ImageID = "i"
	}
	if rapid.Bool().Draw(t, "spot") {
		a.Spot = &spec.AzureSpot{MaxPrice: -1}
	}
	if rapid.Bool().Draw(t, "identity") {
		a.Identity = &spec.AzureIdentity{System: true, IDs: some(t, "ids", "a", "b")}
	}
	a.Arguments = maybe(t, "arguments", map[string]any{"secure_boot_enabled": true, "license_type": drawText.Draw(t, "license"), "boot_diagnostics": map[string]any{}})
	return a
}

func drawModule(t *rapid.T) *spec.Module {
	return &spec.Module{
		Source: rapid.SampledFrom([]string{"./m", "../m", "/srv/m", "terraform/aws/ec2", "git::https://x/y.git?ref=v1"}).Draw(t, "source"),
		Node:   maybe(t, "node", map[string]any{"size": drawText.Draw(t, "size"), "list": []any{1, "a", true}}),
		Inputs: maybe(t, "inputs", map[string]any{"a": drawText.Draw(t, "input"), "b": map[string]any{"c d": 1.5, "e": []any{}, "f": map[string]any{}}}),
		Providers: maybe(t, "providers", map[string]spec.ModuleProvider{
			"google": {Source: "hashicorp/google", Arguments: map[string]any{"project": drawText.Draw(t, "project"), "batching": []any{map[string]any{"send_after": "1s"}}}},
			"null":   {Source: "hashicorp/null", Version: "~> 3.0"},
		}),
	}
}
