package micado_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/micado"
	"github.com/scalerd/scalerd/scaler/store"
)

// server is the interface on a service without applications.
type server struct {
	t testing.TB
	http.Handler
	service *scaler.Service
}

func serve(t testing.TB) server {
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
	report := func(w io.Writer, a *scaler.Advisor) error {
		_, err := fmt.Fprintf(w, "report of %s", a.Name())
		return err
	}
	return server{t, micado.Handler(service, report), service}
}

// call makes a request and returns the status and the body.
func (s server) call(method, path, body string) (int, string) {
	s.t.Helper()
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	return answer.Code, answer.Body.String()
}

func (s server) ok(path, body string) {
	s.t.Helper()
	if code, answer := s.call(http.MethodPost, path, body); code != 200 || answer != "\"OK\"\n" {
		s.t.Fatalf("POST %s = %d %s, want \"OK\"", path, code, answer)
	}
}

// recorded is a body that the original ships for its tests.
func recorded(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "adts", name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("the recorded bodies are not here: %v", err)
	}
	return string(text)
}

const initial = `constants:
  min_vm_number: 1
  max_vm_number: 8
  training_samples_required: 20
  method: published
  input_metrics: [{name: RATE}, {name: CPU}]
  target_metrics: [{name: LAT, min_threshold: 50, max_threshold: "200"}]
`

// sample is one of a small fleet; lat may be any YAML.
func sample(i int, lat string) string {
	nodes := 2 + i/6%3
	load := 15 + 5*math.Sin(float64(i)/7)
	return fmt.Sprintf("sample:\n  timestamp: '%d'\n  vm_number: %d\n  input_metrics:\n  - {name: CPU, value: %f}\n  - {name: RATE, value: %f}\n  target_metrics:\n  - {name: LAT, value: %s}\n",
		1_600_000_000+15*i, nodes, 9*load/float64(nodes), load/float64(nodes), lat)
}

func lat(i int) string {
	rho := (15 + 5*math.Sin(float64(i)/7)) / 10 / float64(2+i/6%3)
	return fmt.Sprint(40 / (1 - min(rho, 0.95)))
}

type advice struct {
	Valid       bool     `json:"valid"`
	Phase       string   `json:"phase"`
	Nodes       int      `json:"vm_number"`
	Reliability *float64 `json:"reliability"`
	Error       string   `json:"error_msg"`
}

// advice checks that the status goes with valid, as the original's does.
func (s server) advice() advice {
	s.t.Helper()
	code, body := s.call(http.MethodGet, "/advice", "")
	var a advice
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&a); err != nil || a.Reliability == nil {
		s.t.Fatalf("GET /advice = %s, %v", body, err)
	}
	if want := map[bool]int{true: 200, false: 400}[a.Valid]; code != want || a.Error == "" {
		s.t.Errorf("GET /advice = %d %s, want %d and an error_msg", code, body, want)
	}
	return a
}

func TestTheRecordedBodiesAreTaken(t *testing.T) {
	s := serve(t)
	s.ok("/init", recorded(t, "opt_optimizer_constants.yaml"))
	s.ok("/sample", recorded(t, "opt_metrics_sample_example_up.yaml"))
	a := s.advice()
	if a.Phase != "training" && !a.Valid {
		t.Errorf("advice after one sample = %+v", a)
	}
	code, body := s.call("POST", "/sample", recorded(t, "opt_metrics_sample_example_down.yaml"))
	if code != 400 || !strings.Contains(body, "of this instant already") {
		t.Errorf("the same instant again: %d %s, want 400 and why", code, body)
	}
	// Its names are in another order than the configured ones, and its target is [].
	s.ok("/init", recorded(t, "opt_optimizer_constants_mark_brutal.yaml"))
	s.ok("/sample", recorded(t, "opt_metrics_sample_example_up_mark_null.yaml"))
	if a := s.advice(); a.Valid && a.Phase == "production" {
		t.Errorf("advice on a sample without its target = %+v", a)
	}
	if code, body := s.call("GET", "/data/nn_training_data.csv", ""); code != 200 ||
		!strings.HasPrefix(body, "timestamp,PktIn,KBIn,AVG_RR,Inter,CTXSW,KBOut,CPU,SUM_RR,PktOut,vm_number,AVG_LAT_05\n") || !strings.Contains(body, "\n1565609003,0.25002500250025,") || !strings.HasSuffix(body, ",3,null\n") {
		t.Errorf("knowledge = %d %s, want the columns by name, and null for the target", code, body)
	}
}

func TestTheServiceLearnsAndAdvises(t *testing.T) {
	s := serve(t)
	if a := s.advice(); a.Valid || !strings.Contains(a.Error, "POST /init") {
		t.Errorf("advice before /init = %+v", a)
	}
	s.ok("/init", initial)
	if a := s.advice(); a.Valid || a.Phase != "training" || !strings.Contains(a.Error, "no sample") {
		t.Errorf("advice before the first sample = %+v", a)
	}
	for i := range 60 {
		s.ok("/sample?train=wait", sample(i, lat(i)))
	}
	a := s.advice()
	if !a.Valid || a.Phase != "production" || a.Nodes < 1 || a.Nodes > 8 || *a.Reliability < 0 || *a.Reliability > 100 || a.Error != "no error" {
		t.Errorf("advice after 60 samples = %+v", a)
	}
	s.ok("/init", initial) // the policy keeper does so at each start
	if again := s.advice(); !cmp.Equal(a, again) {
		t.Errorf("advice after another /init = %+v, want that of before, %+v: its knowledge is used", again, a)
	}
	s.ok("/init", strings.Replace(initial, "max_vm_number: 8", "knowledge_base: build_new", 1))
	if a := s.advice(); a.Valid || !strings.Contains(a.Error, "no sample") {
		t.Errorf("advice after build_new = %+v", a)
	}
}

func TestWrongBodiesAreAnsweredWithWhatIsWrong(t *testing.T) {
	long := strings.Repeat("#", 2<<20)
	for _, tt := range []struct {
		name, path, body string
		code             int
		want             string
	}{
		{"nothing", "/init", " \n", 400, "Empty POST data"},
		{"no YAML", "/init", "constants: [", 400, "body:1:"},
		{"too much", "/sample", long, 413, "Too much"},
		{"no constants", "/init", "a: 1", 400, "constants"},
		{"no metrics", "/init", "constants: {max_vm_number: 3}", 400, "name at least one input metric"},
		{"an unknown constant", "/init", strings.Replace(initial, "min_vm_number", "least", 1), 400, "no such constant"},
		{"more candidates than memory", "/init", strings.Replace(initial, "max_vm_number: 8", "max_upscale_delta: 1000000000", 1), 400, "use 1 to 10000"},
		{"a threshold that is a word", "/init", strings.Replace(initial, `"200"`, "much", 1), 400, "max_threshold of LAT is much"},
		{"a metric without a name", "/init", strings.Replace(initial, "{name: RATE}", "{nom: RATE}", 1), 400, "input_metrics[0] has no name"},
		{"an unknown and a missing name", "/sample", strings.Replace(sample(1, "1"), "CPU", "GPU", 1), 400, `"missing":["CPU"],"unknown":["GPU"]`},
		{"no targets, as a policy keeper sends where its query failed", "/sample", strings.Replace(sample(1, "1"), "\n  - {name: LAT, value: 1}", " []", 1), 400, `"missing":["LAT"]`},
		{"a name twice", "/sample", strings.Replace(sample(1, "1"), "RATE", "CPU", 1), 400, "CPU is there twice"},
		{"half a node", "/sample", strings.Replace(sample(1, "1"), "vm_number: 2", "vm_number: 2.5", 1), 400, "vm_number is 2.5"},
		{"fewer nodes than none", "/sample", strings.Replace(sample(1, "1"), "vm_number: 2", "vm_number: -2", 1), 400, "number of nodes is impossible"},
		{"no time", "/sample", strings.Replace(sample(1, "1"), "timestamp: '1600000015'", "timestamp: soon", 1), 400, "timestamp is soon"},
		{"a time that overflows", "/sample", strings.Replace(sample(1, "1"), "1600000015", "1e300", 1), 400, "timestamp is 1e300"},
		{"a word for a value", "/sample", sample(1, "fast"), 400, "value of LAT is fast"},
		{"a clock that jumps back", "/sample", strings.Replace(sample(1, "1"), "1600000015", "1500000000", 1), 400, "older than the last one"},
		{"the same instant", "/sample", sample(0, "2"), 400, "of this instant already"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t)
			s.ok("/init", initial)
			s.ok("/sample", sample(0, "100"))
			code, body := s.call("POST", tt.path, tt.body)
			if code != tt.code || !strings.Contains(body, tt.want) || !strings.Contains(body, fmt.Sprintf(`"status_code":%d`, tt.code)) {
				t.Errorf("POST %s = %d %s, want %d with %q", tt.path, code, body, tt.code, tt.want)
			}
			if _, file := s.call("GET", "/data/nn_training_data.csv", ""); strings.Count(file, "\n") != 2 {
				t.Errorf("knowledge after the refusal:\n%s\nwant the one sample of before", file)
			}
		})
	}
}

func TestNoValueIsWrittenInManyWays(t *testing.T) {
	s := serve(t)
	s.ok("/init", initial)
	for i, lat := range []string{"null", "~", "[]", ".nan", ".NaN", "-.inf", ".Inf", "NaN", "'nan'", "1e200"} {
		code, body := s.call("POST", "/sample", sample(i, lat))
		if code != 200 {
			t.Errorf("value %s: %d %s", lat, code, body)
		}
	}
	if _, file := s.call("GET", "/data/nn_training_data.csv", ""); strings.Count(file, ",null\n") != 10 {
		t.Errorf("knowledge:\n%s\nwant ten samples without the target", file)
	}
}

func (s server) upload(field, name, text string) (int, string) {
	s.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile(field, name)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := part.Write([]byte(text)); err != nil {
		s.t.Fatal(err)
	}
	w.Close()
	request := httptest.NewRequest(http.MethodPost, "/report", &form)
	request.Header.Set("Content-Type", w.FormDataContentType())
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	return answer.Code, answer.Body.String()
}

func TestKnowledgeIsUploadedThroughTheReport(t *testing.T) {
	s := serve(t)
	s.ok("/init", initial)
	code, body := s.upload("file[]", "nn_training_data.csv", "timestamp,RATE,CPU,vm_number,LAT\n1600000000,1,2,3,4\n1600000015,1,2,x,4\n")
	if code != 200 || !strings.Contains(body, `"added":1,"skipped":1`) {
		t.Errorf("upload = %d %s, want one sample added and one skipped", code, body)
	}
	for _, tt := range []struct{ field, name, text, want string }{
		{"file[]", "a.csv", "timestamp,RATE,vm_number,LAT\n1,1,1,1\n", "CPU"},
		{"file[]", "../../models/saved_mlp_model.pkl", "x", "no knowledge"},
		{"other", "a.csv", "x", "no file"},
	} {
		if code, body := s.upload(tt.field, tt.name, tt.text); code != 400 || !strings.Contains(body, tt.want) {
			t.Errorf("upload of %s = %d %s, want 400 with %q", tt.name, code, body, tt.want)
		}
	}
	if code, body := s.call("GET", "/report", ""); code != 200 || body != "report of micado" {
		t.Errorf("GET /report = %d %s", code, body)
	}
}

// FuzzBodies sends anything: the answer is "OK" or a 4xx, and afterwards there is an
// advice within min and max.
func FuzzBodies(f *testing.F) {
	f.Add(true, initial)
	f.Add(false, sample(1, "1"))
	f.Add(false, sample(2, ".nan"))
	f.Add(false, "sample: {timestamp: 1e999, vm_number: [], input_metrics: {}, target_metrics: [[]]}")
	f.Add(true, "constants: {input_metrics: [[{name: {}}]], target_metrics: x, max_vm_number: 99999999999999999999}")
	s := serve(f)
	f.Fuzz(func(t *testing.T, init bool, body string) {
		path := map[bool]string{true: "/init", false: "/sample"}[init]
		s := server{t, s.Handler, s.service}
		code, answer := s.call("POST", path, body)
		if code != 200 && (code < 400 || code >= 500) {
			t.Fatalf("POST %s = %d %s", path, code, answer)
		}
		if init && code == 200 {
			return
		}
		code, answer = s.call("GET", "/advice", "")
		if code != 200 && code != 400 {
			t.Fatalf("GET /advice = %d %s", code, answer)
		}
	})
}
