package tosca

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// TestAnyTemplateIsTheSameAsItsDescription draws templates, good and bad, and
// checks that each becomes an application that its description gives too, or is
// answered with mistakes that stand in it; the same each time.
func TestAnyTemplateIsTheSameAsItsDescription(t *testing.T) {
	good := 0
	rapid.Check(t, func(t *rapid.T) {
		text := drawTemplate(t)
		if checkTemplate(t, Source{File: "drawn.yaml", Text: []byte(text), Params: map[string]any{"given": "3"}}) {
			good++
		}
	})
	if good == 0 {
		t.Error("no template was good")
	}
}

// reporter is what testing.TB and rapid.T have in common.
type reporter interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkTemplate checks what holds for every text; it reports whether it is good.
func checkTemplate(t reporter, s Source) bool {
	t.Helper()
	app, notes, err := Parse(s)
	again, moreNotes, moreErr := Parse(s)
	if fmt.Sprint(err) != fmt.Sprint(moreErr) || fmt.Sprint(notes) != fmt.Sprint(moreNotes) {
		t.Fatalf("Parse() differs the second time:\n%v\n%v\n%v\n%v\nof:\n%s", err, moreErr, notes, moreNotes, s.Text)
	}
	if err != nil {
		var mistakes strictyaml.Mistakes
		if !errors.As(err, &mistakes) || app != nil || len(mistakes) == 0 {
			t.Fatalf("Parse() = %v, %T %v, want mistakes", app, err, err)
		}
		for _, m := range mistakes {
			if m.Line < 1 || m.Column < 1 || m.What == "" || m.File == "" {
				t.Fatalf("mistake %+v has no place in:\n%s", m, s.Text)
			}
		}
		return false
	}
	if diff := roundTrip(app); diff != "" {
		t.Fatalf("%s", diff)
	}
	if diff := sameApps(app, again); diff != "" {
		t.Fatalf("Parse() differs the second time:\n%s", diff)
	}
	return true
}

func drawTemplate(t *rapid.T) string {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	maybe := func(label, text string) string {
		if rapid.Bool().Draw(t, label) {
			return text
		}
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "tosca_definitions_version: tosca_simple_yaml_%s\n", pick("version", "1_0", "1_2", "1_3"))
	b.WriteString(maybe("metadata", "metadata: {template_name: My App}\n"))
	b.WriteString("node_types:\n  mine: {derived_from: tosca.nodes.MiCADO.EC2.Compute, properties: {region_name: {type: string, default: eu-west-1}, size: {type: string, required: no}}}\n")
	b.WriteString("topology_template:\n  inputs:\n    given: {type: integer, default: 1}\n    texts: {type: list, default: [a, ami-01234567]}\n  node_templates:\n")
	rarely := func(label, text, otherwise string) string {
		if rapid.IntRange(0, 9).Draw(t, label) == 0 {
			return text
		}
		return otherwise
	}
	image := func() string {
		return pick("image", "ami-01234567", "{get_input: [texts, 1]}", "'ami-0123456{get_input: given}'")
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "nodes") {
		kind := pick("type", "mine", "tosca.nodes.MiCADO.EC2.Compute", "tosca.nodes.MiCADO.EC2.Compute.Terra", "tosca.nodes.MiCADO.Nova.Compute", "tosca.nodes.MiCADO.Azure.Compute", "tosca.nodes.MiCADO.Container.Application.Docker")
		fmt.Fprintf(&b, "    node%s%d:\n      type: %s\n", pick("separator", "-", "_", "."), i, kind)
		b.WriteString(rarely("occurrences", "      occurrences: ["+pick("least", "0", "1", "2")+", "+pick("most", "3", "UNBOUNDED", "1")+"]\n", ""))
		b.WriteString(rarely("copies", "      instance_count: "+pick("count", "1", "2", "{get_input: given}")+"\n", ""))
		b.WriteString("      properties:\n        key_name: k\n")
		switch {
		case strings.Contains(kind, "Nova"):
			b.WriteString(rarely("nova", "", "        image_id: 12e45\n        auth_url: https://cloud.example\n        flavor_name: small\n        network_id: n\n        project_id: p\n"))
		case strings.Contains(kind, "Azure"):
			b.WriteString(rarely("azure", "", "        resource_group: a\n        virtual_network: b\n        subnet: c\n        network_security_group: d\n        size: e\n"))
			b.WriteString(maybe("key", "        public_key: "+pick("key text", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9hPOhk0e7Wf9ZhWnSvsuT5l8kSXpYI1jYVbZ0tXQbM me", "(OPTIONAL) ADD_YOUR_KEY")+"\n"))
		default:
			b.WriteString(rarely("ec2", "", "        region_name: eu-west-1\n        instance_type: t3.small\n        image_id: "+image()+"\n"))
		}
		b.WriteString(maybe("tags", "        tags: {a: "+pick("tag", "1", "true", "'yes'", "{get_property: [SELF, key_name]}", "\"a\\nb\"", "é")+"}\n"))
		b.WriteString(maybe("context", "        context: {"+pick("mode", "append: yes, ", "insert: true, ", "")+"cloud_config: "+pick("config", "'#cloud-config'", "\"a:\\n  - b\\n\"", "''")+"}\n"))
		b.WriteString(maybe("interface", "      interfaces: {"+pick("orchestrator", "Terraform", "Occopus")+": {create: {inputs: {endpoint: 'https://x'}}}}\n"))
		b.WriteString(maybe("scalable", "      capabilities: {scalable: {properties: {min_instances: 1, max_instances: 4, default_instances: 2}}}\n"))
	}
	b.WriteString("  policies:\n")
	for i := range rapid.IntRange(0, 3).Draw(t, "policies") {
		fmt.Fprintf(&b, "    - p%d:\n        type: %s\n        targets: [node%s%d]\n        properties:\n", i,
			pick("policy type", "tosca.policies.Scaling.MiCADO", "tosca.policies.Scaling.MiCADO", "tosca.policies.Monitoring.MiCADO"), pick("target separator", "-", "_"), rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "target"))
		b.WriteString("          min_instances: " + pick("min", "0", "1", "'2'", "'{{LOW}}'") + "\n          max_instances: " + pick("max", "3", "'5'", "'{{ HIGH }}'", "{get_input: given}") + "\n")
		b.WriteString("          constants: {LOW: " + pick("low", "1", "2") + ", HIGH: 7, TEXT: '{{LOW}}x', FLAG: " + pick("flag", "yes", "'no'", "1.0") + "}\n")
		b.WriteString(maybe("queries", "          queries: {LOAD: 'load{a=\"{{TEXT}}\"}', LIST: [busy, node], LOW2: 5}\n"))
		b.WriteString(maybe("alerts", "          alerts: [{alert: hot, expr: 'load > {{"+pick("constant", "LOW", "HIGH", "NONE")+"}}', for: "+pick("for", "1m", "1d", "0s")+"}]\n"))
		b.WriteString(maybe("sources", "          sources: ['db.example:{{LOW}}', 'app:9']\n"))
		b.WriteString(maybe("rule", "          scaling_rule: |\n            if m_node_count < {{LOW}}:\n              m_node_count += 1\n"))
	}
	return b.String()
}
