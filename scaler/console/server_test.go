package console_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/access/oidc"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/console"
	"github.com/scalerd/scalerd/scaler/operation"
	"github.com/scalerd/scalerd/scaler/store"
	"github.com/scalerd/scalerd/tfgen/spec"
)

const shop = `name: shop
interval: 1s
queries:
  requests: requests
  latency: latency
groups:
  - name: web
    cloud: local
    min: 2
    max: 12
    initial: 6
    price_per_hour: 0.17
    budget: {max_per_month: 1500, currency: EUR}
    optimizer:
      inputs: [requests]
      targets: [{query: latency, max: 0.25}]
      training_samples_required: 100
    policies:
      - advice: {min_reliability: 50}
      - target: {query: requests, kind: total, value: 24}
      - name: cautious
        shadow: true
        target: {query: requests, kind: total, value: 18}
    scaling: {cooldown_in: 5m, stabilisation: 10m}
  - name: workers
    cloud: local
    min: 0
    max: 20
    initial: 3
    policies:
      - target: {query: requests, kind: total, value: 40}
    scaling: {cooldown_in: 5m, stabilisation: 10m}
`

const batch = `name: batch
interval: 1s
queries: {queue: queue, absent: absent}
groups:
  - {name: render, cloud: local, min: 1, max: 9, initial: 2, policies: [{target: {query: queue, kind: total, value: 20}}], scaling: {cooldown_in: 5m, stabilisation: 10m}}
  - {name: encode, cloud: local, min: 1, max: 9, initial: 3}
  - {name: gpu, cloud: local, min: 1, max: 4, initial: 2, policies: [{target: {query: absent, value: 1}}]}
`

const password = "correct horse battery staple"

// served is a service with everything a daemon has, but Terraform and the metrics,
// and its public listener.
type served struct {
	*scaler.Service
	url string
	db  *store.SQLite
}

// start runs a daemon of two applications that have run for a day.
func start(t *testing.T) *served {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(dir, "scalerd.db"))
	if err != nil {
		t.Fatal(err)
	}
	past(t, db, time.Now())
	fake := &cloud{states: map[string]scaler.State{}, fails: "gpu", stays: "encode"}
	service := scaler.NewService(scaler.Config{
		Data: dir, Store: db, Terraform: fake, Inspector: blind{},
		Monitor: func(*spec.Application, string) (scaler.Monitor, error) {
			return &meters{boot: 1200 * time.Millisecond, since: map[string]time.Time{}}, nil
		},
		CheckQuery: func(string) error { return nil },
		Metrics:    scaler.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
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
	guard, err := access.Open(t.Context(), db, access.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []access.User{{Name: "root", Role: access.Admin}, {Name: "olga", Role: access.Operator}, {Name: "vera", Role: access.Viewer}} {
		if _, err := guard.PutUser(t.Context(), u.Name, password, u.Role); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"shop": shop, "batch": batch} {
		if _, err := service.Submit(t.Context(), scaler.Source{File: name + ".yaml", Text: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/", console.WithoutPrompt(guard.Handler(api.Handler(api.Config{Service: service, Operations: operations, Guard: guard, Version: "test"}))))
	mux.Handle("GET /{$}", console.Handler())
	mux.Handle("GET "+console.Prefix, console.Handler())
	mux.Handle("/login", console.WithoutPrompt(guard.Login()))
	mux.Handle("/login/", (*oidc.Provider)(nil).Handler())
	mux.Handle("/logout", guard.Login())
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.NewServer(mux, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})), nil)
	server.Start()
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)
	return &served{service, server.URL, db}
}

// past records a day of shop's web group: what ticks saw, what was decided, and what
// the optimizer learned from.
func past(t *testing.T, db *store.SQLite, now time.Time) {
	t.Helper()
	var seen []scaler.Observed
	var learned []scaler.StoredSample
	wanted, ready := 6, 6
	var changed time.Time
	for at := now.Add(-24 * time.Hour).Truncate(15 * time.Second); at.Before(now.Add(-15 * time.Second)); at = at.Add(15 * time.Second) {
		requests, _ := demand("requests", at)
		latency, _ := demand("latency", at)
		want := min(12, int(math.Ceil(requests/24)))
		if want > wanted || want < wanted && at.Sub(changed) > 10*time.Minute {
			d := scaler.Decision{Application: "shop", Group: "web", At: at, From: wanted, To: want, Reasons: []string{fmt.Sprintf("target: requests is %.1f, 24 a node: %d nodes needed", requests, want)}}
			if _, err := db.RecordDecision(t.Context(), d, scaler.StoredGroup{Wanted: want, Known: true, NextNumber: 1}); err != nil {
				t.Fatal(err)
			}
			wanted, changed = want, at
		}
		existing := wanted
		if at.Sub(changed) >= 75*time.Second {
			ready = wanted
		}
		ready = min(ready, wanted)
		seen = append(seen, scaler.Observed{Group: "web", At: at, Wanted: wanted, Existing: existing, Ready: ready, Values: map[string]float64{"requests": requests, "latency": latency}})
		if now.Sub(at) < 4*time.Hour {
			learned = append(learned, scaler.StoredSample{Sample: scaler.Sample{Sample: optimizer.Sample{At: at, Nodes: ready, Total: existing,
				Values: map[string]float64{"requests": requests, "latency": latency * 6 / float64(max(1, ready))}}}})
		}
	}
	learned[len(learned)-1].Training = scaler.Began | scaler.AdoptedAtOnce
	if err := db.RecordObserved(t.Context(), "shop", seen); err != nil {
		t.Fatal(err)
	}
	if err := db.SaveSamples(t.Context(), "shop.web", learned); err != nil {
		t.Fatal(err)
	}
}
