package monitor

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
)

// interval is the scrape interval of tests that really scrape.
const interval = 100 * time.Millisecond

// page is a node's metrics page, whose text a test may change.
type page struct {
	server *httptest.Server

	mu      sync.Mutex
	text    string
	scrapes int
	began   time.Time
}

// newPage serves text. Each %t in it becomes the seconds since the start, so
// that "requests_total %t" is a counter that grows by 1 a second.
func newPage(t *testing.T, text string) *page {
	t.Helper()
	p := &page{text: text, began: time.Now()}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	return p
}

func (p *page) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scrapes++
	elapsed := fmt.Sprintf("%.3f", time.Since(p.began).Seconds())
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	io.WriteString(w, strings.ReplaceAll(p.text, "%t", elapsed))
}

func (p *page) set(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

func (p *page) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.scrapes
}

func (p *page) address() string { return p.server.Listener.Addr().String() }

func (p *page) target(labels map[string]string) scaler.Target {
	return scaler.Target{Job: "node", Address: p.address(), Path: "/metrics", Labels: labels}
}

func openEmbedded(t *testing.T, dir string) *Embedded {
	t.Helper()
	e, err := OpenEmbedded(dir, EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func watch(t *testing.T, m interface{ Watch([]scaler.Target) error }, targets ...scaler.Target) {
	t.Helper()
	if err := m.Watch(targets); err != nil {
		t.Fatal(err)
	}
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for !holds() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("after 20s still not so: %s", what)
		}
	}
}

// awaitValue polls until the query has a value that is accepted, and returns it.
func awaitValue(t *testing.T, a *Application, query string, accept func(float64) bool) policy.Reading {
	t.Helper()
	var r policy.Reading
	eventually(t, query+" has the wanted value", func() bool {
		r = a.Query(t.Context(), query, time.Now())
		return r.Missing == policy.Present && accept(r.Value())
	})
	return r
}

func awaitMissing(t *testing.T, a *Application, query string, want policy.Missing) policy.Reading {
	t.Helper()
	var r policy.Reading
	eventually(t, fmt.Sprintf("%s is %q", query, want), func() bool {
		r = a.Query(t.Context(), query, time.Now())
		return r.Missing == want
	})
	return r
}

func equals(want float64) func(float64) bool {
	return func(got float64) bool { return got == want }
}

func between(low, high float64) func(float64) bool {
	return func(got float64) bool { return low <= got && got <= high }
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// plain serves text without saying what it is.
func plain(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		io.WriteString(w, text)
	})
}
