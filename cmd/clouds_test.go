package cmd_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// mirror is the provider mirror of all tests, made by the first that needs it.
var mirror struct {
	sync.Once
	dir string
	env []string
	err error
}

// secrets are in the credentials of the simulated clouds, and may be nowhere else.
var secrets = []string{"aws-SENTINEL", "openstack-SENTINEL", "azure-SENTINEL", pgPassword}

// accounts is a credentials file in MiCADO's layout.
const accounts = `resource:
- type: ec2
  auth_data: {accesskey: AKIAFIRST, secretkey: aws-SENTINEL}
- type: ec2
  name: second
  auth_data: {accesskey: AKIASECOND, secretkey: aws-SENTINEL}
- type: nova
  auth_data: {username: me, password: openstack-SENTINEL, domain_name: Default}
- type: azure
  auth_data: {subscription_id: 00000000-0000-0000-0000-000000000001, tenant_id: t, client_id: c, client_secret: azure-SENTINEL, admin_password: "Win-azure-SENTINEL-1"}
`

// startSimulated starts a scalerd whose terraform finds simulated clouds, which
// are empty when the test ends.
func startSimulated(t testing.TB, flags ...string) (*daemon, *simcloud.Cloud) {
	t.Helper()
	d, clouds := newSimulated(t, flags...)
	d.start()
	t.Cleanup(func() { d.noSecrets(clouds.Dir()) }) // runs before the daemon is stopped
	return d, clouds
}

// newSimulated is such a scalerd that was not started yet.
func newSimulated(t testing.TB, flags ...string) (*daemon, *simcloud.Cloud) {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform is not on PATH")
	}
	mirror.Do(func() {
		if mirror.dir, mirror.err = os.MkdirTemp("", "scalerd-mirror-"); mirror.err == nil {
			mirror.env, mirror.err = simcloud.Mirror(context.Background(), mirror.dir)
		}
	})
	if mirror.err != nil {
		t.Fatal(mirror.err)
	}
	clouds, err := simcloud.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if resources, err := clouds.Resources(); err != nil || len(resources) > 0 {
			var left []string
			for _, r := range resources {
				left = append(left, r.Type+" "+r.Name+" "+r.ID)
			}
			t.Errorf("the clouds have %q, %v at the end, want nothing", left, err)
		}
	})
	file := filepath.Join(t.TempDir(), "auth_data.yaml")
	if err := os.WriteFile(file, []byte(accounts), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDaemon(t, append([]string{"--credentials", file}, flags...)...)
	d.env = append(slices.Clone(mirror.env), clouds.Env())
	return d, clouds
}

// noSecrets looks for secrets in everything that was written.
func (d *daemon) noSecrets(more ...string) {
	for _, dir := range append(more, d.base) {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			for _, secret := range secrets {
				if bytes.Contains(text, []byte(secret)) {
					d.t.Errorf("%s holds the secret %s", path, secret)
				}
			}
			return err
		})
		if err != nil {
			d.t.Error(err)
		}
	}
}

// wait waits until a group of a cloud has n nodes with addresses and is settled;
// it returns their names.
func (d *daemon) wait(app, group string, n int) []string {
	d.t.Helper()
	var names []string
	d.within(4*patience, fmt.Sprintf("%s/%s has %d nodes", app, group, n), func() error {
		status, err := d.status(app, group)
		switch {
		case err != nil:
			return err
		case status.Wanted != n || !status.Settled || status.Problem != "":
			return fmt.Errorf("wanted %d, settled %t, problem %q, rollout %q", status.Wanted, status.Settled, status.Problem, status.Rollout)
		}
		nodes, err := d.client.Nodes(context.Background(), app)
		if err != nil {
			return err
		}
		names = nil
		for _, node := range nodes {
			if node.Group != group {
				continue
			}
			if node.ID == "" || node.PrivateIP == "" {
				return fmt.Errorf("node %+v has no identifier or address", node)
			}
			names = append(names, node.Name)
		}
		if len(names) != n {
			return fmt.Errorf("it has %v", names)
		}
		return nil
	})
	return names
}

func machines(t *testing.T, clouds *simcloud.Cloud) []simcloud.Resource {
	t.Helper()
	found, err := clouds.Machines()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var simulated = map[string]string{
	"ec2":       "ec2: {region: eu-west-1, ami: ami-0123456789abcdef0, instance_type: t3.small, security_groups: [sg-0a1b2c3d], subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]}",
	"openstack": "openstack: {auth_url: 'https://keystone.example:5000/v3', project_id: p1, image_name: ubuntu, flavor_name: m1.small, networks: [{name: private}], public_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk3M1V4c2hvcGV4YW1wbGVrZXkwMDAwMDAwMDAwMDAw me, security_groups: [web], floating_ip_pool: public, anti_affinity: soft}",
	"azure":     "azure: {resource_group: shop, virtual_network: shop, subnet: nodes, network_security_group: web, size: Standard_B2s, public_key: ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDexample me, image: {publisher: Canonical, offer: ubuntu-24_04-lts, sku: server}, public_ip: true}",
}

func simulatedGroup(cloud, keys string) string {
	return fmt.Sprintf("  - {name: %s, cloud: %s, %s, %s}\n", cloud, cloud, keys, simulated[cloud])
}

// TestEveryCloudFromNothingToNothing takes a group of each cloud through its life:
// to min, to max, without a chosen node in the middle, to nothing. No secret is
// written anywhere meanwhile.
func TestEveryCloudFromNothingToNothing(t *testing.T) {
	t.Parallel()
	d, clouds := startSimulated(t)
	description := "name: shop\ninterval: 1s\ngroups:\n"
	for _, cloud := range []string{"ec2", "openstack", "azure"} {
		description += simulatedGroup(cloud, "min: 1, max: 4, shard_size: 3")
	}
	d.submit(description)
	for _, cloud := range []string{"ec2", "openstack", "azure"} {
		d.wait("shop", cloud, 1)
		d.scale("shop", cloud, 4)
	}
	for _, cloud := range []string{"ec2", "openstack", "azure"} {
		d.wait("shop", cloud, 4)
	}
	if found := machines(t, clouds); len(found) != 12 {
		t.Errorf("the clouds have %d machines, want 12", len(found))
	}
	for _, cloud := range []string{"ec2", "openstack", "azure"} {
		d.dropBy(cloud)
	}
	d.must("destroy", "shop", "--yes")
}

// dropBy drops three nodes of a cloud: by name, by identifier and by address.
func (d *daemon) dropBy(cloud string) {
	d.t.Helper()
	for i, by := range []func(scaler.NodeStatus) string{
		func(n scaler.NodeStatus) string { return n.Name },
		func(n scaler.NodeStatus) string { return n.ID },
		func(n scaler.NodeStatus) string { return n.PrivateIP },
	} {
		nodes, err := d.client.Nodes(context.Background(), "shop")
		if err != nil {
			d.t.Fatal(err)
		}
		nodes = slices.DeleteFunc(nodes, func(n scaler.NodeStatus) bool { return n.Group != cloud })
		victim := nodes[1]
		if _, err := d.client.Drop(d.t.Context(), "shop", by(victim), false); err != nil {
			d.t.Fatalf("drop %s: %v", by(victim), err)
		}
		if left := d.wait("shop", cloud, 3-i); slices.Contains(left, victim.Name) {
			d.t.Errorf("%s has %v after %s was dropped", cloud, left, victim.Name)
		}
	}
}

// TestAChangedDescriptionIsUpdatedInPlaceOrRolledOut changes what running machines
// can take on, then what they cannot.
func TestAChangedDescriptionIsUpdatedInPlaceOrRolledOut(t *testing.T) {
	t.Parallel()
	d, clouds := startSimulated(t)
	before := "name: shop\ninterval: 1s\ngroups:\n" + simulatedGroup("ec2", "min: 2, max: 4, rollout: {pause: 0s}")
	d.submit(before)
	old := d.wait("shop", "ec2", 2)
	tagged := strings.Replace(before, "ami:", "tags: {team: search}, ami:", 1)
	d.submit(tagged)
	d.within(2*patience, "both machines have the new tag", func() error {
		for _, m := range machines(t, clouds) {
			if m.Tags["team"] != "search" {
				return fmt.Errorf("%s has the tags %v", m.Name, m.Tags)
			}
		}
		return nil
	})
	if names := d.wait("shop", "ec2", 2); !slices.Equal(names, old) {
		t.Errorf("nodes after a change of tags are %v, want %v", names, old)
	}
	changed := strings.Replace(tagged, "ami-0123456789abcdef0", "ami-0fedcba9876543210", 1)
	file := d.file(changed)
	if out := d.must("plan", file); !strings.Contains(out, "2 of its nodes will be replaced") || !strings.Contains(out, "ami-0fedcba9876543210") {
		t.Errorf("scalerctl plan says\n%s\nwant which nodes are replaced and why", out)
	}
	// No machine can become ready here: nothing answers at its address. So the rollout
	// brings one new machine, and stops there.
	d.must("apply", file, "--no-wait")
	d.within(2*patience, "the rollout waits for its first new machine", func() error {
		status, err := d.status("shop", "ec2")
		if err == nil && !strings.Contains(status.Rollout, "waits for ec2-0003, which is booting") {
			err = fmt.Errorf("rollout %q, problem %q", status.Rollout, status.Problem)
		}
		return err
	})
	if found := machines(t, clouds); len(found) != 3 {
		t.Errorf("%d machines while the rollout waits, want the two old ones and a new one", len(found))
	}
}

// TestAModuleOfTheUsersMakesTheNodes takes the example of a module through its life.
func TestAModuleOfTheUsersMakesTheNodes(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	d.must("apply", filepath.Join("..", "examples", "module", "local.yaml"), "--no-wait")
	d.wait("shop", "web", 1)
	d.scale("shop", "web", 4)
	names := d.wait("shop", "web", 4)
	d.must("drop", "shop", names[1])
	if left := d.wait("shop", "web", 3); slices.Contains(left, names[1]) {
		t.Errorf("nodes are %v after %s was dropped", left, names[1])
	}
	d.must("destroy", "shop", "--yes")
}

// TestTwoAccountsOfACloudDoNotMix runs two groups in the same region with
// different credentials.
func TestTwoAccountsOfACloudDoNotMix(t *testing.T) {
	t.Parallel()
	d, clouds := startSimulated(t)
	first := simulatedGroup("ec2", "max: 2")
	second := strings.Replace(strings.Replace(first, "name: ec2", "name: other", 1), "max: 2", "max: 2, credentials: second", 1)
	d.submit("name: shop\ninterval: 1s\ngroups:\n" + first + second)
	d.wait("shop", "ec2", 1)
	d.wait("shop", "other", 1)
	found := machines(t, clouds)
	if len(found) != 2 || found[0].Account == found[1].Account {
		t.Errorf("machines are %+v, want one in each of two accounts", found)
	}
}

// TestAFailingCloudStopsOnlyItsOwnGroup lets one cloud refuse every creation.
func TestAFailingCloudStopsOnlyItsOwnGroup(t *testing.T) {
	t.Parallel()
	d, clouds := startSimulated(t)
	faults, err := clouds.Inject(simcloud.Fault{Kind: simcloud.NoCapacity, Type: "openstack_compute_instance_v2"})
	if err != nil {
		t.Fatal(err)
	}
	d.submit("name: shop\ninterval: 1s\ngroups:\n" + simulatedGroup("openstack", "max: 2") + simulatedGroup("ec2", "max: 3"))
	d.wait("shop", "ec2", 1)
	d.scale("shop", "ec2", 3)
	d.wait("shop", "ec2", 3)
	d.within(2*patience, "the failing group is degraded", func() error {
		status, err := d.status("shop", "openstack")
		if err == nil && !strings.Contains(status.Problem, "No valid host") {
			err = fmt.Errorf("its problem is %q", status.Problem)
		}
		return err
	})
	if err := clouds.Heal(faults...); err != nil {
		t.Fatal(err)
	}
	d.wait("shop", "openstack", 1)
}
