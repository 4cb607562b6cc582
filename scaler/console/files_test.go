package console_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/console"
)

func fetch(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer
}

func TestEveryFileIsServedUnderAStrictPolicy(t *testing.T) {
	h := console.Handler()
	for path, kind := range map[string]string{
		"/": "text/html", "/console/app.js": "text/javascript", "/console/style.css": "text/css",
		"/console/icon.svg": "image/svg+xml", "/console/uPlot.iife.min.js": "text/javascript",
	} {
		answer := fetch(h, path)
		if answer.Code != http.StatusOK || !strings.HasPrefix(answer.Header().Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s, want %s", path, answer.Code, answer.Header().Get("Content-Type"), kind)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
		} {
			if got := answer.Header().Get(name); !strings.Contains(got, want) || strings.Contains(got, "unsafe") {
				t.Errorf("%s: %s is %q, want %s and nothing unsafe", path, name, got, want)
			}
		}
		if again := fetch(h, path, "If-None-Match", answer.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s: asked again it is %d with %d bytes, want 304", path, again.Code, again.Body.Len())
		}
	}
	for _, path := range []string{"/console/absent.js", "/console/..%2ftemplates.go", "/console/../../scalerd.db", "/other"} {
		if answer := fetch(h, path); answer.Code == http.StatusOK {
			t.Errorf("%s is served: %s", path, answer.Body)
		}
	}
}

// inline finds what would need an unsafe policy: scripts and styles in markup, and
// markup made of data.
var inline = regexp.MustCompile(`(?i)\sstyle="|\son[a-z]+="|<script>|<style|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function`)

func TestNoFileHasInlineCodeOrNeedsAnotherHost(t *testing.T) {
	h := console.Handler()
	elsewhere := regexp.MustCompile(`https?://[^\s"'` + "`" + `)]+`)
	page := fetch(h, "/").Body.String()
	names := regexp.MustCompile(`console/[\w.]+`).FindAllString(page, -1)
	for _, name := range []string{"application.js", "group.js", "optimizer.js", "describe.js", "decisions.js", "charts.js", "actions.js", "plan.js", "explain.js", "access.js", "audit.js", "overtime.js"} {
		names = append(names, "console/"+name)
	}
	for _, name := range append(names, "") {
		text := fetch(h, "/"+name).Body.String()
		if text == "" {
			t.Errorf("%s is empty", name)
		}
		if found := inline.FindString(text); found != "" {
			t.Errorf("%s has %q", name, found)
		}
		for _, url := range elsewhere.FindAllString(text, -1) {
			// A name of a kind of element, and the library's line of who wrote it.
			if !strings.HasPrefix(url, "http://www.w3.org/") && url != "https://github.com/leeoniya/uPlot" {
				t.Errorf("%s names %s", name, url)
			}
		}
	}
}

// budget bounds the bytes of the whole console, of which the first page is a part.
const budget = 300_000

func TestTheWholeConsoleIsSmall(t *testing.T) {
	h := console.Handler()
	sum := 0
	for _, name := range []string{"", "console/app.js", "console/ui.js", "console/client.js", "console/fleet.js", "console/charts.js", "console/group.js", "console/optimizer.js", "console/plan.js", "console/explain.js", "console/actions.js",
		"console/application.js", "console/describe.js", "console/decisions.js", "console/access.js", "console/audit.js", "console/overtime.js", "console/style.css", "console/uPlot.iife.min.js", "console/uPlot.min.css", "console/icon.svg"} {
		answer := fetch(h, "/"+name)
		if answer.Code != http.StatusOK {
			t.Errorf("%s: %d", name, answer.Code)
		}
		sum += answer.Body.Len()
	}
	t.Logf("all files of the console together: %d bytes", sum)
	if sum >= budget {
		t.Errorf("%d bytes, want fewer than %d", sum, budget)
	}
}

func TestABrowsersScriptIsNotAskedForAPassword(t *testing.T) {
	h := console.WithoutPrompt(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("WWW-Authenticate", `Bearer realm="x"`)
		w.Header().Add("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	for _, test := range []struct {
		mode  string
		basic bool
	}{{"cors", false}, {"same-origin", false}, {"navigate", true}, {"", true}} {
		var header []string
		if test.mode != "" {
			header = []string{"Sec-Fetch-Mode", test.mode}
		}
		asked := strings.Join(fetch(h, "/v1/me", header...).Header().Values("WWW-Authenticate"), ", ")
		if strings.Contains(asked, "Basic") != test.basic || !strings.Contains(asked, "Bearer") {
			t.Errorf("Sec-Fetch-Mode %q: asked for %s; Basic there: want %v", test.mode, asked, test.basic)
		}
	}
}
