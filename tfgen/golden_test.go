package tfgen_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// TestModulesAreAsReviewed compares what is generated for each description under
// testdata with the files beside it.
func TestModulesAreAsReviewed(t *testing.T) {
	for _, path := range goldenDescriptions(t) {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			app := described(t, path)
			group := &app.Groups[0]
			shard, err := tfgen.Shard(app, group)
			if err != nil {
				t.Fatal(err)
			}
			base, err := tfgen.Base(app, group)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(dir, "shard"), append(shard.Files, nodeSet(t, app, group, 3)))
			formatted(t, filepath.Join(dir, "shard"))
			lookup, err := tfgen.Lookup(app, group)
			if err != nil {
				t.Fatal(err)
			}
			if len(lookup.Files) > 0 {
				golden(t, filepath.Join(dir, "lookup"), lookup.Files)
				formatted(t, filepath.Join(dir, "lookup"))
				orphans, _, err := tfgen.Orphans(app.Name, group.Name, orphansOf(shard))
				if err != nil {
					t.Fatal(err)
				}
				golden(t, filepath.Join(dir, "orphans"), []tfgen.File{orphans})
				formatted(t, filepath.Join(dir, "orphans"))
			}
			if len(base.Files) > 0 {
				golden(t, filepath.Join(dir, "base"), base.Files)
				formatted(t, filepath.Join(dir, "base"))
			}
		})
	}
}

// orphansOf is one found resource of each type that a lookup of the module's cloud
// finds.
func orphansOf(module tfgen.Module) []tfgen.Found {
	var found []tfgen.Found
	for _, resource := range module.PerNode {
		kind, _, _ := strings.Cut(resource, ".")
		if !strings.Contains(kind, "associat") && !strings.Contains(kind, "floatingip") {
			found = append(found, tfgen.Found{Type: kind, ID: "id-of-" + kind})
		}
	}
	return found
}

// formatted checks files as terraform fmt does.
func formatted(t *testing.T, dir string) {
	t.Helper()
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		return // TestFleetsLiveOnTheSimulatedClouds says so
	}
	cmd := exec.Command(terraform, "fmt", "-check", "-diff", dir)
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+os.DevNull)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("terraform fmt of %s: %v\n%s", dir, err, out)
	}
}

// described reads a description as if it were in /srv/shop, so that paths in
// golden files are the same everywhere.
func described(t *testing.T, path string) *spec.Application {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	app, err := spec.Parse("/srv/shop/shop.yaml", text, tfgen.Check)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

// nodeSet is a node set of that many nodes.
func nodeSet(t *testing.T, app *spec.Application, group *spec.Group, size int) tfgen.File {
	t.Helper()
	nodes := tfgen.Nodes{}
	for n := 1; n <= size; n++ {
		settings, err := tfgen.NewNode(app, group, n)
		if err != nil {
			t.Fatal(err)
		}
		nodes[tfgen.NodeName(group.Name, n)] = settings
	}
	content, err := nodes.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return tfgen.File{Name: tfgen.NodesFile, Content: content}
}
