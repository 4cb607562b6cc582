package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/audit"
	"github.com/scalerd/scalerd/scaler/operation"
	"github.com/scalerd/scalerd/scaler/secrets"
	"github.com/scalerd/scalerd/scaler/store"
)

var (
	fuzzRequests = flag.Int("fuzz-requests", 12, "requests of each operation of the API's document")
	fuzzSeed     = flag.Uint64("fuzz-seed", 1, "seed of these requests")
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

// sentinel is an application that no request is about.
const sentinel = `name: sentinel
interval: 1s
groups:
  - {name: web, cloud: local, min: 0, max: 3, initial: 0}
`

// TestEveryAnswerIsAsTheDocumentSays asks for every operation of the OpenAPI document
// with what is valid, nearly valid and hostile. No answer is a 5xx but the documented
// 503, all are as the document says, a 4xx changes nothing, nothing panics, and the
// control loop goes on. -fuzz-requests and -fuzz-seed make it longer, and another.
func TestEveryAnswerIsAsTheDocumentSays(t *testing.T) {
	f := fuzzTarget(t)
	if _, err := f.service.Submit(t.Context(), scaler.Source{File: "sentinel.yaml", Text: []byte(sentinel)}); err != nil {
		t.Fatal(err)
	}
	all := f.document.operations()
	if len(all) < 50 {
		t.Fatalf("the document has %d operations, want all", len(all))
	}
	for range *fuzzRequests {
		for _, i := range f.Perm(len(all)) {
			f.prepare()
			f.try(all[i], f.request(all[i]))
			if f.failures > 20 {
				t.Fatalf("-fuzz-seed %d: enough", *fuzzSeed)
			}
		}
	}
	succeeded, refusals := 0, 0
	for _, o := range all {
		refusals += f.answered[o.String()][4]
		if f.answered[o.String()][2] > 0 {
			succeeded++
		} else {
			t.Logf("%s never succeeded: %s", o, f.refusal[o.String()])
		}
	}
	t.Logf("%d operations, %d of them succeeded also; %d requests of %d were refused", len(all), succeeded, refusals, len(all)**fuzzRequests)
	if *fuzzRequests >= 10 && (succeeded < len(all)*8/10 || refusals < len(all)**fuzzRequests/4) {
		t.Error("want most operations to succeed also, and many requests to be refused")
	}
	if text := f.log.String(); strings.Contains(text, "panic") {
		t.Errorf("the server panicked: %s", text)
	}
	now := time.Now()
	waitUntil(t, func() bool {
		status, err := f.service.Application(t.Context(), "sentinel")
		return err == nil && status.TickedAt.After(now)
	})
}

// prepare starts again what requests have destroyed, and waits until all orders are
// carried out: so all that changes in between was changed by a request.
func (f *fuzzed) prepare() {
	f.t.Helper()
	optimizers, err := f.service.Optimizers(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := optimizers.Get(f.t.Context(), "one"); err != nil {
		config := optimizer.Default()
		config.Inputs, config.Targets = []string{"q"}, []optimizer.Target{{Name: "l", Max: new(float64)}}
		if _, err := optimizers.Configure(f.t.Context(), "one", config); err != nil {
			f.t.Fatal(err)
		}
	}
	settled := func() bool {
		missing := map[string]string{"shop": descriptions[2], "other": descriptions[3]}
		for _, a := range f.service.Applications() {
			delete(missing, a.Name)
			if a.Destroying || !a.Settled && !a.Degraded() {
				return false
			}
		}
		for _, text := range missing {
			if _, err := f.service.Submit(f.t.Context(), scaler.Source{File: "shop.yaml", Text: []byte(text)}); err != nil {
				f.t.Fatal(err)
			}
		}
		return len(missing) == 0
	}
	if !settled() {
		waitUntil(f.t, settled)
	}
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

// request makes a request of an operation.
func (f *fuzzed) request(o documented) *http.Request {
	f.t.Helper()
	spoiled := f.IntN(2) > 0
	path := o.path
	f.kind = strings.Split(path, "/")[2]
	for _, p := range o.parameters("path") {
		name := p["name"].(string)
		value := plain(f.valid(p["schema"].(map[string]any), name, 0))
		if ids := f.known[f.kind]; name == "id" && len(ids) > 0 {
			value = pick(f.generator, ids...)
		}
		if spoiled && f.IntN(4) == 0 {
			value = plain(f.hostile())
		}
		path = strings.Replace(path, "{"+name+"}", url.PathEscape(value[:min(len(value), 4000)]), 1)
	}
	var query []string
	for _, p := range o.parameters("query") {
		name := p["name"].(string)
		if p["required"] != true && f.IntN(3) > 0 {
			continue
		}
		value := plain(f.valid(p["schema"].(map[string]any), name, 0))
		if spoiled && f.IntN(3) == 0 {
			value = plain(f.hostile())
		}
		query = append(query, url.QueryEscape(name)+"="+url.QueryEscape(value[:min(len(value), 4000)]))
	}
	if spoiled && f.IntN(4) == 0 {
		query = append(query, pick(f.generator, "more=1", "%zz=%zz", "limit=5&limit=6", ";;=&&", "=x", "node[a]=b"))
	}
	payload, kind := f.payload(o, spoiled)
	r, err := http.NewRequestWithContext(f.t.Context(), o.method, f.server.URL, bytes.NewReader(payload))
	if err != nil {
		f.t.Fatal(err)
	}
	r.URL.Opaque = "//" + r.URL.Host + path // as it is, without cleaning
	r.URL.RawQuery = strings.Join(query, "&")
	r.Header.Set("Authorization", "Bearer "+f.token)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for _, p := range o.parameters("header") {
		name := p["name"].(string)
		switch {
		case name != "Accept-Encoding" && spoiled && f.IntN(3) == 0:
			r.Header.Set(name, headerText(plain(f.hostile())))
		case f.IntN(4) == 0:
			r.Header.Set(name, plain(f.valid(p["schema"].(map[string]any), name, 0)))
		}
	}
	if spoiled && f.IntN(4) == 0 {
		name := pick(f.generator, "Accept", "Idempotency-Key", "X-Forwarded-For", "Range", "Accept-Language", "If-Modified-Since", "Cookie")
		r.Header.Set(name, headerText(plain(f.hostile())))
	}
	return r
}

// headerText is what can be sent in a header.
func headerText(text string) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return -1
		}
		return c
	}, text)
	return text[:min(len(text), 2000)]
}

// payload is a body with its type.
func (f *fuzzed) payload(o documented, spoiled bool) ([]byte, string) {
	schema, kind := o.body()
	if schema == nil && kind == "" {
		if spoiled && f.IntN(4) == 0 {
			return []byte(plain(f.hostile())), "application/json"
		}
		return nil, ""
	}
	var b bytes.Buffer
	if kind != "application/json" {
		b.WriteString(pick(f.generator, "timestamp,vm_number,q,l\n1,2,3,4\n", "{}", "", plain(f.hostile())))
		return b.Bytes(), kind
	}
	value := f.working(o.o["operationId"].(string))
	if value == nil || f.IntN(3) == 0 {
		value = f.valid(schema, "", 0)
	}
	if spoiled {
		for range 1 + f.IntN(3) {
			value = f.spoil(value)
		}
		if f.IntN(6) == 0 {
			kind = pick(f.generator, "", "text/plain", "application/xml", "application/json; charset=utf-16", "multipart/form-data; boundary=x", "application/cbor", "x", "application/json, text/html")
		}
	}
	encode(&b, value)
	return b.Bytes(), kind
}

// try sends a request and judges the answer.
func (f *fuzzed) try(o documented, r *http.Request) {
	f.t.Helper()
	sent := describe(r)
	before := f.kept()
	res, err := f.server.Client().Do(r)
	if err != nil {
		f.wrong("%s: %v; %s", sent, err, f.log)
		return
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		f.wrong("%s: %v; %s", sent, err, f.log)
		return
	}
	if f.answered[o.String()] == nil {
		f.answered[o.String()] = map[int]int{}
	}
	f.answered[o.String()][res.StatusCode/100]++
	if res.StatusCode >= 400 {
		f.refusal[o.String()] = fmt.Sprintf("%s\n-> %s %.300s", sent, res.Status, body)
	}
	f.learn(o, body)
	redirected := res.StatusCode == http.StatusTemporaryRedirect // of a path that is no path of the operation
	switch {
	case res.StatusCode >= 500 && res.StatusCode != http.StatusServiceUnavailable:
		f.wrong("%s\n-> %s %.500s", sent, res.Status, body)
	case !redirected:
		if err := f.document.conforms(o, res.StatusCode, res.Header, body); err != nil {
			f.wrong("%s\n-> %s %.500s: %v", sent, res.Status, body, err)
		}
	}
	if res.StatusCode >= 300 {
		if diff := cmp.Diff(before, f.kept()); diff != "" {
			f.wrong("%s\n-> %s, and changed (-before +after):\n%s", sent, res.Status, diff)
		}
	}
}

// wrong is a failure, of which only some are told.
func (f *fuzzed) wrong(format string, args ...any) {
	f.t.Helper()
	f.failures++
	f.t.Errorf(format, args...)
}

// learn keeps the identifiers of what an answer tells of.
func (f *fuzzed) learn(o documented, body []byte) {
	type thing struct{ ID any }
	var answer struct {
		thing
		Items []thing
	}
	if json.Unmarshal(body, &answer) != nil {
		return
	}
	segments := strings.Split(o.path, "/")
	kind := segments[len(segments)-1]
	if o.method != http.MethodGet && (segments[2] == "applications") {
		kind = "operations"
	}
	for _, one := range append(answer.Items, answer.thing) {
		if one.ID != nil && one.ID != f.own && len(f.known[kind]) < 50 {
			f.known[kind] = append(f.known[kind], fmt.Sprint(one.ID))
		}
	}
}

func describe(r *http.Request) string {
	var body []byte
	if r.GetBody != nil {
		if b, err := r.GetBody(); err == nil {
			body, _ = io.ReadAll(b) // of memory
		}
	}
	header := r.Header.Clone()
	header.Del("Authorization")
	return fmt.Sprintf("%s %s?%s %q %.800q", r.Method, strings.TrimPrefix(r.URL.Opaque, "//"+r.URL.Host), r.URL.RawQuery, header, body)
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
