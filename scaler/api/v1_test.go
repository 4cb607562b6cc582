package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/operation"
	"github.com/scalerd/scalerd/tfgen"
)

// gated is a scaler.Terraform without a cloud, whose steps wait until they are let
// through.
type gated struct {
	mu     sync.Mutex
	states map[string]scaler.State
	gate   chan struct{}
	fails  error
}

func newGated() *gated { return &gated{states: map[string]scaler.State{}, gate: make(chan struct{})} }

// open lets all steps through, also later ones.
func (g *gated) open() { close(g.gate) }

func (g *gated) Step(ctx context.Context, root scaler.Root, _ scaler.Expect, watch scaler.Watcher) ([]scaler.Change, error) {
	if err := watch.Planned(ctx, scaler.SavedPlan{Digest: "d"}); err != nil {
		return nil, err
	}
	if err := watch.Applying(ctx); err != nil {
		return nil, err
	}
	watch.Progress(scaler.Progress{Phase: "apply", Message: "Creating things"})
	select {
	case <-g.gate:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fails != nil {
		return nil, g.fails
	}
	next := scaler.State{Lineage: "l", Serial: g.states[root.Dir].Serial + 1, Resources: map[string]bool{}, Nodes: map[string]scaler.NodeOutput{}}
	if text, err := os.ReadFile(filepath.Join(root.Dir, tfgen.NodesFile)); err == nil {
		nodes, err := tfgen.DecodeNodes(text)
		if err != nil {
			return nil, err
		}
		for node := range nodes {
			next.Resources[fmt.Sprintf("terraform_data.node[%q]", node)] = false
			next.Nodes[node] = scaler.NodeOutput{ID: "id-" + node, PrivateIP: "10.0.0.1"}
		}
	}
	g.states[root.Dir] = next
	return nil, nil
}

func (g *gated) Recover(context.Context, scaler.Root, scaler.Watcher) error {
	return scaler.ErrInterrupted
}

func (g *gated) Plan(context.Context, scaler.Root) ([]scaler.Change, error)  { return nil, nil }
func (g *gated) Drift(context.Context, scaler.Root) ([]scaler.Change, error) { return nil, nil }
func (g *gated) Login(scaler.Root) (string, error)                           { return "", nil }
func (g *gated) Found(context.Context, scaler.Root) ([]tfgen.Found, error)   { return nil, nil }

func (g *gated) Check(context.Context, scaler.Root, scaler.Expect, tfgen.Nodes, func(context.Context, scaler.SavedPlan) error) ([]scaler.Change, error) {
	return nil, nil
}

func (g *gated) State(dir string) (scaler.State, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.states[dir], nil
}

// blind is a scaler.Inspector that sees nothing.
type blind struct{}

func (blind) Dead(string, []string) []string                           { return nil }
func (blind) Reap(context.Context, string, []string) ([]string, error) { return nil, nil }

const oneNode = `name: shop
groups:
  - {name: web, cloud: local, min: 0, max: 3, initial: 1}
`

// request makes a request of the handler, and decodes the answer where into is not
// nil.
func request(t testing.TB, h http.Handler, method, path string, in any, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	var text bytes.Buffer
	if s, ok := in.(string); ok {
		text.WriteString(s)
	} else if in != nil {
		if err := json.NewEncoder(&text).Encode(in); err != nil {
			t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, path, &text)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer
}

func decode[T any](t testing.TB, answer *httptest.ResponseRecorder) T {
	t.Helper()
	var out T
	if err := json.Unmarshal(answer.Body.Bytes(), &out); err != nil {
		t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
	}
	return out
}

func TestAnOperationIsWatchedToItsEnd(t *testing.T) {
	terraform := newGated()
	client, handler := serveOn(t, terraform)
	op, err := client.Submit(t.Context(), api.Description{File: "shop.yaml", Text: oneNode})
	if err != nil {
		t.Fatal(err)
	}
	if op.Kind != operation.Submit || op.Status != operation.Running || op.Application != "shop" || op.By != "root" {
		t.Errorf("Submit() = %+v, want a running submit of shop by root", op)
	}
	var opened sync.Once
	var lines []string
	end, err := client.Watch(t.Context(), op.ID, func(e operation.Event) {
		lines = append(lines, e.Group+" "+e.Phase+" "+e.Message)
		opened.Do(terraform.open)
	})
	if err != nil || end.Status != operation.Succeeded || end.EndedAt.IsZero() {
		t.Errorf("Watch() = %+v, %v, want success", end, err)
	}
	if !cmp.Equal(lines, []string{"web apply Creating things"}) {
		t.Errorf("progress = %q, want terraform's line", lines)
	}
	answer := request(t, handler, "GET", "/v1/operations?application=shop&status=succeeded", nil)
	if page := decode[api.Page[operation.Operation]](t, answer); len(page.Items) != 1 || page.Items[0].ID != op.ID {
		t.Errorf("GET /v1/operations = %s, want the one", answer.Body)
	}
	if answer := request(t, handler, "GET", "/v1/operations/nope/events", nil); answer.Code != 404 {
		t.Errorf("events of no operation = %d, want 404", answer.Code)
	}
}

func TestAFailureEndsTheOperationInTerraformsWords(t *testing.T) {
	terraform := newGated()
	terraform.fails = scaler.Diagnostics{{Severity: "error", Summary: "quota exceeded"}}
	terraform.open()
	client, _ := serveOn(t, terraform)
	op, err := client.Submit(t.Context(), api.Description{File: "shop.yaml", Text: oneNode})
	if err != nil {
		t.Fatal(err)
	}
	end, err := client.Watch(t.Context(), op.ID, func(operation.Event) {})
	if err != nil || end.Status != operation.Failed || !strings.Contains(end.Error, "quota exceeded") {
		t.Errorf("Watch() = %+v, %v, want failed with terraform's words", end, err)
	}
}

func TestANewerOrderSupersedesAnOlderOne(t *testing.T) {
	terraform := newGated()
	client, _ := serveOn(t, terraform)
	ctx := t.Context()
	submitted, err := client.Submit(ctx, api.Description{File: "shop.yaml", Text: oneNode})
	if err != nil {
		t.Fatal(err)
	}
	first, err := client.Scale(ctx, "shop", "web", 2)
	if err != nil {
		t.Fatal(err)
	}
	second, err := client.Scale(ctx, "shop", "web", 3)
	if err != nil || second.Decision == nil || second.Decision.To != 3 {
		t.Fatalf("Scale() = %+v, %v", second, err)
	}
	if op, err := client.Operation(ctx, first.ID); err != nil || op.Status != operation.Superseded || !strings.Contains(op.Error, second.ID) {
		t.Errorf("the first scale = %+v, %v, want superseded by the second", op, err)
	}
	destroyed, err := client.Destroy(ctx, "shop")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{submitted.ID, second.ID} {
		if op, err := client.Operation(ctx, id); err != nil || op.Status != operation.Superseded {
			t.Errorf("operation before the destroy = %+v, %v, want superseded", op, err)
		}
	}
	terraform.open()
	if end, err := client.Watch(ctx, destroyed.ID, func(operation.Event) {}); err != nil || end.Status != operation.Succeeded {
		t.Errorf("the destroy = %+v, %v, want success", end, err)
	}
}

func TestWhatIsBeingDestroyedTakesNoOrders(t *testing.T) {
	terraform := newGated()
	client, handler := serveOn(t, terraform)
	t.Cleanup(terraform.open)
	ctx := t.Context()
	d := api.Description{File: "shop.yaml", Text: oneNode}
	if _, err := client.Submit(ctx, d); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Destroy(ctx, "shop"); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		method, path string
		in           any
	}{
		{"POST", "/v1/applications", d},
		{"PUT", "/v1/applications/shop", d},
		{"POST", "/v1/applications/shop/groups/web/scale?nodes=2", nil},
		{"POST", "/v1/applications/shop/groups/web/pause", nil},
	} {
		if answer := request(t, handler, r.method, r.path, r.in); answer.Code != http.StatusConflict {
			t.Errorf("%s %s = %d %s, want 409", r.method, r.path, answer.Code, answer.Body)
		}
	}
}

func TestAChangeIsMadeToTheVersionThatItNames(t *testing.T) {
	_, handler := serve(t)
	d := api.Description{File: "shop.yaml", Text: empty}
	put := func(header ...string) int {
		return request(t, handler, "PUT", "/v1/applications/shop", d, header...).Code
	}
	if code := put("If-Match", "*"); code != 412 {
		t.Errorf("If-Match: * of nothing = %d, want 412", code)
	}
	if code := put("If-None-Match", "*"); code != 202 {
		t.Errorf("If-None-Match: * of nothing = %d, want 202", code)
	}
	if code := put("If-None-Match", "*"); code != 412 {
		t.Errorf("If-None-Match: * of something = %d, want 412", code)
	}
	version := request(t, handler, "GET", "/v1/applications/shop", nil).Header().Get("ETag")
	d.Text = strings.Replace(empty, "max: 3", "max: 4", 1)
	if code := put("If-Match", version); code != 202 {
		t.Errorf("If-Match of the version = %d, want 202", code)
	}
	if code := put("If-Match", version); code != 412 {
		t.Errorf("If-Match of the version before = %d, want 412", code)
	}
	if answer := request(t, handler, "DELETE", "/v1/applications/shop", nil, "If-Match", version); answer.Code != 412 {
		t.Errorf("DELETE of the version before = %d, want 412", answer.Code)
	}
	if answer := request(t, handler, "PUT", "/v1/applications/other", d); answer.Code != 422 {
		t.Errorf("PUT under another name = %d, want 422", answer.Code)
	}
	got := decode[api.Description](t, request(t, handler, "GET", "/v1/applications/shop/description", nil))
	if got.Text != d.Text {
		t.Errorf("description = %q, want the last that was taken", got.Text)
	}
}

func TestARepeatedRequestIsCarriedOutOnce(t *testing.T) {
	_, handler := serve(t)
	d := api.Description{File: "shop.yaml", Text: empty}
	first := request(t, handler, "POST", "/v1/applications", d, "Idempotency-Key", "k1")
	again := request(t, handler, "POST", "/v1/applications", d, "Idempotency-Key", "k1")
	if first.Code != 202 || again.Code != 202 || first.Body.String() != again.Body.String() || again.Header().Get("Idempotent-Replayed") != "true" ||
		again.Header().Get("Location") != first.Header().Get("Location") {
		t.Errorf("the same request = %d %s, then %d %s, want the same answer", first.Code, first.Body, again.Code, again.Body)
	}
	if page := decode[api.Page[operation.Operation]](t, request(t, handler, "GET", "/v1/operations", nil)); len(page.Items) != 1 {
		t.Errorf("%d operations after a repeated request, want 1", len(page.Items))
	}
	d.Text += "\n"
	if other := request(t, handler, "POST", "/v1/applications", d, "Idempotency-Key", "k1"); other.Code != 422 {
		t.Errorf("another body with the same key = %d, want 422", other.Code)
	}
	wrong := api.Description{File: "shop.yaml", Text: "name: ["}
	for range 2 { // a mistake may be mended and sent again
		if answer := request(t, handler, "POST", "/v1/applications", wrong, "Idempotency-Key", "k2"); answer.Code != 422 || answer.Header().Get("Idempotent-Replayed") != "" {
			t.Errorf("a wrong description = %d %v, want 422, not kept", answer.Code, answer.Header())
		}
	}
	if answer := request(t, handler, "POST", "/v1/applications", d, "Idempotency-Key", "k2"); answer.Code != 202 {
		t.Errorf("the key of a refused request = %d, want 202", answer.Code)
	}
}

func TestListsComeInPages(t *testing.T) {
	client, handler := serve(t)
	want := []string{}
	for i := range 5 {
		name := fmt.Sprintf("app-%d", i)
		want = append(want, name)
		if _, err := client.Submit(t.Context(), api.Description{Text: strings.Replace(empty, "shop", name, 1)}); err != nil {
			t.Fatal(err)
		}
	}
	for path, name := range map[string]string{"/v1/applications": "name", "/v1/operations": "application", "/v1/applications/app-0/decisions": "application", "/v1/decisions": "application"} {
		var got []string
		query := "?limit=2"
		for range 10 {
			page := decode[api.Page[map[string]any]](t, request(t, handler, "GET", path+query, nil))
			if len(page.Items) > 2 {
				t.Fatalf("GET %s%s has %d items", path, query, len(page.Items))
			}
			for _, item := range page.Items {
				got = append(got, item[name].(string))
			}
			if page.NextPageToken == "" {
				break
			}
			query = "?limit=2&page_token=" + page.NextPageToken
		}
		expected := want
		switch path {
		case "/v1/operations", "/v1/decisions": // the newest first
			expected = []string{"app-4", "app-3", "app-2", "app-1", "app-0"}
		case "/v1/applications/app-0/decisions":
			expected = []string{"app-0"}
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		for _, token := range []string{"!", "b25l", "LTE"} {
			answer := request(t, handler, "GET", path+"?page_token="+token, nil)
			if answer.Code != 422 && path != "/v1/applications" || answer.Code >= 500 {
				t.Errorf("GET %s with page_token %s = %d, want 422", path, token, answer.Code)
			}
		}
	}
}

func TestABacktestRunsBesides(t *testing.T) {
	_, handler := serve(t)
	var csv strings.Builder
	csv.WriteString("t_seconds,requests_per_second\n")
	for i := range 120 {
		fmt.Fprintf(&csv, "%d,%d\n", i*60, 20+i%30)
	}
	in := api.BacktestRequest{Name: "load", Trace: csv.String(), Policies: []string{"hpa60"}, LimitMS: 250, Seed: 1, Drift: 1}
	answer := request(t, handler, "POST", "/v1/backtests", in)
	started := decode[api.Backtest](t, answer)
	if answer.Code != 202 || started.ID == "" {
		t.Fatalf("POST /v1/backtests = %d %s", answer.Code, answer.Body)
	}
	waitUntil(t, func() bool {
		b := decode[api.Backtest](t, request(t, handler, "GET", "/v1/backtests/"+started.ID, nil))
		return b.Status == "succeeded" && len(b.Report.Results) == 3
	})
	for what, change := range map[string]func(*api.BacktestRequest){
		"no trace":       func(b *api.BacktestRequest) { b.Trace = "x" },
		"no policy":      func(b *api.BacktestRequest) { b.Policies = nil },
		"unknown policy": func(b *api.BacktestRequest) { b.Policies = []string{"nope"} },
		"no limit":       func(b *api.BacktestRequest) { b.LimitMS = 0.001 },
	} {
		wrong := in
		change(&wrong)
		if answer := request(t, handler, "POST", "/v1/backtests", wrong); answer.Code != 422 {
			t.Errorf("backtest with %s = %d %s, want 422", what, answer.Code, answer.Body)
		}
	}
}

func TestNothingOfAFileOfTheMachineIsReadForOthers(t *testing.T) {
	service, operations := running(t, newGated())
	handler := as(access.Identity{Name: "anna", Role: access.Admin, How: "token"}, api.Handler(api.Config{Service: service, Operations: operations}))
	secret := filepath.Join(t.TempDir(), "secret.yaml")
	if err := os.WriteFile(secret, []byte("password: hunter2: x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"a base template":   "name: shop\ngroups:\n  - {name: web, cloud: local, min: 0, max: 1, cloud_init: {base: " + secret + "}}\n",
		"a module's folder": "name: shop\ngroups:\n  - {name: web, cloud: module, min: 0, max: 1, module: {source: /etc, nodes_output: nodes}}\n",
		"a token to send":   "name: shop\nmonitoring: {prometheus: {url: 'http://127.0.0.1:1', bearer_token_file: " + secret + "}}\ngroups:\n  - {name: web, cloud: local, min: 0, max: 1}\n",
		"a password":        "name: shop\nmonitoring: {prometheus: {url: 'http://127.0.0.1:1', username: x, password_file: " + secret + "}}\ngroups:\n  - {name: web, cloud: local, min: 0, max: 1}\n",
		"a key":             "name: shop\nmonitoring: {prometheus: {url: 'https://127.0.0.1:1', cert_file: " + secret + ", key_file: " + secret + "}}\ngroups:\n  - {name: web, cloud: local, min: 0, max: 1}\n",
		"a program to run":  "name: shop\ngroups:\n  - {name: web, cloud: local, min: 0, max: 1, drain: {command: [" + secret + "]}}\n",
		"a file to write":   "name: shop\nmonitoring: {prometheus: {url: 'http://127.0.0.1:1', file_sd: /etc/x.json}}\ngroups:\n  - {name: web, cloud: local, min: 0, max: 1}\n",
	} {
		for _, path := range []string{"/v1/applications", "/v1/validate", "/v1/plan"} {
			answer := request(t, handler, "POST", path, api.Description{File: "shop.yaml", Text: text})
			if answer.Code != 422 || !strings.Contains(answer.Body.String(), "scalerd's machine") || strings.Contains(answer.Body.String(), "hunter2") {
				t.Errorf("%s to %s = %d %s, want 422 and where", what, path, answer.Code, answer.Body)
			}
		}
	}
}
