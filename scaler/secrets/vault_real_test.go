package secrets_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/secrets"
	"github.com/scalerd/scalerd/scaler/secrets/vaulttest"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// keeperOf logs in to a real Vault with an AppRole of its own.
func keeperOf(t *testing.T, s *vaulttest.Server, role string, ttl time.Duration, change func(*secrets.VaultConfig)) *secrets.Vault {
	t.Helper()
	c := secrets.VaultConfig{Address: s.Address, Mount: "secret", Path: "scalerd", Version: 2}
	c.RoleID, c.SecretIDFile = s.AppRole(role, ttl)
	if change != nil {
		change(&c)
	}
	v, err := secrets.NewVault(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func picks(t *testing.T, v *secrets.Vault) string {
	t.Helper()
	e, found, err := v.Pick(t.Context(), spec.CloudEC2, "")
	if err != nil || !found {
		t.Fatalf("Pick() = %v, %v", found, err)
	}
	return e.AuthData["secretkey"]
}

// TestRealVault holds the keeper against a real Vault, whose answers the fake of the
// other tests only plays.
func TestRealVault(t *testing.T) {
	s := vaulttest.Start(t)
	if err := keeperOf(t, s, "first", time.Hour, nil).Put(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		test func(t *testing.T)
	}{
		{"both versions keep, find and forget", func(t *testing.T) {
			for version, mount := range map[int]string{1: "kv1", 2: "secret"} {
				v := keeperOf(t, s, "versions", time.Hour, func(c *secrets.VaultConfig) { c.Version, c.Mount, c.Path = version, mount, "other" })
				keepsFindsAndForgets(t, &secrets.Store{Keeper: v, Plain: func() string { return "" }})
			}
		}},
		{"what a person wrote is read", func(t *testing.T) {
			if _, err := s.Root.KVv2("secret").Put(t.Context(), "scalerd/openstack/lab", map[string]any{"username": "me", "password": value}); err != nil {
				t.Fatal(err)
			}
			e, found, err := keeperOf(t, s, "person", time.Hour, nil).Pick(t.Context(), spec.CloudOpenStack, "lab")
			if err != nil || !found || e.AuthData["password"] != value {
				t.Errorf("Pick() = %v, %v, want what was written", found, err)
			}
		}},
		{"a token that is revoked is replaced", func(t *testing.T) {
			v := keeperOf(t, s, "revoked", time.Hour, nil)
			picks(t, v)
			s.Revoke()
			if got := picks(t, v); got != value {
				t.Errorf("after the token was revoked: %q", got)
			}
			if n := len(s.Tokens()); n != 1 {
				t.Errorf("%d tokens, want the new one", n)
			}
		}},
		{"a token that ends soon is renewed", func(t *testing.T) {
			s.Revoke()
			v := keeperOf(t, s, "renewed", 30*time.Second, nil)
			picks(t, v)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- v.Run(ctx) }()
			s.Until("the token is renewed", func() error {
				for _, token := range s.Tokens() {
					if token["last_renewal"] != nil {
						return nil
					}
				}
				return errors.New("no token was")
			})
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}},
		{"a wrong secret ID is told of", func(t *testing.T) {
			wrong := filepath.Join(t.TempDir(), "id")
			if err := os.WriteFile(wrong, []byte("00000000-0000-0000-0000-000000000000"), 0o600); err != nil {
				t.Fatal(err)
			}
			v := keeperOf(t, s, "wrong", time.Hour, func(c *secrets.VaultConfig) { c.SecretIDFile = wrong })
			says(t, v, "log in with the AppRole: 400: invalid role or secret ID", "look at the role ID, the secret ID")
		}},
		{"a path that the policy leaves out is told of", func(t *testing.T) {
			v := keeperOf(t, s, "denied", time.Hour, func(c *secrets.VaultConfig) { c.Mount = "nowhere" })
			says(t, v, "403", "policy")
		}},
		{"a namespace does no harm where Vault has none", func(t *testing.T) { // Vault Enterprise has them
			v := keeperOf(t, s, "namespace", time.Hour, func(c *secrets.VaultConfig) { c.Namespace = "team" })
			if got := picks(t, v); got != value {
				t.Errorf("with a namespace: %q", got)
			}
		}},
		{"a Vault that is sealed is told of, and used again", func(t *testing.T) {
			v := keeperOf(t, s, "sealed", time.Hour, nil)
			picks(t, v)
			s.Seal()
			says(t, v, "503: Vault is sealed", "unseal Vault")
			s.Unseal()
			if got := picks(t, v); got != value {
				t.Errorf("after it was unsealed: %q", got)
			}
		}},
		{"a Vault that is gone is told of", func(t *testing.T) { // the last one
			v := keeperOf(t, s, "gone", time.Hour, nil)
			s.Stop()
			says(t, v, "connection refused", "look whether Vault runs")
		}},
	} {
		t.Run(tt.name, tt.test)
	}
}

// says checks the error of a keeper that can't be used.
func says(t *testing.T, v *secrets.Vault, wants ...string) {
	t.Helper()
	_, _, err := v.Pick(t.Context(), spec.CloudEC2, "")
	if !errors.Is(err, secrets.ErrUnavailable) {
		t.Fatalf("Pick() = %v, want ErrUnavailable", err)
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Pick() = %v, want %q in it", err, want)
		}
	}
}
