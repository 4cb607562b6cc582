package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
)

// TestAttacksByHosts submits descriptions that name hosts which scalerd's machine reaches
// and their author does not; -v prints the table. What happens when a harmless name leads
// there is the test of scaler/outbound.
func TestAttacksByHosts(t *testing.T) {
	c := fortify(t, access.Options{})
	operator := c.bearer("operator")
	monitored := func(url string) string {
		return "monitoring: {prometheus: {url: '" + url + "'}}\n" + empty
	}
	scraped := func(address string) string {
		return "monitoring: {targets: [{job: x, addresses: ['" + address + "']}]}\n" + empty
	}
	drained := func(url string) string {
		return strings.Replace(empty, "initial: 0", "initial: 0, drain: {url: '"+url+"'}", 1)
	}
	module := func(source string) string {
		return "name: shop\ngroups:\n  - name: web\n    cloud: module\n    min: 0\n    max: 3\n    module:\n      source: '" + source +
			"'\n      node: {name: '{node}'}\n      providers: {random: {source: hashicorp/random, version: '~> 3.0'}}\n"
	}
	ec2 := func(endpoint string) string {
		return "name: shop\ngroups:\n  - name: web\n    cloud: ec2\n    min: 0\n    max: 3\n    ec2: {region: eu-west-1, ami: ami-0123456789abcdef0, instance_type: t3.small, endpoint: '" + endpoint + "'}\n"
	}
	openstack := func(url string) string {
		return "name: shop\ngroups:\n  - name: web\n    cloud: openstack\n    min: 0\n    max: 3\n    openstack: {auth_url: '" + url + "', image_name: a, flavor_name: b, networks: [{name: c}]}\n"
	}
	backend := func(kind, config string) string {
		return "backend: {type: " + kind + ", config: {" + config + "}}\n" + empty
	}
	provider := func(arguments string) string {
		return strings.Replace(openstack("https://cloud.example/v3"), "image_name", "provider: {"+arguments+"}, image_name", 1)
	}
	configured := func(arguments string) string {
		return strings.Replace(module("hashicorp/node/random"), "version: '~> 3.0'", "version: '~> 3.0', arguments: {"+arguments+"}", 1)
	}
	for _, attack := range []struct {
		what, text, path string // path is where the mistake is said to be
		status           string
	}{
		{"an existing Prometheus on this machine", monitored("http://127.0.0.1:9090"), "", "200 OK"},
		{"a Prometheus that is the cloud's metadata", monitored("http://169.254.169.254/latest/meta-data/iam/"), "monitoring.prometheus.url", "422 Unprocessable Entity"},
		{"metadata by its name", monitored("http://metadata.google.internal/computeMetadata/v1/"), "monitoring.prometheus.url", "422 Unprocessable Entity"},
		{"metadata as one number", monitored("http://2852039166/"), "monitoring.prometheus.url", "422 Unprocessable Entity"},
		{"metadata in IPv6", monitored("http://[::ffff:a9fe:a9fe]/"), "monitoring.prometheus.url", "422 Unprocessable Entity"},
		{"a Prometheus that is a file", monitored("file:///etc/passwd"), "monitoring.prometheus.url", "422 Unprocessable Entity"},
		{"scraped metadata", scraped("169.254.169.254:80"), "monitoring.targets[0].addresses[0]", "422 Unprocessable Entity"},
		{"drained by metadata", drained("http://169.254.169.254/"), "groups[0].drain.url", "422 Unprocessable Entity"},
		{"an EC2 that is metadata", ec2("http://169.254.169.254/"), "groups[0].ec2.endpoint", "422 Unprocessable Entity"},
		{"an OpenStack that is metadata", openstack("http://[fd00:ec2::254]/v3"), "groups[0].openstack.auth_url", "422 Unprocessable Entity"},
		{"states kept in metadata", "backend: {type: http, config: {address: 'http://169.254.169.254/state'}}\n" + empty, "backend.config.address", "422 Unprocessable Entity"},
		{"a module from metadata", module("http://169.254.169.254/module.zip"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module from metadata by Git", module("git::https://169.254.169.254/module.git"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module of scalerd's machine", module("/srv/module"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module of scalerd's machine as an address", module("git::file:///srv/module"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module from metadata in IPv6", module("http://[::ffff:a9fe:a9fe]/m.zip"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module from metadata with colons in its path", module("https://169.254.169.254/a::b/m.zip"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module from metadata that looks like a path", module("https://169.254.169.254/x::./y"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module from metadata by Git with colons in its query", module("git::https://169.254.169.254/m.git?x=a::b"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module from metadata by SSH without a user", module("git::metadata:srv/m.git"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module from metadata with an address in its query", module("169.254.169.254/m.git?x=a://b"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module of scalerd's machine with a host in its query", module("/srv/module?x=::github.com/a/b"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module of scalerd's machine with an address in its query", module("/srv/module?x=a://b"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module of scalerd's machine by Git with a host in its query", module("git::file:///srv/m?x=a::b.c/d"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module from an address without a readable host", module("git::ssh://git@evil.example:path/m.git"), "groups[0].module.source", "422 Unprocessable Entity"},
		{"a module of a registry", module("hashicorp/node/random"), "", "200 OK"},
		{"metadata in full-width digits", monitored("http://１６９.２５４.１６９.２５４/"), "monitoring.prometheus.url", "422 Unprocessable Entity"},
		{"scraped metadata in full-width letters", scraped("ｍetadata.google.internal:80"), "monitoring.targets[0].addresses[0]", "422 Unprocessable Entity"},
		{"states in a bucket at metadata", backend("s3", "bucket: b, endpoints: {s3: 'http://169.254.169.254/'}"), "backend.config.endpoints.s3", "422 Unprocessable Entity"},
		{"states in a bucket", backend("s3", "bucket: b, region: eu-west-1, key: shop, endpoints: {s3: 'https://s3.example/'}"), "", "200 OK"},
		{"states in a Consul that is metadata", backend("consul", "address: '169.254.169.254:80'"), "backend.config.address", "422 Unprocessable Entity"},
		{"states in a Kubernetes that is metadata", backend("kubernetes", "host: metadata.google.internal"), "backend.config.host", "422 Unprocessable Entity"},
		{"states in a database at metadata", backend("pg", "conn_str: 'dbname=x host=169.254.169.254'"), "backend.config.conn_str", "422 Unprocessable Entity"},
		{"states in one of two databases", backend("pg", "conn_str: 'postgres://db.example,169.254.169.254/x'"), "backend.config.conn_str", "422 Unprocessable Entity"},
		{"states in a database", backend("pg", "conn_str: 'host=db.example user=me'"), "", "200 OK"},
		{"states at an address that can't be read", backend("http", "address: 'http://evil.example\\@169.254.169.254/'"), "backend.config.address", "422 Unprocessable Entity"},
		{"an OpenStack of which a service is metadata", provider("endpoint_overrides: {compute: 'http://169.254.169.254/v2/'}"), "groups[0].openstack.provider.endpoint_overrides.compute", "422 Unprocessable Entity"},
		{"a provider of a module that is metadata", configured("endpoints: [{sts: 'http://169.254.169.254/'}]"), "groups[0].module.providers.random.arguments.endpoints[0].sts", "422 Unprocessable Entity"},
		{"a provider of a module from metadata", strings.Replace(module("hashicorp/node/random"), "source: hashicorp/random", "source: 169.254.169.254/a/random", 1), "groups[0].module.providers.random.source", "422 Unprocessable Entity"},
		{"a provider of a module that is metadata by its name", configured("host: metadata.google.internal"), "groups[0].module.providers.random.arguments.host", "422 Unprocessable Entity"},
	} {
		body, err := json.Marshal(api.Description{File: "shop.yaml", Text: attack.text})
		if err != nil {
			t.Fatal(err)
		}
		for _, where := range []string{"/v1/validate", "/v1/applications"} {
			if attack.path == "" && where != "/v1/validate" {
				continue
			}
			res, text := c.do("POST", where, string(body), operator...)
			if res.Status != attack.status {
				t.Errorf("%s, POST %s -> %s, want %s: %s", attack.what, where, res.Status, attack.status, text)
			}
			var answer struct {
				Errors []struct{ Location string }
			}
			if err := json.Unmarshal([]byte(text), &answer); err != nil {
				t.Fatal(err)
			}
			if attack.path != "" && (len(answer.Errors) != 1 || answer.Errors[0].Location != attack.path) {
				t.Errorf("%s, POST %s: %s, want one mistake at %s", attack.what, where, text, attack.path)
			}
		}
		t.Logf("%-55s -> %s", attack.what, attack.status)
	}
}
