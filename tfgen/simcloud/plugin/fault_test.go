package plugin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// TestFaultsSpeakTheProvidersWords is the table that a classification of errors
// can rely on: the words, whether the machine exists, and whether Terraform
// remembers it, as tainted.
func TestFaultsSpeakTheProvidersWords(t *testing.T) {
	rows := []struct {
		provider   string
		fault      simcloud.Fault
		words      []string
		exists     bool
		remembered bool
	}{
		{"aws", simcloud.Fault{Kind: simcloud.Quota, Limit: 0}, []string{"creating EC2 Instance: operation error EC2: RunInstances", "VcpuLimitExceeded", "current vCPU limit of 0"}, false, false},
		{"aws", simcloud.Fault{Kind: simcloud.NoCapacity}, []string{"StatusCode: 500", "InsufficientInstanceCapacity", "t3.micro"}, false, false},
		{"aws", simcloud.Fault{Kind: simcloud.Failure}, []string{"InternalError"}, false, false},
		{"aws", simcloud.Fault{Kind: simcloud.Lost}, []string{"connection reset by peer", "RunInstances"}, true, false},
		{"aws", simcloud.Fault{Kind: simcloud.Timeout}, []string{"timeout while waiting for state to become 'running'"}, true, true},
		{"openstack", simcloud.Fault{Kind: simcloud.Quota, Limit: 0}, []string{"got 403 instead", "Quota exceeded for instances: Requested 1, but already used 0 of 0 instances"}, false, false},
		{"openstack", simcloud.Fault{Kind: simcloud.NoCapacity}, []string{"unexpected state 'ERROR'", "No valid host was found"}, true, true},
		{"openstack", simcloud.Fault{Kind: simcloud.Failure}, []string{"got 500 instead", "computeFault"}, false, false},
		{"openstack", simcloud.Fault{Kind: simcloud.Lost}, []string{"Error creating OpenStack server", "connection reset by peer"}, true, false},
		{"openstack", simcloud.Fault{Kind: simcloud.Timeout}, []string{"timeout while waiting for state to become 'ACTIVE'"}, true, true},
		{"azurerm", simcloud.Fault{Kind: simcloud.Quota, Limit: 0}, []string{"409 Conflict", "OperationNotAllowed", "exceeding approved Total Regional Cores quota"}, false, false},
		{"azurerm", simcloud.Fault{Kind: simcloud.NoCapacity}, []string{"SkuNotAvailable", "Standard_B2s", "westeurope"}, false, false},
		{"azurerm", simcloud.Fault{Kind: simcloud.Failure}, []string{"500 Internal Server Error"}, false, false},
		{"azurerm", simcloud.Fault{Kind: simcloud.Lost}, []string{"connection reset by peer"}, true, false},
		// azurerm notes the id after the wait: a timeout leaves a machine that Terraform does not know.
		{"azurerm", simcloud.Fault{Kind: simcloud.Timeout}, []string{"polling after CreateOrUpdate: context deadline exceeded"}, true, false},
		{"aws", simcloud.Fault{Kind: simcloud.Failure, Message: "made up"}, []string{"made up"}, false, false},
	}
	for _, r := range rows {
		t.Run(r.provider+"/"+string(r.fault.Kind), func(t *testing.T) {
			c := connect(t, r.provider, newCloud(t))
			typ, values := c.machine("web-0001")
			r.fault.Type = typ
			if _, err := c.cloud.Inject(r.fault); err != nil {
				t.Fatal(err)
			}
			state, wrong := c.create(typ, values)
			for _, w := range r.words {
				if !strings.Contains(wrong, w) {
					t.Errorf("create = %q, want %q in it", wrong, w)
				}
			}
			if got := len(c.machines()) == 1; got != r.exists {
				t.Errorf("the machine exists: %v, want %v", got, r.exists)
			}
			if got := !state.IsNull(); got != r.remembered {
				t.Errorf("Terraform remembers the machine: %v, want %v", got, r.remembered)
			}
			if r.exists && r.remembered {
				if err := c.cloud.Heal(); err != nil {
					t.Fatal(err)
				}
				if wrong := c.destroy(typ, state); wrong != "" || len(c.machines()) != 0 {
					t.Errorf("destroy = %q, %d machines left, want none", wrong, len(c.machines()))
				}
			}
		})
	}
}

func TestThrottlingLetsTheRateThrough(t *testing.T) {
	words := map[string]string{
		"aws": "RequestLimitExceeded", "openstack": "got 429 instead", "azurerm": "429 (429 Too Many Requests)",
	}
	for provider, word := range words {
		t.Run(provider, func(t *testing.T) {
			c := connect(t, provider, newCloud(t))
			typ, values := c.machine("web-0001")
			state, wrong := c.create(typ, values)
			if wrong != "" {
				t.Fatal(wrong)
			}
			ids, err := c.cloud.Inject(simcloud.Fault{Kind: simcloud.Throttle, Rate: 1e-6, Operations: []simcloud.Operation{simcloud.Read}})
			if err != nil {
				t.Fatal(err)
			}
			if _, wrong := c.read(typ, state); wrong != "" {
				t.Errorf("first read = %q, want it to pass", wrong)
			}
			kept, wrong := c.read(typ, state)
			if !strings.Contains(wrong, word) {
				t.Errorf("second read = %q, want %q in it", wrong, word)
			}
			if !kept.RawEquals(state) {
				t.Error("a refused read changes the state")
			}
			if hits, err := c.cloud.Hits(ids[0]); hits != 1 || err != nil {
				t.Errorf("Hits = %d, %v, want 1", hits, err)
			}
		})
	}
}

func TestInvisibleMachineIsNotReadYet(t *testing.T) {
	c := connect(t, "aws", newCloud(t))
	if _, err := c.cloud.Inject(simcloud.Fault{Kind: simcloud.Invisible, For: time.Hour, Count: 1}); err != nil {
		t.Fatal(err)
	}
	typ, values := c.machine("web-0001")
	state, wrong := c.create(typ, values)
	if wrong != "" {
		t.Fatal(wrong)
	}
	if read, wrong := c.read(typ, state); wrong != "" || !read.IsNull() {
		t.Errorf("read = %#v, %q, want that it is gone", read, wrong)
	}
	if found, wrong := c.lookup("aws_instances", nil); wrong != "" || found.GetAttr("ids").LengthInt() != 0 {
		t.Errorf("lookup = %#v, %q, want no ids", found, wrong)
	}
	if n := len(c.machines()); n != 1 {
		t.Errorf("the cloud has %d machines, want the invisible one", n)
	}
}

func TestOpenStackServerWithoutHostIsShownAsError(t *testing.T) {
	c := connect(t, "openstack", newCloud(t))
	if _, err := c.cloud.Inject(simcloud.Fault{Kind: simcloud.NoCapacity, Size: "m1.small"}); err != nil {
		t.Fatal(err)
	}
	typ, values := c.machine("web-0001")
	state, _ := c.create(typ, values)
	read, wrong := c.read(typ, state)
	if wrong != "" || text(read, "power_state") != "error" {
		t.Errorf("read = power_state %q, %q, want error", text(read, "power_state"), wrong)
	}
	if all := c.machines(); !all[0].Failed {
		t.Error("the machine is not marked as failed")
	}
	values["flavor_name"] = str("m1.large")
	if _, wrong := c.create(typ, values); wrong != "" {
		t.Errorf("create of another size = %q, want it to pass", wrong)
	}
}
