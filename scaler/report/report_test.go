package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"log/slog"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/report"
	"github.com/scalerd/scalerd/scaler/store"
)

// optimizers are those of a service without applications.
func optimizers(t testing.TB) *scaler.Optimizers {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "scalerd.db"))
	if err != nil {
		t.Fatal(err)
	}
	service := scaler.NewService(scaler.Config{
		Data: t.TempDir(), Store: db, Metrics: scaler.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
		db.Close()
	})
	all, err := service.Optimizers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// taught is an optimizer that has sized a simulated fleet for n ticks.
func taught(t testing.TB, method optimizer.Method, n int) *scaler.Advisor {
	t.Helper()
	c := optimizer.Default()
	c.Method, c.TrainingSamplesRequired = method, 100
	c.MinNodes, c.MaxNodes = 1, 30
	c.Inputs = []string{"AVG_RR", "SUM_RR", "CPU", "KBIn", "CTXSW"}
	least, most := 0.12, 0.25
	c.Targets = []optimizer.Target{{Name: "LAT", Min: &least, Max: &most}}
	a, err := optimizers(t).Configure(t.Context(), "shop-web", c)
	if err != nil {
		t.Fatal(err)
	}
	fleet := fleet{rng: rand.New(rand.NewPCG(7, 7)), ready: 4}
	for i := range n {
		if err := a.Learn(t.Context(), []scaler.Sample{fleet.measure(i)}, true); err != nil {
			t.Fatal(err)
		}
		advice, err := a.Advise(time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case advice.Valid:
			fleet.resize(advice.Nodes)
		case i%25 == 0:
			fleet.resize(3 + i/25%5)
		}
	}
	return a
}

// fleet is a fleet of queues with a boot time of eight ticks.
type fleet struct {
	rng    *rand.Rand
	ready  int
	coming []int // ticks until each is ready
}

func (f *fleet) resize(n int) {
	for len(f.coming) > 0 && f.ready+len(f.coming) > n {
		f.coming = f.coming[:len(f.coming)-1]
	}
	f.ready = min(f.ready, max(n, 1))
	for f.ready+len(f.coming) < n {
		f.coming = append(f.coming, 8)
	}
}

func (f *fleet) measure(i int) scaler.Sample {
	var boots []time.Duration
	var left []int
	for _, ticks := range f.coming {
		if ticks == 0 {
			f.ready++
			boots = append(boots, 2*time.Minute)
			continue
		}
		left = append(left, ticks-1)
	}
	f.coming = left
	noise := func(by float64) float64 { return math.Exp(by * f.rng.NormFloat64()) }
	load := (110 + 70*math.Sin(float64(i)/180) + 12*math.Sin(float64(i)/19)) * noise(0.03)
	per := load / float64(f.ready)
	rho := min(per/20, 0.99)
	values := map[string]float64{
		"AVG_RR": per, "SUM_RR": load, "CPU": 100 * min(rho*noise(0.03), 1), "KBIn": 3.1 * per * noise(0.08), "CTXSW": (900 + 160*per) * noise(0.1),
		"LAT": 0.1 * (1 + math.Pow(rho, 1.449)/(2*(1-rho))) * noise(0.05),
	}
	if i%97 == 0 {
		values["KBIn"] = math.NaN()
	}
	return scaler.Sample{
		Sample: optimizer.Sample{At: time.Date(2026, 3, 2, 6, 0, 15*i, 0, time.UTC), Nodes: f.ready, Total: f.ready + len(f.coming), Values: values},
		Boots:  boots,
	}
}

func TestTheDataIsOfOnePiece(t *testing.T) {
	for _, method := range []optimizer.Method{optimizer.Auto, optimizer.Published} {
		d := report.Make(taught(t, method, 600).Facts())
		n := len(d.Time)
		if n != 600 || len(d.Nodes) != n || len(d.Total) != n || len(d.Advised) != n || len(d.Values) != 6 || len(d.Values[5]) != n || len(d.Predictions[0].Value) != n {
			t.Fatalf("%s: %d instants, want 600 and all lists as long", method, n)
		}
		if d.Predictions[0].Judged < 100 || len(d.WhatIf.Counts) == 0 || d.Advice == nil || len(d.Correlation) != 6 || d.Correlation[0][0] != 1 {
			t.Errorf("%s: %d judged, %d candidates, advice %v", method, d.Predictions[0].Judged, len(d.WhatIf.Counts), d.Advice)
		}
		if r := d.Regressions[0]; r.Events < 3 || math.IsNaN(float64(r.R)) || r.Problem != "" {
			t.Errorf("%s: regression = %+v", method, r)
		}
		if k := d.Knowledge; k.Samples != 600 || k.Interval != "15s" || !(k.Complete > 0.98 && k.Complete < 1) || k.Events == 0 {
			t.Errorf("%s: knowledge = %+v", method, k)
		}
	}
}

func TestAnEmptyOptimizerHasAReportToo(t *testing.T) {
	a := taught(t, optimizer.Auto, 0)
	for _, format := range []string{"html", "png", "svg", "json"} {
		var file bytes.Buffer
		if _, err := report.Write(&file, a, format); err != nil || file.Len() == 0 {
			t.Errorf("report of nothing as %s: %d bytes, %v", format, file.Len(), err)
		}
	}
	if _, err := report.Write(new(bytes.Buffer), a, "pdf"); err == nil {
		t.Error("a report as pdf is no error")
	}
}

func TestPicturesAndDataAreWhatTheyClaim(t *testing.T) {
	a := taught(t, optimizer.Auto, 300)
	var picture bytes.Buffer
	if kind, err := report.Write(&picture, a, "png"); err != nil || kind != "image/png" {
		t.Fatalf("png: %s, %v", kind, err)
	}
	image, err := png.Decode(&picture)
	if err != nil || image.Bounds().Dx() < 800 {
		t.Errorf("png: %v, %v, want a picture", image, err)
	}
	var drawing bytes.Buffer
	if _, err := report.Write(&drawing, a, "svg"); err != nil || !strings.Contains(drawing.String(), "<svg") || strings.Contains(drawing.String(), "NaN") {
		t.Errorf("svg: %v, %.80s", err, drawing.String())
	}
	var data bytes.Buffer
	if _, err := report.Write(&data, a, "json"); err != nil || !json.Valid(data.Bytes()) {
		t.Errorf("json: %v", err)
	}
}

func TestNamesInAPageAreText(t *testing.T) {
	d := report.Data{Name: "</title><script>alert(1)</script>", Inputs: []string{"</script><script>alert(2)</script>"}}
	var page bytes.Buffer
	if err := report.HTML(&page, d); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script>alert(1)", "<script>alert(2)"} {
		if strings.Contains(page.String(), bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
}
