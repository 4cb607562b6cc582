package api

import (
	"fmt"
	"net/http"
)

// unmatched hands on to the mux, and answers with a problem document what it has no
// operation for.
func unmatched(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		said := &muted{w, http.StatusOK}
		mux.ServeHTTP(said, r)
		detail := "nothing is here: /openapi.json has all that is"
		if said.status == http.StatusMethodNotAllowed {
			detail = fmt.Sprintf("%s is not for this path: use %s", r.Method, w.Header().Get("Allow"))
		}
		writeProblem(w, said.status, detail)
	})
}

// muted takes the status of an answer, and its headers, and not its words.
type muted struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (m *muted) WriteHeader(status int) { m.status = status }

// Write implements http.ResponseWriter.
func (m *muted) Write(text []byte) (int, error) { return len(text), nil }
