package api_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/operation"
)

// TestATokenOfOneApplicationReadsOfNoOther walks all that the API's own description has to
// read, and looks for the name of another application in the answers.
func TestATokenOfOneApplicationReadsOfNoOther(t *testing.T) {
	c := fortify(t, access.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var worker sync.WaitGroup
	worker.Go(func() { _ = c.backtests.Run(ctx) })
	defer worker.Wait()
	defer cancel()
	const other = "elsewhere"
	described := map[string]string{}
	for _, name := range []string{"mine", other} {
		text := strings.Replace(empty, "shop", name, 1)
		described[name] = text
		if res, answer := c.do("POST", "/v1/applications", inJSON(t, api.Description{File: name + ".yaml", Text: text}), c.bearer("operator")...); res.StatusCode != 202 {
			t.Fatalf("submit %s: %s: %s", name, res.Status, answer)
		}
	}
	backtest := func(role, name string, of *api.Description) string {
		in := api.BacktestRequest{Name: name, Trace: "t_seconds,requests_per_second\n0,20\n60,25\n120,20\n180,30\n", LimitMS: 250, Seed: 1, Drift: 1, Policies: []string{"hpa60"}}
		if of != nil {
			in.Description, in.Group = of, "web"
		}
		res, text := c.do("POST", "/v1/backtests", inJSON(t, in), c.bearer(role)...)
		var started api.Backtest
		if err := json.Unmarshal([]byte(text), &started); err != nil || res.StatusCode != 202 {
			t.Fatalf("backtest %s: %s: %s", name, res.Status, text)
		}
		waitUntil(t, func() bool {
			_, text := c.do("GET", "/v1/backtests/"+started.ID, "", c.bearer(role)...)
			var b api.Backtest
			return json.Unmarshal([]byte(text), &b) == nil && b.Status == "succeeded"
		})
		return started.ID
	}
	ids := []string{
		backtest("operator", "load", &api.Description{File: "a.yaml", Text: described[other]}),
		backtest("operator", other, nil),
	}
	own := map[string]bool{
		backtest("bounded", "load", &api.Description{File: "a.yaml", Text: described["mine"]}): true,
		backtest("bounded", "load", nil): true,
	}
	var operations api.Page[operation.Operation]
	var decisions api.Page[scaler.Decision]
	for path, page := range map[string]any{"/v1/operations?application=" + other: &operations, "/v1/decisions?application=" + other: &decisions} {
		_, text := c.do("GET", path, "", c.bearer("operator")...)
		if err := json.Unmarshal([]byte(text), page); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range operations.Items {
		ids = append(ids, o.ID)
	}
	for _, d := range decisions.Items {
		ids = append(ids, strconv.FormatInt(d.ID, 10))
	}
	if len(ids) < 4 {
		t.Fatalf("there are %v of the other application, want two backtests, an operation and a decision", ids)
	}
	// Applications are told apart by the name in a path, or by what an ID belongs to.
	found := 0
	for _, path := range append(c.reads(), "/v2.0/applications/", "/v2.0/applications/mine/", "/toscasubmitter/v1.0/list_app") {
		path = strings.NewReplacer("{application}", "mine", "{group}", "web", "{optimizer}", "x", "{node}", "x").Replace(path)
		for _, id := range ids {
			path := pathParameter.ReplaceAllString(path, id)
			res, text := c.do("GET", path, "", c.bearer("bounded")...)
			if found++; strings.Contains(text, other) {
				t.Errorf("GET %s tells a token of mine of %s: %s: %.300s", path, other, res.Status, text)
			}
		}
	}
	if found < 60 {
		t.Errorf("asked for %d pages, want all", found)
	}
	_, text := c.do("GET", "/v1/backtests", "", c.bearer("bounded")...)
	var page api.Page[api.Backtest]
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		t.Fatal(err)
	}
	for _, b := range page.Items {
		if !own[b.ID] {
			t.Errorf("a token of mine is told of another's backtest: %+v", b)
		}
		delete(own, b.ID)
	}
	if len(own) > 0 {
		t.Errorf("a token of mine is not told of its backtests %v: %s", own, text)
	}
}

// reads are the paths that the API's own description has a GET for.
func (c *castle) reads() []string {
	c.t.Helper()
	_, text := c.do("GET", "/openapi.json", "")
	var doc struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		c.t.Fatal(err)
	}
	var paths []string
	for path, operations := range doc.Paths {
		if operations["get"] != nil {
			paths = append(paths, path)
		}
	}
	return paths
}

func inJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
