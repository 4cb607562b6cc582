package tfgen_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/scalerd/scalerd/examples"
	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// TestExamplesGiveTerraformThatValidates generates every group of every example and
// has terraform validate it against the providers' schemas.
func TestExamplesGiveTerraformThatValidates(t *testing.T) {
	paths, err := fs.Glob(examples.Files, "*/*.yaml")
	if err != nil || len(paths) < 8 {
		t.Fatalf("examples are %v, %v, want at least 8", paths, err)
	}
	for _, path := range paths {
		if strings.HasPrefix(path, "tosca/") {
			continue // tfgen/tosca reads them
		}
		app, err := load(path)
		if err != nil {
			t.Errorf("%s:\n%v", path, err)
			continue
		}
		for i := range app.Groups {
			group := &app.Groups[i]
			t.Run(path+" "+group.Name, func(t *testing.T) {
				if group.Module != nil && len(group.Module.Providers) > 0 {
					t.Skip("its provider is not simulated: TestGoogleModuleKeepsToTheSchema checks it")
				}
				f := newFleet(t)
				for root, generate := range map[string]func(*spec.Application, *spec.Group) (tfgen.Module, error){"base": tfgen.Base, "shard": tfgen.Shard} {
					m, err := generate(app, group)
					if err != nil {
						t.Fatal(err)
					}
					if len(m.Files) == 0 {
						continue
					}
					f.write(root, m.Files)
					f.must(root, "fmt", "-check", "-diff")
					f.must(root, "init", "-input=false")
					f.must(root, "validate")
				}
			})
		}
	}
}

// load reads an example as it is in the repository.
func load(path string) (*spec.Application, error) {
	file, err := filepath.Abs(filepath.Join("..", "examples", filepath.FromSlash(path)))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return spec.Parse(file, text, tfgen.Check)
}

// TestModuleExampleLives takes the local module of the examples through the life of
// a fleet.
func TestModuleExampleLives(t *testing.T) {
	app, err := load("module/local.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f := newFleet(t)
	f.describe(app)
	f.add(1, 2, 3)
	f.must("shard", "apply", "-input=false", "-auto-approve")
	f.drop(2)
	changes := f.changes()
	if want := `module.nodes.terraform_data.node["web-0002"]`; len(changes) != 1 || changes[want] != "delete" {
		t.Errorf("the plan does %v, want only to delete %s", changes, want)
	}
	if f.module.Within != "module.nodes" || !strings.HasPrefix(`module.nodes.terraform_data.node["web-0002"]`, f.module.Within+".") {
		t.Errorf("the module is said to be at %q", f.module.Within)
	}
	f.must("shard", "apply", "-input=false", "plan.bin")
	outputs := f.outputs()
	if len(outputs) != 2 || outputs["web-0003"]["private_ip"] != "127.0.0.1" || outputs["web-0003"]["id"] == nil {
		t.Errorf("outputs are %v, want those of two nodes", outputs)
	}
	app.Groups[0].Module.Node = map[string]any{"size": "large"}
	f.describe(app)
	f.add(4)
	if changes := f.changes(); len(changes) != 1 || changes[`module.nodes.terraform_data.node["web-0004"]`] != "create" {
		t.Errorf("with another size the plan does %v, want only to create the new node", changes)
	}
	f.destroy()
}

// TestGoogleModuleKeepsToTheSchema checks the module of the examples whose provider
// is not simulated.
func TestGoogleModuleKeepsToTheSchema(t *testing.T) {
	text, err := os.ReadFile("../../shared/schemas/google.json")
	if err != nil {
		t.Skip("the recorded schema of google is not here")
	}
	var schemas tfjson.ProviderSchemas
	if err := json.Unmarshal(text, &schemas); err != nil {
		t.Fatal(err)
	}
	google := schemas.Schemas["registry.terraform.io/hashicorp/google"]
	source, err := fs.ReadFile(examples.Files, "module/google/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	parsed, diags := hclsyntax.ParseConfig(source, "main.tf", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	checked := 0
	for _, block := range parsed.Body.(*hclsyntax.Body).Blocks {
		if block.Type == "resource" {
			checked++
			for _, problem := range againstSchema(google.ResourceSchemas[block.Labels[0]].Block, block.Body, block.Labels[0], true) {
				t.Error(problem)
			}
		}
	}
	if checked == 0 {
		t.Error("the module has no resources")
	}
	if _, err := exec.LookPath("terraform"); err != nil {
		return
	}
	formatted(t, "../examples/module/google")
	formatted(t, "../examples/module/process")
}
