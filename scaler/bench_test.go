package scaler_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/monitor"
	"github.com/scalerd/scalerd/scaler/store"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// BenchmarkTick is one tick of an application with ten queries over ten nodes:
// real embedded monitoring and a real store. Nothing changes at these ticks, and
// the benchmark fails when one of them starts a step, and with it a subprocess.
func BenchmarkTick(b *testing.B) {
	cloud := newCloud()
	cloud.taking(0)
	service := benchService(b, cloud)
	if _, err := service.Submit(b.Context(), scaler.Source{File: "bench.yaml", Text: []byte(tenQueries(b))}); err != nil {
		b.Fatal(err)
	}
	settled(b, service, 10)
	steps := cloud.stepsDone()
	b.ReportAllocs()
	for b.Loop() {
		if err := service.TickNow(b.Context(), "bench", time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	if cloud.stepsDone() != steps {
		b.Fatalf("%d steps at ticks that change nothing, want none", cloud.stepsDone()-steps)
	}
}

// tenQueries is a description whose monitoring finds ten metrics pages, and whose
// group has a policy for each of ten queries.
func tenQueries(b *testing.B) string {
	pages := make([]string, 10)
	for i := range pages {
		reg := prometheus.NewRegistry()
		requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total"}, []string{"code"})
		reg.MustRegister(requests)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.WithLabelValues("200").Add(10)
			promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(w, r)
		}))
		b.Cleanup(server.Close)
		pages[i] = strings.TrimPrefix(server.URL, "http://")
	}
	var queries, policies strings.Builder
	for i := range 10 {
		fmt.Fprintf(&queries, "  q%d: sum(rate(requests_total[%ds])) + %d\n", i, 5+i, i)
		fmt.Fprintf(&policies, "      - steps: {query: q%d, bands: [{above: 1e9, change: 1}]}\n", i)
	}
	return fmt.Sprintf(`name: bench
interval: 1s
monitoring:
  targets:
    - {job: pages, addresses: ["%s"]}
queries:
%sgroups:
  - name: web
    cloud: local
    min: 10
    max: 20
    policies:
%s`, strings.Join(pages, `", "`), queries.String(), policies.String())
}

func benchService(b *testing.B, cloud *cloud) *scaler.Service {
	dir := b.TempDir()
	db, err := store.Open(b.Context(), filepath.Join(dir, "scalerd.db"))
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	embedded, err := monitor.OpenEmbedded(filepath.Join(dir, "metrics"), monitor.EmbeddedOptions{Logger: log, Registerer: prometheus.NewRegistry()})
	if err != nil {
		b.Fatal(err)
	}
	service := scaler.NewService(scaler.Config{
		Data: dir, Store: db, Terraform: cloud,
		Monitor: func(app *spec.Application, _ string) (scaler.Monitor, error) {
			return embedded.Application(app.Name, app.Interval.AsDuration()), nil
		},
		Inspector:  blind{},
		CheckQuery: monitor.CheckQuery,
		Metrics:    scaler.NewMetrics(prometheus.NewRegistry()),
		Log:        log,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Errorf("Run() = %v", err)
		}
		if err := embedded.Close(); err != nil {
			b.Errorf("Close() = %v", err)
		}
		db.Close()
	})
	return service
}

// settled waits until the nodes exist and every query of the last tick had a value.
func settled(b *testing.B, service *scaler.Service, nodes int) {
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		status, err := service.Application(b.Context(), "bench")
		if err != nil {
			b.Fatal(err)
		}
		g := status.Groups[0]
		if g.Settled && g.Booting == nodes && g.Decision != nil && len(g.Decision.Readings) == 10 && !g.Decision.Held {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.Fatal("the application did not settle within 30 s")
}
