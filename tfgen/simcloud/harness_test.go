package simcloud_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// mirror is the provider mirror of all tests, made by the first that needs it.
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

func providers(t testing.TB) []string {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform is not on PATH")
	}
	mirror.Do(func() {
		if mirror.dir, mirror.err = os.MkdirTemp("", "simcloud-mirror-"); mirror.err == nil {
			mirror.env, mirror.err = simcloud.Mirror(context.Background(), mirror.dir)
		}
	})
	if mirror.err != nil {
		t.Fatal(mirror.err)
	}
	return mirror.env
}

// Secrets that must not be found in any file of a cloud.
const (
	awsSecret       = "aws-secret-SENTINEL"
	openstackSecret = "openstack-secret-SENTINEL"
	azureSecret     = "azure-secret-SENTINEL"
)

// credentials are those of the accounts that the tests use.
var credentials = []string{
	"AWS_ACCESS_KEY_ID=AKIATEST", "AWS_SECRET_ACCESS_KEY=" + awsSecret, "AWS_REGION=eu-west-1",
	"OS_AUTH_URL=https://keystone.example:5000/v3", "OS_USERNAME=tester", "OS_PASSWORD=" + openstackSecret, "OS_PROJECT_ID=p1", "OS_REGION_NAME=RegionOne",
	"ARM_SUBSCRIPTION_ID=00000000-0000-0000-0000-000000000001", "ARM_TENANT_ID=t1", "ARM_CLIENT_ID=c1", "ARM_CLIENT_SECRET=" + azureSecret,
}

// module is a Terraform root module over a simulated cloud.
type module struct {
	testing.TB
	dir   string
	cloud *simcloud.Cloud
	env   []string
}

// newModule writes a configuration and initialises it.
func newModule(t testing.TB, cloud *simcloud.Cloud, config string, env ...string) *module {
	t.Helper()
	m := bareModule(t, cloud, config, env...)
	m.must("init", "-input=false", "-no-color")
	return m
}

func bareModule(t testing.TB, cloud *simcloud.Cloud, config string, env ...string) *module {
	t.Helper()
	m := &module{TB: t, dir: t.TempDir(), cloud: cloud}
	for _, e := range os.Environ() { // of the machine only what terraform needs
		if key, _, _ := strings.Cut(e, "="); key == "PATH" || key == "TMPDIR" {
			m.env = append(m.env, e)
		}
	}
	m.env = append(m.env, "HOME="+m.dir, cloud.Env(), "CHECKPOINT_DISABLE=1")
	m.env = append(append(append(m.env, providers(t)...), credentials...), env...)
	m.write(config)
	return m
}

// write replaces the configuration.
func (m *module) write(config string) {
	m.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, "main.tf"), []byte(config), 0o600); err != nil {
		m.Fatal(err)
	}
}

func (m *module) command(args ...string) *exec.Cmd {
	cmd := exec.Command("terraform", args...)
	cmd.Dir, cmd.Env = m.dir, m.env
	return cmd
}

// run gives what terraform says, on both streams, and its exit code.
func (m *module) run(args ...string) (string, int) {
	m.Helper()
	out, err := m.command(args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !asExit(err, &exit) {
		m.Fatal(err)
	}
	if exit != nil {
		return string(out), exit.ExitCode()
	}
	return string(out), 0
}

func asExit(err error, exit **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*exit = e
	return ok
}

// must runs terraform and wants it to succeed.
func (m *module) must(args ...string) string {
	m.Helper()
	out, code := m.run(args...)
	if code != 0 {
		m.Fatalf("terraform %s exits with %d:\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

func (m *module) apply() string {
	m.Helper()
	return m.must("apply", "-auto-approve", "-input=false", "-no-color")
}
func (m *module) destroy() string {
	m.Helper()
	return m.must("destroy", "-auto-approve", "-input=false", "-no-color")
}

// fails applies and wants an error with all of the words.
func (m *module) fails(words ...string) string {
	m.Helper()
	out, code := m.run("apply", "-auto-approve", "-input=false", "-no-color")
	if code == 0 {
		m.Fatalf("apply succeeds, want an error with %q", words)
	}
	flat := flatten(out)
	for _, w := range words {
		if !strings.Contains(flat, w) {
			m.Errorf("apply says\n%s\nwant %q in it", out, w)
		}
	}
	return flat
}

// flatten undoes the frame and the line breaks of terraform's messages.
func flatten(out string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(out)), " ")
}

// settled wants a second plan to find nothing to do.
func (m *module) settled() {
	m.Helper()
	if out, code := m.run("plan", "-detailed-exitcode", "-input=false", "-no-color"); code != 0 {
		m.Errorf("the second plan exits with %d, want 0, no changes:\n%s", code, out)
	}
}

// actions plans and gives the actions by address, those without any left out.
func (m *module) actions() map[string]string {
	m.Helper()
	m.must("plan", "-input=false", "-out=p")
	var plan struct {
		Changes []struct {
			Address string
			Change  struct{ Actions []string }
		} `json:"resource_changes"`
	}
	out, err := m.command("show", "-json", "p").Output()
	if err != nil {
		m.Fatal(err)
	}
	if err := json.Unmarshal(out, &plan); err != nil {
		m.Fatal(err)
	}
	all := map[string]string{}
	for _, c := range plan.Changes {
		if a := strings.Join(c.Change.Actions, ","); a != "no-op" && a != "read" {
			all[c.Address] = a
		}
	}
	return all
}

// outputs are the module's output values.
func (m *module) outputs() map[string]any {
	m.Helper()
	out, err := m.command("output", "-json").Output()
	if err != nil {
		m.Fatal(err)
	}
	var raw map[string]struct{ Value any }
	if err := json.Unmarshal(out, &raw); err != nil {
		m.Fatal(err)
	}
	all := map[string]any{}
	for name, o := range raw {
		all[name] = o.Value
	}
	return all
}

func newCloud(t testing.TB) *simcloud.Cloud {
	t.Helper()
	cloud, err := simcloud.New(filepath.Join(t.TempDir(), "cloud"))
	if err != nil {
		t.Fatal(err)
	}
	return cloud
}

func machines(t testing.TB, c *simcloud.Cloud) []simcloud.Resource {
	t.Helper()
	all, err := c.Machines()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantMachines(t testing.TB, c *simcloud.Cloud, n int) []simcloud.Resource {
	t.Helper()
	all := machines(t, c)
	if len(all) != n {
		t.Fatalf("the cloud has %d machines, want %d: %s", len(all), n, names(all))
	}
	return all
}

func names(all []simcloud.Resource) string {
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "%s %s %q, ", r.Type, r.ID, r.Name)
	}
	return b.String()
}

func wantEmpty(t testing.TB, c *simcloud.Cloud) {
	t.Helper()
	all, err := c.Resources()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) > 0 {
		t.Errorf("the cloud is not empty: %s", names(all))
	}
}

func ids(all []simcloud.Resource) []string {
	list := make([]string, len(all))
	for i, r := range all {
		list[i] = r.ID
	}
	return list
}
