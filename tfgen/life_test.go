package tfgen_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// TestFleetsLiveOnTheSimulatedClouds takes every description of testdata through
// the life of a fleet: created, grown, a chosen node in the middle dropped,
// destroyed.
func TestFleetsLiveOnTheSimulatedClouds(t *testing.T) {
	for _, path := range goldenDescriptions(t) {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			app := described(t, path)
			if app.Groups[0].Cloud == spec.CloudModule {
				t.Skip("the module is not here: TestModuleExampleLives has one")
			}
			f := newFleet(t)
			f.prepare(app)
			f.describe(app)
			numbers := []int{1, 2}
			if app.Groups[0].Max == 1 {
				numbers = []int{1}
			}
			f.add(numbers...)
			f.apply("create", numbers...)
			f.checkNodes(numbers...)
			if len(numbers) > 1 {
				f.add(3, 4)
				f.apply("create", 3, 4)
				f.drop(2)
				f.apply("delete", 2)
				f.checkNodes(1, 3, 4)
			}
			f.steady()
			f.noSecrets()
			f.destroy()
		})
	}
}

// checkNodes checks that exactly these nodes exist, and that the outputs tell where.
func (f *fleet) checkNodes(numbers ...int) {
	f.Helper()
	machines, outputs := f.machines(), f.outputs()
	if len(machines) != len(numbers) || len(outputs) != len(numbers) {
		f.Errorf("%d machines and %d outputs, want %d of each", len(machines), len(outputs), len(numbers))
	}
	group := &f.app.Groups[0]
	public := group.OpenStack != nil && group.OpenStack.FloatingIPPool+group.OpenStack.FloatingIP != "" || group.Azure != nil && group.Azure.PublicIP ||
		group.EC2 != nil && group.EC2.PublicIP != nil && *group.EC2.PublicIP
	for _, n := range numbers {
		name := tfgen.NodeName(group.Name, n)
		m, out := machines[name], outputs[name]
		if m.Tags["application"] != f.app.Name || m.Tags["group"] != group.Name {
			f.Errorf("machine of %s has the tags %v", name, m.Tags)
		}
		if out["id"] != m.ID || out["private_ip"] != m.PrivateIP || out["private_ip"] == "" {
			f.Errorf("output of %s is %v, want %s at %s", name, out, m.ID, m.PrivateIP)
		}
		if has := out["public_ip"] != nil && out["public_ip"] != ""; has != public && group.EC2 == nil || public && !has {
			f.Errorf("output of %s is %v, want a public address: %v", name, out, public)
		}
	}
}

// noSecrets checks that no file holds a credential, but for a Windows password in
// terraform's own state and plan, which azurerm keeps there.
func (f *fleet) noSecrets() {
	f.Helper()
	windows := f.app.Groups[0].Azure != nil && f.app.Groups[0].Azure.OS == spec.AzureWindows
	for _, dir := range []string{f.dir, f.cloud.Dir()} {
		err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || entry.Type()&os.ModeSymlink != 0 || strings.Contains(path, ".terraform") {
				return err
			}
			text, err := os.ReadFile(path)
			state := strings.Contains(path, "terraform.tfstate") || strings.HasSuffix(path, "plan.bin") || strings.HasPrefix(path, f.cloud.Dir())
			if bytes.Contains(text, []byte(secret)) && !(windows && state) {
				f.Errorf("%s holds a credential", path)
			}
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
	}
}

func goldenDescriptions(t *testing.T) []string {
	t.Helper()
	descriptions, err := filepath.Glob("testdata/*/description.yaml")
	if err != nil || len(descriptions) == 0 {
		t.Fatalf("no descriptions: %v", err)
	}
	return descriptions
}
