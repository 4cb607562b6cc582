package cmd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/secrets/vaulttest"
)

// TestRealVaultIsNeededForStepsOnly has a scalerd log in to the cloud with what a real
// Vault keeps, which is sealed, and whose token is revoked, meanwhile.
func TestRealVaultIsNeededForStepsOnly(t *testing.T) {
	s := vaulttest.Start(t)
	role, secret := s.AppRole("scalerd", time.Hour)
	if _, err := s.Root.KVv2("secret").Put(t.Context(), "scalerd/ec2/default", map[string]any{"accesskey": "AKIAFIRST", "secretkey": "aws-SENTINEL"}); err != nil {
		t.Fatal(err)
	}
	d, clouds := newSimulated(t)
	d.flags = []string{"--vault-address", s.Address, "--vault-role-id", role, "--vault-secret-id-file", secret}
	d.start()
	t.Cleanup(func() { d.noSecrets(clouds.Dir()) })
	d.submit("name: shop\ninterval: 1s\ngroups:\n" + simulatedGroup("ec2", "min: 1, max: 3"))
	d.wait("shop", "ec2", 1)

	s.Seal()
	d.scale("shop", "ec2", 2)
	d.eventually("the status has Vault's words", func() error {
		status, err := d.status("shop", "ec2")
		if err == nil && !(strings.Contains(status.Problem, "Vault is sealed") && strings.Contains(status.Problem, "unseal Vault")) {
			err = fmt.Errorf("the problem is %q", status.Problem)
		}
		return err
	})
	d.ticks("shop", 3)
	if found := machines(t, clouds); len(found) != 1 {
		t.Errorf("%d machines while Vault is sealed, want 1", len(found))
	}
	s.Unseal()
	d.wait("shop", "ec2", 2)

	s.Revoke()
	d.scale("shop", "ec2", 3)
	d.wait("shop", "ec2", 3)
	if out := d.must("audit", "tail"); !strings.Contains(out, "read-credentials") {
		t.Errorf("the audit log has no access to the credentials:\n%s", out)
	}
}
