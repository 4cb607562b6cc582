package secrets_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/secrets"
	"github.com/scalerd/scalerd/tfgen/spec"
)

func TestVaultsFilesAreNobodyElses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config func(path string) secrets.VaultConfig
	}{
		{"the token's", func(path string) secrets.VaultConfig { return secrets.VaultConfig{TokenFile: path} }},
		{"the secret ID's", func(path string) secrets.VaultConfig {
			return secrets.VaultConfig{RoleID: "role", SecretIDFile: path}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, 2)
			f.token = "the secret id"
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			if err := os.WriteFile(path, []byte("the secret id"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, 0o640); err != nil {
				t.Fatal(err)
			}
			pick := func() error {
				c := tt.config(path)
				c.Address, c.Mount, c.Path, c.Version = f.URL, "kv", "scalerd", 2
				v, err := secrets.NewVault(c, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				_, _, err = v.Pick(t.Context(), spec.CloudEC2, "")
				return err
			}
			if err := pick(); !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), "can be read by others") {
				t.Errorf("Pick() with a file of mode 0640 = %v, want it refused", err)
			}
			t.Setenv("CREDENTIALS_DIRECTORY", dir)
			if err := pick(); err != nil {
				t.Errorf("Pick() with a file that systemd provides = %v", err)
			}
		})
	}
}
