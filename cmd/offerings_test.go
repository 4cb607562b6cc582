package cmd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// TestARefusedOfferingGivesWayOnEveryCloud refuses the offering that each group
// prefers, by a quota or for want of machines, with what each cloud leaves of it.
func TestARefusedOfferingGivesWayOnEveryCloud(t *testing.T) {
	t.Parallel()
	d, clouds := startSimulated(t)
	description := "name: shop\ninterval: 1s\ngroups:\n" +
		simulatedGroup("ec2", "min: 0, max: 4, offerings: [{instance_type: t3.large, spot: true}, {instance_type: m7i.large}]") +
		simulatedGroup("openstack", "min: 0, max: 4, offerings: [{flavor_name: m1.small}, {flavor_name: m2.small}]") +
		simulatedGroup("azure", "min: 0, max: 4, offerings: [{size: Standard_B2s}, {size: Standard_D2s_v5}]")
	refusals := []simcloud.Fault{
		{Kind: simcloud.Quota, Type: "aws_instance", Size: "t3.large"},
		{Kind: simcloud.NoCapacity, Type: "openstack_compute_instance_v2", Size: "m1.small"},
		{Kind: simcloud.NoCapacity, Type: "azurerm_linux_virtual_machine", Size: "Standard_B2s"},
	}
	faults, err := clouds.Inject(refusals...)
	if err != nil {
		t.Fatal(err)
	}
	d.submit(description)
	next := map[string]string{"ec2": "m7i.large", "openstack": "m2.small", "azure": "Standard_D2s_v5"}
	for cloud := range next {
		d.scale("shop", cloud, 2)
	}
	for cloud, offering := range next {
		d.wait("shop", cloud, 2)
		nodes, err := d.client.Nodes(context.Background(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range nodes {
			if n.Group == cloud && (n.Offering != offering || n.Outdated != "") {
				t.Errorf("%s is of offering %q (outdated: %q), want %q", n.Name, n.Offering, n.Outdated, offering)
			}
		}
	}
	for _, id := range faults {
		if hits, err := clouds.Hits(id); err != nil || hits == 0 {
			t.Errorf("the fault %s never struck: %v", id, err)
		}
	}
	if found := machines(t, clouds); len(found) != 6 {
		t.Errorf("the clouds have %d machines, want 6", len(found))
	}
	if text := d.metrics(); !strings.Contains(text, `scalerd_offering_penalty{application="shop",group="ec2",offering="t3.large spot"}`) {
		t.Error("no metric tells of the penalty")
	}
	d.must("destroy", "shop", "--yes")
}

// TestAThrottledCloudSucceedsLater throttles the creation of machines for a while.
func TestAThrottledCloudSucceedsLater(t *testing.T) {
	t.Parallel()
	d, clouds := startSimulated(t)
	faults, err := clouds.Inject(simcloud.Fault{Kind: simcloud.Failure, Type: "aws_instance", Operations: []simcloud.Operation{simcloud.Create}, Message: "operation error EC2: RunInstances, api error RequestLimitExceeded: Request limit exceeded."})
	if err != nil {
		t.Fatal(err)
	}
	d.submit("name: shop\ninterval: 1s\ngroups:\n" + simulatedGroup("ec2", "max: 2"))
	d.within(2*patience, "the throttle is told", func() error {
		status, err := d.status("shop", "ec2")
		if err == nil && !strings.Contains(status.Problem, "throttled") {
			err = fmt.Errorf("its problem is %q", status.Problem)
		}
		return err
	})
	if err := clouds.Heal(faults...); err != nil {
		t.Fatal(err)
	}
	d.wait("shop", "ec2", 1)
	d.must("destroy", "shop", "--yes")
}

// TestANodeGoesAfterItsChecksAndItsDrain has a check that sees real plans and refuses
// deletions at first, and a drain hook that looks at the cloud while it drains.
func TestANodeGoesAfterItsChecksAndItsDrain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	policies, drained, allowed := filepath.Join(dir, "policies"), filepath.Join(dir, "drained"), filepath.Join(dir, "allowed")
	if err := os.Mkdir(policies, 0o700); err != nil {
		t.Fatal(err)
	}
	script := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	script(filepath.Join(policies, "no-deletion"),
		`if grep -q '"actions":\["delete"\]' && ! test -e "`+allowed+`"; then echo "no deletion of $SCALERD_GROUP today"; exit 1; fi`)
	hook := filepath.Join(dir, "drain")
	script(hook, `echo "$SCALERD_NODE $SCALERD_ID $SCALERD_PRIVATE_IP" >> "`+drained+`"`)
	d, clouds := startSimulated(t, "--policy-dir", policies)
	d.submit("name: shop\ninterval: 1s\ngroups:\n" + simulatedGroup("ec2", "min: 1, max: 3, initial: 2, drain: {command: ["+hook+"]}"))
	d.wait("shop", "ec2", 2)

	d.scale("shop", "ec2", 1)
	d.within(2*patience, "the deletion is refused in the check's words", func() error {
		status, err := d.status("shop", "ec2")
		if err == nil && !strings.Contains(status.Problem, "no deletion of ec2 today") {
			err = fmt.Errorf("its problem is %q", status.Problem)
		}
		return err
	})
	if text, err := os.ReadFile(drained); err == nil || len(machines(t, clouds)) != 2 {
		t.Errorf("drained %q, %d machines after a refusal, want none drained and 2", text, len(machines(t, clouds)))
	}
	going := machines(t, clouds)
	if err := os.WriteFile(allowed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	left := d.wait("shop", "ec2", 1)
	text, err := os.ReadFile(drained)
	if words := strings.Fields(string(text)); err != nil || len(words) != 3 || words[0] == left[0] || words[2] == "" {
		t.Errorf("the hook was told %q, %v, want one node that went and its address", text, err)
	} else if !strings.Contains(fmt.Sprint(going), words[1]) {
		t.Errorf("the hook was told of %s, which is none of %v", words[1], going)
	}
	d.must("destroy", "shop", "--yes")
}
