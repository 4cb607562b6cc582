package tfgen_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/simcloud"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// mirror is where terraform finds the simulated providers, made by the first test
// that needs it.
var mirror struct {
	sync.Once
	dir string
	env []string
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if mirror.dir != "" {
		os.RemoveAll(mirror.dir)
	}
	os.Exit(code)
}

// secret is the value of every credential, which no file may hold.
const secret = "s3cr3t-SENTINEL"

// credentials are those of all clouds, as the daemon hands them to terraform.
var credentials = []string{
	"AWS_ACCESS_KEY_ID=AKIATEST", "AWS_SECRET_ACCESS_KEY=" + secret,
	"OS_AUTH_URL=https://keystone.example:5000/v3", "OS_USERNAME=tester", "OS_PASSWORD=" + secret, "OS_PROJECT_ID=p1", "OS_REGION_NAME=RegionOne",
	"ARM_SUBSCRIPTION_ID=00000000-0000-0000-0000-000000000001", "ARM_TENANT_ID=t1", "ARM_CLIENT_ID=c1", "ARM_CLIENT_SECRET=" + secret,
	"TF_VAR_admin_password=Passw0rd-" + secret,
}

// fleet is a group on the simulated cloud: its base and one shard, as the loop
// keeps them on disk.
type fleet struct {
	*testing.T
	dir    string
	cloud  *simcloud.Cloud
	env    []string
	app    *spec.Application
	module tfgen.Module
	base   tfgen.Module
	nodes  tfgen.Nodes
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform is not on PATH")
	}
	mirror.Do(func() {
		if mirror.dir, mirror.err = os.MkdirTemp("", "tfgen-mirror-"); mirror.err == nil {
			mirror.env, mirror.err = simcloud.Mirror(context.Background(), mirror.dir)
		}
	})
	if mirror.err != nil {
		t.Fatal(mirror.err)
	}
	cloud, err := simcloud.New(filepath.Join(t.TempDir(), "cloud"))
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{T: t, dir: t.TempDir(), cloud: cloud, nodes: tfgen.Nodes{}}
	f.env = slices.Concat([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + f.dir, "CHECKPOINT_DISABLE=1", cloud.Env()}, mirror.env, credentials)
	return f
}

// describe writes the root modules of a description's first group, and applies the
// base.
func (f *fleet) describe(app *spec.Application) {
	f.Helper()
	f.app = app
	var err error
	if f.module, err = tfgen.Shard(app, &app.Groups[0]); err != nil {
		f.Fatal(err)
	}
	if f.base, err = tfgen.Base(app, &app.Groups[0]); err != nil {
		f.Fatal(err)
	}
	f.write("shard", f.module.Files)
	f.writeNodes()
	if len(f.base.Files) > 0 {
		f.write("base", f.base.Files)
		f.must("base", "init", "-input=false")
		f.must("base", "validate")
		f.must("base", "apply", "-input=false", "-auto-approve")
		f.share()
	}
	f.must("shard", "init", "-input=false")
	f.must("shard", "validate")
}

// write replaces the .tf files of a root module; user data that nodes refer to
// stays, as the loop does it.
func (f *fleet) write(root string, files []tfgen.File) {
	f.Helper()
	old, _ := filepath.Glob(filepath.Join(f.dir, root, "*.tf"))
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			f.Fatal(err)
		}
	}
	for _, file := range files {
		path := filepath.Join(f.dir, root, file.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(path, file.Content, 0o600); err != nil {
			f.Fatal(err)
		}
	}
}

func (f *fleet) writeNodes() {
	f.Helper()
	content, err := f.nodes.Encode()
	if err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "shard", tfgen.NodesFile), content, 0o600); err != nil {
		f.Fatal(err)
	}
}

// share hands the base's output to the shard.
func (f *fleet) share() {
	f.Helper()
	var outputs map[string]struct{ Value json.RawMessage }
	if err := json.Unmarshal(f.stdout("base", "output", "-json"), &outputs); err != nil {
		f.Fatal(err)
	}
	shared, has := outputs["shared"]
	if !has {
		return
	}
	content, err := json.Marshal(map[string]any{"shared": shared.Value})
	if err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "shard", tfgen.SharedFile), content, 0o600); err != nil {
		f.Fatal(err)
	}
}

func (f *fleet) stdout(root string, args ...string) []byte {
	f.Helper()
	cmd := exec.Command("terraform", args...)
	cmd.Dir, cmd.Env = filepath.Join(f.dir, root), f.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		f.Fatalf("terraform %s in %s: %v\n%s%s", strings.Join(args, " "), root, err, out, &stderr)
	}
	return out
}

func (f *fleet) must(root string, args ...string) {
	f.Helper()
	f.stdout(root, append(args, "-no-color")...)
}

// add puts nodes of these numbers into the node set, as new nodes are created now.
func (f *fleet) add(numbers ...int) {
	f.Helper()
	for _, n := range numbers {
		settings, err := tfgen.NewNode(f.app, &f.app.Groups[0], n)
		if err != nil {
			f.Fatal(err)
		}
		f.nodes[tfgen.NodeName(f.app.Groups[0].Name, n)] = settings
	}
	f.writeNodes()
}

// drop takes a node out of the node set.
func (f *fleet) drop(number int) {
	f.Helper()
	delete(f.nodes, tfgen.NodeName(f.app.Groups[0].Name, number))
	f.writeNodes()
}

// changes are the addresses that a plan changes, each with its actions.
func (f *fleet) changes() map[string]string {
	f.Helper()
	f.must("shard", "plan", "-input=false", "-out=plan.bin")
	var plan struct {
		ResourceChanges []struct {
			Address string
			Mode    string
			Change  struct{ Actions []string }
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal(f.stdout("shard", "show", "-json", "plan.bin"), &plan); err != nil {
		f.Fatal(err)
	}
	changes := map[string]string{}
	for _, c := range plan.ResourceChanges {
		if actions := strings.Join(c.Change.Actions, "+"); actions != "no-op" && c.Mode == "managed" {
			changes[c.Address] = actions
		}
	}
	return changes
}

// apply carries the node set out and checks that the plan did these actions to all
// that belongs to these nodes and nothing else.
func (f *fleet) apply(action string, numbers ...int) {
	f.Helper()
	want := map[string]string{}
	for _, n := range numbers {
		for _, address := range f.module.Addresses(tfgen.NodeName(f.app.Groups[0].Name, n)) {
			want[address] = action
		}
	}
	if got := f.changes(); !maps.Equal(got, want) {
		f.Errorf("the plan does %v, want %v", got, want)
	}
	f.must("shard", "apply", "-input=false", "plan.bin")
}

// steady checks that nothing is left to do.
func (f *fleet) steady() {
	f.Helper()
	if got := f.changes(); len(got) > 0 {
		f.Errorf("after an apply the plan still does %v", got)
	}
}

// outputs are where the nodes are, as the module says.
func (f *fleet) outputs() map[string]map[string]any {
	f.Helper()
	var nodes map[string]map[string]any
	if err := json.Unmarshal(f.stdout("shard", "output", "-json", "nodes"), &nodes); err != nil {
		f.Fatal(err)
	}
	return nodes
}

// machines are those that exist in the cloud, by the node they say they are.
func (f *fleet) machines() map[string]simcloud.Resource {
	f.Helper()
	all, err := f.cloud.Machines()
	if err != nil {
		f.Fatal(err)
	}
	machines := map[string]simcloud.Resource{}
	for _, m := range all {
		machines[m.Tags["node"]] = m
	}
	if len(machines) != len(all) {
		f.Errorf("%d machines say they are %d nodes", len(all), len(machines))
	}
	return machines
}

// destroy removes the shard and the base; nothing may be left.
func (f *fleet) destroy() {
	f.Helper()
	f.must("shard", "destroy", "-input=false", "-auto-approve")
	if len(f.base.Files) > 0 {
		f.must("base", "destroy", "-input=false", "-auto-approve")
	}
	if _, err := os.Stat(filepath.Join(f.dir, "addresses")); err == nil {
		f.must("addresses", "destroy", "-input=false", "-auto-approve")
	}
	if empty, err := f.cloud.Empty(); err != nil || !empty {
		left, _ := f.cloud.Resources()
		f.Errorf("after destroy the cloud has %v, %v", left, err)
	}
}

// prepare makes what a description expects to be there.
func (f *fleet) prepare(app *spec.Application) {
	f.Helper()
	o := app.Groups[0].OpenStack
	if o == nil {
		return
	}
	if o.Cloud != "" {
		content := "clouds: {" + o.Cloud + ": {auth: {auth_url: 'https://keystone.example:5000/v3', project_id: p1, username: tester}, region_name: RegionOne}}\n"
		path := filepath.Join(f.dir, ".config", "openstack", "clouds.yaml")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	if o.FloatingIP != "" { // somebody has it already
		f.write("addresses", []tfgen.File{{Name: "main.tf", Content: []byte(`
terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}
resource "openstack_networking_floatingip_v2" "one" { pool = "public" }
output "address" { value = openstack_networking_floatingip_v2.one.address }
`)}})
		f.must("addresses", "init", "-input=false")
		f.must("addresses", "apply", "-input=false", "-auto-approve")
		o.FloatingIP = string(f.stdout("addresses", "output", "-raw", "address"))
	}
}
