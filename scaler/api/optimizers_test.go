package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/store"
)

// loop is an external loop's view of scalerd: optimizers, and nothing else.
type loop struct {
	t testing.TB
	http.Handler
}

func optimizers(t testing.TB) loop {
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
	return loop{t, api.OptimizersHandler(service, "test")}
}

func (l loop) call(method, path, body string) (int, string) {
	l.t.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	l.ServeHTTP(answer, request)
	return answer.Code, answer.Body.String()
}

// ok makes a call that must succeed, and decodes its answer.
func ok[T any](l loop, method, path, body string) T {
	l.t.Helper()
	code, text := l.call(method, path, body)
	var out T
	if code != http.StatusOK {
		l.t.Fatalf("%s %s = %d %.600s", method, path, code, text)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		l.t.Fatalf("%s %s = %s: %v", method, path, text, err)
	}
	return out
}

const fleetConfig = `{"inputs": ["rate", "cpu"], "targets": [{"name": "latency", "max": 0.25}], "min_nodes": 1, "max_nodes": 12,
	"training_samples_required": 30, "method": "published", "boot_hint": "60s", "interval": 15}`

// observed is a sample of a simulated fleet, with nodes as they were advised.
func observed(i, nodes int) string {
	load := 60 + 30*math.Sin(float64(i)/25)
	per := load / float64(nodes)
	rho := min(per/20, 0.98)
	return fmt.Sprintf(`{"at": %d, "nodes": %d, "total": %d, "values": {"rate": %g, "cpu": %g, "latency": %g}}`,
		1_700_000_000+15*i, nodes, nodes, per, 100*rho, 0.1*(1+rho*rho/(1-rho)))
}

func batch(from, n int) string {
	var all []string
	for i := from; i < from+n; i++ {
		all = append(all, observed(i, 3+i/6%4))
	}
	return `{"samples": [` + strings.Join(all, ",") + `]}`
}

type learned struct {
	Learned, Samples int
	Training         bool
	Advice           map[string]any
}

func TestAnExternalLoopLearnsAndIsAdvised(t *testing.T) {
	l := optimizers(t)
	made := ok[api.OptimizerDetail](l, "PUT", "/v1/optimizers/sim", fleetConfig)
	if made.Config.MaxNodes != 12 || made.Config.Budget != 0.99 || time.Duration(made.Config.Interval) != 15*time.Second || made.Samples != 0 {
		t.Errorf("made %+v, want what was given, and defaults", made)
	}
	first := ok[learned](l, "POST", "/v1/optimizers/sim/samples?train=wait&advice=true", batch(0, 120))
	if first.Learned != 120 || first.Samples != 120 || first.Training || first.Advice["valid"] != true {
		t.Fatalf("after 120 samples: %+v, want a valid advice", first)
	}
	nodes := int(first.Advice["vm_number"].(float64))
	for i := 120; i < 400; i++ { // one call a step, as a simulator's loop does
		out := ok[learned](l, "POST", "/v1/optimizers/sim/samples?train=wait&advice=true", `{"samples": [`+observed(i, nodes)+`]}`)
		nodes = int(out.Advice["vm_number"].(float64))
		if nodes < 1 || nodes > 12 {
			t.Fatalf("step %d: %d nodes advised, want 1..12", i, nodes)
		}
	}
	again := ok[map[string]any](l, "GET", "/v1/optimizers/sim/advice", "")
	if int(again["vm_number"].(float64)) != nodes {
		t.Errorf("advice %v, want the %d nodes of the last call", again, nodes)
	}
	late := ok[map[string]any](l, "GET", "/v1/optimizers/sim/advice?at=1700090000", "")
	if late["valid"] != false || !strings.Contains(late["error_msg"].(string), "old") {
		t.Errorf("advice a day later = %v, want none on a sample so old", late)
	}
	if status := ok[api.OptimizerDetail](l, "GET", "/v1/optimizers/sim", ""); status.Samples != 400 || status.Trainings == 0 || len(status.Quality) == 0 {
		t.Errorf("status = %+v", status)
	}
}

func TestEqualSamplesGiveEqualAdvice(t *testing.T) {
	answers := make([]string, 2)
	for i, size := range []int{300, 25} {
		l := optimizers(t)
		ok[any](l, "PUT", "/v1/optimizers/sim", strings.Replace(fleetConfig, "published", "auto", 1))
		for from := 0; from < 300; from += size {
			ok[any](l, "POST", "/v1/optimizers/sim/samples?train=wait", batch(from, size))
		}
		_, answers[i] = l.call("GET", "/v1/optimizers/sim/advice", "")
	}
	if answers[0] != answers[1] {
		t.Errorf("advice after one batch:\n%s\nafter twelve:\n%s", answers[0], answers[1])
	}
}

func TestWrongCallsAreAnsweredWithWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name, method, path, body string
		code                     int
		want                     string
	}{
		{"an unknown optimizer", "GET", "/v1/optimizers/none/advice", "", 404, "not found"},
		{"a group's name", "PUT", "/v1/optimizers/shop.web", fleetConfig, 409, "a group's"},
		{"a name like a path", "PUT", "/v1/optimizers/..%2Fx", fleetConfig, 409, "lower-case"},
		{"no target", "PUT", "/v1/optimizers/a", `{"inputs": ["a"], "targets": []}`, 422, "body.targets"},
		{"no limit", "PUT", "/v1/optimizers/a", `{"inputs": ["a"], "targets": [{"name": "b"}]}`, 422, "body.targets[0]"},
		{"an unknown key", "PUT", "/v1/optimizers/a", strings.Replace(fleetConfig, "boot_hint", "boot", 1), 422, "boot"},
		{"a budget of all", "PUT", "/v1/optimizers/a", strings.Replace(fleetConfig, `"method"`, `"budget": 1, "method"`, 1), 422, "budget"},
		{"a span without a unit", "PUT", "/v1/optimizers/a", strings.Replace(fleetConfig, "60s", "60", 1), 422, "boot_hint"},
		{"wrong names", "POST", "/v1/optimizers/sim/samples", strings.Replace(batch(50, 1), "cpu", "gpu", 1), 400, "values.gpu"},
		{"a missing name", "POST", "/v1/optimizers/sim/samples", strings.Replace(batch(50, 1), "cpu", "gpu", 1), 400, "values.cpu"},
		{"the same instant", "POST", "/v1/optimizers/sim/samples", batch(19, 2), 409, "samples[0]"},
		{"the past", "POST", "/v1/optimizers/sim/samples", batch(3, 1), 409, "older"},
		{"no samples", "POST", "/v1/optimizers/sim/samples", `{"samples": []}`, 422, "body.samples"},
		{"no time", "POST", "/v1/optimizers/sim/samples", strings.Replace(batch(50, 1), "1700000750", `"noon"`, 1), 422, "at"},
		{"a time beyond all", "POST", "/v1/optimizers/sim/samples", strings.Replace(batch(50, 1), "1700000750", `1e300`, 1), 422, "1e+300"},
		{"not a number", "POST", "/v1/optimizers/sim/samples", strings.Replace(batch(50, 1), `"cpu": `, `"cpu": NaN, "x": `, 1), 400, ""},
		{"junk", "POST", "/v1/optimizers/sim/samples", `{`, 400, ""},
		{"junk for knowledge", "POST", "/v1/optimizers/sim/knowledge", "\x00\xff", 400, "knowledge"},
		{"an odd format", "GET", "/v1/optimizers/sim/report?format=pdf", "", 422, "format"},
		{"advice of the past", "GET", "/v1/optimizers/sim/advice?at=5", "", 409, "newest sample"},
		{"advice at no time", "GET", "/v1/optimizers/sim/advice?at=soon", "", 422, "at"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := optimizers(t)
			ok[any](l, "PUT", "/v1/optimizers/sim", fleetConfig)
			ok[any](l, "POST", "/v1/optimizers/sim/samples", batch(0, 20))
			code, text := l.call(tt.method, tt.path, tt.body)
			if code != tt.code || !strings.Contains(text, tt.want) {
				t.Errorf("%s %s = %d %s, want %d with %q", tt.method, tt.path, code, text, tt.code, tt.want)
			}
			if got := ok[api.OptimizerDetail](l, "GET", "/v1/optimizers/sim", ""); got.Samples != 20 {
				t.Errorf("%d samples after that, want the 20 of before", got.Samples)
			}
		})
	}
}

func TestKnowledgeAndReportAreFiles(t *testing.T) {
	l := optimizers(t)
	ok[any](l, "PUT", "/v1/optimizers/from", fleetConfig)
	ok[any](l, "PUT", "/v1/optimizers/to", fleetConfig)
	ok[any](l, "POST", "/v1/optimizers/from/samples", batch(0, 60))
	for _, format := range []string{"csv", "json"} {
		_, file := l.call("GET", "/v1/optimizers/from/knowledge?format="+format, "")
		done := ok[map[string]any](l, "POST", "/v1/optimizers/to/knowledge?format="+format, file)
		if done["added"] != 60.0 {
			t.Errorf("import of %s = %v, want 60 added", format, done)
		}
		ok[any](l, "DELETE", "/v1/optimizers/to/knowledge", "")
		if got := ok[api.OptimizerDetail](l, "GET", "/v1/optimizers/to", ""); got.Samples != 0 {
			t.Errorf("%d samples after all are forgotten", got.Samples)
		}
	}
	for format, begin := range map[string]string{"html": "<!doctype html>", "png": "\x89PNG", "svg": "<?xml", "json": `{"name":"from"`} {
		if code, file := l.call("GET", "/v1/optimizers/from/report?format="+format, ""); code != 200 || !strings.HasPrefix(file, begin) {
			t.Errorf("report as %s = %d %.40q", format, code, file)
		}
	}
	ok[any](l, "DELETE", "/v1/optimizers/to", "")
	list := ok[api.Page[scaler.AdvisorStatus]](l, "GET", "/v1/optimizers", "").Items
	if len(list) != 1 || list[0].Name != "from" {
		t.Errorf("optimizers = %+v, want only from", list)
	}
}

func TestTheOptimizersDescribeThemselves(t *testing.T) {
	doc := ok[struct {
		Paths map[string]map[string]struct {
			Summary string
			Tags    []string
		}
		Tags []struct{ Name, Description string }
	}](optimizers(t), "GET", "/openapi.json", "")
	var paths []string
	for path, operations := range doc.Paths {
		for method, o := range operations {
			paths = append(paths, method+" "+path)
			if o.Summary == "" || !cmp.Equal(o.Tags, []string{"optimizers"}) {
				t.Errorf("%s %s says %q, tags %v", method, path, o.Summary, o.Tags)
			}
		}
	}
	if len(paths) != 10 || len(doc.Tags) != 1 || !strings.Contains(doc.Tags[0].Description, "train=wait") {
		t.Errorf("operations %v, tags %v; want ten, explained", paths, doc.Tags)
	}
}

// FuzzSamples sends any batch: the answer is never a server's error, and the advice
// stays within min and max.
func FuzzSamples(f *testing.F) {
	f.Add(batch(0, 1))
	f.Add(`{"samples": [{"at": 1e9, "nodes": 3, "values": {"rate": 1e308, "cpu": -1e308, "latency": 0}, "boots": [-1, "1h"]}]}`)
	f.Add(`{"samples": [{"at": "2026-01-01T00:00:00Z", "nodes": 1000000, "total": 1000000, "values": {"rate": null, "cpu": 5e-324, "latency": null}}]}`)
	l := optimizers(f)
	ok[any](l, "PUT", "/v1/optimizers/sim", strings.Replace(fleetConfig, "published", "auto", 1))
	f.Fuzz(func(t *testing.T, body string) {
		l := loop{t, l.Handler}
		if code, text := l.call("POST", "/v1/optimizers/sim/samples", body); code >= 500 {
			t.Fatalf("%d %s", code, text)
		}
		advice := ok[map[string]any](l, "GET", "/v1/optimizers/sim/advice", "")
		if n := advice["vm_number"].(float64); n < 1 || n > 12 {
			t.Fatalf("advice = %v, want within 1..12", advice)
		}
	})
}

// BenchmarkOneStep is one step of a simulator's loop: a sample learned and an advice.
func BenchmarkOneStep(b *testing.B) {
	l := optimizers(b)
	ok[any](l, "PUT", "/v1/optimizers/sim", strings.Replace(fleetConfig, "published", "auto", 1))
	i := 0
	for b.Loop() {
		ok[any](l, "POST", "/v1/optimizers/sim/samples?train=wait&advice=true", `{"samples": [`+observed(i, 4)+`]}`)
		i++
	}
}
