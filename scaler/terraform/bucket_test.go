package terraform_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

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
		w.Header().Set("Content-Type", "application/json")
		http.ServeContent(w, r, "", time.Unix(0, 1), bytes.NewReader(have)) // a large one is asked for in ranges
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
	return string(b.objects["state"]), lockID(string(b.objects["state.tflock"]))
}

// root is a root module whose state is in the bucket.
func (b *bucket) root(t *testing.T, nodes string) root {
	t.Helper()
	r := newRoot(t, nodes)
	r.write(tfgen.BackendFile, fmt.Sprintf(`terraform {
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
