package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/monitor"
	"github.com/scalerd/scalerd/scaler/operation"
	"github.com/scalerd/scalerd/scaler/outbound"
	"github.com/scalerd/scalerd/scaler/store"
	"github.com/scalerd/scalerd/scaler/terraform"
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// serve runs a real service without nodes behind a socket, and returns its client
// and its handler.
func serve(t testing.TB) (*api.Client, http.Handler) {
	return serveOn(t, terraform.NewRunner("terraform", terraform.Options{}))
}

// serveOn is serve with another terraform.
func serveOn(t testing.TB, tf scaler.Terraform) (*api.Client, http.Handler) {
	t.Helper()
	service, operations := running(t, tf)
	backtests := api.NewBacktests(service)
	ctx, cancel := context.WithCancel(context.Background())
	var worker sync.WaitGroup
	worker.Go(func() { _ = backtests.Run(ctx) })
	handler := as(access.Identity{Name: "root", Role: access.Admin, How: access.Socket, From: "socket"},
		api.Handler(api.Config{Service: service, Operations: operations, Backtests: backtests, Version: "test"}))
	dir, err := os.MkdirTemp("", "api") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: api.NewServer(handler, slog.New(slog.DiscardHandler), nil)}
	server.Start()
	t.Cleanup(func() {
		server.Close()
		cancel()
		worker.Wait()
		os.RemoveAll(dir)
	})
	return api.NewClient(socket), handler
}

// as makes every request that of the identity.
func as(who access.Identity, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(access.With(r.Context(), who)))
	})
}

// running is a service that runs until the test ends.
func running(t testing.TB, tf scaler.Terraform) (*scaler.Service, *operation.Registry) {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(dir, "scalerd.db"))
	if err != nil {
		t.Fatal(err)
	}
	service := scaler.NewService(scaler.Config{
		Data: dir, Store: db, Terraform: tf, Inspector: blind{},
		Monitor: func(app *spec.Application, appDir string) (scaler.Monitor, error) {
			return monitor.NewExternal(spec.Prometheus{URL: "http://127.0.0.1:1"}, filepath.Join(appDir, "targets.json"), monitor.ExternalOptions{})
		},
		CheckQuery: monitor.CheckQuery,
		CheckHost:  (&outbound.Policy{}).Host,
		Metrics:    scaler.NewMetrics(prometheus.NewRegistry()),
		Log:        slog.New(slog.DiscardHandler),
	})
	operations := operation.New(service)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- service.Run(ctx) }()
	go func() { ended <- operations.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Errorf("Run() = %v", err)
			}
		}
		db.Close()
	})
	return service, operations
}

// waitUntil looks until the condition holds.
func waitUntil(t testing.TB, condition func() bool) {
	t.Helper()
	look, deadline := time.NewTicker(5*time.Millisecond), time.After(20*time.Second)
	defer look.Stop()
	for !condition() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatal("it did not come about within 20 s")
		}
	}
}

const empty = `name: shop
groups:
  - {name: web, cloud: local, min: 0, max: 3, initial: 0}
`

func TestTheClientReceivesTheErrorsThatTheServiceReturned(t *testing.T) {
	client, _ := serve(t)
	ctx := t.Context()
	if _, err := client.Submit(ctx, api.Description{File: "shop.yaml", Text: empty}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		call func() error
		want error
	}{
		{"an unknown application", func() error { _, err := client.Application(ctx, "nope"); return err }, scaler.ErrNotFound},
		{"an unknown node", func() error { _, err := client.Drop(ctx, "shop", "web-0009", false); return err }, scaler.ErrNotFound},
		{"an unknown decision", func() error { _, err := client.Explain(ctx, 99); return err }, scaler.ErrNotFound},
		{"an unknown group", func() error { _, err := client.Scale(ctx, "shop", "api", 1); return err }, scaler.ErrNotFound},
		{"a name that looks like a path", func() error { _, err := client.Application(ctx, "../shop"); return err }, scaler.ErrNotFound},
		{"a size beyond max", func() error { _, err := client.Scale(ctx, "shop", "web", 4); return err }, scaler.ErrRefused},
	}
	for _, tt := range tests {
		if err := tt.call(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestMistakesArriveWholeWithTheirPlaces(t *testing.T) {
	client, _ := serve(t)
	text := strings.Replace(empty, "max: 3", "max: -3, maxi: 1", 1) + "queries: {cpu: 'sum('}\n"
	_, err := client.Submit(t.Context(), api.Description{File: "shop.yaml", Text: text})
	_, _, want := scaler.Validate(scaler.Source{File: "shop.yaml", Text: []byte(text)}, monitor.CheckQuery)
	var got, wanted strictyaml.Mistakes
	if !errors.As(err, &got) || !errors.As(want, &wanted) {
		t.Fatalf("Submit() = %v, want %v", err, want)
	}
	if diff := cmp.Diff(wanted, got); diff != "" || len(got) < 3 {
		t.Errorf("mistakes of Submit() (-want +got):\n%s", diff)
	}
}

func TestPausedIsShownAndUndone(t *testing.T) {
	client, _ := serve(t)
	if _, err := client.Submit(t.Context(), api.Description{Text: empty}); err != nil {
		t.Fatal(err)
	}
	for _, paused := range []bool{true, false} {
		status, err := client.Pause(t.Context(), "shop", "", paused)
		if err != nil {
			t.Fatal(err)
		}
		if status.Paused != paused {
			t.Errorf("Pause(%v) shows %v", paused, status.Paused)
		}
	}
}

func TestNoDaemonIsSaidPlainly(t *testing.T) {
	_, err := api.NewClient(filepath.Join(t.TempDir(), "s")).Applications(t.Context())
	if !errors.Is(err, api.ErrNoDaemon) || !strings.Contains(err.Error(), "--socket") {
		t.Errorf("Applications() without a daemon = %v, want ErrNoDaemon and what to do", err)
	}
}

func TestTheAPIDescribesItself(t *testing.T) {
	_, handler := serve(t)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var doc struct {
		OpenAPI string         `json:"openapi"`
		Paths   map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || doc.Paths["/v1/applications/{application}/groups/{group}/scale"] == nil {
		t.Errorf("OpenAPI %s with paths %v, want 3.1 with all operations", doc.OpenAPI, doc.Paths)
	}
}

func TestJunkIsAnsweredAsAProblem(t *testing.T) {
	_, handler := serve(t)
	for body, want := range map[string]int{"{": 400, `{"text": 5}`: 422, `{"file": "x", "text": "name: [", "more": 1}`: 422, strings.Repeat("x", 9<<20): 413} {
		request := httptest.NewRequest(http.MethodPost, "/v1/applications", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Code != want || answer.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%.30q: %d %s %.200s, want %d and a problem", body, answer.Code, answer.Header().Get("Content-Type"), text, want)
		}
	}
}

// TestAlertmanagersNotificationIsTaken posts what Alertmanager 0.28 posts.
func TestAlertmanagersNotificationIsTaken(t *testing.T) {
	client, handler := serve(t)
	if _, err := client.Submit(t.Context(), api.Describe(scaler.Source{File: "shop.yaml", Text: []byte(`name: shop
monitoring: {prometheus: {url: "http://127.0.0.1:1", alerts: receive}}
alerts: [{alert: hot, expr: cpu > 80}]
groups:
  - {name: web, cloud: local, min: 0, max: 3, initial: 0}
`)})); err != nil {
		t.Fatal(err)
	}
	const posted = `{"receiver":"scalerd","status":"firing","alerts":[
		{"status":"firing","labels":{"alertname":"hot","application":"shop"},"annotations":{"summary":"x"},"startsAt":"2026-05-04T12:00:00.123Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://p/graph","fingerprint":"c3b1"},
		{"status":"resolved","labels":{"alertname":"cold"},"annotations":{},"startsAt":"2026-05-04T12:00:00Z","endsAt":"2026-05-04T12:01:00Z","generatorURL":"","fingerprint":"c3b2"}],
		"groupLabels":{"alertname":"hot"},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://a","version":"4","groupKey":"{}:{alertname=\"hot\"}","truncatedAlerts":0}`
	request := httptest.NewRequest(http.MethodPost, "/v1/alerts", strings.NewReader(posted))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	var got api.Received
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || answer.Code != http.StatusOK {
		t.Fatalf("POST /v1/alerts = %d %s", answer.Code, answer.Body)
	}
	if diff := cmp.Diff(api.Received{Taken: 1, Ignored: []string{"cold"}}, got); diff != "" {
		t.Errorf("POST /v1/alerts (-want +got):\n%s", diff)
	}
}

// TestWhatIfIsAnswered asks about a group that was not looked at, or is not there.
func TestWhatIfIsAnswered(t *testing.T) {
	client, _ := serve(t)
	if _, err := client.Submit(t.Context(), api.Describe(scaler.Source{File: "shop.yaml", Text: []byte(empty)})); err != nil {
		t.Fatal(err)
	}
	if _, err := client.WhatIf(t.Context(), "shop", "web", scaler.Supposed{}); !errors.Is(err, scaler.ErrRefused) {
		t.Errorf("WhatIf() before the first tick = %v, want ErrRefused", err)
	}
	if _, err := client.WhatIf(t.Context(), "shop", "db", scaler.Supposed{}); !errors.Is(err, scaler.ErrNotFound) {
		t.Errorf("WhatIf() of no group = %v, want ErrNotFound", err)
	}
}
