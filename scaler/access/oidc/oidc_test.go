package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/access/oidc"
	"github.com/scalerd/scalerd/scaler/access/oidc/oidctest"
)

func TestSomebodyOfAGroupWithARoleIsSignedIn(t *testing.T) {
	d := newDoor(t, access.Options{})
	b := d.browser()
	res, body, next := b.get(b.begin().String())
	if res.StatusCode != http.StatusSeeOther || next.String() != d.server.URL+"/#/a/shop" {
		t.Fatalf("callback = %s to %v, want 303 to where it began: %s", res.Status, next, body)
	}
	for _, want := range []string{"__Host-scalerd_session=", "Path=/", "HttpOnly", "Secure", "SameSite=Strict", "Max-Age=28800"} {
		if cookies := strings.Join(res.Header.Values("Set-Cookie"), "\n"); !strings.Contains(cookies, want) {
			t.Errorf("Set-Cookie: %s, want %s", cookies, want)
		}
	}
	if diff := cmp.Diff(access.Identity{Name: "olga", Role: access.Operator, How: "oidc"}, b.me()); diff != "" {
		t.Errorf("who is signed in (-want +got):\n%s", diff)
	}
	if got := d.browser().me(); got.Role != access.Nobody {
		t.Errorf("another browser is %+v, want nobody", got)
	}
	if res, err := b.client.PostForm(d.server.URL+"/logout", nil); err != nil || res.StatusCode != http.StatusSeeOther {
		t.Fatal(res, err)
	}
	if got := b.me(); got.Role != access.Nobody {
		t.Errorf("after the logout it is %+v, want nobody", got)
	}
	want := []access.Notice{{Who: "olga", Subject: "4711", How: "oidc", From: "127.0.0.1", Action: "login"}, {Who: "olga", Subject: "4711", How: "oidc", From: "127.0.0.1", Action: "logout"}}
	if diff := cmp.Diff(want, d.notices); diff != "" {
		t.Errorf("noted (-want +got):\n%s", diff)
	}
}

func TestASignInLeadsToNoOtherHost(t *testing.T) {
	d := newDoor(t, access.Options{})
	for _, page := range []string{"//evil.example", `/\evil.example`, "/\t/evil.example", "/\r\n/evil.example", "/\x7f/evil.example", "https://evil.example"} {
		b := d.browser()
		if res, body, next := b.get(b.beginFor(page).String()); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/" {
			t.Errorf("callback with next %q = %s to %v, want 303 to /: %s", page, res.Status, next, body)
		}
	}
}

func TestClaimsGiveNameAndRole(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config func(*oidc.Config)
		claims map[string]any
		want   access.Identity
	}{
		{"the highest role of several groups", nil, map[string]any{"groups": []string{"lookers", "admins", "operators"}}, access.Identity{Name: "olga", Role: access.Admin}},
		{"one group as a text", nil, map[string]any{"groups": "lookers"}, access.Identity{Name: "olga", Role: access.Viewer}},
		{"a claim in an object", func(c *oidc.Config) { c.RolesClaim = "realm_access.roles" }, map[string]any{"realm_access": map[string]any{"roles": []string{"admins"}}}, access.Identity{Name: "olga", Role: access.Admin}},
		{"a claim with dots in its name", func(c *oidc.Config) { c.RolesClaim = "https://example.com/roles" }, map[string]any{"https://example.com/roles": []string{"admins"}}, access.Identity{Name: "olga", Role: access.Admin}},
		{"no name", func(c *oidc.Config) { c.NameClaim = "email" }, nil, access.Identity{Name: "4711", Role: access.Operator}},
		{"a name that breaks lines", nil, map[string]any{"preferred_username": "olga\nroot"}, access.Identity{Name: "4711", Role: access.Operator}},
		{"two audiences, and this client is the one it was made for", nil, map[string]any{"aud": []string{"other", oidctest.ClientID}, "azp": oidctest.ClientID}, access.Identity{Name: "olga", Role: access.Operator}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDoor(t, access.Options{})
			if tt.config != nil {
				tt.config(&d.config)
				d.serve()
			}
			d.issuer.Claims = tt.claims
			b := d.browser()
			if res, body, _ := b.get(b.begin().String()); res.StatusCode != http.StatusSeeOther {
				t.Fatalf("callback = %s: %s", res.Status, body)
			}
			tt.want.How = "oidc"
			if diff := cmp.Diff(tt.want, b.me()); diff != "" {
				t.Errorf("who is signed in (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoIsNotVouchedForIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		issuer func(*oidctest.Issuer)
		back   func(b *browser, back *url.URL) // what happens to the way back
		status int
		says   string
		noted  string // the name in the audit log
	}{
		{name: "in no group with a role", issuer: claims("groups", []string{"staff"}), status: 403, says: "olga is in no group that has a role", noted: "olga"},
		{name: "in no group at all", issuer: claims("groups", nil), status: 403, says: "names no groups of olga (claim groups)", noted: "olga"},
		{name: "a group of another type", issuer: claims("groups", map[string]any{"admins": true}), status: 403, says: "names no groups", noted: "olga"},
		{name: "another sign-in's nonce", issuer: claims("nonce", "of-another"), status: 401, says: "nonce is wrong"},
		{name: "no nonce", issuer: claims("nonce", ""), status: 401, says: "nonce is wrong"},
		{name: "an expired token", issuer: claims("exp", time.Now().Add(-time.Hour).Unix()), status: 401, says: "expired"},
		{name: "a token that is not good yet", issuer: claims("nbf", time.Now().Add(time.Hour).Unix()), status: 401, says: "nbf"},
		{name: "another audience", issuer: claims("aud", "wiki"), status: 401, says: "audience"},
		{name: "two audiences and nobody it was made for", issuer: claims("aud", []string{"wiki", oidctest.ClientID}), status: 401, says: "another client"},
		{name: "made for another client", issuer: claims("azp", "wiki"), status: 401, says: "another client"},
		{name: "another issuer", issuer: claims("iss", "https://evil.example"), status: 401, says: "different provider"},
		{name: "nobody's token", issuer: claims("sub", ""), status: 401, says: "names nobody"},
		{name: "no signature, alg none", issuer: signed(oidctest.Unsigned), status: 401, says: "not valid"},
		{name: "signed with the client's secret, HS256", issuer: signed(oidctest.Symmetric), status: 401, says: "not valid"},
		{name: "signed by another key", issuer: signed(oidctest.Forged), status: 401, says: "failed to verify signature"},
		{name: "no token", issuer: signed(func(string) string { return "" }), status: 401, says: "not valid"},
		{name: "the provider says no", issuer: func(i *oidctest.Issuer) { i.Deny = "access_denied" }, status: 401, says: "access_denied"},
		{name: "another state", back: query("state", "x"), status: 400, says: "not begun in this browser"},
		{name: "no state", back: query("state", ""), status: 400, says: "not begun in this browser"},
		{name: "another's sign-in: login CSRF", back: func(b *browser, back *url.URL) { *back = *b.d.browser().begin() }, status: 400, says: "not begun in this browser"},
		{name: "an invented code", back: query("code", "x"), status: 401, says: "does not take the code"},
		{name: "the code of another sign-in", back: func(b *browser, back *url.URL) {
			query("code", b.d.browser().begin().Query().Get("code"))(b, back) // PKCE's verifier is another one
		}, status: 401, says: "does not take the code"},
		{name: "the answer of another provider", back: query("iss", "https://evil.example"), status: 401, says: "another provider"},
		{name: "a cookie that was changed", back: func(b *browser, back *url.URL) {
			c := b.client.Jar.Cookies(back)[0]
			c.Value, c.Path, c.Secure = c.Value+"x", "/", true
			b.client.Jar.SetCookies(back, []*http.Cookie{c})
		}, status: 400, says: "not begun in this browser"},
		{name: "the provider ends between the pages", issuer: func(i *oidctest.Issuer) {}, back: func(b *browser, _ *url.URL) { b.d.issuer.Close() }, status: 502, says: "users with a password can sign in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDoor(t, access.Options{})
			if tt.issuer != nil {
				tt.issuer(d.issuer)
			}
			b := d.browser()
			back := b.begin()
			if tt.back != nil {
				tt.back(b, back)
			}
			res, body, _ := b.get(back.String())
			if res.StatusCode != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("callback = %s: %s, want %d and %q", res.Status, body, tt.status, tt.says)
			}
			if got := b.me(); got.Role != access.Nobody {
				t.Errorf("it is %+v, want nobody", got)
			}
			if tt.status == 401 || tt.status == 403 {
				if n := d.notices; len(n) != 1 || n[0].Refused == nil || n[0].Who != tt.noted {
					t.Errorf("noted %+v, want one refusal of %q", n, tt.noted)
				}
			}
		})
	}
}

func claims(name string, value any) func(*oidctest.Issuer) {
	return func(i *oidctest.Issuer) { i.Claims = map[string]any{name: value} }
}

func signed(sign func(string) string) func(*oidctest.Issuer) {
	return func(i *oidctest.Issuer) { i.Sign = sign }
}

func query(name, value string) func(*browser, *url.URL) {
	return func(_ *browser, back *url.URL) {
		q := back.Query()
		q.Set(name, value)
		back.RawQuery = q.Encode()
	}
}

func TestAnAnswerIsGoodOnce(t *testing.T) {
	d := newDoor(t, access.Options{})
	b := d.browser()
	back := b.begin()
	kept := b.client.Jar.Cookies(back)
	if res, body, _ := b.get(back.String()); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("callback = %s: %s", res.Status, body)
	}
	if res, _, _ := b.get(back.String()); res.StatusCode != http.StatusBadRequest {
		t.Errorf("the same again = %s, want 400: its cookie is gone", res.Status)
	}
	thief := d.browser() // who has the cookie too
	for _, c := range kept {
		c.Path, c.Secure = "/", true
	}
	thief.client.Jar.SetCookies(back, kept)
	if res, body, _ := thief.get(back.String()); res.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "does not take the code") {
		t.Errorf("the same with the cookie = %s: %s, want 401: the code is redeemed", res.Status, body)
	}
}

func TestAProviderThatIsDownStopsNobodyElse(t *testing.T) {
	d := newDoor(t, access.Options{})
	d.issuer.Close()
	b := d.browser()
	if res, body, _ := b.get(d.server.URL + oidc.StartPath); res.StatusCode != http.StatusBadGateway || !strings.Contains(body, "the sign-in provider does not answer") || strings.Contains(body, "refused") {
		t.Errorf("start = %s: %s, want 502 without what only an admin should know", res.Status, body)
	}
	res, err := b.client.PostForm(d.server.URL+"/login", url.Values{"name": {"anna"}, "password": {password}})
	if err != nil || res.StatusCode != http.StatusSeeOther {
		t.Fatalf("login with a password = %v, %v", res, err)
	}
	if got := b.me(); got.Role != access.Admin {
		t.Errorf("who signed in with a password is %+v, want an admin", got)
	}
}

// TestKeysThatCannotBeFetchedAreNobodysFailure has a provider that answers everything
// but the question for its keys.
func TestKeysThatCannotBeFetchedAreNobodysFailure(t *testing.T) {
	d := newDoor(t, access.Options{})
	b := d.browser()
	d.issuer.KeysDown.Store(true)
	for range 10 {
		res, body, _ := b.get(b.begin().String())
		if res.StatusCode != http.StatusBadGateway || !strings.Contains(body, "the sign-in provider does not answer") || strings.Contains(body, "/keys") || strings.Contains(body, "503") {
			t.Fatalf("callback = %s: %s, want 502 without what only an admin should know", res.Status, body)
		}
	}
	if len(d.notices) > 0 {
		t.Errorf("noted %+v, want nothing: nobody failed", d.notices)
	}
	d.issuer.KeysDown.Store(false)
	for range 3 {
		if res, body, _ := b.get(b.begin().String()); res.StatusCode != http.StatusSeeOther {
			t.Fatalf("callback = %s: %s, want a session", res.Status, body)
		}
	}
	if n := d.issuer.KeysAsked.Load(); n != 11 {
		t.Errorf("the keys were asked for %d times, want 10 in vain and once", n)
	}
}

func TestASecretThatOthersReadIsNotUsed(t *testing.T) {
	d := newDoor(t, access.Options{})
	if err := os.Chmod(d.config.SecretFile, 0o644); err != nil {
		t.Fatal(err)
	}
	res, body, _ := d.browser().get(d.server.URL + oidc.StartPath)
	if res.StatusCode != http.StatusInternalServerError || strings.Contains(body, d.config.SecretFile) {
		t.Errorf("start = %s: %s, want 500 without the file's name", res.Status, body)
	}
}

func TestFailuresLockAnAddressAndOtherSitesDoNot(t *testing.T) {
	d := newDoor(t, access.Options{})
	b := d.browser()
	for range 40 { // what a page of another site can make a browser do
		b.get(d.server.URL + oidc.CallbackPath + "?state=x&code=y")
	}
	fails := func(status int) {
		t.Helper()
		if res, body, _ := b.get(b.begin().String()); res.StatusCode != status {
			t.Fatalf("callback = %s, want %d: %s", res.Status, status, body)
		}
	}
	for range 40 { // a colleague without a group, and one who says no
		d.issuer.Claims = map[string]any{"groups": nil}
		fails(http.StatusForbidden)
		d.issuer.Claims, d.issuer.Deny = nil, "access_denied"
		fails(http.StatusUnauthorized)
		d.issuer.Deny = ""
	}
	for range 4 {
		d.issuer.Claims = map[string]any{"nonce": "of-another"}
		fails(http.StatusUnauthorized)
	}
	d.issuer.Claims = nil
	fails(http.StatusSeeOther) // which forgets the failures before
	for range 5 {
		d.issuer.Claims = map[string]any{"nonce": "of-another"}
		fails(http.StatusUnauthorized)
	}
	d.issuer.Claims = nil
	if res, _, _ := b.get(b.begin().String()); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("after 5 failures = %s, want 429", res.Status)
	}
}

func TestOnlyAllowedNetworksSignIn(t *testing.T) {
	d := newDoor(t, access.Options{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	if res, _, _ := d.browser().get(d.server.URL + oidc.StartPath); res.StatusCode != http.StatusForbidden {
		t.Errorf("from 127.0.0.1 = %s, want 403", res.Status)
	}
}

func TestPagesHearWhichSignInsThereAre(t *testing.T) {
	d := newDoor(t, access.Options{})
	if _, body, _ := d.browser().get(d.server.URL + oidc.MethodsPath); strings.TrimSpace(body) != `{"methods":[{"label":"Example","href":"/login/oidc"}]}` {
		t.Errorf("methods = %s", body)
	}
	var none *oidc.Provider
	w := httptest.NewRecorder()
	none.Handler().ServeHTTP(w, httptest.NewRequest("GET", oidc.MethodsPath, nil))
	if strings.TrimSpace(w.Body.String()) != `{"methods":[]}` {
		t.Errorf("methods of none = %s", w.Body)
	}
}

func TestAWrongConfigurationIsRefused(t *testing.T) {
	good := func() oidc.Config {
		return oidc.Config{Issuer: "https://id.example/realms/ops", ClientID: "scalerd", RedirectURL: "https://master:9443/login/oidc/callback",
			NameClaim: "email", RolesClaim: "groups", Roles: map[string]access.Role{"ops": access.Operator}}
	}
	for _, tt := range []struct {
		name   string
		change func(*oidc.Config)
		says   string
	}{
		{"as it should be", func(*oidc.Config) {}, ""},
		{"no issuer", func(c *oidc.Config) { c.Issuer = "" }, "issuer is missing"},
		{"an issuer without TLS", func(c *oidc.Config) { c.Issuer = "http://id.example" }, "use https"},
		{"an issuer on this machine", func(c *oidc.Config) { c.Issuer = "http://127.0.0.1:5556" }, ""},
		{"an issuer that is no address", func(c *oidc.Config) { c.Issuer = "id.example" }, "want https://"},
		{"an issuer with a password", func(c *oidc.Config) { c.Issuer = "https://a:secret@id.example" }, "leave out user"},
		{"no client", func(c *oidc.Config) { c.ClientID = "" }, "client_id is missing"},
		{"another path to come back to", func(c *oidc.Config) { c.RedirectURL = "https://master:9443/" }, "its path has to be /login/oidc/callback"},
		{"no roles", func(c *oidc.Config) { c.Roles = nil }, "roles are missing"},
		{"no claim", func(c *oidc.Config) { c.RolesClaim = "" }, "roles_claim"},
		{"an empty scope", func(c *oidc.Config) { c.Scopes = []string{""} }, "scopes"},
	} {
		c := good()
		tt.change(&c)
		err := c.Check()
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
		if err != nil && strings.Contains(err.Error(), "secret@") {
			t.Errorf("%s: the error tells the password: %v", tt.name, err)
		}
	}
}
