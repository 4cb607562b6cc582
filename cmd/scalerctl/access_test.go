package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/store"
)

// guarded is a server with the accounts of a scalerd, on a unix socket and with TLS.
type guarded struct {
	t      *testing.T
	socket string
	remote *httptest.Server
}

func serveAccounts(t *testing.T) guarded {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "scalerd.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	guard, err := access.Open(t.Context(), db, access.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := func() *http.Server {
		return api.NewServer(guard.Handler(api.Handler(api.Config{Guard: guard, Version: "test"})), slog.New(slog.DiscardHandler), access.Connected)
	}
	dir, err := os.MkdirTemp("", "ctl") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	g := guarded{t: t, socket: filepath.Join(dir, "s"), remote: httptest.NewUnstartedServer(nil)}
	l, err := net.Listen("unix", g.socket)
	if err != nil {
		t.Fatal(err)
	}
	local, ended := server(), make(chan error, 1)
	go func() { ended <- local.Serve(l) }()
	t.Cleanup(func() {
		local.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	g.remote.Config = server()
	g.remote.StartTLS()
	t.Cleanup(g.remote.Close)
	return g
}

// run runs scalerctl as this process, which is an admin on the socket. The answer
// of a failure is the error.
func (g guarded) run(stdin string, args ...string) (stdout string, err error) {
	g.t.Helper()
	return g.with([]string{"--socket", g.socket}, stdin, args...)
}

// as runs scalerctl from elsewhere, with a token.
func (g guarded) as(token, stdin string, args ...string) (stdout string, err error) {
	g.t.Helper()
	g.t.Setenv("SCALERD_TOKEN", token)
	return g.with([]string{"--server", g.remote.URL, "--fingerprint", access.Fingerprint(g.remote.Certificate().Raw)}, stdin, args...)
}

func (g guarded) with(where []string, stdin string, args ...string) (string, error) {
	root := rootCommand()
	var out, rest bytes.Buffer
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&rest)
	root.SetArgs(append(where, args...))
	err := root.ExecuteContext(g.t.Context())
	return out.String(), err
}

const password = "correct horse battery\n"

// TestUsersAndTheirPasswords takes users through their life.
func TestUsersAndTheirPasswords(t *testing.T) {
	g := serveAccounts(t)
	for _, step := range []struct {
		what  string
		stdin string
		args  string
		says  string // in the output, or in the error where there is one
		fails bool
	}{
		{what: "the first user is no admin", stdin: password, args: "users add vera --role viewer", says: "the first user has to be an admin", fails: true},
		{what: "a short password", stdin: "short\n", args: "users add anna --role admin", says: "10 characters", fails: true},
		{what: "no password", args: "users add anna --role admin", says: "needs a password and a role", fails: true},
		{what: "an unknown role", stdin: password, args: "users add anna --role root", says: `role "root": use viewer, operator or admin`, fails: true},
		{what: "a name with other characters", stdin: password, args: "users add anna! --role admin", says: "letters, digits", fails: true},
		{what: "an admin", stdin: password, args: "users add anna --role admin"},
		{what: "the same again", stdin: password, args: "users add anna --role admin", says: "user anna exists: change it with users passwd or users role", fails: true},
		{what: "a viewer", stdin: password, args: "users add vera"},
		{what: "the list", args: "users list", says: "vera  viewer"},
		{what: "another role", args: "users role vera operator"},
		{what: "the list shows it", args: "users list -o json", says: `"role": "operator"`},
		{what: "the last admin becomes a viewer", args: "users role anna viewer", says: "the last admin can't be removed or get another role: anna is it; give another user the role admin first", fails: true},
		{what: "the last admin is removed", args: "users remove anna", says: "the last admin can't be removed or get another role: anna is it", fails: true},
		{what: "another admin", args: "users role vera admin"},
		{what: "the first one goes", args: "users remove anna"},
		{what: "the one who is left stays", args: "users remove vera", says: "vera is it", fails: true},
		{what: "a user who is not there", args: "users remove anna", says: "anna: not found", fails: true},
		{what: "another password", stdin: "another horse battery\n", args: "users passwd vera"},
		{what: "no name", args: "users remove", says: "wrong usage", fails: true},
	} {
		out, err := g.run(step.stdin, strings.Fields(step.args)...)
		if (err != nil) != step.fails {
			t.Fatalf("%s: scalerctl %s = %v, want failure %v", step.what, step.args, err, step.fails)
		}
		if err != nil {
			out = err.Error()
		}
		if !strings.Contains(out, step.says) {
			t.Errorf("%s: scalerctl %s says %q, want %q", step.what, step.args, out, step.says)
		}
	}
}

// TestTokensAndWhatTheyAreGoodFor makes tokens, uses them from elsewhere and revokes them.
func TestTokensAndWhatTheyAreGoodFor(t *testing.T) {
	g := serveAccounts(t)
	if _, err := g.run(password, "users", "add", "anna", "--role", "admin"); err != nil {
		t.Fatal(err)
	}
	make := func(args ...string) string {
		t.Helper()
		out, err := g.run("", append([]string{"tokens", "create"}, args...)...)
		if secret := strings.TrimSpace(out); err == nil && strings.HasPrefix(secret, "scalerd_") {
			return secret
		}
		t.Fatalf("tokens create %v = %q, %v, want a secret alone", args, out, err)
		return ""
	}
	operator, admin := make("ci", "--role", "operator", "--application", "shop", "--expires", "720h"), make("boss", "--role", "admin")
	out, err := g.run("", "tokens", "list")
	if err != nil || !strings.Contains(out, "operator  shop") || strings.Contains(out, operator) || strings.Contains(out, admin) {
		t.Errorf("tokens list = %s, %v, want both without their secrets", out, err)
	}
	if _, err := g.as(operator, "", "users", "list"); err == nil || !strings.Contains(err.Error(), "needs the role admin") {
		t.Errorf("users list by an operator = %v, want to hear the role that it needs", err)
	}
	if out, err := g.as(admin, "", "users", "list"); err != nil || !strings.Contains(out, "anna") {
		t.Errorf("users list by an admin's token = %s, %v", out, err)
	}
	if _, err := g.as(admin, "", "users", "remove", "anna"); err == nil || !strings.Contains(err.Error(), "the last admin") {
		t.Errorf("users remove of the last admin by a token = %v, want a refusal", err)
	}
	id := ""
	list, err := g.run("", "tokens", "list")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(list) {
		if fields := strings.Fields(line); fields[1] == "boss" {
			id = fields[0]
		}
	}
	if _, err := g.run("", "tokens", "revoke", id); err != nil {
		t.Fatal(err)
	}
	if _, err := g.as(admin, "", "users", "list"); err == nil || !strings.Contains(err.Error(), "wrong") {
		t.Errorf("users list by a revoked token = %v, want a refusal", err)
	}
	for args, says := range map[string]string{
		"tokens revoke " + id:                             "not found",
		"tokens create x --role root":                     `role "root"`,
		"tokens create x --role admin --application shop": "can't be bound to applications",
		"tokens create x --role viewer --expires -1h":     "negative",
		"tokens create x/y --role viewer":                 "letters, digits",
		"tokens create":                                   "wrong usage",
	} {
		if _, err := g.run("", strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("scalerctl %s = %v, want %q", args, err, says)
		}
	}
}
