package submitter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
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
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/monitor"
	"github.com/scalerd/scalerd/scaler/operation"
	"github.com/scalerd/scalerd/scaler/store"
	"github.com/scalerd/scalerd/scaler/submitter"
	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// nothing is a scaler.Terraform that is never asked to do anything.
type nothing struct{}

func (nothing) Step(context.Context, scaler.Root, scaler.Expect, scaler.Watcher) ([]scaler.Change, error) {
	return nil, fmt.Errorf("no step was expected")
}
func (nothing) Recover(context.Context, scaler.Root, scaler.Watcher) error {
	return scaler.ErrInterrupted
}
func (nothing) Plan(context.Context, scaler.Root) ([]scaler.Change, error)  { return nil, nil }
func (nothing) Drift(context.Context, scaler.Root) ([]scaler.Change, error) { return nil, nil }
func (nothing) Login(scaler.Root) (string, error)                           { return "", nil }
func (nothing) Found(context.Context, scaler.Root) ([]tfgen.Found, error)   { return nil, nil }

func (nothing) Check(context.Context, scaler.Root, scaler.Expect, tfgen.Nodes, func(context.Context, scaler.SavedPlan) error) ([]scaler.Change, error) {
	return nil, nil
}

func (nothing) State(string) (scaler.State, error)                       { return scaler.State{}, nil }
func (nothing) Dead(string, []string) []string                           { return nil }
func (nothing) Reap(context.Context, string, []string) ([]string, error) { return nil, nil }

func serve(t *testing.T, who access.Identity) http.Handler {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(dir, "scalerd.db"))
	if err != nil {
		t.Fatal(err)
	}
	service := scaler.NewService(scaler.Config{
		Data: dir, Store: db, Terraform: nothing{}, Inspector: nothing{},
		Monitor: func(app *spec.Application, appDir string) (scaler.Monitor, error) {
			return monitor.NewExternal(spec.Prometheus{URL: "http://127.0.0.1:1"}, filepath.Join(appDir, "targets.json"), monitor.ExternalOptions{})
		},
		CheckQuery: monitor.CheckQuery, Metrics: scaler.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
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
	handler := submitter.Handler(service, operations)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(access.With(r.Context(), who)))
	})
}

var operator = access.Identity{Name: "micado", Role: access.Operator, How: "password"}

// adt is a template of MiCADO whose only group begins without a node, as the client
// loads it with yaml.safe_load and sends it as JSON.
const adt = `{"tosca_definitions_version": "tosca_simple_yaml_1_2",
 "imports": ["https://raw.githubusercontent.com/micado-scale/tosca/develop/micado_types.yaml"],
 "topology_template": {
  "inputs": {"image": {"type": "string"}},
  "node_templates": {"web": {"type": "tosca.nodes.MiCADO.EC2.Compute",
    "properties": {"region_name": "eu-west-1", "image_id": {"get_input": "image"}, "instance_type": "t3.small", "key_name": "k"},
    "interfaces": {"Terraform": {"create": null}}}},
  "policies": [{"scalability": {"type": "tosca.policies.Scaling.MiCADO", "targets": ["web"],
    "properties": {"min_instances": 0, "max_instances": 3}}}]}}`

// recorded is a request as python-requests sends it for micado-client, with what the
// client does with the answer.
type recorded struct {
	name, method, path, body string
	code                     int
	want                     map[string]any
}

// TestTheClientsCallsAreAnswered is the published micado-client's sequence:
// applications.create, get, list, delete. Its url is the request's own, because the
// client overwrites it.
func TestTheClientsCallsAreAnswered(t *testing.T) {
	const base = "/toscasubmitter/v2.0"
	h := serve(t, operator)
	create := `{"adt": ` + adt + `, "url": "https://master/toscasubmitter/v2.0/applications/MICADO-APP/", "params": {"image": "ami-0123456789abcdef0"}, "dryrun": false}`
	for _, r := range []recorded{
		{"list of nothing", "GET", base + "/applications/", "", 200, map[string]any{"message": "MiCADO Applications", "applications": []any{}}},
		{"get of nothing", "GET", base + "/applications/MICADO-APP/", "", 404, map[string]any{"message": "application micado-app: not found"}},
		{"create", "POST", base + "/applications/MICADO-APP/", create, 200, map[string]any{"message": "Application MICADO-APP successfully deployed", "id": "MICADO-APP"}},
		{"create again", "POST", base + "/applications/MICADO-APP/", create, 409, map[string]any{"message": "Application MICADO-APP exists already: PUT updates it"}},
		{"get", "GET", base + "/applications/MICADO-APP/", "", 200, map[string]any{"message": "Application MICADO-APP", "id": "MICADO-APP",
			"adaptors": map[string]any{"TerraformAdaptor": "executed", "PkAdaptor": "executed", "KubernetesAdaptor": "Skipped"}}},
		{"create of a second one", "POST", base + "/applications/other/", create, 200, map[string]any{"message": "Application other successfully deployed", "id": "other"}},
		{"list", "GET", base + "/applications/", "", 200, map[string]any{"message": "MiCADO Applications", "applications": []any{"micado-app", "other"}}},
		{"update", "PUT", base + "/applications/MICADO-APP/", create, 200, map[string]any{"message": "Application MICADO-APP successfully updated", "id": "MICADO-APP"}},
		{"update of nothing", "PUT", base + "/applications/nope/", create, 404, map[string]any{"message": "application nope: not found"}},
		{"delete", "DELETE", base + "/applications/MICADO-APP/", `{"force": false}`, 200, map[string]any{"message": "Application MICADO-APP successfully deleted", "id": "MICADO-APP"}},
		{"list after it, without the proxy's path", "GET", "/v2.0/applications", "", 200, map[string]any{"message": "MiCADO Applications", "applications": []any{"other"}}},
	} {
		request := httptest.NewRequest(r.method, r.path, strings.NewReader(r.body))
		request.Header.Set("User-Agent", "python-requests/2.31.0")
		request.Header.Set("Accept", "*/*")
		if r.body != "" {
			request.Header.Set("Content-Type", "application/json")
		}
		code, got := answer(t, h, request)
		if diff := cmp.Diff(r.want, got); code != r.code || diff != "" {
			t.Errorf("%s = %d, want %d (-want +got):\n%s", r.name, code, r.code, diff)
		}
	}
}

func answer(t *testing.T, h http.Handler, r *http.Request) (int, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%s %s = %d %s: %v", r.Method, r.URL, w.Code, w.Body, err)
	}
	return w.Code, got
}

// form is what curl -F sends.
func form(t *testing.T, path string, fields map[string]string, file string) *http.Request {
	t.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for name, value := range fields {
		if err := parts.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if file != "" {
		part, err := parts.CreateFormFile("adt", "../../etc/passwd")
		if err == nil {
			_, err = part.Write([]byte(file))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := parts.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", path, &body)
	r.Header.Set("Content-Type", parts.FormDataContentType())
	return r
}

func TestFormsAreTaken(t *testing.T) {
	h := serve(t, operator)
	params := map[string]string{"params": `{"image": "ami-0123456789abcdef0"}`}
	code, got := answer(t, h, form(t, "/v2.0/applications/shop/", params, adt))
	if code != 200 || got["message"] != "Application shop successfully deployed" {
		t.Errorf("a form with a file = %d %v", code, got)
	}
	code, got = answer(t, h, form(t, "/v2.0/applications/", params, adt))
	if id, _ := got["id"].(string); code != 200 || len(id) != 8 {
		t.Errorf("a form without an ID = %d %v, want an ID of 8 characters", code, got)
	}
	dry := map[string]string{"params": params["params"], "dryrun": "True", "adt": adt}
	if code, got := answer(t, h, form(t, "/v2.0/applications/dry/", dry, "")); code != 200 || !strings.Contains(got["message"].(string), "dry run") {
		t.Errorf("a dry run = %d %v", code, got)
	}
	if code, _ := answer(t, h, httptest.NewRequest("GET", "/v2.0/applications/dry/", nil)); code != 404 {
		t.Errorf("the application of a dry run = %d, want 404", code)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	h := serve(t, operator)
	plain := func(kind, body string) *http.Request {
		r := httptest.NewRequest("POST", "/v2.0/applications/shop/", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		return r
	}
	for _, tt := range []struct {
		name    string
		request *http.Request
		code    int
		says    string
	}{
		{"no ADT", plain("application/json", `{}`), 400, "there is no ADT"},
		{"only a url", plain("application/json", `{"url": "http://169.254.169.254/latest/meta-data"}`), 400, "not fetched"},
		{"no JSON", plain("application/json", `{`), 400, "JSON"},
		{"another type", plain("text/plain", adt), 415, "JSON or a form"},
		{"a broken form", plain("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"adt\"\r\n\r\nabc"), 400, "form"},
		{"a form without a boundary", plain("multipart/form-data", "abc"), 400, "form"},
		{"params that are no JSON", form(t, "/v2.0/applications/shop/", map[string]string{"params": "{'a': 1}"}, adt), 400, "params"},
		{"too much", plain("application/json", `{"adt": "`+strings.Repeat("x", 9<<20)+`"}`), 413, "larger"},
		{"a wrong template", plain("application/json", `{"adt": `+adt+`}`), 422, "adt.yaml:"},
		{"a description with a file of the machine", plain("application/json", `{"adt": "name: shop\ngroups: [{name: web, cloud: local, min: 0, max: 1, cloud_init: {base: /etc/passwd}}]"}`), 422, "scalerd's machine"},
		{"a description with another name", plain("application/json", `{"adt": "name: other\ngroups: [{name: web, cloud: local, min: 0, max: 1}]"}`), 422, "other"},
	} {
		if code, got := answer(t, h, tt.request); code != tt.code || !strings.Contains(got["message"].(string), tt.says) {
			t.Errorf("%s = %d %.300v, want %d and %q", tt.name, code, got, tt.code, tt.says)
		}
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "multipart-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestOnlyWhoMayIsAnswered(t *testing.T) {
	body := `{"adt": "name: shop\ngroups: [{name: web, cloud: local, min: 0, max: 1, initial: 0}]"}`
	for _, tt := range []struct {
		who          access.Identity
		method, path string
		code         int
	}{
		{access.Identity{}, "GET", "/v2.0/applications/", 401},
		{access.Identity{}, "POST", "/v2.0/applications/shop/", 401},
		{access.Identity{Name: "v", Role: access.Viewer}, "GET", "/v2.0/applications/", 200},
		{access.Identity{Name: "v", Role: access.Viewer}, "POST", "/v2.0/applications/shop/", 403},
		{access.Identity{Name: "o", Role: access.Operator, Applications: []string{"other"}}, "POST", "/v2.0/applications/shop/", 403},
		{access.Identity{Name: "o", Role: access.Operator, Applications: []string{"shop"}}, "POST", "/v2.0/applications/SHOP/", 200},
	} {
		r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if code, got := answer(t, serve(t, tt.who), r); code != tt.code {
			t.Errorf("%s %s by %+v = %d %v, want %d", tt.method, tt.path, tt.who, code, got, tt.code)
		}
	}
}
