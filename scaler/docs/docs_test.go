package docs_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/docs"
	"github.com/scalerd/scalerd/scaler/docs/docstest"
	"github.com/scalerd/scalerd/templates"
)

func get(t *testing.T, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	docs.Handler().ServeHTTP(w, r)
	return w
}

func TestEveryPageIsServed(t *testing.T) {
	pages, err := fs.Glob(templates.Docs, "docs/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatalf("pages = %v, %v", pages, err)
	}
	contents := get(t, docs.Prefix).Body.String()
	for _, page := range pages {
		name := path.Base(page)
		w := get(t, docs.Prefix+name)
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("GET %s = %d, %v", name, w.Code, w.Header())
		}
		for what, said := range map[string]string{"raw HTML": "raw HTML omitted", "a script": "<script", "a style of its own": " style=", "an empty title": "<title> - "} {
			if strings.Contains(w.Body.String(), said) {
				t.Errorf("%s has %s", name, what)
			}
		}
		if !strings.Contains(contents, `href="`+name+`"`) {
			t.Errorf("%s is not in the table of contents", name)
		}
		if again := get(t, docs.Prefix+name, "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("GET %s once more = %d, want 304", name, again.Code)
		}
	}
	for _, target := range []string{"/docs/none.md", "/docs/..%2fassets", "/docs/page.html"} {
		if w := get(t, target); w.Code != 404 {
			t.Errorf("GET %s = %d, want 404", target, w.Code)
		}
	}
}

var (
	hrefPattern = regexp.MustCompile(`href="([^"]*)"`)
	idPattern   = regexp.MustCompile(`id="([^"]*)"`)
	linkPattern = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// TestLinksInThePagesResolve follows each link of the served pages: to a page, and to
// a heading that is there. A link elsewhere names its scheme.
func TestLinksInThePagesResolve(t *testing.T) {
	pages, err := fs.Glob(templates.Docs, "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	followed := 0
	for _, page := range pages {
		for _, found := range hrefPattern.FindAllStringSubmatch(get(t, docs.Prefix+path.Base(page)).Body.String(), -1) {
			to, heading, _ := strings.Cut(found[1], "#")
			if strings.HasPrefix(to, "https://") {
				continue
			}
			if to == "" {
				to = path.Base(page)
			}
			w := get(t, docs.Prefix+to)
			if w.Code != 200 {
				t.Errorf("%s links to %s, which is not there", page, found[1])
				continue
			}
			if heading != "" && !hasID(w.Body.String(), heading) {
				t.Errorf("%s links to %s, which has no such heading", page, found[1])
			}
			followed++
		}
	}
	if followed < 100 {
		t.Errorf("followed %d links", followed)
	}
}

func hasID(html, id string) bool {
	for _, found := range idPattern.FindAllStringSubmatch(html, -1) {
		if found[1] == id {
			return true
		}
	}
	return false
}

// TestLinksOfTheReadmeResolve looks for the files that the README links to.
func TestLinksOfTheReadmeResolve(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(docstest.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	links := linkPattern.FindAllStringSubmatch(string(text), -1)
	if len(links) < 5 {
		t.Errorf("README.md has %d links", len(links))
	}
	for _, link := range links {
		file, _, _ := strings.Cut(link[1], "#")
		if strings.HasPrefix(file, "https://") || file == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(docstest.Root(t), file)); err != nil {
			t.Errorf("README.md links to %s: %v", link[1], err)
		}
	}
}

var targetPattern = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)

// TestMakeCommandsInThePages looks for the targets in the Makefile.
func TestMakeCommandsInThePages(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(docstest.Root(t), "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, found := range targetPattern.FindAllStringSubmatch(string(text), -1) {
		targets[found[1]] = true
	}
	looked := 0
	for _, page := range docstest.Pages(t) {
		for _, c := range docstest.Of(docstest.Commands(t, page), "make") {
			for _, word := range c.Words[1:] {
				if looked++; !strings.Contains(word, "=") && !targets[word] {
					t.Errorf("%s:%d: make %s: no such target", page, c.Line, word)
				}
			}
		}
	}
	if looked < 3 {
		t.Errorf("looked for %d targets", looked)
	}
}

var attackPattern = regexp.MustCompile(`(?m)^\| ([^|]+) \| (\d{3} [^|]+) \|$`)

// TestTheAttacksInThePageAreThoseOfTheTest looks for each row of the table in the
// tables of the API's tests, which say what they want to see.
func TestTheAttacksInThePageAreThoseOfTheTest(t *testing.T) {
	page, err := fs.ReadFile(templates.Docs, "docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../api/attacks*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, text...)
	}
	rows := attackPattern.FindAllStringSubmatch(string(page), -1)
	if len(rows) < 20 {
		t.Errorf("the page has %d attacks", len(rows))
	}
	for _, row := range rows {
		_, after, tried := strings.Cut(string(source), `{"`+row[1]+`", `)
		// The next result in the table is the attack's own.
		want := regexp.MustCompile(`"(\d{3} [A-Z][^"]*)"\}`).FindStringSubmatch(after)
		if !tried || want == nil || want[1] != row[2] {
			t.Errorf("the page says %s -> %s, the test %v", row[1], row[2], want)
		}
	}
}
