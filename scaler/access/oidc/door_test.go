package oidc_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/access/oidc"
	"github.com/scalerd/scalerd/scaler/access/oidc/oidctest"
)

const password = "correct horse battery"

// forgetful is an access.Store that keeps nothing: a Guard has all in memory too.
type forgetful struct{}

func (forgetful) Users(context.Context) ([]access.User, error)   { return nil, nil }
func (forgetful) SaveUser(context.Context, access.User) error    { return nil }
func (forgetful) DeleteUser(context.Context, string) error       { return nil }
func (forgetful) Tokens(context.Context) ([]access.Token, error) { return nil, nil }
func (forgetful) SaveToken(context.Context, access.Token) error  { return nil }
func (forgetful) DeleteToken(context.Context, string) error      { return nil }

// door is scalerd's side: a login, and a page that says who asks.
type door struct {
	t      *testing.T
	issuer *oidctest.Issuer
	config oidc.Config
	server *httptest.Server
	guard  *access.Guard

	mu      sync.Mutex
	notices []access.Notice
}

func newDoor(t *testing.T, o access.Options) *door {
	t.Helper()
	d := &door{t: t, issuer: oidctest.New(t, false)}
	dir := t.TempDir()
	o.Log = slog.New(slog.DiscardHandler)
	o.Note = func(n access.Notice) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.notices = append(d.notices, n)
	}
	var err error
	if d.guard, err = access.Open(t.Context(), forgetful{}, o); err != nil {
		t.Fatal(err)
	}
	if _, err := d.guard.PutUser(t.Context(), "anna", password, access.Admin); err != nil {
		t.Fatal(err)
	}
	d.server = httptest.NewUnstartedServer(nil)
	d.config = oidc.Config{
		Issuer: d.issuer.Address(), ClientID: oidctest.ClientID, SecretFile: write(t, dir, "secret", oidctest.Secret+"\n"),
		RedirectURL: "https://" + d.server.Listener.Addr().String() + oidc.CallbackPath,
		NameClaim:   "preferred_username", RolesClaim: "groups", Label: "Example",
		Roles:  map[string]access.Role{"lookers": access.Viewer, "operators": access.Operator, "admins": access.Admin},
		CAFile: write(t, dir, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.issuer.Certificate().Raw}))),
		Log:    o.Log,
	}
	d.serve()
	d.server.StartTLS()
	t.Cleanup(d.server.Close)
	return d
}

// serve takes the configuration as it is now.
func (d *door) serve() {
	d.t.Helper()
	provider, err := oidc.New(d.config, d.guard)
	if err != nil {
		d.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/login/", provider.Handler())
	mux.Handle("/login", d.guard.Login())
	mux.Handle("/logout", d.guard.Login())
	mux.Handle("GET /me", d.guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := access.Principal(r.Context())
		_ = json.NewEncoder(w).Encode(map[string]any{"Name": who.Name, "Role": int(who.Role), "How": who.How})
	})))
	d.server.Config.Handler = mux
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// browser keeps cookies and follows no redirect by itself.
type browser struct {
	d      *door
	client *http.Client
}

func (d *door) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	// The certificate of both servers is httptest's.
	return &browser{d, &http.Client{Transport: d.server.Client().Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// get answers with the body, and where the answer leads.
func (b *browser) get(address string) (res *http.Response, body string, next *url.URL) {
	b.d.t.Helper()
	res, err := b.client.Get(address)
	if err != nil {
		b.d.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.d.t.Fatal(err)
	}
	next, _ = res.Location()
	return res, string(text), next
}

// begin is the address that the provider sends the browser back to.
func (b *browser) begin() *url.URL {
	b.d.t.Helper()
	return b.beginFor("/#/a/shop")
}

// beginFor is begin for a page to come to.
func (b *browser) beginFor(page string) *url.URL {
	b.d.t.Helper()
	res, body, at := b.get(b.d.server.URL + oidc.StartPath + "?next=" + url.QueryEscape(page))
	if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(at.String(), b.d.issuer.Address()+"/auth?") {
		b.d.t.Fatalf("start = %s to %v, want 303 to the provider: %s", res.Status, at, body)
	}
	_, _, back := b.get(at.String())
	if back == nil {
		b.d.t.Fatal("the provider leads nowhere")
	}
	return back
}

func (b *browser) me() access.Identity {
	b.d.t.Helper()
	_, text, _ := b.get(b.d.server.URL + "/me")
	var who struct {
		Name, How string
		Role      int
	}
	if err := json.Unmarshal([]byte(text), &who); err != nil {
		b.d.t.Fatalf("%v: %s", err, text)
	}
	return access.Identity{Name: who.Name, Role: access.Role(who.Role), How: who.How}
}
