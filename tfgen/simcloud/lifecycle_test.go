package simcloud_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// life is a configuration with what its changes should do.
type life struct {
	file     string            // under testdata
	machines int               // after the first apply
	inPlace  [2]string         // replacement of a text that changes in place
	replaces [2]string         // replacement of a text that replaces
	replaced map[string]string // the actions then
	changed  map[string]string
}

var lives = map[string]life{
	"aws": {
		file: "aws.tf", machines: 2,
		inPlace: [2]string{`"t3.small"`, `"t3.large"`}, replaces: [2]string{`"ami-0aaaaaaaaaaaaaaaa"`, `"ami-0bbbbbbbbbbbbbbbb"`},
		changed: map[string]string{`aws_instance.node["a"]`: "update", `aws_instance.node["b"]`: "update"},
		replaced: map[string]string{
			`aws_instance.node["a"]`: "delete,create", `aws_instance.node["b"]`: "delete,create", `aws_eip_association.node["a"]`: "delete,create",
		},
	},
	"openstack": {
		file: "openstack.tf", machines: 2,
		inPlace: [2]string{`"m1.small"`, `"m1.large"`}, replaces: [2]string{`"ubuntu-24.04"`, `"ubuntu-26.04"`},
		changed:  map[string]string{`openstack_compute_instance_v2.node["a"]`: "update", `openstack_compute_instance_v2.node["b"]`: "update"},
		replaced: map[string]string{`openstack_compute_instance_v2.node["a"]`: "delete,create", `openstack_compute_instance_v2.node["b"]`: "delete,create"},
	},
	"azure": {
		file: "azure.tf", machines: 3,
		inPlace: [2]string{`"Standard_B2s"`, `"Standard_B4ms"`}, replaces: [2]string{`"22_04-lts"`, `"24_04-lts"`},
		changed: map[string]string{`azurerm_linux_virtual_machine.node["a"]`: "update", `azurerm_linux_virtual_machine.node["b"]`: "update"},
		replaced: map[string]string{
			`azurerm_linux_virtual_machine.node["a"]`: "delete,create", `azurerm_linux_virtual_machine.node["b"]`: "delete,create",
		},
	},
}

// TestLifeOfAFleet runs everything that a fleet does with the real terraform.
func TestLifeOfAFleet(t *testing.T) {
	for name, l := range lives {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(filepath.Join("testdata", l.file))
			if err != nil {
				t.Fatal(err)
			}
			config, cloud := string(content), newCloud(t)
			m := newModule(t, cloud, config)
			m.must("validate", "-no-color")
			m.apply()
			before := wantMachines(t, cloud, l.machines)
			m.settled()
			nodes, _ := m.outputs()["nodes"].(map[string]any)
			for key, node := range nodes {
				if ip, _ := node.(map[string]any)["private_ip"].(string); !strings.HasPrefix(ip, "127.") {
					t.Errorf("node %s has the private address %q, want one of this machine", key, ip)
				}
			}
			if ip, _ := nodes["a"].(map[string]any)["public_ip"].(string); !strings.HasPrefix(ip, "198.18.") {
				t.Errorf("node a has the public address %q, want one in 198.18.0.0/15", ip)
			}

			m.write(strings.ReplaceAll(config, l.inPlace[0], l.inPlace[1]))
			if diff := cmp.Diff(l.changed, m.actions()); diff != "" {
				t.Errorf("a change in place plans (-want +got):\n%s", diff)
			}
			m.apply()
			m.settled()
			if diff := cmp.Diff(ids(before), ids(machines(t, cloud))); diff != "" {
				t.Errorf("a change in place makes other machines (-before +after):\n%s", diff)
			}

			config = strings.ReplaceAll(strings.ReplaceAll(config, l.inPlace[0], l.inPlace[1]), l.replaces[0], l.replaces[1])
			m.write(config)
			if diff := cmp.Diff(l.replaced, m.actions()); diff != "" {
				t.Errorf("a change that replaces plans (-want +got):\n%s", diff)
			}
			m.apply()
			m.settled()
			wantMachines(t, cloud, l.machines)

			m.destroy()
			wantEmpty(t, cloud)
			noSecrets(t, cloud.Dir())
		})
	}
}

// noSecrets looks for credentials in all of a cloud's files.
func noSecrets(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), "SENTINEL") || strings.Contains(string(content), "AKIATEST") {
			t.Errorf("%s holds a secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
