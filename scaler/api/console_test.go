package api_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/tfgen"
)

// planning is a gated terraform that plans to create all that is written.
type planning struct{ *gated }

func (planning) Plan(_ context.Context, root scaler.Root) ([]scaler.Change, error) {
	text, err := os.ReadFile(filepath.Join(root.Dir, tfgen.NodesFile))
	if err != nil {
		return nil, nil // the base
	}
	nodes, err := tfgen.DecodeNodes(text)
	var changes []scaler.Change
	for node := range nodes {
		changes = append(changes, scaler.Change{Address: fmt.Sprintf("terraform_data.node[%q]", node), Action: scaler.ActionCreate})
	}
	return changes, err
}

// What the console asks for beside what scalerctl does.
func TestWhatTheConsoleAsksFor(t *testing.T) {
	terraform := planning{newGated()}
	terraform.open()
	client, handler := serveOn(t, terraform)
	if _, err := client.Submit(t.Context(), api.Description{File: "shop.yaml", Text: strings.Replace(oneNode, "initial: 1", "initial: 1, policies: [{target: {query: q, value: 1}}]", 1) + "queries: {q: up}\ninterval: 1s\n"}); err != nil {
		t.Fatal(err)
	}
	settled := func() bool {
		status, err := client.Application(t.Context(), "shop")
		return err == nil && status.Settled && !status.TickedAt.IsZero()
	}
	waitUntil(t, settled)

	const group = "/v1/applications/shop/groups/web"
	h := decode[api.History](t, request(t, handler, "GET", group+"/history?step=1", nil))
	if len(h.At) == 0 || h.Wanted[0] != 1 || len(h.Metrics) != 1 || h.Metrics[0].Name != "q" || len(h.Metrics[0].Values) != len(h.At) {
		t.Errorf("history = %+v, want the ticks so far, with q", h)
	}
	now := time.Now().UTC()
	for query, want := range map[string]int{
		"?from=" + now.Format(time.RFC3339) + "&to=" + now.Add(-time.Hour).Format(time.RFC3339):             http.StatusUnprocessableEntity,
		"?step=1&from=" + now.Add(-6*24*time.Hour).Format(time.RFC3339) + "&to=" + now.Format(time.RFC3339): http.StatusUnprocessableEntity,
		"?step=0": http.StatusUnprocessableEntity,
		"?from=" + now.Add(-6*24*time.Hour).Format(time.RFC3339): http.StatusOK,
	} {
		if answer := request(t, handler, "GET", group+"/history"+query, nil); answer.Code != want {
			t.Errorf("history%s: %d %s, want %d", query, answer.Code, answer.Body, want)
		}
	}
	if answer := request(t, handler, "GET", "/v1/applications/shop/groups/absent/history", nil); answer.Code != http.StatusNotFound {
		t.Errorf("history of no group: %d, want 404", answer.Code)
	}

	answer := request(t, handler, "POST", group+"/scale/plan?nodes=3", nil)
	plan := decode[scaler.GroupPlan](t, answer)
	if plan.From != 1 || plan.To != 3 || len(plan.Changes) == 0 {
		t.Errorf("plan of a scale = %s, want 1 to 3", answer.Body)
	}
	if answer := request(t, handler, "POST", group+"/scale/plan?nodes=4", nil); answer.Code != http.StatusConflict {
		t.Errorf("plan of a size above max: %d, want 409", answer.Code)
	}
	plan = decode[scaler.GroupPlan](t, request(t, handler, "POST", "/v1/applications/shop/drop/plan?node=web-0001", nil))
	if plan.From != 1 || plan.To != 0 {
		t.Errorf("plan of a drop = %+v, want 1 to 0", plan)
	}
	if g := decode[scaler.GroupStatus](t, request(t, handler, "GET", group, nil)); g.Wanted != 1 {
		t.Errorf("after plans %d nodes are wanted, want 1 as before", g.Wanted)
	}

	whole, brief := request(t, handler, "GET", "/v1/applications", nil), request(t, handler, "GET", "/v1/applications?brief=true", nil)
	page := decode[api.Page[scaler.ApplicationStatus]](t, brief)
	if g := page.Items[0].Groups[0]; g.Wanted != 1 || g.Decision == nil || g.Decision.Proposals != nil || g.Decision.Readings != nil {
		t.Errorf("brief = %s, want the group without proposals and readings", brief.Body)
	}
	if !strings.Contains(whole.Body.String(), "proposals") {
		t.Errorf("not brief = %s, want proposals", whole.Body)
	}
}
