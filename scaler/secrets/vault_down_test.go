package secrets_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/secrets"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// vaultAt is a keeper that logs in at an address with an AppRole.
func vaultAt(t *testing.T, address string) *secrets.Vault {
	t.Helper()
	id := filepath.Join(t.TempDir(), "secret-id")
	if err := os.WriteFile(id, []byte("the secret id\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := secrets.NewVault(secrets.VaultConfig{Address: address, Mount: "kv", Path: "scalerd", Version: 2, RoleID: "role", SecretIDFile: id}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestManyCallersLogInOnceWhereVaultFails(t *testing.T) {
	var logins atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		logins.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(server.Close)
	v := vaultAt(t, server.URL)
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			if _, _, err := v.Pick(t.Context(), spec.CloudEC2, ""); !errors.Is(err, secrets.ErrUnavailable) {
				t.Errorf("Pick() = %v, want ErrUnavailable", err)
			}
		})
	}
	callers.Wait()
	if n := logins.Load(); n > 3 { // each second once, on a machine that is busy
		t.Errorf("20 callers tried to log in %d times, want once", n)
	}
}

func TestACallerThatGivesUpDoesNotWaitForALoginThatHangs(t *testing.T) {
	hangs := make(chan struct{}, 1)
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case hangs <- struct{}{}:
		default:
		}
		<-over
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	v := vaultAt(t, server.URL)
	var first sync.WaitGroup
	first.Go(func() { _, _, _ = v.Pick(t.Context(), spec.CloudEC2, "") }) // gives up by itself after 5 s
	<-hangs
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begin := time.Now()
	_, _, err := v.Pick(ctx, spec.CloudEC2, "")
	if took := time.Since(begin); !errors.Is(err, secrets.ErrUnavailable) || !errors.Is(err, context.Canceled) || took > 2*time.Second {
		t.Errorf("Pick() = %v after %s, want that its context ended at once", err, took)
	}
	first.Wait()
}

// TestTheEnvironmentSaysNothingAboutVault has variables that Vault's own tools take.
func TestTheEnvironmentSaysNothingAboutVault(t *testing.T) {
	var strangers atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers.Add(1) }))
	t.Cleanup(other.Close)
	for name, value := range map[string]string{
		"VAULT_ADDR": other.URL, "VAULT_AGENT_ADDR": other.URL, "VAULT_PROXY_ADDR": other.URL, "VAULT_HTTP_PROXY": other.URL,
		"VAULT_SKIP_VERIFY": "true", "VAULT_MAX_RETRIES": "5", "VAULT_TOKEN": "of-terraform", "VAULT_NAMESPACE": "of-terraform",
	} {
		t.Setenv(name, value)
	}
	f := newFake(t, 2)
	if got := vaultOf(t, f); got == nil {
		t.Fatal("no keeper")
	} else if _, found, err := got.Pick(t.Context(), spec.CloudEC2, ""); err != nil || found || f.namespace != "team" {
		t.Errorf("Pick() = %v, %v with namespace %q, want an answer of the Vault that is configured", found, err, f.namespace)
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	if _, _, err := vaultAt(t, secure.URL).Pick(t.Context(), spec.CloudEC2, ""); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("Pick() from a server that nobody vouches for = %v, want its certificate refused", err)
	}
	if n := strangers.Load(); n > 0 {
		t.Errorf("%d requests went to where the environment says", n)
	}
}
