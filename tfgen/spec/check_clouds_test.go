package spec

import (
	"strings"
	"testing"
)

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk3M1V4c2hvcGV4YW1wbGVrZXkwMDAwMDAwMDAwMDAw shop"

// on is a description with one group on the cloud. The settings are in line 6, from
// column 10 on; more lines of the group may follow.
func on(cloud, settings string, more ...string) string {
	return "name: shop\ngroups:\n  - name: web\n    cloud: " + cloud + "\n    max: 3\n    " + cloud + ": {" + settings + "}\n" +
		strings.Join(append(more, ""), "\n")
}

const (
	ec2      = "region: eu-west-1, ami: ami-01234567, instance_type: t3.small"
	nova     = "image_id: i, flavor_id: f, networks: [{id: n}]"
	azure    = "resource_group: r, virtual_network: v, subnet: s, size: z, image_id: i, public_key: '" + key + "'"
	windows  = "resource_group: r, virtual_network: v, subnet: s, size: z, image_id: i, os: windows"
	provider = "source: ./m, providers: {google: {source: hashicorp/google"
)

func TestParseAcceptsCloudSettings(t *testing.T) {
	for name, text := range map[string]string{
		"EC2":                    on("ec2", ec2+", security_groups: [sg-01234567], subnets: [subnet-01234567], spot: {}, tags: {Name: web}"),
		"EC2 of another cloud":   on("ec2", "region: one, endpoint: 'https://one.example:4567', ami: anything, instance_type: t, security_groups: [default]"),
		"a gp3 disk":             on("ec2", ec2+", root_volume: {type: gp3, iops: 3000, throughput: 125}"),
		"OpenStack":              on("openstack", nova+", auth_url: 'https://keystone:5000/v3', public_key: '"+key+"'"),
		"a server without names": on("openstack", "image_name: i, flavor_name: f"),
		"clouds.yaml":            on("openstack", nova+", cloud: c, provider: {application_credential_id: i, user_domain_name: d}"),
		"Azure Linux":            on("azure", azure+", spot: {max_price: 0.1}, identity: {system: true}"),
		"Azure Windows":          on("azure", windows),
		"a module":               on("module", provider+", arguments: {project: p}}}, node: {type: t}, inputs: {zone: z}"),
		"a module of a registry": on("module", "source: terraform/aws/ec2, version: ~> 1.0"),
	} {
		t.Run(name, func(t *testing.T) {
			if got := mistakes(t, text); got != "" {
				t.Errorf("Parse() of\n%s\nfinds\n%s", text, got)
			}
		})
	}
}

func TestParseReportsMistakesOfCloudSettings(t *testing.T) {
	floating := strings.Replace(on("openstack", nova+", floating_ip: 203.0.113.7"), "max: 3", "max: 1", 1)
	for _, tt := range []struct{ name, text, want string }{
		{"no region", on("ec2", "region: '', ami: ami-01234567, instance_type: t"), "ec2.region: is empty; write a value"},
		{"an image by name", on("ec2", "region: r, ami: ubuntu, instance_type: t"),
			`ec2.ami: is "ubuntu", which is no machine image; write an identifier such as ami-0123456789abcdef0`},
		{"a security group by name", on("ec2", ec2+", security_groups: [default]"),
			`ec2.security_groups[0]: is "default", which is no security group's identifier; write an identifier such as sg-0123456789abcdef0, not the name`},
		{"a subnet by name", on("ec2", ec2+", subnets: [a]"), `ec2.subnets[0]: is "a", which is no subnet's identifier; write an identifier such as subnet-0123456789abcdef0`},
		{"a subnet twice", on("ec2", ec2+", subnets: [subnet-01234567, subnet-01234567]"),
			`ec2.subnets[1]: is "subnet-01234567", as is groups[0].ec2.subnets[0]; give each item its own`},
		{"subnets and zones", on("ec2", ec2+", subnets: [subnet-01234567], zones: [a]"),
			"ec2.zones: is set together with subnets, which are in zones of their own; keep one of them"},
		{"an endpoint without a scheme", on("ec2", ec2+", endpoint: one.example"),
			`ec2.endpoint: is "one.example", which is no http address; write the address of the cloud's API, as https://host:port/path, without credentials`},
		{"a tag that is ours", on("ec2", ec2+", tags: {node: x}"), "ec2.tags.node: is set by scalerd, which finds its nodes by it; remove or rename it"},
		{"a tag that is Amazon's", on("ec2", ec2+", tags: {'aws:x': x}"), `ec2.tags["aws:x"]: starts with aws:, which Amazon keeps for itself; rename it`},
		{"a tag that is too long", on("ec2", ec2+", tags: {x: "+strings.Repeat("x", 257)+"}"), "ec2.tags.x: is longer than 256 bytes; shorten it"},
		{"a spot price in words", on("ec2", ec2+", spot: {max_price: cheap}"),
			`ec2.spot.max_price: is "cheap", which is no price; write US dollars per hour, as "0.02", or leave it out for the on-demand price`},
		{"a fast disk of a slow type", on("ec2", ec2+", root_volume: {type: gp2, throughput: 125, iops: 3000}"),
			"ec2.root_volume.throughput: is for volumes of type gp3; write type: gp3, or remove it\n" +
				"ec2.root_volume.iops: is for volumes of type gp3, io1 and io2; choose one of these types, or remove it"},

		{"no image", on("openstack", "flavor_id: f"), "openstack: has none of image_id and image_name; add one of them"},
		{"two images", on("openstack", nova+", image_name: i"), "openstack: has image_id and image_name; keep one of them"},
		{"two flavors", on("openstack", nova+", flavor_name: f"), "openstack: has flavor_id and flavor_name; keep one of them"},
		{"two keys", on("openstack", nova+", key_name: k, public_key: '"+key+"'"), "openstack.public_key: is set together with key_name; keep one of them"},
		{"a private key", on("openstack", nova+", public_key: '-----BEGIN OPENSSH PRIVATE KEY-----'"),
			"openstack.public_key: is a private key, which nobody else should see; write the public key, from the file that ends in .pub"},
		{"no key", on("openstack", nova+", public_key: id_ed25519.pub"), `openstack.public_key: is no SSH public key; write one line such as "ssh-ed25519 AAAA... name"`},
		{"a network of nothing", on("openstack", "image_id: i, flavor_id: f, networks: [{}]"), "openstack.networks[0]: has neither id nor name; add one of them"},
		{"an address without a network", on("openstack", "image_id: i, flavor_id: f, floating_ip_pool: public"),
			"openstack.floating_ip_pool: needs the network that the address leads to; add networks"},
		{"one address for one node", floating, ""},
		{"one address for many nodes", on("openstack", nova+", floating_ip: 203.0.113.7"),
			"openstack.floating_ip: is one address, and max is 3; write max: 1, or floating_ip_pool for an address for each node"},
		{"one address during a rollout", floating + "    rollout: {surge: 1}\n",
			"openstack.floating_ip: is one address, and rollout.surge is 1; write surge: 0, so that a node goes before its replacement comes"},
		{"an address in words", strings.Replace(floating, "203.0.113.7", "mine", 1),
			`openstack.floating_ip: is "mine", which is no address; write an existing floating address, such as 203.0.113.7`},
		{"two kinds of address", strings.Replace(floating, "floating_ip:", "floating_ip_pool: public, floating_ip:", 1),
			"openstack.floating_ip_pool: is set together with floating_ip; keep one of them"},
		{"a password for the provider", on("openstack", nova+", provider: {password: x}"),
			"openstack.provider.password: is a secret, and the description is written to files; remove it, and use OS_ environment variables, clouds.yaml or scalerd's credentials"},
		{"a provider's argument with a key", on("openstack", nova+", provider: {tenant_id: x}"), "openstack.provider.tenant_id: has a key of its own; write openstack.project_id"},

		{"a subscription by name", on("azure", azure+", subscription: ours"),
			`azure.subscription: is "ours", which is no subscription's identifier; write its identifier, such as 01234567-89ab-cdef-0123-456789abcdef, not its name`},
		{"two images of Azure", on("azure", azure+", image: {publisher: p, offer: o, sku: s}"), "azure: has image and image_id; keep one of them"},
		{"Linux without a key", on("azure", strings.Replace(windows, ", os: windows", "", 1)),
			"azure: has no public_key, which Linux machines are entered with; add public_key, or write os: windows"},
		{"Windows with a key", on("azure", windows+", public_key: '"+key+"'"), "azure.public_key: is for os: linux; remove it; Windows machines have a password from the credentials"},
		{"Linux with a password", on("azure", azure+", admin_password_credential: admin_password"), "azure.admin_password_credential: is for os: windows; remove it; Linux machines have a public_key"},
		{"an account that Azure reserves", on("azure", azure+", admin_username: Admin"), `azure.admin_username: is "Admin", which Azure does not allow; choose another name`},
		{"a tag with a slash", on("azure", azure+", tags: {a/b: x}"), `azure.tags["a/b"]: has one of <>%&\?/ in its name; rename it`},
		{"a spot price of nothing", on("azure", azure+", spot: {max_price: 0}"), "azure.spot.max_price: is 0; write US dollars per hour, or -1 for the on-demand price"},
		{"an identity of nothing", on("azure", azure+", identity: {}"), "azure.identity: is of no kind; write system: true, or ids"},
		{"names that Azure does not allow", strings.Replace(strings.Replace(on("azure", azure), "web", strings.Repeat("w", 40), 1), "shop\n", strings.Repeat("s", 20)+"\n", 1),
			"azure: makes machine names of 67 characters out of the application's and the group's name, and Azure allows 64; shorten one of the names"},

		{"a version of a path", on("module", "source: ./m, version: '1'"), "module.version: is for modules of a registry, and source is a path; remove it"},
		{"an input that is ours", on("module", "source: ./m, inputs: {nodes: x}"), "module.inputs.nodes: is set by scalerd; write what belongs to each node under node"},
		{"an input that is Terraform's", on("module", "source: ./m, inputs: {count: 1}"), "module.inputs.count: has a meaning to Terraform and cannot be a variable; rename it"},
		{"an input with an odd name", on("module", "source: ./m, inputs: {a.b: 1}"), `module.inputs["a.b"]: is no name of a variable; use letters, digits and underscores, first no digit`},
		{"user data of a module", on("module", "source: ./m, node: {user_data: x}"), "module.node.user_data: is set by scalerd; rename it; user data comes from cloud_init"},
		{"a secret of a module's provider", on("module", provider+", arguments: {credentials: x}}}"),
			"module.providers.google.arguments.credentials: is a secret, and the description is written to files; remove it, and use the provider's environment variables or scalerd's credentials"},
		{"a provider by its name", on("module", strings.Replace(provider, "hashicorp/", "", 1)+"}}"), "module.providers.google.source: is no provider's address; write it as hashicorp/google"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for line := range strings.Lines(mistakes(t, tt.text)) {
				_, what, _ := strings.Cut(strings.TrimSpace(line), " groups[0].")
				got = append(got, what)
			}
			if found := strings.Join(got, "\n"); found != tt.want {
				t.Errorf("Parse() finds\n%s\nwant\n%s\nin\n%s", found, tt.want, tt.text)
			}
		})
	}
}

func TestSecretsAreKnownByTheirNames(t *testing.T) {
	for name, want := range map[string]bool{
		"password": true, "client_secret": true, "access_key": true, "token": true, "admin_pass": true, "credentials": true,
		"oidc_token_file_path": false, "application_credential_id": false, "token_url": false, "project": false, "compass": false,
	} {
		if got := isSecret(name); got != want {
			t.Errorf("isSecret(%q) = %v, want %v", name, got, want)
		}
	}
}
