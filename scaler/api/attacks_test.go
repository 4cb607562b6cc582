package api_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/audit"
	"github.com/scalerd/scalerd/scaler/public"
	"github.com/scalerd/scalerd/scaler/store"
)

// castle is the API as others reach it: with TLS, users and tokens.
type castle struct {
	t       testing.TB
	service *scaler.Service
	server  *httptest.Server
	guard   *access.Guard
	db      string
	// tokens by role.
	tokens map[string]string
	// audits is the folder of the audit log.
	audits    string
	backtests *api.Backtests
}

const password = "correct horse battery"

func fortify(t testing.TB, o access.Options) *castle {
	t.Helper()
	service, operations := running(t, newGated())
	c := &castle{t: t, service: service, tokens: map[string]string{}, db: filepath.Join(t.TempDir(), "access.db")}
	db, err := store.Open(t.Context(), c.db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	c.audits = t.TempDir()
	log, err := audit.Open(c.audits, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	trail := audit.NewTrail(log)
	o.Log, o.Note = slog.New(slog.DiscardHandler), trail.Note
	if c.guard, err = access.Open(t.Context(), db, o); err != nil {
		t.Fatal(err)
	}
	if _, err := c.guard.PutUser(t.Context(), "anna", password, access.Admin); err != nil {
		t.Fatal(err)
	}
	for _, role := range []access.Role{access.Viewer, access.Operator, access.Admin} {
		_, secret, err := c.guard.CreateToken(t.Context(), role.String(), role, nil, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		c.tokens[role.String()] = secret
	}
	if _, c.tokens["bounded"], err = c.guard.CreateToken(t.Context(), "bounded", access.Operator, []string{"mine"}, time.Hour); err != nil {
		t.Fatal(err)
	}
	c.backtests = api.NewBacktests(service)
	handler := c.guard.Handler(trail.Handler(api.Handler(api.Config{Service: service, Operations: operations, Backtests: c.backtests, Guard: c.guard, Credentials: keptSecrets(t), Audit: c.audits, Version: "test"})))
	c.server = httptest.NewUnstartedServer(nil)
	c.server.Config = api.NewServer(public.Pages(service, operations, c.guard, nil, trail, handler), slog.New(slog.DiscardHandler), access.Connected)
	c.server.Listener = api.Limit(c.server.Listener)
	c.server.StartTLS()
	t.Cleanup(c.server.Close)
	c.server.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// do makes a request; headers are pairs. The body of the answer is returned too.
func (c *castle) do(method, path, body string, header ...string) (*http.Response, string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.server.URL, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.URL.Opaque = "//" + r.URL.Host + path // as it is, without cleaning
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := c.server.Client().Do(r)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, string(text)
}

func (c *castle) bearer(role string) []string {
	return []string{"Authorization", "Bearer " + c.tokens[role]}
}

func (c *castle) login(name, password string, header ...string) *http.Response {
	form := url.Values{"name": {name}, "password": {password}, "next": {"//evil.example"}}.Encode()
	res, _ := c.do("POST", "/login", form, append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
	return res
}

// timed logs in with wrong passwords and says how it ends for who is no user: as late as
// for a user. The fastest of a few tries counts, half of the time is enough, and a busy
// machine gets another chance: a password that is not hashed is always answered at once.
func (c *castle) timed(t *testing.T) string {
	var said string
	for _, name := range []string{"tim", "tom"} {
		if _, err := c.guard.PutUser(t.Context(), name, password, access.Viewer); err != nil {
			t.Fatal(err)
		}
		if said = c.timedBeside(name); strings.HasSuffix(said, "as late as for a user") {
			break
		}
	}
	return said
}

// timedBeside compares with the user of that name.
func (c *castle) timedBeside(name string) string {
	var status string
	fastest := func(name, password string) time.Duration {
		least := time.Hour
		for range 3 {
			start := time.Now()
			status = c.login(name, password).Status
			least = min(least, time.Since(start))
		}
		return least
	}
	user := fastest(name, "wrong password")
	for _, password := range []string{"wrong password", password, strings.Repeat("x", 3000)} {
		if other := fastest("no"+name+password[:3], password); other < user/2 {
			return status + " after " + other.String() + ", for a user after " + user.String()
		}
	}
	return status + " as late as for a user"
}

// TestAttacks tries what an attacker tries; -v prints the table.
func TestAttacks(t *testing.T) {
	c := fortify(t, access.Options{})
	shop, err := json.Marshal(api.Description{File: "shop.yaml", Text: empty})
	if err != nil {
		t.Fatal(err)
	}
	bomb, err := json.Marshal(api.Description{File: "shop.yaml", Text: "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f]\n"})
	if err != nil {
		t.Fatal(err)
	}
	status := func(method, path, body string, header ...string) func() string {
		return func() string {
			res, _ := c.do(method, path, body, header...)
			return res.Status
		}
	}
	whole := func(method, path, body string, header ...string) func() string {
		return func() string {
			res, _ := c.do(method, path, body, header...)
			if injected := res.Header.Get("X-Injected"); injected != "" {
				return res.Status + " with X-Injected: " + injected
			}
			return res.Status
		}
	}
	leads := func(next string) func() string {
		return func() string {
			form := url.Values{"name": {"anna"}, "password": {password}, "next": {next}}.Encode()
			res, _ := c.do("POST", "/login", form, "Content-Type", "application/x-www-form-urlencoded")
			return res.Status + " to " + res.Header.Get("Location")
		}
	}
	basic := func(user, password string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	admin, viewer, operator, bounded := c.bearer("admin"), c.bearer("viewer"), c.bearer("operator"), c.bearer("bounded")
	for _, attack := range []struct {
		what string
		try  func() string
		want string
	}{
		{"read without saying who", status("GET", "/v1/applications", ""), "401 Unauthorized"},
		{"read the API's description without saying who", status("GET", "/openapi.json", ""), "200 OK"},
		{"submit without saying who", status("POST", "/v1/applications", string(shop)), "401 Unauthorized"},
		{"alert without saying who", status("POST", "/v1/alerts", `{"alerts": []}`), "401 Unauthorized"},
		{"MiCADO's paths without saying who", status("GET", "/v2.0/applications/", ""), "401 Unauthorized"},
		{"an invented token", status("GET", "/v1/applications", "", "Authorization", "Bearer scalerd_x"), "401 Unauthorized"},
		{"an empty token", status("GET", "/v1/applications", "", "Authorization", "Bearer "), "401 Unauthorized"},
		{"another scheme", status("GET", "/v1/applications", "", "Authorization", "Negotiate abc"), "401 Unauthorized"},
		{"a wrong password", status("GET", "/v1/applications", "", "Authorization", basic("anna", "wrong")), "401 Unauthorized"},
		{"an unknown user", status("GET", "/v1/applications", "", "Authorization", basic("nobody", "wrong")), "401 Unauthorized"},
		{"the right password", status("GET", "/v1/applications", "", "Authorization", basic("anna", password)), "200 OK"},
		{"a viewer submits", status("POST", "/v1/applications", string(shop), viewer...), "403 Forbidden"},
		{"a viewer destroys", status("DELETE", "/v1/applications/shop", "", viewer...), "403 Forbidden"},
		{"a viewer deploys by MiCADO's path", status("POST", "/v2.0/applications/shop/", "{}", viewer...), "403 Forbidden"},
		{"an operator adds a user", status("PUT", "/v1/users/eve", `{"password": "0123456789", "role": "admin"}`, operator...), "403 Forbidden"},
		{"an operator makes a token", status("POST", "/v1/tokens", `{"name": "x", "role": "admin"}`, operator...), "403 Forbidden"},
		{"a token of one application reads another", status("GET", "/v1/applications/shop", "", bounded...), "403 Forbidden"},
		{"a token of one application searches another's decisions", status("GET", "/v1/decisions?application=shop", "", bounded...), "403 Forbidden"},
		{"an operator reads the audit log", status("GET", "/v1/audit?search=a", "", operator...), "403 Forbidden"},
		{"a token of one application submits another", status("POST", "/v1/applications", string(shop), bounded...), "403 Forbidden"},
		{"a token of one application configures an optimizer", status("PUT", "/v1/optimizers/x", `{"inputs": ["r"], "targets": [{"name": "l", "max": 1}]}`, bounded...), "403 Forbidden"},
		{"a token of one application sets up the optimizer of all", status("POST", "/init", "constants: {}", bounded...), "403 Forbidden"},
		{"a token of one application teaches the optimizer of all", status("POST", "/sample", "{}", bounded...), "403 Forbidden"},
		{"a token of one application reads the optimizer's report", status("GET", "/report", "", bounded...), "403 Forbidden"},
		{"a viewer sets up MiCADO's optimizer", status("POST", "/init", "constants: {}", viewer...), "403 Forbidden"},
		{"MiCADO's optimizer without saying who", status("GET", "/advice", ""), "401 Unauthorized"},
		{"the last admin is removed", status("DELETE", "/v1/users/anna", "", admin...), "409 Conflict"},
		{"the last admin becomes a viewer", status("PUT", "/v1/users/anna", `{"role": "viewer"}`, admin...), "409 Conflict"},
		{"a path with dots", status("GET", "/v1/applications/../users", "", viewer...), "307 Temporary Redirect"},
		{"a path with encoded dots", status("GET", "/v1/applications/..%2f..%2fusers", "", viewer...), "404 Not Found"},
		{"a path with a NUL", status("GET", "/v1/applications/a%00b", "", viewer...), "404 Not Found"},
		{"a path with two slashes", status("GET", "//v1/users", "", viewer...), "307 Temporary Redirect"},
		{"another method", status("TRACE", "/v1/applications", "", admin...), "405 Method Not Allowed"},
		{"a header that overrides the method", status("POST", "/v1/validate", string(shop), append(viewer, "X-HTTP-Method-Override", "DELETE")...), "200 OK"},
		{"a body of 9 MiB", status("POST", "/v1/applications", strings.Repeat("x", 9<<20), admin...), "413 Request Entity Too Large"},
		{"a body of 9 MiB with a key", status("POST", "/v1/applications", strings.Repeat("x", 9<<20), append(admin, "Idempotency-Key", "k")...), "413 Request Entity Too Large"},
		{"a header of 1 MiB", status("GET", "/v1/applications", "", "X-Junk", strings.Repeat("x", 1<<20)), "431 Request Header Fields Too Large"},
		{"a key of 1 kB", status("POST", "/v1/applications", string(shop), append(admin, "Idempotency-Key", strings.Repeat("k", 1000))...), "400 Bad Request"},
		{"broken JSON", status("POST", "/v1/applications", `{"text": `, admin...), "400 Bad Request"},
		{"JSON 100,000 deep", status("POST", "/v1/applications", strings.Repeat(`[`, 100000), admin...), "400 Bad Request"},
		{"a YAML bomb", status("POST", "/v1/applications", string(bomb), admin...), "422 Unprocessable Entity"},
		{"a broken form", status("POST", "/v2.0/applications/x/", "--x\r\n", append(admin, "Content-Type", "multipart/form-data; boundary=x")...), "400 Bad Request"},
		{"a page of another site posts", status("POST", "/v1/applications", string(shop), append(admin, "Sec-Fetch-Site", "cross-site")...), "403 Forbidden"},
		{"an old browser posts from another site", status("POST", "/v1/applications", string(shop), append(admin, "Origin", "https://evil.example")...), "403 Forbidden"},
		{"another site logs somebody in", func() string { return c.login("anna", password, "Sec-Fetch-Site", "cross-site").Status }, "403 Forbidden"},
		{"a login that leads to another host", leads("//evil.example"), "303 See Other to /"},
		{"a login that leads to another host by a backslash", leads(`/\evil.example`), "303 See Other to /"},
		{"a login that leads to another host by a tab", leads("/\t/evil.example"), "303 See Other to /"},
		{"a login that leads to another host by a line break", leads("/\r\n/evil.example"), "303 See Other to /"},
		{"a login that breaks the answer's headers", leads("/x\r\nSet-Cookie: a=b"), "303 See Other to /"},
		{"a login that leads to a page", leads("/#/a/shop"), "303 See Other to /#/a/shop"},
		{"a user's name that breaks the answer's headers", whole("PUT", "/v1/users/x%0d%0aX-Injected:%20y", `{"password": "0123456789", "role": "viewer"}`, admin...), "422 Unprocessable Entity"},
		{"an application's name that breaks the answer's headers", whole("GET", "/v1/applications/x%0d%0aX-Injected:%20y", "", admin...), "404 Not Found"},
		{"an optimizer's name that breaks the answer's headers", whole("GET", "/v1/optimizers/x%0d%0aX-Injected:%20y/knowledge", "", admin...), "404 Not Found"},
		{"a cleaned path that breaks the answer's headers", whole("GET", "/v1/../x%0d%0aX-Injected:%20y", "", admin...), "307 Temporary Redirect"},
		{"the time of a login tells who is a user", func() string { return c.timed(t) }, "401 Unauthorized as late as for a user"},
		{"a session's cookie for scripts, other hosts and sites, or without TLS", func() string {
			res := c.login("anna", password)
			if header := res.Header.Get("Set-Cookie"); !strings.HasPrefix(header, "__Host-scalerd_session=") || !strings.Contains(header, "; Path=/;") || strings.Contains(header, "Domain") ||
				!strings.Contains(header, "; HttpOnly; Secure; SameSite=Strict") {
				return res.Status + " with " + header
			}
			return res.Status + " with __Host-, HttpOnly, Secure and SameSite=Strict"
		}, "303 See Other with __Host-, HttpOnly, Secure and SameSite=Strict"},
		{"a session after its logout", func() string {
			cookie, _, _ := strings.Cut(c.login("anna", password).Header.Get("Set-Cookie"), ";")
			before := status("GET", "/v1/me", "", "Cookie", cookie)()
			c.do("POST", "/logout", "", "Cookie", cookie)
			return before + ", then " + status("GET", "/v1/me", "", "Cookie", cookie)()
		}, "200 OK, then 401 Unauthorized"},
		{"a session's cookie posts from another site", func() string {
			cookie, _, _ := strings.Cut(c.login("anna", password).Header.Get("Set-Cookie"), ";")
			return status("POST", "/v1/applications", string(shop), "Cookie", cookie, "Sec-Fetch-Site", "same-site")()
		}, "403 Forbidden"},
		{"a page that sends by itself from the same site", status("POST", "/v1/validate", string(shop), append(admin, "Sec-Fetch-Site", "same-origin")...), "200 OK"},
		{"a token after it was revoked", func() string {
			created, text := c.do("POST", "/v1/tokens", `{"name": "short", "role": "viewer"}`, admin...)
			var made api.CreatedToken
			if err := json.Unmarshal([]byte(text), &made); err != nil || created.StatusCode != 201 || created.Header.Get("Cache-Control") != "no-store" {
				return created.Status + text
			}
			use := func() string {
				res, _ := c.do("GET", "/v1/me", "", "Authorization", "Bearer "+made.Secret)
				return res.Status
			}
			before := use()
			c.do("DELETE", "/v1/tokens/"+made.ID, "", admin...)
			return before + ", then " + use()
		}, "200 OK, then 401 Unauthorized"},
	} {
		t.Run(attack.what, func(t *testing.T) {
			got := attack.try()
			if want := attack.want; got != want {
				t.Errorf("%s -> %s, want %s", attack.what, got, want)
			}
			t.Logf("%-55s -> %s", attack.what, got)
		})
	}
}

func TestASessionsCookieIsOnlyForThisHostAndItsPages(t *testing.T) {
	c := fortify(t, access.Options{})
	res := c.login("anna", password)
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/" {
		t.Fatalf("login = %s to %q, want 303 to this host's /", res.Status, res.Header.Get("Location"))
	}
	header := res.Header.Get("Set-Cookie")
	for _, want := range []string{"__Host-scalerd_session=", "Path=/", "HttpOnly", "Secure", "SameSite=Strict"} {
		if !strings.Contains(header, want) {
			t.Errorf("Set-Cookie: %s, want %s", header, want)
		}
	}
	cookie, _, _ := strings.Cut(header, ";")
	me := func() int {
		res, _ := c.do("GET", "/v1/me", "", "Cookie", cookie)
		return res.StatusCode
	}
	if code := me(); code != 200 {
		t.Errorf("with the cookie = %d, want 200", code)
	}
	if res, _ := c.do("PUT", "/v1/users/anna", `{"password": "another horse battery"}`, "Cookie", cookie); res.StatusCode != 200 {
		t.Fatalf("change of the password = %s", res.Status)
	}
	if code := me(); code != 401 {
		t.Errorf("with the cookie after the password changed = %d, want 401", code)
	}
	cookie, _, _ = strings.Cut(c.login("anna", "another horse battery").Header.Get("Set-Cookie"), ";")
	if code := me(); code != 200 {
		t.Errorf("after another login = %d, want 200", code)
	}
	c.do("POST", "/logout", "", "Cookie", cookie)
	if code := me(); code != 401 {
		t.Errorf("after the logout = %d, want 401", code)
	}
}

func TestWhoFailsOftenHasToWait(t *testing.T) {
	c := fortify(t, access.Options{})
	for range 5 {
		if res := c.login("anna", "wrong password"); res.StatusCode != 401 {
			t.Fatalf("a wrong password = %s, want 401", res.Status)
		}
	}
	res := c.login("anna", password)
	if res.StatusCode != 429 || res.Header.Get("Retry-After") == "" {
		t.Errorf("the right password after 5 wrong ones = %s, Retry-After %q, want 429", res.Status, res.Header.Get("Retry-After"))
	}
	if res, _ := c.do("GET", "/v1/me", "", c.bearer("viewer")...); res.StatusCode != 200 {
		t.Errorf("another's token meanwhile = %s, want 200", res.Status)
	}
}

func TestOnlyAllowedNetworksAreAnswered(t *testing.T) {
	for network, want := range map[string]int{"127.0.0.0/8": 200, "10.0.0.0/8": 403} {
		c := fortify(t, access.Options{Networks: []netip.Prefix{netip.MustParsePrefix(network)}})
		if res, _ := c.do("GET", "/v1/me", "", append(c.bearer("viewer"), "X-Forwarded-For", "10.0.0.1")...); res.StatusCode != want {
			t.Errorf("from 127.0.0.1 with networks %s = %s, want %d", network, res.Status, want)
		}
	}
}

func TestNoSecretIsOnDisk(t *testing.T) {
	c := fortify(t, access.Options{})
	for _, path := range []string{c.db, c.db + "-wal"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for what, secret := range map[string]string{"password": password, "token": c.tokens["admin"], "token's random part": strings.TrimPrefix(c.tokens["admin"], "scalerd_")} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds the %s", filepath.Base(path), what)
			}
		}
	}
	if _, text := c.do("GET", "/v1/users", "", c.bearer("admin")...); strings.Contains(text, "argon2") {
		t.Errorf("GET /v1/users tells a hash: %s", text)
	}
}

var pathParameter = regexp.MustCompile(`\{[^}]*\}`)

// TestEveryOperationNeedsItsRole walks the API's own description.
func TestEveryOperationNeedsItsRole(t *testing.T) {
	c := fortify(t, access.Options{})
	_, text := c.do("GET", "/openapi.json", "")
	var doc struct {
		Paths map[string]map[string]struct {
			Role string `json:"x-required-role"`
		}
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	below := map[string]string{"operator": "viewer", "admin": "operator"}
	walked := 0
	for path, operations := range doc.Paths {
		for method, o := range operations {
			walked++
			method, path := strings.ToUpper(method), pathParameter.ReplaceAllString(path, "x")
			if _, err := access.ParseRole(o.Role); err != nil {
				t.Errorf("%s %s has no role: %v", method, path, err)
			}
			if res, _ := c.do(method, path, ""); res.StatusCode != 401 || len(res.Header.Values("WWW-Authenticate")) == 0 {
				t.Errorf("%s %s by nobody = %s, want 401 and a challenge", method, path, res.Status)
			}
			if lower := below[o.Role]; lower != "" {
				if res, _ := c.do(method, path, "", c.bearer(lower)...); res.StatusCode != 403 {
					t.Errorf("%s %s by a %s = %s, want 403", method, path, lower, res.Status)
				}
			}
			if res, _ := c.do(method, path, "", c.bearer(o.Role)...); res.StatusCode == 401 || res.StatusCode == 403 {
				t.Errorf("%s %s by a %s = %s, want it to be let in", method, path, o.Role, res.Status)
			}
		}
	}
	if walked < 60 {
		t.Errorf("the description has %d operations, want all", walked)
	}
}

// TestTheSocketKnowsItsPeer uses the API through a unix socket as this process.
func TestTheSocketKnowsItsPeer(t *testing.T) {
	c := fortify(t, access.Options{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	dir, err := os.MkdirTemp("", "api")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := api.NewServer(c.server.Config.Handler, slog.New(slog.DiscardHandler), access.Connected)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	client := api.NewClient(socket)
	who, err := client.Me(t.Context())
	if err != nil || who.Role != access.Admin || who.How != access.Socket {
		t.Errorf("Me() = %+v, %v, want an admin by the socket", who, err)
	}
	if tokens, err := client.Tokens(t.Context()); err != nil || len(tokens) != 4 {
		t.Errorf("Tokens() = %v, %v, want 4", tokens, err)
	}
}

func TestTheClientTrustsAFingerprint(t *testing.T) {
	c := fortify(t, access.Options{})
	right := access.Fingerprint(c.server.Certificate().Raw)
	plain := strings.Replace(c.server.URL, "https:", "http:", 1)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	byName := strings.Replace(c.server.URL, "127.0.0.1", "localhost", 1)
	for _, tt := range []struct {
		name string
		r    api.Remote
		says string // empty: it is let in
	}{
		{"the right fingerprint", api.Remote{URL: c.server.URL, Token: c.tokens["viewer"], Fingerprint: right}, ""},
		{"a name and a password", api.Remote{URL: c.server.URL, User: "anna", Password: password, Fingerprint: right}, ""},
		{"the authority", api.Remote{URL: c.server.URL, Token: c.tokens["viewer"], CAFile: authority}, ""},
		{"another fingerprint", api.Remote{URL: c.server.URL, Token: c.tokens["viewer"], Fingerprint: "00" + right[2:]}, "or somebody else answers"},
		{"no fingerprint", api.Remote{URL: c.server.URL, Token: c.tokens["viewer"]}, "--fingerprint"},
		{"another name", api.Remote{URL: byName, Token: c.tokens["viewer"], CAFile: authority}, "is for another name"},
		{"no TLS to another machine", api.Remote{URL: "http://192.0.2.1:9443", Token: c.tokens["viewer"]}, "use https"},
		{"no TLS and a fingerprint", api.Remote{URL: plain, Token: c.tokens["viewer"], Fingerprint: right}, "use https"},
		{"a file without an authority", api.Remote{URL: c.server.URL, CAFile: "attacks_test.go"}, "holds no certificate"},
	} {
		client, err := api.NewRemote(tt.r)
		if err == nil {
			_, err = client.Me(t.Context())
		}
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("Me() with %s = %v, want %q", tt.name, err, tt.says)
		}
	}
}
