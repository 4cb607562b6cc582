// Package console serves the web console: static files that work without another
// network, without a build step and without inline scripts, and that talk to the API
// (scaler/api) and to nothing else.
package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"

	"github.com/scalerd/scalerd/templates"
)

// policy lets a page use its own files and the API of the same host. Nothing that is
// data can become markup or a script: there is no way to say so.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Prefix is where the console's files are; its page is at "/".
const Prefix = "/console/"

// file is a static file in memory.
type file struct {
	kind, etag string
	text       []byte
}

// Handler serves the page at "/", and its files under Prefix. It answers whoever asks:
// the files are the same for everybody, and what they show the API decides.
func Handler() http.Handler {
	files := load()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { files["index.html"].serve(w, r) })
	mux.HandleFunc("GET "+Prefix+"{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	mux.HandleFunc("GET "+Prefix+"{file}", func(w http.ResponseWriter, r *http.Request) {
		f, ok := files[r.PathValue("file")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		f.serve(w, r)
	})
	return mux
}

// load reads the embedded files, by name.
func load() map[string]file {
	files := map[string]file{}
	add := func(from fs.FS, dir string, only string) {
		names, err := fs.Glob(from, path.Join(dir, only))
		if err != nil {
			panic(err) // a pattern of ours
		}
		for _, name := range names {
			text, err := fs.ReadFile(from, name)
			if err != nil {
				panic(err) // it is embedded
			}
			sum := sha256.Sum256(text)
			files[path.Base(name)] = file{mime.TypeByExtension(path.Ext(name)), `"` + hex.EncodeToString(sum[:12]) + `"`, text}
		}
	}
	add(templates.Console, "console", "*")
	add(templates.Assets, "assets/uplot", "uPlot.*")
	return files
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache") // asked for again, and answered 304
	h.Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.text))
}

// WithoutPrompt keeps a browser from asking for a password in a window of its own when
// a script of a page is answered that it has to say who it is: the page asks itself.
func WithoutPrompt(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Browsers tell it of every request to a host that they trust; others do not.
		if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
			w = &promptless{w}
		}
		next.ServeHTTP(w, r)
	})
}

type promptless struct{ http.ResponseWriter }

// Unwrap serves http.ResponseController.
func (p *promptless) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// Flush implements http.Flusher, for streams.
func (p *promptless) Flush() { _ = http.NewResponseController(p.ResponseWriter).Flush() }

// WriteHeader implements http.ResponseWriter.
func (p *promptless) WriteHeader(status int) {
	if status == http.StatusUnauthorized {
		p.Header().Set("WWW-Authenticate", `Bearer realm="scalerd"`)
	}
	p.ResponseWriter.WriteHeader(status)
}
