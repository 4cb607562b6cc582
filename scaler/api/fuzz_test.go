package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler"
)

var (
	fuzzRequests = flag.Int("fuzz-requests", 0, "requests of each operation of the API's document; 0: 12, or 5 with -short")
	fuzzSeed     = flag.Uint64("fuzz-seed", 1, "seed of these requests")
)

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
	requests := *fuzzRequests
	switch {
	case requests == 0 && testing.Short():
		requests = 5
	case requests == 0:
		requests = 12
	}
	f := fuzzTarget(t)
	if _, err := f.service.Submit(t.Context(), scaler.Source{File: "sentinel.yaml", Text: []byte(sentinel)}); err != nil {
		t.Fatal(err)
	}
	all := f.document.operations()
	if len(all) < 50 {
		t.Fatalf("the document has %d operations, want all", len(all))
	}
	for range requests {
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
	t.Logf("%d operations, %d of them succeeded also; %d requests of %d were refused", len(all), succeeded, refusals, len(all)*requests)
	if requests >= 10 && (succeeded < len(all)*8/10 || refusals < len(all)*requests/4) {
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
			going := slices.ContainsFunc(a.Groups, func(g scaler.GroupStatus) bool { return g.Removing })
			if a.Destroying || going || !a.Settled && !a.Degraded() {
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
