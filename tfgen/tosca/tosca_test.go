package tosca

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// vm is a template with one machine and a place for more.
const vm = `tosca_definitions_version: tosca_simple_yaml_1_2
topology_template:
  node_templates:
    vm:
      type: tosca.nodes.MiCADO.EC2.Compute.Terra
      properties: {image_id: ami-0123456789abcdef1, instance_type: t3.small}
`

func TestIs(t *testing.T) {
	for text, want := range map[string]bool{
		vm:               true,
		"# hello\n" + vm: true,
		`{"tosca_definitions_version": "tosca_simple_yaml_1_2", "topology_template": {}}`: true,
		"\"tosca_definitions_version\": x\n":                                              true,
		"topology_template: {}\n":                                                         true,
		"stack: x\ndata: {}\n":                                                            true,
		"constants:\n  input_metrics: []\n":                                               true,
		"sample: {}\n":                                                                    true,
		"PK\x03\x04":                                                                      true,
		"":                                                                                false,
		"name: shop\ngroups: []\n":                                                        false,
		"name: shop\nconstants: {input_metrics: 1}\ngroups: []\n":                   false,
		"groups: []\nnot_deployed: [{name: a, definition: {topology_template: 1}}]": false,
		"groups: []\n  tosca_definitions_version: x\n":                              false,
	} {
		if got := Is([]byte(text)); got != want {
			t.Errorf("Is(%q) = %t, want %t", text, got, want)
		}
	}
}

func TestForeignTextsAreRefusedInOneSentence(t *testing.T) {
	for text, want := range map[string]string{
		"stack: x\ndata: {}\n":              "is a policy file of MiCADO's Policy Keeper",
		"constants:\n  input_metrics: []\n": "is a request to initialise MiCADO's optimizer",
		"sample: {}\n":                      "is a sample for MiCADO's optimizer",
		"name: shop\ngroups: []\n":          "is no TOSCA template",
		"":                                  "is no TOSCA template",
	} {
		_, _, err := Parse(Source{File: "x.yaml", Text: []byte(text)})
		var mistakes strictyaml.Mistakes
		if !errors.As(err, &mistakes) || len(mistakes) != 1 || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, want one mistake with %q", text, err, want)
		}
	}
}

func TestApplicationName(t *testing.T) {
	for _, tt := range []struct{ file, template, given, want string }{
		{"shop.yaml", "", "", "shop"},
		{"a/b\\Shop_Front.v2.yml", "", "", "shop-front-v2"},
		{"stdin", "", "", "stdin"},
		{"1_shop.yaml", "", "", "app-1-shop"},
		{"___.yaml", "", "", "application"},
		{strings.Repeat("long-", 20) + ".yaml", "", "", "long-long-long-long-long-long-long-long"},
		{"shop.yaml", "My Shop", "", "my-shop"},
		{"shop.yaml", "My Shop", "front", "front"},
	} {
		text := vm
		if tt.template != "" {
			text += "metadata: {template_name: " + tt.template + "}\n"
		}
		app, _, err := Parse(Source{File: tt.file, Text: []byte(text), Name: tt.given})
		if err != nil || app.Name != tt.want {
			t.Errorf("Parse() of %s, %s, %s = %v, %v, want %s", tt.file, tt.template, tt.given, app, err, tt.want)
		}
	}
	if _, _, err := Parse(Source{File: "shop.yaml", Text: []byte(vm), Name: "No Name"}); err == nil {
		t.Error("Parse() with the name \"No Name\" = nil, want a mistake")
	}
}

// TestRulesStandInTheTemplate checks where the text of a rule begins: in the
// policy, in quotes, and in the default of a policy type.
func TestRulesStandInTheTemplate(t *testing.T) {
	app, _, err := Parse(Source{File: "adt.yaml", Text: []byte(`tosca_definitions_version: tosca_simple_yaml_1_2
policy_types:
  mine:
    derived_from: tosca.policies.Scaling.MiCADO
    properties:
      scaling_rule:
        default: |
          m_node_count = {{LEAST}}
          pass
topology_template:
  node_templates:
    vm: {type: tosca.nodes.MiCADO.EC2.Compute.Terra, properties: {image_id: ami-0123456789abcdef1, instance_type: t3.small}}
  policies:
    - a: {type: mine, targets: [vm], properties: {constants: {LEAST: 1}, min_instances: 1, max_instances: 2}}
    - b:
        type: tosca.policies.Scaling.MiCADO
        targets: [vm]
        properties:
          scaling_rule: 'm_node_count = 2'
          min_instances: 1
          max_instances: 2
`)})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, p := range app.Groups[0].Policies {
		got += fmt.Sprintf("%s %s:%d:%d %q\n", p.Name, p.Rule.File, p.Rule.Line, p.Rule.Column, p.Rule.Source)
	}
	want := "rule adt.yaml:8:11 \"m_node_count = 1\\npass\\n\"\nrule-2 adt.yaml:19:26 \"m_node_count = 2\"\n"
	if got != want {
		t.Errorf("rules =\n%swant\n%s", got, want)
	}
}

// TestChecksSpeakOfTheTemplate checks that mistakes that a check finds stand at the
// template's lines, with the template's paths.
func TestChecksSpeakOfTheTemplate(t *testing.T) {
	text := vm + `  policies:
    - s:
        type: tosca.policies.Scaling.MiCADO
        targets: [vm]
        properties:
          queries: {LOAD: up}
          min_instances: 1
          max_instances: 2
          scaling_rule: x
`
	check := func(_ *spec.Application, doc *strictyaml.Document) strictyaml.Mistakes {
		var mistakes strictyaml.Mistakes
		for _, path := range []string{"name", "queries.LOAD", "groups[0].ec2.ami", "groups[0].policies[0].rule", "groups[0].max", "groups[0].ec2.spot.max_price"} {
			mistakes = append(mistakes, doc.Mistake(path, "is wrong", "mend it"))
		}
		return mistakes
	}
	_, _, err := Parse(Source{File: "adt.yaml", Text: []byte(text)}, check)
	want := `adt.yaml:1:1: is wrong; mend it
adt.yaml:6:7 topology_template.node_templates.vm.properties.spot.max_price: is wrong; mend it
adt.yaml:6:20 topology_template.node_templates.vm.properties.image_id: is wrong; mend it
adt.yaml:12:21 topology_template.policies[0].s.properties.queries.LOAD: is wrong; mend it
adt.yaml:14:11 topology_template.policies[0].s.properties.max_instances: is wrong; mend it
adt.yaml:15:11 topology_template.policies[0].s.properties.scaling_rule: is wrong; mend it`
	if err == nil || err.Error() != want {
		t.Errorf("Parse() =\n%v\nwant\n%s", err, want)
	}
}

// deadline is far above what any text takes on a busy machine, and far below what the
// texts below take without the limits.
const deadline = time.Minute

// TestParseIsBounded feeds texts that grow without the limits.
func TestParseIsBounded(t *testing.T) {
	head := "tosca_definitions_version: tosca_simple_yaml_1_3\n"
	laughs := head + "dsl_definitions:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	doubling := ""
	for i := 1; i < 40; i++ {
		laughs += fmt.Sprintf("  a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
		doubling += fmt.Sprintf("            C%d: '{{C%d}}{{C%d}}{{C%d}}'\n", i, i-1, i-1, i-1)
	}
	list := "[" + strings.Repeat("x, ", 20_000) + "x]"
	policies := "  policies:\n    - s:\n        type: tosca.policies.Scaling.MiCADO\n        targets: [vm]\n        properties:\n          min_instances: 1\n          max_instances: 2\n          constants:\n            C0: x\n"
	properties := ""
	for i := range 60 {
		properties += fmt.Sprintf("        p%d: {concat: [{get_property: [SELF, p%d]}, {get_property: [SELF, p%d]}]}\n", i, (i+1)%60, (i+2)%60)
	}
	many := "      properties:\n        image_id: ami-0123456789abcdef1\n        instance_type: t\n"
	block := "    vm:\n      type: tosca.nodes.MiCADO.EC2.Compute.Terra\n"
	types := "node_types:\n"
	for i := range 1500 {
		types += fmt.Sprintf("  t%d: {derived_from: t%d}\n", i, i+1)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"a billion laughs", laughs + "topology_template: {}\n", "aliases of this file multiply"},
		{"100 MB", head + strings.Repeat("#", 100<<20), "more than 4194304"},
		{"deep nesting", head + "topology_template: " + strings.Repeat("[", 50_000), "nested more than 64 deep"},
		{"constants that double", vm + policies + doubling, "its texts multiply"},
		{"properties that double", head + "topology_template:\n  node_templates:\n" + block + many + properties, "break the circle"},
		{"an input in many places", head + "topology_template:\n  inputs:\n    big: {type: list, default: " + list + "}\n  node_templates:\n" + block + many + "        more: [" + strings.Repeat("{get_input: big}, ", 1000) + "x]\n", "makes the template too large"},
		{"an input in many texts", head + "topology_template:\n  inputs:\n    big: {type: string, default: " + strings.Repeat("x", 1<<20) + "}\n  node_templates:\n" + block + many + "        more: ['" + strings.Repeat("{get_input: big}", 1000) + "']\n", "its texts multiply"},
		{"copies of a large node", head + "topology_template:\n  node_templates:\n" + block + "      instance_count: 200\n" + many + "        more: " + list + "\n", "makes the template too large"},
		{"too many copies", head + "topology_template:\n  node_templates:\n" + block + "      instance_count: 1000000000\n" + many, "not a whole number from 0 to 200"},
		{"a long chain of types", head + types + "topology_template:\n  node_templates:\n    vm: {type: t0}\n", "derives through more than 100 types"},
		{"a circle of types", head + "node_types:\n  a: {derived_from: b}\n  b: {derived_from: a}\ntopology_template:\n  node_templates:\n    vm: {type: a}\n", "break the circle"},
		{"many unknown names", head + "topology_template:\n  node_templates:\n" + numbered(1900, "    n%d: {type: tosca.nodes.Root, properties: {a: {get_input: x%[1]d}}, requirements: [host: none%[1]d]}\n"), "which is no node"},
		{"many copies of many nodes", head + "topology_template:\n  node_templates:\n" + numbered(1900, "    n%d: {type: tosca.nodes.MiCADO.Edge, instance_count: 200, requirements: [host: n1]}\n"), "makes the template too large"},
		{"many constants", vm + "  policies:\n" + strings.Repeat("    - s:\n        type: tosca.policies.Scaling.MiCADO\n        targets: [vm]\n        properties:\n          min_instances: 2\n          max_instances: 1\n          constants:\n"+numbered(1900, "            c%d: 1\n"), 20), "more than max"},
		{"many defaults of types", head + "node_types:\n  big:\n    derived_from: tosca.nodes.MiCADO.EC2.Compute\n    properties:\n" + numbered(1900, "      p%d: {default: 1}\n") + "topology_template:\n  node_templates:\n" + numbered(1900, "    n%d: {type: big}\n"), "makes the template too large"},
		{"many placeholders", head + "topology_template:\n  node_templates:\n" + block + many + "        more: [" + strings.Repeat("ADD_YOUR_ID, ", 5000) + "x]\n", "is the placeholder"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, notes, err := Parse(Source{File: "adt.yaml", Text: []byte(tt.text)})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			t.Logf("%v, %d MB allocated", took, (after.TotalAlloc-before.TotalAlloc)>>20)
			if took > deadline {
				t.Errorf("Parse() took %v, want less than %v", took, deadline)
			}
			if allocated := (after.TotalAlloc - before.TotalAlloc) >> 20; allocated > 2000 {
				t.Errorf("Parse() allocated %d MB, want less than 2000", allocated)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 200_000 || len(notes) > maxReported {
				t.Errorf("Parse() = %.500v, want a mistake with %q", err, tt.want)
			}
		})
	}
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
