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
)

// backend is a server for Terraform's http backend, with locks.
type backend struct {
	*httptest.Server
	mu    sync.Mutex
	state []byte
	// lock is the lock information of the holder, nil where there is none.
	lock []byte
	// away makes it refuse every new state.
	away bool
	// unlocked counts the releases.
	unlocked int
}

func newBackend(t *testing.T) *backend {
	b := &backend{}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch {
	case r.Method == "LOCK" && b.lock != nil:
		w.WriteHeader(http.StatusLocked)
		w.Write(b.lock)
	case r.Method == "LOCK":
		b.lock = body
	case r.Method == "UNLOCK":
		if b.lock != nil && lockID(body) != "" && lockID(body) != lockID(b.lock) {
			http.Error(w, "another one holds the lock", http.StatusConflict)
			return
		}
		b.lock, b.unlocked = nil, b.unlocked+1
	case r.Method == http.MethodPost && b.away:
		http.Error(w, "away", http.StatusForbidden)
	case r.Method == http.MethodPost:
		b.state = body
	case r.Method == http.MethodGet && b.state == nil:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		w.Write(b.state)
	default:
		http.Error(w, r.Method, http.StatusMethodNotAllowed)
	}
}

func lockID(info []byte) string {
	var lock struct{ ID string }
	if json.Unmarshal(info, &lock) != nil {
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

// have is the state, and the identifier of the lock.
func (b *backend) have() (state, lock string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.state), lockID(b.lock)
}

// newRemoteRoot is a root module whose state is at the server.
func newRemoteRoot(t *testing.T, b *backend, nodes string) root {
	t.Helper()
	r := newRoot(t, nodes)
	r.write("backend.tf", fmt.Sprintf(`terraform {
  backend "http" {
    address        = %q
    lock_address   = %q
    unlock_address = %q
    retry_max      = 0
  }
}
`, b.URL, b.URL, b.URL))
	return r
}

// bucket is a server for Terraform's s3 backend: enough of S3 for one bucket with
// objects that are made only where there is none, which is how it locks.
type bucket struct {
	*httptest.Server
	mu      sync.Mutex
	objects map[string][]byte
}

func newBucket(t *testing.T) *bucket {
	b := &bucket{objects: map[string][]byte{}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	refuse := func(status int, code string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, code)
	}
	key := strings.TrimPrefix(r.URL.Path, "/bucket/")
	have, there := b.objects[key]
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		refuse(http.StatusBadRequest, "BadRequest")
	case r.URL.Query().Has("list-type"):
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, "<ListBucketResult><Name>bucket</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>")
	case r.Method == http.MethodPut && r.Header.Get("If-None-Match") == "*" && there:
		refuse(http.StatusPreconditionFailed, "PreconditionFailed")
	case r.Method == http.MethodPut:
		b.objects[key] = body
	case r.Method == http.MethodDelete:
		delete(b.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case !there:
		refuse(http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
		w.Write(have)
	}
}

// lock puts the lock of somebody there, or takes it away where it is empty.
func (b *bucket) lock(info string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if info == "" {
		delete(b.objects, "state.tflock")
		return
	}
	b.objects["state.tflock"] = []byte(info)
}

// have is the state, and the identifier of the lock.
func (b *bucket) have() (state, lock string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.objects["state"]), lockID(b.objects["state.tflock"])
}

// newBucketRoot is a root module whose state is in the bucket.
func newBucketRoot(t *testing.T, b *bucket, nodes string) root {
	t.Helper()
	r := newRoot(t, nodes)
	r.write("backend.tf", fmt.Sprintf(`terraform {
  backend "s3" {
    bucket                      = "bucket"
    key                         = "state"
    region                      = "us-east-1"
    access_key                  = "test"
    secret_key                  = "test"
    use_lockfile                = true
    use_path_style              = true
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    skip_requesting_account_id  = true
    skip_s3_checksum            = true
    endpoints                   = { s3 = %q }
  }
}
`, b.URL))
	return r
}

// knows lists the nodes in a state's text.
func knows(state string, nodes ...string) string {
	var found []string
	for _, node := range nodes {
		if strings.Contains(state, fmt.Sprintf(`"index_key": %q`, node)) {
			found = append(found, node)
		}
	}
	return strings.Join(found, " ")
}
