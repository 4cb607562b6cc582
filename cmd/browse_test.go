package cmd_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// browser uses the API's own listener as a browser and as a machine would, and the
// socket for what is only there.
type browser struct {
	d      *daemon
	client *http.Client
	base   string
	cookie *http.Cookie
}

var apiListens = regexp.MustCompile(`msg="the API listens" api_listen=(\S+) tls=true`)

// browse waits for the listener, which comes with the first user.
func (d *daemon) browse() *browser {
	d.t.Helper()
	b := &browser{d: d, client: &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // self-signed
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	d.t.Cleanup(b.client.CloseIdleConnections)
	d.eventually("the API listens", func() error {
		found := apiListens.FindStringSubmatch(d.log())
		if found == nil {
			return errors.New("nothing is logged yet")
		}
		b.base = "https://" + found[1]
		return nil
	})
	return b
}

// login signs in after a mistake, and returns the session's secret.
func (b *browser) login(name, password, mistyped string) string {
	b.d.t.Helper()
	for _, try := range []struct {
		password string
		status   int
	}{{mistyped, http.StatusUnauthorized}, {password, http.StatusSeeOther}} {
		res, err := b.client.PostForm(b.base+"/login", url.Values{"name": {name}, "password": {try.password}})
		if err != nil {
			b.d.t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != try.status {
			b.d.t.Fatalf("POST /login = %s, want %d", res.Status, try.status)
		}
		if cookies := res.Cookies(); len(cookies) == 1 {
			b.cookie = cookies[0]
		}
	}
	if b.cookie == nil || len(b.cookie.Value) < 32 {
		b.d.t.Fatal("the login gave no session")
	}
	return b.cookie.Value
}

func (b *browser) refused(token string) {
	b.d.t.Helper()
	if status, _ := b.get(b.client, b.base+"/v1/me", token); status != http.StatusUnauthorized {
		b.d.t.Errorf("with a wrong token: %d, want 401", status)
	}
}

// get reads an answer, for at most some seconds where it is a stream: with a token, or
// with the session where that is empty.
func (b *browser) get(client *http.Client, address, token string) (int, []byte) {
	b.d.t.Helper()
	ctx, cancel := context.WithTimeout(b.d.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		b.d.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	} else {
		req.AddCookie(b.cookie)
	}
	res, err := client.Do(req)
	if err != nil {
		b.d.t.Fatal(err)
	}
	defer res.Body.Close()
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		stop := time.AfterFunc(3*time.Second, cancel)
		defer stop.Stop()
	}
	body, err := io.ReadAll(res.Body)
	if err != nil && ctx.Err() == nil {
		b.d.t.Errorf("GET %s: %v", address, err)
	}
	for name, values := range res.Header {
		body = append(body, "\n"+name+": "+strings.Join(values, ", ")...)
	}
	return res.StatusCode, body
}

// absent are the operations that may have nothing to show: no optimizer learns here,
// and no backtest ran.
var absent = []string{
	"/v1/applications/{application}/groups/{group}/advice", "/v1/applications/{application}/groups/{group}/knowledge", "/v1/applications/{application}/groups/{group}/report",
	"/v1/applications/{application}/groups/{group}/samples", "/v1/backtests/{id}",
	"/v1/optimizers/{name}", "/v1/optimizers/{name}/advice", "/v1/optimizers/{name}/knowledge", "/v1/optimizers/{name}/report",
}

// walkAPI gets everything that the API's own description says can be got, once with
// a token and once with the session.
func (b *browser) walkAPI(h *hunt, token string) {
	h.t.Helper()
	_, text := b.get(b.client, b.base+"/openapi.json", token)
	text = text[:strings.LastIndex(string(text), "}")+1] // without the headers
	var described struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(text, &described); err != nil {
		h.t.Fatal(err)
	}
	filled := strings.NewReplacer("{application}", "shop", "{group}", "ec2", "{name}", "none")
	walked := 0
	for path, methods := range described.Paths {
		if methods["get"] == nil {
			continue
		}
		walked++
		at := filled.Replace(path)
		if list, rest, ok := strings.Cut(at, "/{id}"); ok {
			at = list + "/" + b.first(list, token) + rest
		}
		if strings.Contains(at, "{") {
			h.t.Errorf("GET %s has a parameter that this test does not know: give it a value here", path)
		}
		for _, by := range []string{token, ""} {
			status, body := b.get(b.client, b.base+at, by)
			h.look("GET "+at, body)
			if status != http.StatusOK && !(slices.Contains(absent, path) && (status == http.StatusNotFound || status == http.StatusConflict)) {
				h.t.Errorf("GET %s = %d: %s", at, status, body)
			}
		}
	}
	if walked < 30 {
		h.t.Errorf("%d operations were got, want all of the API's", walked)
	}
}

// first is the identifier of the first item of a list; decisions are listed by
// application.
func (b *browser) first(list, token string) string {
	if list == "/v1/decisions" {
		list = "/v1/applications/shop/decisions"
	}
	_, text := b.get(b.client, b.base+list+"?limit=1", token)
	found := regexp.MustCompile(`"id":\s*"?([A-Za-z0-9_-]+)`).FindSubmatch(text)
	if found == nil {
		return "1"
	}
	return string(found[1])
}

var links = regexp.MustCompile(`(?:href|src)="([^"#]+)`)

// walkPages follows every link of the console, the docs and MiCADO's paths, and
// gets what is on the socket and on the loopback address only.
func (b *browser) walkPages(h *hunt) {
	h.t.Helper()
	todo, seen := []string{"/", "/docs/", "/login", "/openapi.json", "/openapi.yaml", "/v2.0/applications/", "/v2.0/applications/shop/", "/report", "/advice", "/nowhere"}, map[string]bool{}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		_, body := b.get(b.client, b.base+at, "")
		h.look("GET "+at, body)
		from, err := url.Parse(at)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, link := range links.FindAllSubmatch(body, -1) {
			if to, err := from.Parse(string(link[1])); err == nil && to.Host == "" && to.Scheme == "" {
				todo = append(todo, to.Path)
			}
		}
	}
	if len(seen) < 20 {
		h.t.Errorf("%d pages were seen, want the console's files and all of the docs", len(seen))
	}
	socket := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(b.d.data, "scalerd.sock"))
	}}}
	defer socket.CloseIdleConnections()
	for _, at := range []string{"cmdline", "goroutine?debug=2", "heap?debug=1", "allocs", "threadcreate?debug=1"} {
		status, body := b.get(socket, "http://scalerd/debug/pprof/"+at, "")
		h.look("GET /debug/pprof/"+at, body)
		if status != http.StatusOK {
			h.t.Errorf("GET /debug/pprof/%s = %d", at, status)
		}
	}
	for _, at := range []string{"/healthz", "/readyz"} {
		_, body := b.get(http.DefaultClient, "http://"+b.d.page+at, "")
		h.look(at, body)
	}
}
