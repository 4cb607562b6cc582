package terraform_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/scalerd/scalerd/tfgen"
)

// statePath is where the root module of a test has its state in a backend.
const statePath = "/shop/web/shard-000"

// backend is a server for Terraform's http backend: a state and a lock for each path.
type backend struct {
	url string

	mu     sync.Mutex
	states map[string]string
	// locks are the holders' lock information.
	locks map[string]string
	// reads counts how often a state was asked for.
	reads int
	// taken counts the locks that were given.
	taken int
	// away makes it refuse every new state, and broken everything.
	away, broken bool
	// then changes it once, after a state was asked for that is not there.
	then func(*backend)
	// before changes it before each request, which fails where it returns true.
	before func(b *backend, method, body string) bool
	// hold makes whoever asks for a state wait until it is closed, and asked is closed
	// when somebody does; nil for neither.
	hold, asked chan struct{}
	// password, where it is set, must come with each request.
	password string
}

func newBackend(t *testing.T) *backend {
	b := &backend{states: map[string]string{}, locks: map[string]string{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	if hold := b.hold; hold != nil && r.Method == http.MethodGet {
		b.hold = nil
		b.mu.Unlock()
		close(b.asked)
		<-hold
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil || b.broken {
		http.Error(w, "broken", http.StatusInternalServerError)
		return
	}
	if _, password, _ := r.BasicAuth(); password != b.password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if b.before != nil && b.before(b, r.Method, string(body)) {
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	}
	path, held := r.URL.Path, b.locks[r.URL.Path]
	switch {
	case r.Method == "LOCK" && held != "":
		w.WriteHeader(http.StatusLocked)
		_, _ = io.WriteString(w, held) // terraform notices
	case r.Method == "LOCK":
		b.locks[path] = string(body)
		b.taken++
	case r.Method == "UNLOCK":
		if id := lockID(string(body)); held != "" && id != "" && id != lockID(held) {
			http.Error(w, "another one holds the lock", http.StatusConflict)
			return
		}
		delete(b.locks, path)
	case r.Method == http.MethodPost && b.away:
		http.Error(w, "away", http.StatusForbidden)
	case r.Method == http.MethodPost:
		b.states[path] = string(body)
	case r.Method == http.MethodGet:
		b.reads++
		if b.states[path] == "" {
			http.NotFound(w, r)
			if then := b.then; then != nil {
				b.then = nil
				then(b)
			}
			return
		}
		_, _ = io.WriteString(w, b.states[path])
	default:
		http.Error(w, r.Method, http.StatusMethodNotAllowed)
	}
}

func lockID(info string) string {
	var lock struct{ ID string }
	if json.Unmarshal([]byte(info), &lock) != nil {
		return ""
	}
	return lock.ID
}

// set changes what the server has.
func (b *backend) set(change func(*backend)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
}

// change replaces the state.
func (b *backend) change(how func(string) string) {
	b.set(func(b *backend) { b.states[statePath] = how(b.states[statePath]) })
}

// lock puts the lock of somebody there, or takes it away where it is empty.
func (b *backend) lock(info string) {
	b.set(func(b *backend) {
		delete(b.locks, statePath)
		if info != "" {
			b.locks[statePath] = info
		}
	})
}

// have is the state, and the identifier of the lock.
func (b *backend) have() (state, lock string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.states[statePath], lockID(b.locks[statePath])
}

func (b *backend) readCount() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reads
}

// root is a root module whose state is at the server.
func (b *backend) root(t *testing.T, nodes string) root {
	t.Helper()
	r := newRoot(t, nodes)
	r.write(tfgen.BackendFile, fmt.Sprintf(`terraform {
  backend "http" {
    address        = %q
    lock_address   = %[1]q
    unlock_address = %[1]q
    retry_max      = 0
  }
}
`, b.url+statePath))
	return r
}

// keeper is a backend of a test.
type keeper interface {
	root(t *testing.T, nodes string) root
	lock(info string)
	have() (state, lock string)
}

// keepers are the backends that lock by themselves, and keep the lock of a killed
// terraform.
var keepers = map[string]func(*testing.T) keeper{
	"s3":   func(t *testing.T) keeper { return newBucket(t) },
	"http": func(t *testing.T) keeper { return newBackend(t) },
}

// knows lists the nodes in a state's text, which OpenTofu writes without spaces.
func knows(state string, nodes ...string) string {
	var found []string
	for _, node := range nodes {
		if strings.Contains(strings.ReplaceAll(state, " ", ""), fmt.Sprintf(`"index_key":%q`, node)) {
			found = append(found, node)
		}
	}
	return strings.Join(found, " ")
}
