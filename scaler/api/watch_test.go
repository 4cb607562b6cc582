package api_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/operation"
)

const twoGroups = oneNode + "  - {name: db, cloud: local, min: 0, max: 3, initial: 1}\n"

// cutting drops the connection of a stream of events after each event, as often as
// cuts says, or before the first one where at once is set.
type cutting struct {
	http.Handler
	mu     sync.Mutex
	cuts   int
	atOnce bool
	// resumed are the Last-Event-IDs of all streams.
	resumed []string
}

func (c *cutting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/events") {
		c.Handler.ServeHTTP(w, r)
		return
	}
	c.mu.Lock()
	c.resumed = append(c.resumed, r.Header.Get("Last-Event-ID"))
	cut := c.cuts > 0
	c.cuts--
	c.mu.Unlock()
	if cut && c.atOnce {
		panic(http.ErrAbortHandler)
	}
	if cut {
		w = &cutWriter{w}
	}
	c.Handler.ServeHTTP(w, r)
}

// streams are the Last-Event-IDs of the streams so far, and mend lets the next ones be.
func (c *cutting) streams() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.resumed)
}

func (c *cutting) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cuts = 0
}

// cutWriter ends the connection once a whole progress event was sent.
type cutWriter struct{ http.ResponseWriter }

func (c *cutWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *cutWriter) Write(text []byte) (int, error) {
	n, err := c.ResponseWriter.Write(text)
	if strings.HasPrefix(string(text), "{\"number\"") {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// cutServer serves a real service through what cuts streams.
func cutServer(t *testing.T, tf scaler.Terraform, c *cutting) *api.Client {
	t.Helper()
	service, operations := running(t, tf)
	c.Handler = as(access.Identity{Name: "root", Role: access.Admin, How: access.Socket}, api.Handler(api.Config{Service: service, Operations: operations}))
	dir, err := os.MkdirTemp("", "api")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: api.NewServer(c, slog.New(slog.DiscardHandler), nil)}
	server.Start()
	t.Cleanup(func() {
		server.Close()
		os.RemoveAll(dir)
	})
	return api.NewClient(filepath.Join(dir, "s"))
}

func TestABrokenStreamIsTakenUpAfterItsLastEvent(t *testing.T) {
	terraform := newGated()
	c := &cutting{cuts: 2}
	client := cutServer(t, terraform, c)
	op, err := client.Submit(t.Context(), api.Description{File: "shop.yaml", Text: twoGroups})
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int
	end, err := client.Watch(t.Context(), op.ID, func(e operation.Event) {
		if numbers = append(numbers, e.Number); len(numbers) == 2 {
			terraform.open()
		}
	})
	if err != nil || end.Status != operation.Succeeded {
		t.Errorf("Watch() over connections that drop = %+v, %v, want success", end, err)
	}
	if diff := cmp.Diff([]int{1, 2}, numbers); diff != "" {
		t.Errorf("numbers of the events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"", "1", "2"}, c.streams()); diff != "" {
		t.Errorf("Last-Event-ID of the streams (-want +got):\n%s", diff)
	}
}

func TestAStreamThatNeverComesIsGivenUp(t *testing.T) {
	terraform := newGated()
	c := &cutting{cuts: 1 << 30, atOnce: true}
	client := cutServer(t, terraform, c)
	op, err := client.Submit(t.Context(), api.Description{File: "shop.yaml", Text: oneNode})
	if err != nil {
		t.Fatal(err)
	}
	defer terraform.open()
	if end, err := client.Watch(t.Context(), op.ID, func(operation.Event) {}); err == nil {
		t.Errorf("Watch() without streams = %+v, want an error", end)
	}
	if n := len(c.streams()); n < 5 { // and one more that the transport tries by itself
		t.Errorf("%d streams were tried, want 5", n)
	}
	c.mend()
	if _, err := client.Watch(t.Context(), "nope", func(operation.Event) {}); !errors.Is(err, scaler.ErrNotFound) {
		t.Errorf("Watch() of no operation = %v, want ErrNotFound", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	watched := make(chan error, 1)
	go func() {
		_, err := client.Watch(ctx, op.ID, func(operation.Event) { cancel() })
		watched <- err
	}()
	if err := <-watched; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch() that is interrupted = %v, want context.Canceled", err)
	}
}

// TestADestroyEndsAlsoWhereTheNameIsTakenAgain starts to follow the end of an
// application after there is another one of its name.
func TestADestroyEndsAlsoWhereTheNameIsTakenAgain(t *testing.T) {
	service, _ := running(t, newGated())
	late := operation.New(service)
	shop := scaler.Source{File: "shop.yaml", Text: []byte(empty)}
	if _, err := service.Submit(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	always := func(scaler.StoredApplication, bool) error { return nil }
	destroyed := make(chan operation.Operation, 1)
	go func() {
		op, err := late.Destroy(t.Context(), "root", "shop", always)
		if err != nil {
			t.Error(err)
		}
		destroyed <- op
	}()
	waitUntil(t, func() bool {
		_, err := service.Application(t.Context(), "shop")
		return errors.Is(err, scaler.ErrNotFound)
	})
	if _, err := service.Submit(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(runUntilDone(late.Run))
	op := <-destroyed
	waitUntil(t, func() bool {
		got, err := late.Get(op.ID)
		return err == nil && got.Status == operation.Succeeded
	})
}
