package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/audit"
	"github.com/scalerd/scalerd/scaler/operation"
	"github.com/scalerd/scalerd/scaler/secrets"
	"github.com/scalerd/scalerd/scaler/store"
)

// fuzzed is all of the API over a real service, and what it must keep.
type fuzzed struct {
	*generator
	t       *testing.T
	service *scaler.Service
	guard   *access.Guard
	secrets *secrets.Store
	server  *httptest.Server
	// token is what requests are made with, own its identifier.
	token, own string
	log        *lockedBuffer
	// answered counts answers by operation and class of status.
	answered map[string]map[int]int
	// refusal is the last one by operation.
	refusal  map[string]string
	failures int
}

// lockedBuffer is a bytes.Buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func fuzzTarget(t *testing.T) *fuzzed {
	t.Helper()
	terraform := planning{newGated()}
	terraform.open()
	f := &fuzzed{t: t, log: &lockedBuffer{}, answered: map[string]map[int]int{}, refusal: map[string]string{}}
	var operations *operation.Registry
	f.service, operations = running(t, terraform)
	backtests := api.NewBacktests(f.service)
	t.Cleanup(runUntilDone(backtests.Run))
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "access.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	trail, folder := newTrail(t)
	if f.guard, err = access.Open(t.Context(), db, access.Options{Log: slog.New(slog.DiscardHandler), Note: trail.Note}); err != nil {
		t.Fatal(err)
	}
	own, secret, err := f.guard.CreateToken(t.Context(), "fuzz", access.Admin, nil, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	f.token, f.own = secret, own.ID
	key, err := secrets.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	keeper, err := secrets.OpenFile(filepath.Join(t.TempDir(), secrets.FileName), secrets.KeyFile(keyFile, false))
	if err != nil {
		t.Fatal(err)
	}
	f.secrets = &secrets.Store{Keeper: keeper, Plain: func() string { return "" }}
	handler := api.Handler(api.Config{
		Service: f.service, Operations: operations, Backtests: backtests, Guard: f.guard, Credentials: f.secrets, Audit: folder, Version: "test",
	})
	f.server = httptest.NewUnstartedServer(nil)
	f.server.Config = api.NewServer(f.guard.Handler(trail.Handler(handler)), slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})), access.Connected)
	f.server.Start()
	t.Cleanup(f.server.Close)
	f.server.Client().Timeout = 30 * time.Second
	f.server.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	f.generator = &generator{Rand: rand.New(rand.NewPCG(*fuzzSeed, 7)), document: readDocument(t, handler), known: map[string][]string{}}
	return f
}

func newTrail(t *testing.T) (*audit.Trail, string) {
	t.Helper()
	folder := t.TempDir()
	log, err := audit.Open(folder, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return audit.NewTrail(log), folder
}

// kept is what only requests change.
func (f *fuzzed) kept() string {
	f.t.Helper()
	type application struct {
		scaler.StoredApplication
		Wanted map[string]int
	}
	var all struct {
		Applications []application
		Users        []access.User
		Tokens       []access.Token
		Credentials  []secrets.Listed
		Optimizers   map[string]any
	}
	for _, a := range f.service.Applications() {
		stored, status, err := f.service.Stored(f.t.Context(), a.Name)
		if err != nil {
			f.t.Fatal(err)
		}
		one := application{stored, map[string]int{}}
		for _, g := range status.Groups {
			one.Wanted[g.Name] = g.Wanted
		}
		all.Applications = append(all.Applications, one)
	}
	all.Users, all.Tokens = f.guard.Users(), f.guard.Tokens()
	for i := range all.Tokens {
		all.Tokens[i].UsedAt = time.Time{}
	}
	var err error
	if all.Credentials, err = f.secrets.List(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	optimizers, err := f.service.Optimizers(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	all.Optimizers = map[string]any{}
	for _, a := range optimizers.Advisors() {
		if !a.Owned() { // a group's learns at each tick
			all.Optimizers[a.Name()] = []any{a.Config(), a.Status().Samples}
		}
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// runUntilDone runs something beside the test; what it returns ends it.
func runUntilDone(run func(context.Context) error) func() {
	ctx, cancel := context.WithCancel(context.Background())
	var worker sync.WaitGroup
	worker.Go(func() { _ = run(ctx) })
	return func() {
		cancel()
		worker.Wait()
	}
}
