package simcloud_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// fleet is n small EC2 instances.
func fleet(n int) string {
	return fmt.Sprintf(`
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

resource "aws_instance" "node" {
  for_each      = toset([for i in range(%d) : tostring(i)])
  ami           = "ami-1"
  instance_type = "t3.micro"
  tags          = { Name = "node-${each.key}" }
}
`, n)
}

const server = `
terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

resource "openstack_compute_instance_v2" "node" {
  name        = "node"
  image_name  = "ubuntu"
  flavor_name = "m1.small"
}
`

func inject(t testing.TB, c *simcloud.Cloud, f simcloud.Fault) string {
	t.Helper()
	ids, err := c.Inject(f)
	if err != nil {
		t.Fatal(err)
	}
	return ids[0]
}

func heal(t testing.TB, c *simcloud.Cloud) {
	t.Helper()
	if err := c.Heal(); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a condition that another process brings about.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute for %s", what)
		}
	}
}

func TestQuotaLeavesWhatFits(t *testing.T) {
	t.Parallel()
	m := newModule(t, newCloud(t), fleet(3))
	inject(t, m.cloud, simcloud.Fault{Kind: simcloud.Quota, Limit: 2})
	m.fails("VcpuLimitExceeded", "current vCPU limit of 2")
	wantMachines(t, m.cloud, 2)
	heal(t, m.cloud)
	m.apply()
	wantMachines(t, m.cloud, 3)
	m.settled()
}

func TestThrottledApplyIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	m := newModule(t, newCloud(t), fleet(4))
	inject(t, m.cloud, simcloud.Fault{Kind: simcloud.Throttle, Rate: 1e-6, Operations: []simcloud.Operation{simcloud.Create}})
	m.fails("RequestLimitExceeded")
	wantMachines(t, m.cloud, 1)
	heal(t, m.cloud)
	m.apply()
	wantMachines(t, m.cloud, 4)
}

// TestCrashAfterCreateLeavesAnOrphan is the crash between the cloud's creation and
// Terraform's state: the machine exists, Terraform does not know it, and can adopt it.
func TestCrashAfterCreateLeavesAnOrphan(t *testing.T) {
	t.Parallel()
	m := newModule(t, newCloud(t), fleet(1))
	crash := inject(t, m.cloud, simcloud.Fault{Kind: simcloud.Crash, Count: 1})
	m.fails("plugin")
	if hits, err := m.cloud.Hits(crash); hits != 1 || err != nil {
		t.Fatalf("the fault hit %d times, %v, want once", hits, err)
	}
	orphan := wantMachines(t, m.cloud, 1)[0]
	if diff := cmp.Diff(map[string]string{`aws_instance.node["0"]`: "create"}, m.actions()); diff != "" {
		t.Errorf("the plan after the crash (-want +got):\n%s", diff)
	}
	m.must("import", "-input=false", "-no-color", `aws_instance.node["0"]`, orphan.ID)
	m.settled()
	m.destroy()
	wantEmpty(t, m.cloud)
}

// TestKilledApplyLeavesAnOrphan kills terraform and the provider while the cloud
// starts a machine.
func TestKilledApplyLeavesAnOrphan(t *testing.T) {
	t.Parallel()
	m := newModule(t, newCloud(t), fleet(1))
	inject(t, m.cloud, simcloud.Fault{Kind: simcloud.Delay, For: time.Hour, Operations: []simcloud.Operation{simcloud.Create}})
	apply := m.command("apply", "-auto-approve", "-input=false", "-no-color")
	apply.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a machine", func() bool { return len(machines(t, m.cloud)) == 1 })
	if err := syscall.Kill(-apply.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := apply.Wait(); err == nil {
		t.Fatal("a killed apply succeeds")
	}
	orphan := wantMachines(t, m.cloud, 1)[0]
	if orphan.Name != "node-0" {
		t.Errorf("the orphan's name is %q, want node-0", orphan.Name)
	}
	heal(t, m.cloud)
	m.apply()
	wantMachines(t, m.cloud, 2)
	m.destroy()
	left := wantMachines(t, m.cloud, 1)
	if diff := cmp.Diff(orphan.ID, left[0].ID); diff != "" {
		t.Errorf("another machine than the orphan is left (-want +got):\n%s", diff)
	}
}

// TestInterruptedApplyRemembers sends the signal of Ctrl-C: the provider ends its
// wait, and Terraform remembers the unfinished machine as tainted.
func TestInterruptedApplyRemembers(t *testing.T) {
	t.Parallel()
	m := newModule(t, newCloud(t), fleet(1))
	inject(t, m.cloud, simcloud.Fault{Kind: simcloud.Hang, Operations: []simcloud.Operation{simcloud.Create}})
	apply := m.command("apply", "-auto-approve", "-input=false", "-no-color")
	apply.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a machine", func() bool { return len(machines(t, m.cloud)) == 1 })
	if err := apply.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := apply.Wait(); err == nil {
		t.Fatal("an interrupted apply succeeds")
	}
	heal(t, m.cloud)
	if diff := cmp.Diff(map[string]string{`aws_instance.node["0"]`: "delete,create"}, m.actions()); diff != "" {
		t.Errorf("the plan after the interrupt (-want +got):\n%s", diff)
	}
}

func TestServerWithoutHostIsReplaced(t *testing.T) {
	t.Parallel()
	m := newModule(t, newCloud(t), server)
	inject(t, m.cloud, simcloud.Fault{Kind: simcloud.NoCapacity})
	m.fails("No valid host was found")
	if all := wantMachines(t, m.cloud, 1); !all[0].Failed {
		t.Error("the server is not in the state ERROR")
	}
	heal(t, m.cloud)
	if diff := cmp.Diff(map[string]string{"openstack_compute_instance_v2.node": "delete,create"}, m.actions()); diff != "" {
		t.Errorf("the plan (-want +got):\n%s", diff)
	}
	m.apply()
	if all := wantMachines(t, m.cloud, 1); all[0].Failed {
		t.Error("the new server is in the state ERROR")
	}
}

// TestDriftIsSeen deletes and changes machines behind Terraform's back.
func TestDriftIsSeen(t *testing.T) {
	t.Parallel()
	m := newModule(t, newCloud(t), fleet(3))
	m.apply()
	for _, r := range machines(t, m.cloud) {
		var err error
		switch r.Name {
		case "node-0":
			err = m.cloud.Delete(r)
		case "node-1":
			err = m.cloud.Change(r, "instance_type", "t3.large")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{`aws_instance.node["0"]`: "create", `aws_instance.node["1"]`: "update"}
	if diff := cmp.Diff(want, m.actions()); diff != "" {
		t.Errorf("the plan (-want +got):\n%s", diff)
	}
	events, err := m.cloud.Events()
	if err != nil {
		t.Fatal(err)
	}
	behind := 0
	for _, e := range events {
		if e.Behind {
			behind++
		}
	}
	if behind != 2 {
		t.Errorf("%d of the events happened behind Terraform's back, want 2: %v", behind, events)
	}
}

// TestInvisibleMachineIsMadeTwice shows why a loop must not trust one look.
func TestInvisibleMachineIsMadeTwice(t *testing.T) {
	t.Parallel()
	m := newModule(t, newCloud(t), fleet(1))
	inject(t, m.cloud, simcloud.Fault{Kind: simcloud.Invisible, For: time.Hour, Count: 1})
	m.apply()
	m.apply()
	wantMachines(t, m.cloud, 2)
}

func TestAccountsDoNotTalk(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t)
	north := newModule(t, cloud, fleet(1))
	south := newModule(t, cloud, fleet(1), "AWS_ACCESS_KEY_ID=AKIATEST-2")
	account := simcloud.AWSAccount("AKIATEST", "eu-west-1", "")
	inject(t, cloud, simcloud.Fault{Kind: simcloud.NoCapacity, Account: account})
	north.fails("InsufficientInstanceCapacity")
	south.apply()
	if all := wantMachines(t, cloud, 1); all[0].Account != simcloud.AWSAccount("AKIATEST-2", "eu-west-1", "") {
		t.Errorf("the machine is in %s", all[0].Account)
	}
	heal(t, cloud)
	north.apply()
	north.settled()
	north.write(fleet(2))
	for _, r := range wantMachines(t, cloud, 2) {
		if r.Account == account {
			continue
		}
		out, code := north.run("import", "-input=false", "-no-color", `aws_instance.node["1"]`, r.ID)
		if code == 0 || !strings.Contains(flatten(out), "Cannot import non-existent remote object") {
			t.Errorf("the import of another account's machine exits with %d:\n%s", code, out)
		}
	}
	north.destroy()
	if all := wantMachines(t, cloud, 1); all[0].Account == account {
		t.Error("the destruction went to the wrong account")
	}
}

// TestManyProcessesShareACloud applies side by side: no identifier and no address
// is given twice.
func TestManyProcessesShareACloud(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t)
	modules := []*module{newModule(t, cloud, fleet(5)), newModule(t, cloud, fleet(5)), newModule(t, cloud, fleet(5))}
	done := make(chan error, len(modules))
	for _, m := range modules {
		go func() {
			out, err := m.command("apply", "-auto-approve", "-input=false", "-no-color").CombinedOutput()
			if err != nil {
				err = errors.New(string(out))
			}
			done <- err
		}()
	}
	for range modules {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	seen := map[string]bool{}
	for _, r := range wantMachines(t, cloud, 15) {
		for _, unique := range []string{r.ID, r.PrivateIP, r.PublicIP} {
			if unique == "" || seen[unique] {
				t.Errorf("%q is given twice or not at all", unique)
			}
			seen[unique] = true
		}
	}
}

func TestTerraformChecksTheSchema(t *testing.T) {
	t.Parallel()
	for want, change := range map[string][2]string{
		`An argument named "instance_typ" is not expected here`: {"instance_type", "instance_typ"},
		`Unsupported block type`:                                {`ami           = "ami-1"`, "root_disk {}"},
		"one of `ami,launch_template` must be specified":        {`ami           = "ami-1"`, ""},
	} {
		m := newModule(t, newCloud(t), strings.Replace(fleet(1), change[0], change[1], 1))
		out, code := m.run("validate", "-no-color")
		if code == 0 || !strings.Contains(flatten(out), want) {
			t.Errorf("validate exits with %d and says\n%s\nwant %q", code, out, want)
		}
	}
	m := newModule(t, newCloud(t), strings.Replace(server, `name        = "node"`, "", 1))
	if out, code := m.run("validate", "-no-color"); code == 0 || !strings.Contains(flatten(out), `The argument "name" is required`) {
		t.Errorf("validate exits with %d and says\n%s\nwant that the name is required", code, out)
	}
}

func TestPlanWithoutCredentialsFailsAsTheProviderDoes(t *testing.T) {
	t.Parallel()
	m := newModule(t, newCloud(t), fleet(1), "AWS_SECRET_ACCESS_KEY=")
	m.must("validate")
	if out, code := m.run("plan", "-input=false", "-no-color"); code == 0 || !strings.Contains(flatten(out), "No valid credential sources found") {
		t.Errorf("plan exits with %d and says\n%s", code, out)
	}
}
