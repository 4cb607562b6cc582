package tfgen_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const description = `name: shop
groups:
  - name: web
    cloud: local
    max: 5
    local: {slots: 8, service_time: 50ms, boot_time: 1m, balancer: "127.0.0.1:8080"}
  - name: batch
    cloud: local
    max: 2
`

func parse(t *testing.T) *spec.Application {
	t.Helper()
	app, err := spec.Parse("shop.yaml", []byte(description))
	if err != nil {
		t.Fatal(err)
	}
	return app
}

func TestLocalModulesAreAsReviewed(t *testing.T) {
	app := parse(t)
	shard, err := tfgen.Shard(app, app.Group("web"))
	if err != nil {
		t.Fatal(err)
	}
	base, err := tfgen.Base(app, app.Group("web"))
	if err != nil {
		t.Fatal(err)
	}
	settings, err := tfgen.NewNode(app, app.Group("web"), 1)
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := tfgen.Nodes{tfgen.NodeName("web", 2): settings, tfgen.NodeName("web", 1): settings}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	shard.Files = append(shard.Files, tfgen.File{Name: tfgen.NodesFile, Content: nodes})
	golden(t, "testdata/local/shard", shard.Files)
	golden(t, "testdata/local/base", base.Files)
	terraformAgrees(t, "testdata/local/shard")
	terraformAgrees(t, "testdata/local/base")

	none, err := tfgen.Base(app, app.Group("batch"))
	if err != nil || len(none.Files) != 0 {
		t.Errorf("Base() of a group without a balancer = %d files, %v, want none", len(none.Files), err)
	}
}

// golden compares files with those in dir, and nothing more may be there.
func golden(t *testing.T, dir string, files []tfgen.File) {
	t.Helper()
	names := map[string]bool{}
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		names[f.Name] = true
		path := filepath.Join(dir, f.Name)
		if *update {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, f.Content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(f.Content)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range there {
		if !names[entry.Name()] {
			t.Errorf("%s/%s is not generated any more", dir, entry.Name())
		}
	}
}

// terraformAgrees checks a copy of the module as an expert would: formatted, and
// valid.
func terraformAgrees(t *testing.T, module string) {
	t.Helper()
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not on PATH: the golden files are not validated here, only in cmd")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(module)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"fmt", "-check", "-diff"}, {"init", "-backend=false", "-input=false"}, {"validate"}} {
		cmd := exec.Command(terraform, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("terraform %s in %s: %v\n%s", strings.Join(args, " "), module, err, out)
		}
	}
}

func TestGenerationIsDeterministic(t *testing.T) {
	first := parse(t)
	for range 20 {
		again := parse(t)
		a, _ := tfgen.Shard(first, first.Group("web"))
		b, _ := tfgen.Shard(again, again.Group("web"))
		if diff := cmp.Diff(a, b, cmpopts.IgnoreUnexported(tfgen.Module{})); diff != "" {
			t.Fatalf("the same description gives other bytes:\n%s", diff)
		}
	}
}

func TestNodeSetsAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := tfgen.Nodes{}
		for _, n := range rapid.SliceOfDistinct(rapid.IntRange(1, 1e6), rapid.ID[int]).Draw(t, "numbers") {
			nodes[tfgen.NodeName("web", n)] = tfgen.Settings{"text": rapid.String().Draw(t, "text"), "on": rapid.Bool().Draw(t, "on")}
		}
		text, err := nodes.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := tfgen.DecodeNodes(text)
		if err != nil {
			t.Fatalf("DecodeNodes() of\n%s\n= %v", text, err)
		}
		again, err := back.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != string(again) {
			t.Fatalf("written again:\n%s\nwant\n%s", again, text)
		}
	})
}

func TestDecodeNodesRefusesWhatIsNoNodeSet(t *testing.T) {
	for _, text := range []string{"", "{", "[]", "{}", `{"nodes": null}`, `{"nodes": []}`, `{"nodes": {}, "more": 1}`} {
		if nodes, err := tfgen.DecodeNodes([]byte(text)); err == nil {
			t.Errorf("DecodeNodes(%q) = %v, want an error", text, nodes)
		}
	}
}

func TestNodeNumber(t *testing.T) {
	for name, want := range map[string]int{
		"web-0001": 1, "web-12345": 12345, "a-b-0042": 42,
		"web-001": 0, "web": 0, "web-00x1": 0, "0001": 0, "web-99999999999999999999": 0,
	} {
		if got := tfgen.NodeNumber(name); got != want {
			t.Errorf("NodeNumber(%q) = %d, want %d", name, got, want)
		}
	}
	for _, n := range []int{1, 9999, 10000, 123456} {
		if got := tfgen.NodeNumber(tfgen.NodeName("g-1", n)); got != n {
			t.Errorf("NodeNumber(NodeName(%d)) = %d", n, got)
		}
	}
}

func TestAddressesAreTakenApartAsTheyWereMade(t *testing.T) {
	m := tfgen.Module{PerNode: []string{"a.x", "module.m.b.y"}}
	for _, address := range m.Addresses("web-0001") {
		if node, ok := tfgen.AddressNode(address); !ok || node != "web-0001" {
			t.Errorf("AddressNode(%s) = %s, %v, want web-0001, true", address, node, ok)
		}
	}
	for address, want := range map[string]string{
		"terraform_data.balancer": "", "a.b[0]": "", `a.b["x`: "", `a.b["web"]`: "",
		`module.nodes.module.vm["web-0002"].aws_instance.this[0]`:    "web-0002",
		`module.nodes.aws_volume_attachment.a["data"].x["web-0003"]`: "web-0003",
		`a.b["quoted \" and \\"].c["web-0004"]`:                      "web-0004",
	} {
		if node, ok := tfgen.AddressNode(address); node != want || ok != (want != "") {
			t.Errorf("AddressNode(%s) = %q, %v, want %q", address, node, ok, want)
		}
	}
	if keys := tfgen.AddressKeys(`a.b["x\"y"].c["z"]`); !slices.Equal(keys, []string{`x"y`, "z"}) {
		t.Errorf("AddressKeys() = %q", keys)
	}
}

func TestUnknownCloudIsNamed(t *testing.T) {
	group := &spec.Group{Name: "web", Cloud: "moon"}
	_, err := tfgen.Shard(&spec.Application{Name: "shop"}, group)
	if want := `group web: cloud "moon" is not known`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Shard() = %v, want %q", err, want)
	}
}
