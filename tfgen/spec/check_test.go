package spec

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// mistakes are those of a description, one a line, without the file name.
func mistakes(t *testing.T, text string) string {
	t.Helper()
	app, err := Parse("shop.yaml", []byte(text))
	if err == nil {
		return ""
	}
	var found strictyaml.Mistakes
	if app != nil || !errors.As(err, &found) {
		t.Fatalf("Parse() = %v, %T %v, want nil and Mistakes", app, err, err)
	}
	return strings.ReplaceAll(err.Error(), "shop.yaml:", "")
}

// withGroup is a description with one group, of which the lines are a part.
func withGroup(lines ...string) string {
	return "name: shop\nqueries: {cpu: avg(cpu), requests: sum(requests)}\ngroups:\n  - name: web\n    cloud: local\n    max: 3\n    " +
		strings.Join(lines, "\n    ") + "\n"
}

// withPolicy is a description with one policy, which begins in line 8, column 9.
func withPolicy(policy string) string { return withGroup("policies:", "  - "+policy) }

// withApplication is a description of which the lines from line 6 on are a part.
func withApplication(lines string) string { return small + lines + "\n" }

func TestParseReportsMistakes(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a name with capitals", strings.Replace(small, "shop", "Shop", 1),
			`1:1 name: is "Shop", which is no name; use lower-case letters, digits and dashes, first a letter, last no dash`},
		{"a name that ends in a dash", strings.Replace(small, "web", "web-", 1),
			`3:5 groups[0].name: is "web-", which is no name; use lower-case letters, digits and dashes, first a letter, last no dash`},
		{"a name of 41 characters", strings.Replace(small, "web", strings.Repeat("w", 41), 1),
			"3:5 groups[0].name: is 41 characters long, more than 40; shorten it"},
		{"a name of 40 characters", strings.Replace(small, "web", strings.Repeat("w", 40), 1), ""},
		{"a text for a description", "shop", `1:1: is the text "shop", not a mapping; write its keys below it, indented`},
		{"a text for a group", "name: shop\ngroups: [web]\n", `2:10 groups[0]: is the text "web", not a mapping; write its keys below it, indented`},
		{"nothing", "", "1:1: is empty; write a description"},
		{"an interval below a second", withApplication("interval: 999ms"), "6:1 interval: is 999ms, less than 1s; write 1s or more"},
		{"no groups", "name: shop\ngroups: []\n", "2:1 groups: has 0 items, less than 1; add items, or remove the key"},
		{"two groups of a name", small + "  - {name: web, cloud: local, max: 1}\n",
			`6:6 groups[1].name: is "web", as is groups[0].name; give each group its own`},
		{"two balancers at an address",
			"name: shop\ngroups:\n  - {name: a, cloud: local, max: 1, local: {balancer: 'localhost:80'}}\n  - {name: b, cloud: local, max: 1, local: {balancer: 'localhost:80'}}\n",
			`4:45 groups[1].local.balancer: is "localhost:80", as is groups[0].local.balancer; give each balancer its own`},
		{"two balancers at ports that the kernel chooses",
			"name: shop\ngroups:\n  - {name: a, cloud: local, max: 1, local: {balancer: ':0'}}\n  - {name: b, cloud: local, max: 1, local: {balancer: ':0'}}\n", ""},

		{"credentials of another folder", withGroup("credentials: ../.."),
			`7:5 groups[0].credentials: is "../..", which is no name of credentials; use 1 to 64 letters, digits and . _ -, and begin with a letter or digit`},
		{"credentials with a slash", withGroup("credentials: a/b"),
			`7:5 groups[0].credentials: is "a/b", which is no name of credentials; use 1 to 64 letters, digits and . _ -, and begin with a letter or digit`},
		{"a Prometheus without a scheme", withApplication("monitoring: {prometheus: {url: 'prom:9090'}}"),
			`6:27 monitoring.prometheus.url: is "prom:9090", which is no http address; write it as http://host:9090 or https://host`},
		{"a Prometheus over ftp", withApplication("monitoring: {prometheus: {url: 'ftp://prom'}}"),
			`6:27 monitoring.prometheus.url: is "ftp://prom", which is no http address; write it as http://host:9090 or https://host`},
		{"a Prometheus with a password in its address", withApplication("monitoring: {prometheus: {url: 'http://a:b@prom'}}"),
			"6:27 monitoring.prometheus.url: holds a password or user; use username and password_file"},
		{"a Prometheus with a query in its address", withApplication("monitoring: {prometheus: {url: 'http://prom?x=1'}}"),
			"6:27 monitoring.prometheus.url: holds a query or fragment; write the base address only"},
		{"a Prometheus with a token and a user", withApplication("monitoring: {prometheus: {url: 'http://prom', bearer_token_file: t, username: u, password_file: p}}"),
			"6:47 monitoring.prometheus.bearer_token_file: is set together with username; keep one of them"},
		{"a user without a password", withApplication("monitoring: {prometheus: {url: 'http://prom', username: u}}"),
			"6:47 monitoring.prometheus.username: is set without password_file; set both, or neither"},
		{"a password without a user", withApplication("monitoring: {prometheus: {url: 'http://prom', password_file: p}}"),
			"6:47 monitoring.prometheus.password_file: is set without username; set both, or neither"},
		{"a certificate without its key", withApplication("monitoring: {prometheus: {url: 'http://prom', cert_file: c}}"),
			"6:47 monitoring.prometheus.cert_file: is set without key_file; set both, or neither"},
		{"a key without its certificate", withApplication("monitoring: {prometheus: {url: 'http://prom', key_file: k}}"),
			"6:47 monitoring.prometheus.key_file: is set without cert_file; set both, or neither"},
		{"targets beside a Prometheus", withApplication("monitoring:\n  prometheus: {url: 'http://prom'}\n  targets: [{job: a, addresses: ['a:1']}]"),
			"8:3 monitoring.targets: is for the embedded monitoring, and prometheus is set; let that Prometheus scrape them, or remove prometheus"},
		{"a target without a port", withApplication("monitoring: {targets: [{job: a, addresses: [db]}]}"),
			`6:45 monitoring.targets[0].addresses[0]: is "db", not host:port; write it as host:port, an IPv6 address in brackets`},
		{"a target with an address as for a browser", withApplication("monitoring: {targets: [{job: a, addresses: ['http://db:80']}]}"),
			`6:45 monitoring.targets[0].addresses[0]: is "http://db:80", not host:port; write it as host:port, an IPv6 address in brackets`},
		{"a target without a host", withApplication("monitoring: {targets: [{job: a, addresses: [':80']}]}"),
			`6:45 monitoring.targets[0].addresses[0]: is ":80", without a host; write it as host:port`},
		{"a target at port 0", withApplication("monitoring: {targets: [{job: a, addresses: ['a:0']}]}"),
			`6:45 monitoring.targets[0].addresses[0]: is "a:0", whose port is not a number from 1 to 65535; mend the port`},
		{"a target with an odd path, label and job", withApplication("monitoring: {targets: [{job: '', addresses: ['a:1'], path: m, labels: {a-b: x}}]}"),
			"6:25 monitoring.targets[0].job: is empty; name the job\n" +
				`6:54 monitoring.targets[0].path: is "m", which does not start with /; write it as "/metrics"` + "\n" +
				"6:72 monitoring.targets[0].labels.a-b: is no label name; use letters, digits and underscores, first no digit nor two underscores"},

		{"min above max", withGroup("min: 5"), "7:5 groups[0].min: is 5, more than max 3; lower min or raise max"},
		{"initial below min", withGroup("min: 2", "initial: 1"), "8:5 groups[0].initial: is 1, outside min 2 to max 3; choose a number between them"},
		{"initial above max", withGroup("initial: 4"), "7:5 groups[0].initial: is 4, outside min 1 to max 3; choose a number between them"},
		{"an unknown cloud", strings.Replace(small, "local", "mars", 1), `4:5 groups[0].cloud: is "mars", which is not known; use local or ec2 or openstack or azure or module`},
		{"a mistyped cloud with its settings", strings.Replace(small, "local", "locla", 1) + "    local: {slots: 2}\n",
			`4:5 groups[0].cloud: is "locla", which is not known; did you mean local? Known: local, ec2, openstack, azure, module`},
		{"the settings of another cloud", strings.Replace(small, "local", "ec2", 1) + "    ec2: {region: r, ami: ami-01234567, instance_type: t}\n    local: {slots: 2}\n",
			"7:5 groups[0].local: is for cloud: local, and cloud is ec2; remove it, or write cloud: local"},
		{"a cloud without its settings", strings.Replace(small, "local", "azure", 1),
			"4:5 groups[0].cloud: is azure, and the group has no azure settings; add azure:"},
		{"a surge smaller than a batch", withGroup("rollout: {batch: 3, surge: 2}"),
			"7:25 groups[0].rollout.surge: is 2, less than batch 3; make it as large as batch, or 0"},
		{"a query of one text in a list", withGroup("queries: {q: [up]}"),
			"7:15 groups[0].queries.q: is a list of other than two texts; write [expression, label]"},
		{"an alert with the name of a query", withGroup("alerts: [{alert: cpu, expr: up}]"),
			"7:15 groups[0].alerts[0].alert: is the name of a query too; rename one of them"},
		{"two alerts of a name", withGroup("alerts: [{alert: a, expr: up}, {alert: a, expr: up}]"),
			`7:37 groups[0].alerts[1].alert: is "a", as is groups[0].alerts[0].alert; give each alert its own`},
		{"a service time of nothing", withGroup("local: {service_time: 0s}"), "7:13 groups[0].local.service_time: is 0s; write more than 0s"},
		{"a balancer without a port", withGroup("local: {balancer: localhost}"),
			`7:13 groups[0].local.balancer: is "localhost", not host:port; write it as host:port, an IPv6 address in brackets`},
		{"a balancer on every address", withGroup("local: {balancer: ':8080'}"), ""},
		{"a metrics path without a slash", withGroup("metrics: {path: m}"), `7:15 groups[0].metrics.path: is "m", which does not start with /; write it as "/metrics"`},

		{"a query that is no variable", withGroup("queries: {a-b: x}"),
			"7:15 groups[0].queries.a-b: has a name that rules cannot use as a variable; use letters, digits and underscores, first no digit"},
		{"a constant with a space", withGroup("constants: {a b: 1}"),
			`7:17 groups[0].constants["a b"]: has a name that rules cannot use as a variable; use letters, digits and underscores, first no digit`},
		{"a constant named as a keyword", withApplication("constants: {lambda: 1}"), "6:13 constants.lambda: has the name of a Starlark keyword; rename it"},
		{"a constant named as scalerd's variables", withApplication("constants: {m_node_count: 1}"),
			"6:13 constants.m_node_count: has a name that starts with m_, as the variables that scalerd sets do; rename it, or start it with m_opt_"},
		{"a query named as an optimizer's variable", withApplication("queries: {m_opt_load: x}"), ""},
		{"an empty query", withApplication("queries: {a: ' '}"), "6:11 queries.a: is empty; write a PromQL expression"},
		{"a constant and a query of a name", withApplication("constants: {a: 1}\nqueries: {a: x}"), "7:11 queries.a: is the name of a constant too; rename one of them"},
		{"a group's query named as the application's constant", withApplication("    queries: {a: x}\nconstants: {a: 1}"),
			"6:15 groups[0].queries.a: is the name of a constant of the application; rename one of them"},
		{"a group's constant named as the application's query", withGroup("constants: {cpu: 1}"),
			"7:17 groups[0].constants.cpu: is the name of a query of the application; rename one of them"},

		{"a policy of nothing", withPolicy("name: idle"), "8:9 groups[0].policies[0]: has none of target, steps, rule, advice, schedule, deadline and activation; add one of them"},
		{"a policy of two things", withPolicy("{rule: m_node_count = 1, target: {query: cpu, value: 1}}"),
			"8:9 groups[0].policies[0]: has target and rule; keep one of them"},
		{"a policy whose kind is mistyped is told so only", withPolicy("tarjet: {query: cpu, value: 1}"),
			"8:9 groups[0].policies[0].tarjet: is not a known key; did you mean target? Known: name, target, steps, rule, advice, schedule, deadline, activation, missing, shadow"},
		{"a policy with an odd name", withPolicy("{name: A, rule: m_node_count = 1}"),
			`8:10 groups[0].policies[0].name: is "A", which is no name; use lower-case letters, digits and dashes, first a letter, last no dash`},
		{"two policies of a name", withPolicy("{name: a, rule: x}\n      - {name: a, rule: y}"),
			`9:10 groups[0].policies[1].name: is "a", as is groups[0].policies[0].name; give each policy its own`},
		{"an empty rule", withPolicy("rule: ' '"), "8:9 groups[0].policies[0].rule: is empty; write a program that sets m_node_count"},
		{"a rule that is a number", withPolicy("rule: 5"), `8:9 groups[0].policies[0].rule: is the number 5, not text; put it in quotes: "5"`},
		{"a target of 0", withPolicy("target: {query: cpu, value: 0}"), "8:30 groups[0].policies[0].target.value: is 0; write a number above 0"},
		{"a target with a mistyped query", withPolicy("target: {query: request, value: 1}"),
			`8:18 groups[0].policies[0].target.query: is "request", which is no defined query; did you mean requests? Defined: cpu, requests`},
		{"steps with an unknown query", withPolicy("steps: {query: memory, bands: [{above: 1, change: 1}]}"),
			`8:17 groups[0].policies[0].steps.query: is "memory", which is no defined query; define it under queries. Defined: cpu, requests`},
		{"a target without any query defined", small + "    policies: [{target: {query: cpu, value: 1}}]\n",
			`6:26 groups[0].policies[0].target.query: is "cpu", which is no defined query; define it under queries`},
		{"a target kind that is mistyped", withPolicy("target: {query: cpu, value: 1, kind: totl}"),
			`8:40 groups[0].policies[0].target.kind: is "totl", which is not known; did you mean total? Known: average, total`},
		{"a band without bounds", withPolicy("steps: {query: cpu, bands: [{change: 1}]}"),
			"8:37 groups[0].policies[0].steps.bands[0]: has neither above nor below; add one of them, or both"},
		{"a band of nothing", withPolicy("steps: {query: cpu, bands: [{above: 2, below: 2, nodes: 1}]}"),
			"8:38 groups[0].policies[0].steps.bands[0].above: is 2, not less than below 2, so the band holds nothing; lower above or raise below"},
		{"a band without a size", withPolicy("steps: {query: cpu, bands: [{above: 2}]}"),
			"8:37 groups[0].policies[0].steps.bands[0]: has none of change, percent and nodes; add one of them"},
		{"a band with two sizes", withPolicy("steps: {query: cpu, bands: [{above: 2, change: 0, nodes: 0}]}"),
			"8:37 groups[0].policies[0].steps.bands[0]: has change and nodes; keep one of them"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, mistakes(t, tt.text)); diff != "" {
				t.Errorf("Parse() (-want +got):\n%s\nof:\n%s", diff, tt.text)
			}
		})
	}
}

func TestParseReportsEveryMistakeAtOnce(t *testing.T) {
	got := mistakes(t, `name: My Shop
interval: 0s
monitoring:
  prometheus: {url: prom, username: me}
queries: {cpu: avg(cpu), if: x}
groups:
  - name: web
    cloud: local
    min: 5
    max: 3
    shard_sizes: 7
    policies:
      - target: {query: cpo, value: -1}
  - name: web
    cloud: local
    scaling: {cooldown_in: 5}
`)
	want := `1:1 name: is "My Shop", which is no name; use lower-case letters, digits and dashes, first a letter, last no dash
2:1 interval: is 0s, less than 1s; write 1s or more
4:16 monitoring.prometheus.url: is "prom", which is no http address; write it as http://host:9090 or https://host
4:27 monitoring.prometheus.username: is set without password_file; set both, or neither
5:26 queries.if: has the name of a Starlark keyword; rename it
9:5 groups[0].min: is 5, more than max 3; lower min or raise max
11:5 groups[0].shard_sizes: is not a known key; did you mean shard_size? Known: name, cloud, min, max, initial, shard_size, local, ec2, openstack, azure, module, credentials, cloud_init, rollout, offerings, drain, repair, drift, metrics, constants, queries, alerts, optimizer, policies, price_per_hour, budget, scaling
13:18 groups[0].policies[0].target.query: is "cpo", which is no defined query; did you mean cpu? Defined: cpu, if
13:30 groups[0].policies[0].target.value: is -1; write a number above 0
14:5 groups[1].max: is missing; add a whole number
14:5 groups[1].name: is "web", as is groups[0].name; give each group its own
16:15 groups[1].scaling.cooldown_in: is the number 5, without a unit; write a unit, such as 5s`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse() (-want +got):\n%s", diff)
	}
}
