package tfgen_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	tfjson "github.com/hashicorp/terraform-json"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/schema"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// TestAnyDescriptionGivesValidTerraform draws descriptions of all clouds and checks
// what is generated: it parses, is formatted, is the same the second time, keeps to
// the providers' schemas, and has nodes of the declared type.
func TestAnyDescriptionGivesValidTerraform(t *testing.T) {
	schemas := readSchemas(t)
	rapid.Check(t, func(t *rapid.T) {
		text := spec.Encode(drawApplication(t))
		app, err := spec.Parse("/srv/shop/shop.yaml", text, tfgen.Check)
		if err != nil {
			t.Fatalf("%v\nof\n%s", err, text)
		}
		again, err := spec.Parse("/srv/shop/shop.yaml", text, tfgen.Check)
		if err != nil {
			t.Fatal(err)
		}
		group := &app.Groups[0]
		for name, generate := range map[string]func(*spec.Application, *spec.Group) (tfgen.Module, error){"shard": tfgen.Shard, "base": tfgen.Base} {
			m, err := generate(app, group)
			if err != nil {
				t.Fatalf("%s: %v\nof\n%s", name, err, text)
			}
			if m2, _ := generate(again, &again.Groups[0]); !cmp.Equal(m, m2, cmpopts.IgnoreUnexported(tfgen.Module{})) {
				t.Fatalf("%s differs the second time: %s", name, cmp.Diff(m, m2))
			}
			for _, f := range m.Files {
				if strings.HasSuffix(f.Name, ".tf") {
					checkFile(t, schemas, name+"/"+f.Name, f.Content)
				}
			}
			if name == "shard" {
				checkNodes(t, app, m)
			}
		}
	})
}

// checkFile parses a file and checks its blocks against the schemas.
func checkFile(t *rapid.T, schemas map[string]*tfjson.SchemaBlock, name string, content []byte) {
	parsed, diags := hclsyntax.ParseConfig(content, name, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %v\n%s", name, diags, content)
	}
	if formatted := hclwrite.Format(content); !bytes.Equal(formatted, content) {
		t.Fatalf("%s is not formatted:\n%s", name, cmp.Diff(string(formatted), string(content)))
	}
	for _, block := range parsed.Body.(*hclsyntax.Body).Blocks {
		kind := ""
		switch block.Type {
		case "resource":
			kind = block.Labels[0]
		case "data":
			kind = "data." + block.Labels[0]
		case "provider":
			kind = "provider." + block.Labels[0]
		default:
			continue
		}
		if schemas[kind] == nil {
			continue // of the user's module
		}
		for _, problem := range againstSchema(schemas[kind], block.Body, kind, true) {
			t.Fatalf("%s: %s in\n%s", name, problem, content)
		}
	}
}

// metaArguments are Terraform's own.
var metaArguments = []string{"for_each", "lifecycle"}

// againstSchema lists what a block has that its schema has not, and the reverse.
func againstSchema(block *tfjson.SchemaBlock, body *hclsyntax.Body, path string, top bool) (problems []string) {
	for name := range body.Attributes {
		a := block.Attributes[name]
		if top && slices.Contains(metaArguments, name) {
			continue
		}
		if a == nil || !a.Optional && !a.Required {
			problems = append(problems, fmt.Sprintf("%s.%s cannot be set", path, name))
		}
	}
	for name, a := range block.Attributes {
		if a.Required && body.Attributes[name] == nil {
			problems = append(problems, fmt.Sprintf("%s.%s is missing", path, name))
		}
	}
	for _, nested := range body.Blocks {
		name, inner := nested.Type, nested.Body
		if name == "lifecycle" && top {
			problems = append(problems, ignoredUnknown(block, inner, path)...)
			continue
		}
		if name == "dynamic" {
			name, inner = nested.Labels[0], inner.Blocks[0].Body
		}
		if block.NestedBlocks[name] == nil {
			problems = append(problems, fmt.Sprintf("%s.%s is no block", path, name))
			continue
		}
		problems = append(problems, againstSchema(block.NestedBlocks[name].Block, inner, path+"."+name, false)...)
	}
	return problems
}

// ignoredUnknown lists what ignore_changes names and the schema does not.
func ignoredUnknown(block *tfjson.SchemaBlock, lifecycle *hclsyntax.Body, path string) (problems []string) {
	for _, traversal := range lifecycle.Attributes["ignore_changes"].Expr.Variables() {
		name := traversal.RootName()
		if block.Attributes[name] == nil && block.NestedBlocks[name] == nil {
			problems = append(problems, fmt.Sprintf("%s ignores %s, which does not exist", path, name))
		}
	}
	return problems
}

// checkNodes checks that the nodes are of the type that variables.tf declares.
func checkNodes(t *rapid.T, app *spec.Application, m tfgen.Module) {
	group := &app.Groups[0]
	i := slices.IndexFunc(m.Files, func(f tfgen.File) bool { return f.Name == "variables.tf" })
	parsed, _ := hclsyntax.ParseConfig(m.Files[i].Content, "variables.tf", hcl.InitialPos)
	want, _, diags := typeexpr.TypeConstraintWithDefaults(parsed.Body.(*hclsyntax.Body).Blocks[0].Body.Attributes["type"].Expr)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	nodes := tfgen.Nodes{}
	for n := 1; n <= 5; n++ {
		settings, err := tfgen.NewNode(app, group, n)
		if err != nil {
			t.Fatal(err)
		}
		nodes[tfgen.NodeName(group.Name, n)] = settings
	}
	text, err := nodes.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Nodes json.RawMessage }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	have, err := ctyjson.ImpliedType(file.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	value, err := ctyjson.Unmarshal(file.Nodes, have)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := convert.Convert(value, want); err != nil {
		t.Fatalf("nodes are not of the declared type: %v\n%s", err, text)
	}
}

func readSchemas(t *testing.T) map[string]*tfjson.SchemaBlock {
	t.Helper()
	blocks := map[string]*tfjson.SchemaBlock{}
	must := func(s *tfjson.Schema, err error) *tfjson.SchemaBlock {
		if err != nil {
			t.Fatal(err)
		}
		return s.Block
	}
	for _, name := range schema.Names {
		p, err := schema.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		blocks["provider."+name] = must(p.Config())
		for _, kind := range p.ResourceTypes() {
			blocks[kind] = must(p.Resource(kind))
		}
		for _, kind := range p.DataSourceTypes() {
			blocks["data."+kind] = must(p.DataSource(kind))
		}
	}
	return blocks
}

// TestTagsReachTheCloudAsTheyWereWritten evaluates the tags of a machine.
func TestTagsReachTheCloudAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawTags(t)
		app := &spec.Application{Name: "shop", Groups: []spec.Group{{
			Name: "web", Cloud: spec.CloudOpenStack, OpenStack: &spec.OpenStack{ImageID: "i", FlavorID: "f", Metadata: want},
		}}}
		m, err := tfgen.Shard(app, &app.Groups[0])
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(m.Files, func(f tfgen.File) bool { return f.Name == "main.tf" })
		parsed, diags := hclsyntax.ParseConfig(m.Files[i].Content, "main.tf", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		value, diags := parsed.Body.(*hclsyntax.Body).Blocks[0].Body.Attributes["metadata"].Expr.Value(&hcl.EvalContext{
			Variables: map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{
				"key":   cty.StringVal("web-0001"),
				"value": cty.ObjectVal(map[string]cty.Value{"decision": cty.StringVal("d1"), "installation": cty.StringVal("i1")}),
			})},
		})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		got := map[string]string{}
		for name, v := range value.AsValueMap() {
			got[name] = v.AsString()
		}
		expected := map[string]string{"application": "shop", "group": "web", "node": "web-0001", "decision": "d1", "installation": "i1"}
		for name, v := range want {
			expected[name] = cty.NormalizeString(v)
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Fatalf("tags (-want +got):\n%s\nof\n%s", diff, m.Files[i].Content)
		}
	})
}
