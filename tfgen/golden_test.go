package tfgen_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// TestModulesAreAsReviewed compares what is generated for each description under
// testdata with the files beside it.
func TestModulesAreAsReviewed(t *testing.T) {
	descriptions, err := filepath.Glob("testdata/*/description.yaml")
	if err != nil || len(descriptions) == 0 {
		t.Fatalf("no descriptions: %v", err)
	}
	for _, path := range descriptions {
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
			if len(base.Files) > 0 {
				golden(t, filepath.Join(dir, "base"), base.Files)
			}
		})
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
