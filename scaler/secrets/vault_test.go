package secrets_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/credentials"
	"github.com/scalerd/scalerd/scaler/secrets"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// fake answers the few requests of Vault's HTTP API that are made, as its documentation
// has them: AppRole login, token lookup and renewal, and the key-value engines.
type fake struct {
	*httptest.Server
	version int
	mu      sync.Mutex
	data    map[string]json.RawMessage
	// token is the one that is taken, and logins count those that were given.
	token    string
	logins   int
	renewals int
	// lease is in seconds.
	lease     int
	namespace string
}

func newFake(t *testing.T, version int) *fake {
	f := &fake{version: version, data: map[string]json.RawMessage{}, lease: 3600}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	answer := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	f.namespace = r.Header.Get("X-Vault-Namespace")
	auth := func() any {
		return map[string]any{"auth": map[string]any{"client_token": f.token, "lease_duration": f.lease, "renewable": true}}
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	var body map[string]json.RawMessage
	_ = json.NewDecoder(r.Body).Decode(&body)
	if path == "auth/approle/login" {
		if string(body["secret_id"]) != `"the secret id"` {
			answer(400, map[string]any{"errors": []string{"invalid role or secret ID"}})
			return
		}
		f.logins++
		f.token = "token-" + strings.Repeat("x", f.logins)
		answer(200, auth())
		return
	}
	if f.token == "" || r.Header.Get("X-Vault-Token") != f.token {
		answer(403, map[string]any{"errors": []string{"permission denied"}})
		return
	}
	switch {
	case path == "auth/token/renew-self":
		f.renewals++
		answer(200, auth())
		return
	case path == "auth/token/lookup-self":
		answer(200, map[string]any{"data": map[string]any{"ttl": f.lease, "renewable": true}})
		return
	}
	kind, key := "data", strings.TrimPrefix(path, "kv/")
	if f.version == 2 {
		kind, key, _ = strings.Cut(key, "/")
	}
	list := r.Method == "LIST" || r.URL.Query().Get("list") == "true"
	switch _, there := f.data[key]; {
	case list && (kind == "metadata" || f.version == 1):
		keys := []string{}
		for stored := range f.data {
			if name, ok := strings.CutPrefix(stored, strings.TrimSuffix(key, "/")+"/"); ok {
				keys = append(keys, name)
			}
		}
		if len(keys) == 0 {
			answer(404, map[string]any{"errors": []string{}})
			return
		}
		answer(200, map[string]any{"data": map[string]any{"keys": keys}})
	case r.Method == http.MethodDelete:
		delete(f.data, key)
		w.WriteHeader(204)
	case r.Method == http.MethodGet && !there:
		answer(404, map[string]any{"errors": []string{}})
	case r.Method == http.MethodGet && f.version == 1:
		answer(200, map[string]any{"data": f.data[key]})
	case r.Method == http.MethodGet:
		answer(200, map[string]any{"data": map[string]any{"data": f.data[key], "metadata": map[string]any{"version": 1, "created_time": "2026-05-04T12:00:00Z"}}})
	case f.version == 1:
		text, _ := json.Marshal(body)
		f.data[key] = text
		w.WriteHeader(204)
	default:
		f.data[key] = body["data"]
		answer(200, map[string]any{"data": map[string]any{"version": 1, "created_time": "2026-05-04T12:00:00Z"}})
	}
}

func vaultOf(t *testing.T, f *fake) *secrets.Vault {
	t.Helper()
	id := filepath.Join(t.TempDir(), "secret-id")
	if err := os.WriteFile(id, []byte("the secret id\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := secrets.NewVault(secrets.VaultConfig{
		Address: f.URL, Namespace: "team", Mount: "kv", Path: "scalerd", Version: f.version, RoleID: "role", SecretIDFile: id,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func vaultStore(t *testing.T, f *fake) *secrets.Store {
	return &secrets.Store{Keeper: vaultOf(t, f), Plain: func() string { return "" }}
}

func TestVaultLogsInAgainWhereItsTokenEnded(t *testing.T) {
	f := newFake(t, 2)
	s := vaultStore(t, f)
	set(t, s, first)
	if f.logins != 1 || f.namespace != "team" {
		t.Errorf("%d logins, namespace %q, want 1 and team", f.logins, f.namespace)
	}
	f.mu.Lock()
	f.token = "revoked"
	f.mu.Unlock()
	if got := finds(t, s, ""); got != "AKIAFIRST" || f.logins != 2 {
		t.Errorf("with a token that ended: %s after %d logins", got, f.logins)
	}
	if _, err := s.Rotate(t.Context(), ""); !errors.Is(err, secrets.ErrRefused) {
		t.Errorf("Rotate() = %v, want ErrRefused", err)
	}
}

func TestVaultsTokenIsRenewed(t *testing.T) {
	f := newFake(t, 2)
	f.lease = 30 // shorter than the time between two looks
	v := vaultOf(t, f)
	set(t, &secrets.Store{Keeper: v, Plain: func() string { return "" }}, first) // logs in
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }() // looks at once
	for f.renewed() == 0 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if f.renewed() == 0 {
		t.Error("the token was never renewed")
	}
}

func (f *fake) renewed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.renewals
}

func TestWithoutVaultNoStepBegins(t *testing.T) {
	f := newFake(t, 2)
	s := vaultStore(t, f)
	set(t, s, first)
	f.Close()
	start := time.Now()
	_, err := s.Find(t.Context(), spec.CloudEC2, "")
	if !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), "look whether Vault runs") || strings.Contains(err.Error(), value) {
		t.Errorf("Find() = %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %s to notice", took)
	}
	if _, err := s.Find(t.Context(), spec.CloudLocal, ""); err != nil {
		t.Errorf("a cloud without credentials needs Vault: %v", err)
	}
}

// TestNoNameLeadsOutOfTheFolder asks for, writes and removes what others keep in Vault.
func TestNoNameLeadsOutOfTheFolder(t *testing.T) {
	for _, version := range []int{1, 2} {
		f := newFake(t, version)
		s := vaultStore(t, f)
		const theirs = `{"accesskey": "AKIATHEIRS", "secretkey": "theirs"}`
		keys := []string{"other", "scalerd/other", "scalerd/ec2/a/b"}
		for _, key := range keys {
			f.data[key] = json.RawMessage(theirs)
		}
		set(t, s, first)
		v := s.Keeper.(*secrets.Vault)
		for _, name := range []string{"../../other", "../other", "a/b", ".", "..", "/other", "%2e%2e/other", "a\x00b"} {
			if got, err := s.Find(t.Context(), spec.CloudEC2, name); !errors.Is(err, secrets.ErrInvalid) {
				t.Errorf("Find(%q) = %v, %v, want ErrInvalid", name, got, err)
			}
			if got, _, err := v.Pick(t.Context(), spec.CloudEC2, name); !errors.Is(err, secrets.ErrInvalid) {
				t.Errorf("Pick(%q) = %v, %v, want ErrInvalid", name, got.AuthData, err)
			}
			if err := s.Remove(t.Context(), "ec2", name); !errors.Is(err, secrets.ErrInvalid) {
				t.Errorf("Remove(%q) = %v, want ErrInvalid", name, err)
			}
			if err := v.Put(t.Context(), credentials.Entry{Type: "ec2", Name: name, AuthData: first.AuthData}); !errors.Is(err, secrets.ErrInvalid) {
				t.Errorf("Put(%q) = %v, want ErrInvalid", name, err)
			}
		}
		f.mu.Lock()
		for _, key := range keys {
			if string(f.data[key]) != theirs {
				t.Errorf("%s is %s now", key, f.data[key])
			}
		}
		if len(f.data) != len(keys)+1 {
			t.Errorf("vault has %d entries, want %d", len(f.data), len(keys)+1)
		}
		f.mu.Unlock()
		if list, err := s.List(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("List() = %v, %v, want the one entry", list, err)
		}
	}
}

func TestVaultSaysWhoIsRefused(t *testing.T) {
	f := newFake(t, 2)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("hvs.wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := secrets.NewVault(secrets.VaultConfig{Address: f.URL, Mount: "kv", Path: "scalerd", Version: 2, TokenFile: file}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = v.Pick(t.Context(), spec.CloudEC2, "")
	if err == nil || !strings.Contains(err.Error(), "permission denied") || !strings.Contains(err.Error(), "policy") || strings.Contains(err.Error(), "hvs.wrong") {
		t.Errorf("Pick() = %v", err)
	}
	f.mu.Lock()
	f.token = "hvs.wrong"
	f.mu.Unlock()
	_, found, err := v.Pick(t.Context(), spec.CloudEC2, "")
	for end := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(end); { // a failure is kept for a while
		time.Sleep(time.Millisecond)
		_, found, err = v.Pick(t.Context(), spec.CloudEC2, "")
	}
	if err != nil || found {
		t.Errorf("Pick() with the right token = %v, %v", found, err)
	}
}
