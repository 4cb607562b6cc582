// Package vaulttest runs a real HashiCorp Vault for tests: the one that `make vault`
// builds, or the one that $VAULT_BINARY names. It keeps everything in memory.
package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"testing"
	"time"

	vault "github.com/hashicorp/vault/api"
)

// rootToken is that of each server.
const rootToken = "root"

// Server is a Vault that listens on a free port of the loopback address, with a
// key-value engine of version 2 at secret/, of version 1 at kv1/, and AppRoles.
type Server struct {
	// Address is its URL.
	Address string
	// Root is a client that may do everything.
	Root *vault.Client

	t      testing.TB
	unseal string
	cmd    *exec.Cmd
	ended  chan struct{}
	out    *output
}

// output is what the server has written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

var unsealKey = regexp.MustCompile(`Unseal Key: (\S+)`)

// Start starts a Vault, which ends with the test. Where none was built the test is
// skipped.
func Start(t testing.TB) *Server {
	t.Helper()
	binary := binary(t)
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Address: "http://" + port, t: t, ended: make(chan struct{}), out: &output{}}
	s.cmd = exec.Command(binary, "server", "-dev", "-dev-root-token-id="+rootToken, "-dev-listen-address="+port, "-dev-no-store-token")
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	s.cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait() // it is killed
		close(s.ended)
	}()
	t.Cleanup(s.Stop)
	config := vault.DefaultConfig()
	config.Address, config.MaxRetries = s.Address, 0
	if s.Root, err = vault.NewClient(config); err != nil {
		t.Fatal(err)
	}
	s.Root.SetToken(rootToken)
	s.Until("vault is unsealed", func() error {
		if found := unsealKey.FindStringSubmatch(s.out.String()); found != nil {
			s.unseal = found[1]
		} else {
			return errors.New("it has not told its key yet")
		}
		health, err := s.Root.Sys().Health()
		if err == nil && health.Sealed {
			err = errors.New("it is sealed")
		}
		return err
	})
	s.must(s.Root.Sys().Mount("kv1", &vault.MountInput{Type: "kv", Options: map[string]string{"version": "1"}}))
	s.must(s.Root.Sys().EnableAuthWithOptions("approle", &vault.EnableAuthOptions{Type: "approle"}))
	s.must(s.Root.Sys().PutPolicy("scalerd", `path "secret/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "kv1/*" { capabilities = ["create", "read", "update", "delete", "list"] }`))
	return s
}

// binary is the path of the Vault to run.
func binary(t testing.TB) string {
	t.Helper()
	path := os.Getenv("VAULT_BINARY")
	if path == "" {
		_, file, _, _ := runtime.Caller(0)
		path = filepath.Join(filepath.Dir(file), "..", "..", "..", "bin", "vault")
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no Vault was built: run make vault, or set VAULT_BINARY: %v", err)
	}
	return path
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("vault: %v\n%s", err, s.out)
	}
}

// Until waits until check returns nil, and fails the test where it does not.
func (s *Server) Until(what string, check func() error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-s.ended:
			s.t.Fatalf("%s: vault has ended:\n%s", what, s.out)
		case <-ctx.Done():
			s.t.Fatalf("not so within a minute: %s: %v\n%s", what, err, s.out)
		}
	}
}

// AppRole makes a role whose tokens live for ttl, and returns its role ID and a file
// with a secret ID.
func (s *Server) AppRole(name string, ttl time.Duration) (roleID, secretIDFile string) {
	s.t.Helper()
	role := "auth/approle/role/" + name
	_, err := s.Root.Logical().Write(role, map[string]any{"token_policies": "scalerd", "token_ttl": ttl.String()})
	s.must(err)
	id, err := s.Root.Logical().Read(role + "/role-id")
	s.must(err)
	secret, err := s.Root.Logical().Write(role+"/secret-id", nil)
	s.must(err)
	secretIDFile = filepath.Join(s.t.TempDir(), "secret-id")
	s.must(os.WriteFile(secretIDFile, fmt.Appendln(nil, secret.Data["secret_id"]), 0o600))
	return fmt.Sprint(id.Data["role_id"]), secretIDFile
}

// Tokens are the tokens that AppRole logins have, as Vault tells of them.
func (s *Server) Tokens() []map[string]any {
	s.t.Helper()
	list, err := s.Root.Logical().List("auth/token/accessors")
	s.must(err)
	var found []map[string]any
	accessors, _ := list.Data["keys"].([]any)
	for _, accessor := range accessors {
		// One that ends meanwhile is not found.
		if token, err := s.Root.Auth().Token().LookupAccessor(fmt.Sprint(accessor)); err == nil && token != nil && token.Data["path"] == "auth/approle/login" {
			found = append(found, token.Data)
		}
	}
	return found
}

// Revoke ends every token of Tokens.
func (s *Server) Revoke() {
	s.t.Helper()
	for _, token := range s.Tokens() {
		s.must(s.Root.Auth().Token().RevokeAccessor(fmt.Sprint(token["accessor"])))
	}
}

// Seal seals it: it answers, and gives nothing.
func (s *Server) Seal() {
	s.t.Helper()
	s.must(s.Root.Sys().Seal())
}

// Unseal has it answer as before.
func (s *Server) Unseal() {
	s.t.Helper()
	_, err := s.Root.Sys().Unseal(s.unseal)
	s.must(err)
	s.Until("vault is active again", func() error {
		_, err := s.Root.Auth().Token().LookupSelf()
		return err
	})
}

// Stop ends it, with everything that it has.
func (s *Server) Stop() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.ended
}
