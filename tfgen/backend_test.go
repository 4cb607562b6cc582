package tfgen_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// backendOf is the file of the backend of a root module, and how many files it has.
func backendOf(t *testing.T, app, group, backend, root string) string {
	t.Helper()
	text := fmt.Sprintf("name: %s\nbackend: %s\ngroups:\n  - {name: %s, cloud: local, max: 3}\n", app, backend, group)
	described, err := spec.Parse("shop.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	module, err := tfgen.Shard(described, &described.Groups[0])
	if err != nil {
		t.Fatal(err)
	}
	files := module.RootFiles(root)
	last := files[len(files)-1]
	if len(files) != len(module.Files)+1 || last.Name != tfgen.BackendFile {
		t.Fatalf("RootFiles() = %d files, the last is %s, want %d and %s", len(files), last.Name, len(module.Files)+1, tfgen.BackendFile)
	}
	return string(last.Content)
}

func TestEveryRootModuleHasAStateOfItsOwn(t *testing.T) {
	for _, tt := range []struct{ backend, want string }{
		{"{type: s3, config: {bucket: states}}", `key    = "shop/web/shard-007/terraform.tfstate"`},
		{"{type: s3, config: {key: teams/}}", `key = "teams/shop/web/shard-007/terraform.tfstate"`},
		{"{type: azurerm}", `key = "shop/web/shard-007/terraform.tfstate"`},
		{"{type: gcs, config: {prefix: p}}", `prefix = "p/shop/web/shard-007"`},
		{"{type: consul}", `path = "shop/web/shard-007"`},
		{"{type: pg}", `schema_name = "shop_web_shard-007"`},
		{"{type: kubernetes}", `secret_suffix = "shop.web.shard-007.state"`},
		{"{type: http, config: {address: 'https://a/s', lock_address: 'https://a/l/'}}", `lock_address = "https://a/l/shop/web/shard-007"`},
		{"{type: swift, key_attribute: name}", `name = "shop/web/shard-007/terraform.tfstate"`},
	} {
		got := backendOf(t, "shop", "web", tt.backend, "shard-007")
		if !strings.Contains(got, tt.want) {
			t.Errorf("the backend of %s is\n%s\nwant it to have %s", tt.backend, got, tt.want)
		}
	}
}

func TestLongNamesAreCutAndStayDifferent(t *testing.T) {
	app, group := strings.Repeat("a", 40), strings.Repeat("g", 40)
	seen := map[string]bool{}
	for number := range 20 {
		for _, backend := range []string{"{type: pg}", "{type: kubernetes}"} {
			text := backendOf(t, app, group, backend, tfgen.ShardName(number))
			_, value, _ := strings.Cut(text, `= "`)
			value, _, _ = strings.Cut(value, `"`)
			if len(value) == 0 || len(value) > 63 || seen[value] {
				t.Errorf("%s of shard %d is %q (%d bytes), want a new one of at most 63", backend, number, value, len(value))
			}
			seen[value] = true
		}
	}
	// An application a-b with a group c is not an application a with a group b-c.
	if backendOf(t, "a-b", "c", "{type: pg}", "base") == backendOf(t, "a", "b-c", "{type: pg}", "base") {
		t.Error("two groups have the same state")
	}
}
