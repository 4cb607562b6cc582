package cmd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// machineTypes are the resource types of the simulated groups' machines.
var machineTypes = map[string]string{
	"ec2": "aws_instance", "openstack": "openstack_compute_instance_v2", "azure": "azurerm_linux_virtual_machine",
}

// made counts the machines of a cloud that were ever created.
func made(t *testing.T, clouds *simcloud.Cloud, cloud string) int {
	t.Helper()
	events, err := clouds.Events()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.What == simcloud.Created && e.Type == machineTypes[cloud] {
			n++
		}
	}
	return n
}

// struck waits until a fault has hit.
func (d *daemon) struck(clouds *simcloud.Cloud, fault string) {
	d.t.Helper()
	d.within(2*patience, fault+" strikes", func() error {
		hits, err := clouds.Hits(fault)
		if err == nil && hits == 0 {
			err = fmt.Errorf("%s has not struck", fault)
		}
		return err
	})
}

// TestAMachineOfALostCreationIsAdopted spoils the answer of a creation on each
// cloud, in the three ways that leave a machine which Terraform does not know.
func TestAMachineOfALostCreationIsAdopted(t *testing.T) {
	t.Parallel()
	d, clouds := startSimulated(t, "--lookup-grace", "2s")
	faults := map[string]simcloud.Fault{
		"ec2":       {ID: "ec2", Kind: simcloud.Crash},
		"openstack": {ID: "openstack", Kind: simcloud.Lost},
		"azure":     {ID: "azure", Kind: simcloud.Timeout},
	}
	description := "name: shop\ninterval: 1s\ngroups:\n"
	for cloud, fault := range faults {
		fault.Type, fault.Count = machineTypes[cloud], 1
		if _, err := clouds.Inject(fault); err != nil {
			t.Fatal(err)
		}
		description += simulatedGroup(cloud, "min: 1, initial: 2, max: 4")
	}
	d.submit(description)
	for cloud := range faults {
		d.struck(clouds, cloud)
		if names := d.wait("shop", cloud, 2); strings.Join(names, " ") != cloud+"-0001 "+cloud+"-0002" {
			t.Errorf("nodes of %s are %v, want the two of the first decision", cloud, names)
		}
		if n := made(t, clouds, cloud); n != 2 {
			t.Errorf("%d machines were made on %s, want 2", n, cloud)
		}
		if text := d.metrics(); !strings.Contains(text, fmt.Sprintf("scalerd_orphans_adopted_total{application=%q,group=%q}", "shop", cloud)) {
			t.Errorf("the metric scalerd_orphans_adopted_total does not count what was adopted on %s", cloud)
		}
	}
	if found := machines(t, clouds); len(found) != 6 {
		t.Errorf("the clouds have %d machines, want 6", len(found))
	}
	if out := d.must("orphans", "shop"); !strings.Contains(out, "the cloud was asked") || strings.Contains(out, "adopt") {
		t.Errorf("scalerctl orphans says\n%s\nwant no orphan and when the cloud was asked", out)
	}
}

// TestAMachineThatIsShownLateIsNotDoubled hides the machine of a lost creation from
// the first lookup.
func TestAMachineThatIsShownLateIsNotDoubled(t *testing.T) {
	t.Parallel()
	d, clouds := startSimulated(t, "--lookup-grace", "12s")
	lost := simcloud.Fault{ID: "lost", Kind: simcloud.Lost, Type: "aws_instance", Count: 1}
	late := simcloud.Fault{ID: "late", Kind: simcloud.Invisible, Type: "aws_instance", Count: 1, For: 8 * time.Second}
	if _, err := clouds.Inject(late, lost); err != nil {
		t.Fatal(err)
	}
	d.submit("name: shop\ninterval: 1s\ngroups:\n" + simulatedGroup("ec2", "max: 2"))
	d.struck(clouds, "lost")
	d.wait("shop", "ec2", 1)
	if n := made(t, clouds, "ec2"); n != 1 {
		t.Errorf("%d machines were made, want 1", n)
	}
}

// TestAnUnwantedMachineIsDeleted scales in after a lost creation: on OpenStack the
// machine is found, on EC2 it is shown so late that its node is long gone.
func TestAnUnwantedMachineIsDeleted(t *testing.T) {
	t.Parallel()
	d, clouds := startSimulated(t, "--lookup-grace", "4s", "--lookup-interval", "5s")
	d.submit("name: shop\ninterval: 1s\ngroups:\n" +
		simulatedGroup("openstack", "min: 0, initial: 1, max: 3") + simulatedGroup("ec2", "min: 0, initial: 1, max: 3"))
	faults := []simcloud.Fault{{ID: "late", Kind: simcloud.Invisible, Type: machineTypes["ec2"], Count: 1, For: 40 * time.Second}}
	for _, cloud := range []string{"openstack", "ec2"} {
		d.wait("shop", cloud, 1)
		faults = append(faults, simcloud.Fault{ID: cloud, Kind: simcloud.Lost, Type: machineTypes[cloud], Count: 1})
	}
	if _, err := clouds.Inject(faults...); err != nil {
		t.Fatal(err)
	}
	for _, cloud := range []string{"openstack", "ec2"} {
		d.scale("shop", cloud, 2)
		d.struck(clouds, cloud)
		d.scale("shop", cloud, 1)
	}
	for _, cloud := range []string{"openstack", "ec2"} {
		d.wait("shop", cloud, 1)
	}
	d.within(2*patience, "only the wanted machines are left", func() error {
		var left []string
		for _, m := range machines(t, clouds) {
			left = append(left, m.Name+" "+m.ID)
		}
		if len(left) != 2 {
			return fmt.Errorf("there are %q; orphans:\n%s", left, d.must("orphans"))
		}
		return nil
	})
	d.eventually("the deletion is counted", func() error {
		if text := d.metrics(); !strings.Contains(text, `scalerd_orphans_deleted_total{application="shop",group="ec2"} 1`) {
			return fmt.Errorf("the metric scalerd_orphans_deleted_total is not 1")
		}
		return nil
	})
}
