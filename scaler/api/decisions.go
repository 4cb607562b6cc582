package api

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
)

// Explanation is a decision and what was done about it.
type Explanation struct {
	Decision scaler.Decision `json:"decision"`
	// Journal holds the phases of the steps that carried it out, oldest first.
	Journal []scaler.Entry `json:"journal"`
	// Plan are the changes of node sets, by shard.
	Plan []string `json:"plan,omitempty"`
	// Result says how far it is carried out: nothing to do, under way, done, or the
	// failures that were not mended.
	Result string `json:"result,omitempty"`
}

// decisions are the handlers for what was decided and done.
type decisions struct{ service *scaler.Service }

func registerDecisions(api huma.API, h decisions) {
	const app = "/v1/applications/{application}"
	tag := tagged("decisions")
	register(api, endpoint(access.Viewer, http.MethodGet, app+"/decisions", "list-decisions", "The decisions that changed something, the newest first.", tag), h.list)
	register(api, endpoint(access.Viewer, http.MethodGet, app+"/journal", "list-journal", "The phases of all steps, the newest first.", tag), h.journal)
	register(api, endpoint(access.Viewer, http.MethodGet, "/v1/decisions/{id}", "get-decision", "A decision, its reasons and what was done about it.", tag), h.explain)
}

type decisionsInput struct {
	ApplicationPath
	PageInput
	Group string `query:"group" doc:"Only of this group."`
}

func (h decisions) list(ctx context.Context, in *decisionsInput) (Page[scaler.Decision], error) {
	before, err := in.before(math.MaxInt64)
	if err != nil {
		return Page[scaler.Decision]{}, err
	}
	found, err := h.service.DecisionsBefore(ctx, in.Application, in.Group, before, in.Limit+1)
	return numbered(found, in.PageInput, func(d scaler.Decision) int64 { return d.ID }), err
}

func (h decisions) journal(ctx context.Context, in *decisionsInput) (Page[scaler.Entry], error) {
	before, err := in.before(math.MaxInt64)
	if err != nil {
		return Page[scaler.Entry]{}, err
	}
	found, err := h.service.JournalBefore(ctx, in.Application, in.Group, before, in.Limit+1)
	return numbered(found, in.PageInput, func(e scaler.Entry) int64 { return e.ID }), err
}

type explainInput struct {
	ID int64 `path:"id"`
}

func (h decisions) explain(ctx context.Context, in *explainInput) (Explanation, error) {
	d, entries, err := h.service.Decision(ctx, in.ID)
	if err != nil {
		return Explanation{}, err
	}
	if err := mayUse(ctx, d.Application); err != nil {
		return Explanation{}, err
	}
	return explanation(d, entries), nil
}

// explanation sums up the journal of a decision.
func explanation(d scaler.Decision, entries []scaler.Entry) Explanation {
	e := Explanation{Decision: d, Journal: entries, Result: "nothing to do"}
	last := map[string]scaler.Entry{}
	for _, entry := range entries {
		if entry.Phase == "intent" {
			e.Plan = append(e.Plan, entry.Shard+": "+entry.Detail)
		}
		last[entry.Shard] = entry
	}
	if d.From != d.To || len(d.Drop) > 0 {
		e.Result = "not begun"
	}
	var failures []string
	open := false
	for _, shard := range slices.Sorted(maps.Keys(last)) {
		switch entry := last[shard]; entry.Phase {
		case "done":
		case "failed":
			failures = append(failures, fmt.Sprintf("%s failed: %s", shard, entry.Detail))
		default:
			open = true
		}
	}
	switch {
	case len(failures) > 0:
		e.Result = strings.Join(failures, "; ")
	case open:
		e.Result = "under way"
	case len(last) > 0:
		took := entries[len(entries)-1].At.Sub(d.At)
		e.Result = fmt.Sprintf("done, %s after the decision", took.Round(100_000_000))
	}
	return e
}
