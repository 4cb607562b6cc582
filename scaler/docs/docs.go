// Package docs serves the pages for users (templates/docs) as HTML. The same files
// can be read as they are on a forge: a page's address ends in .md, so that the
// links between pages are the same in both places.
package docs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"github.com/scalerd/scalerd/templates"
)

// Prefix is where the pages are.
const Prefix = "/docs/"

// contents is the page whose links are the way through the others.
const contents = "README.md"

// policy lets a page use the stylesheet and nothing else.
const policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// file is what a path is answered with.
type file struct {
	kind, etag string
	text       []byte
}

// Handler serves the pages under Prefix, the table of contents at Prefix itself. It
// answers whoever asks: the pages hold nothing that is not in the source.
func Handler() http.Handler {
	files := load()
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Prefix+"{$}", func(w http.ResponseWriter, r *http.Request) { files[contents].serve(w, r) })
	mux.HandleFunc("GET "+Prefix+"{page}", func(w http.ResponseWriter, r *http.Request) {
		f, ok := files[r.PathValue("page")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		f.serve(w, r)
	})
	return mux
}

// Link is a line of the table of contents.
type Link struct{ Page, Title string }

// markdown is CommonMark with tables. Raw HTML in a page is left out.
func markdown() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
}

// load renders the embedded pages, by name.
func load() map[string]file {
	md := markdown()
	sources := map[string][]byte{}
	names, err := fs.Glob(templates.Docs, "docs/*.md")
	must(err)
	for _, name := range names {
		source, err := fs.ReadFile(templates.Docs, name)
		must(err)
		sources[path.Base(name)] = source
	}
	frame, err := template.ParseFS(templates.Assets, "assets/docs/page.html")
	must(err)
	style, err := fs.ReadFile(templates.Assets, "assets/docs/docs.css")
	must(err)
	files := map[string]file{"docs.css": newFile("text/css; charset=utf-8", style)}
	nav := links(md, sources[contents])
	for name, source := range sources {
		var body, page bytes.Buffer
		must(md.Convert(source, &body))
		title, _, _ := strings.Cut(strings.TrimPrefix(string(source), "# "), "\n")
		must(frame.Execute(&page, map[string]any{
			"Title": title, "Page": name, "Nav": nav, "Contents": contents,
			"Body": template.HTML(body.String()), // goldmark's, of pages that are part of the program
		}))
		files[name] = newFile("text/html; charset=utf-8", page.Bytes())
	}
	return files
}

// must is for files that are part of the program: a mistake in them is one of ours.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// links are those of a page to other pages, in its order.
func links(md goldmark.Markdown, source []byte) []Link {
	var found []Link
	must(ast.Walk(md.Parser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		link, ok := n.(*ast.Link)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		var title strings.Builder
		for child := link.FirstChild(); child != nil; child = child.NextSibling() {
			if t, ok := child.(*ast.Text); ok {
				title.Write(t.Value(source))
			}
		}
		if to := string(link.Destination); strings.HasSuffix(to, ".md") {
			found = append(found, Link{to, title.String()})
		}
		return ast.WalkSkipChildren, nil
	}))
	return found
}

func newFile(kind string, text []byte) file {
	sum := sha256.Sum256(text)
	return file{kind, `"` + hex.EncodeToString(sum[:12]) + `"`, text}
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache") // asked for again, and answered 304
	h.Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.text))
}
