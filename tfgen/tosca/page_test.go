package tosca

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

const pageFile = "../../templates/docs/adt-support.md"

// TestThePageSaysWhatIsRefused reads a wrong template of each kind that the page for
// users lists, and looks for the sentence there.
func TestThePageSaysWhatIsRefused(t *testing.T) {
	page, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## What is refused")
	const head = "tosca_definitions_version: tosca_simple_yaml_1_2\n"
	node := func(kind, properties string) string {
		return head + "topology_template:\n  node_templates:\n    one:\n      type: " + kind + "\n      properties: {" + properties + "}\n"
	}
	const ec2 = "tosca.nodes.MiCADO.EC2.Compute"
	templates := map[string]string{
		"no version":                     "topology_template: {node_templates: {one: {type: " + ec2 + "}}}\n",
		"a machine of another cloud":     node("tosca.nodes.MiCADO.GCE.Compute", ""),
		"a compute type without a cloud": node("tosca.nodes.MiCADO.Compute", ""),
		"a type that nobody defines":     node("tosca.nodes.MiCADO.Moon.Compute", ""),
		"an import from elsewhere":       head + "imports: [https://example.org/types.yaml]\n" + strings.TrimPrefix(node(ec2, ""), head),
		"a template of containers only":  node("tosca.nodes.MiCADO.Container.Application.Docker", "image: nginx"),
		"a function besides those above": node(ec2, "image_id: {get_operation_output: [SELF, a, b, c]}"),
		"an input without a value":       head + "topology_template:\n  inputs: {image: {type: string}}\n" + strings.TrimPrefix(node(ec2, "image_id: {get_input: image}"), head+"topology_template:\n"),
		"a placeholder":                  node(ec2, "image_id: ADD_YOUR_ID_HERE"),
		"a Policy Keeper's policy file":  "stack: s\ndata: {sources: []}\nscaling: {nodes: []}\n",
	}
	rows := regexp.MustCompile("(?m)^\\| (.*) \\| `(.*)` \\|$").FindAllStringSubmatch(table, -1)
	if len(rows) != len(templates) {
		t.Errorf("the page has %d sentences, want %d", len(rows), len(templates))
	}
	for _, row := range rows {
		text, known := templates[row[1]]
		if !known {
			t.Errorf("the page has %q, of which there is no template here", row[1])
			continue
		}
		_, _, err := Parse(Source{File: "adt.yaml", Text: []byte(text)})
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), " tosca_definitions_version is", " tosca_definitions_version: is"), row[2]) {
			t.Errorf("%s: %v; the page says %q", row[1], err, row[2])
		}
	}
}

// TestThePageNamesTypesThatAreKnown looks up each type that the page names.
func TestThePageNamesTypesThatAreKnown(t *testing.T) {
	page, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`(tosca\\.(?:nodes|policies)\\.[A-Za-z0-9.]+)`").FindAllStringSubmatch(string(page), -1)
	if len(names) < 10 {
		t.Errorf("the page names %d types", len(names))
	}
	for _, name := range names {
		_, node := builtInNodes[name[1]]
		if _, policy := builtInPolicies[name[1]]; !node && !policy {
			t.Errorf("the page names %s, which is no type", name[1])
		}
	}
}
