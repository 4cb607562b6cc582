package tfgen_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// BenchmarkGenerate10000Nodes generates all files of an application of 10,000 nodes
// in 200 shards from the text of its description.
func BenchmarkGenerate10000Nodes(b *testing.B) {
	text, err := os.ReadFile("testdata/openstack-full/description.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		app, err := spec.Parse("/srv/shop/shop.yaml", text, tfgen.Check)
		if err != nil {
			b.Fatal(err)
		}
		bytes, err := generate(app, &app.Groups[0], 10_000)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(bytes), "bytes")
	}
}

// generate makes all files of a group of that size, and counts their bytes.
func generate(app *spec.Application, group *spec.Group, size int) (bytes int, err error) {
	base, err := tfgen.Base(app, group)
	if err != nil {
		return 0, err
	}
	shard, err := tfgen.Shard(app, group)
	if err != nil {
		return 0, err
	}
	settings, err := tfgen.NewNodes(app, group)
	if err != nil {
		return 0, err
	}
	files := base.Files
	for first := 1; first <= size; first += group.ShardSize {
		nodes := tfgen.Nodes{}
		for n := first; n < first+group.ShardSize && n <= size; n++ {
			nodes[tfgen.NodeName(group.Name, n)] = settings(n)
		}
		content, err := nodes.Encode()
		if err != nil {
			return 0, err
		}
		files = append(append(files, shard.Files...), tfgen.File{Name: tfgen.NodesFile, Content: content})
	}
	for _, f := range files {
		bytes += len(f.Content)
	}
	if bytes == 0 {
		return 0, fmt.Errorf("nothing was generated")
	}
	return bytes, nil
}

// BenchmarkShard generates the root module of one group.
func BenchmarkShard(b *testing.B) {
	text, err := os.ReadFile("testdata/openstack-full/description.yaml")
	if err != nil {
		b.Fatal(err)
	}
	app, err := spec.Parse("/srv/shop/shop.yaml", text)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := tfgen.Shard(app, &app.Groups[0]); err != nil {
			b.Fatal(err)
		}
	}
}
