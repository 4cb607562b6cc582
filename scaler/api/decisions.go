package api

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
)

// Explanation is a decision and what was done about it.
type Explanation struct {
	Decision scaler.Decision `json:"decision"`
	// Steps are those that carried it out, oldest first.
	Steps []scaler.StepRecord `json:"steps"`
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
	register(api, endpoint(access.Viewer, http.MethodGet, app+"/journal", "list-steps", "The steps, how far each is, and what terraform did, the newest first.", tag), h.journal)
	register(api, endpoint(access.Viewer, http.MethodGet, app+"/comparisons", "compare-shadows", "What the shadow policies came to beside those in charge, by group.", tag), h.compare)
	register(api, endpoint(access.Viewer, http.MethodGet, "/v1/decisions", "search-decisions", "The decisions of all applications that changed something, the newest first, by words and kind.", tag), h.search)
	register(api, endpoint(access.Viewer, http.MethodGet, "/v1/decisions/{id}", "get-decision", "A decision, its reasons and what was done about it.", tag), h.explain)
}

// StepsInput says which steps or decisions are asked for. It is exported because huma
// looks into exported embedded structs only.
type StepsInput struct {
	ApplicationPath
	PageInput
	Group string `query:"group" doc:"Only of this group."`
}

type decisionsInput struct {
	StepsInput
	BriefInput
}

// BriefInput says how much of a decision is asked for. It is exported because huma
// looks into exported embedded structs only.
type BriefInput struct {
	Brief bool `query:"brief" doc:"Leave out what is long: proposals, readings, advice, cost and shadow policies."`
}

// of is the decision, or what is short of it.
func (in BriefInput) of(d scaler.Decision) scaler.Decision {
	if in.Brief {
		d.Proposals, d.Shadows, d.Readings, d.Cost, d.Advice = nil, nil, nil, nil, nil
	}
	return d
}

func (h decisions) list(ctx context.Context, in *decisionsInput) (Page[scaler.Decision], error) {
	before, err := in.before(math.MaxInt64)
	if err != nil {
		return Page[scaler.Decision]{}, err
	}
	found, err := h.service.DecisionsBefore(ctx, in.Application, in.Group, before, in.Limit+1)
	for i, d := range found {
		found[i] = in.of(d)
	}
	return numbered(found, in.PageInput, func(d scaler.Decision) int64 { return d.ID }), err
}

func (h decisions) journal(ctx context.Context, in *StepsInput) (Page[scaler.StepRecord], error) {
	before, err := in.before(math.MaxInt64)
	if err != nil {
		return Page[scaler.StepRecord]{}, err
	}
	found, err := h.service.StepsBefore(ctx, in.Application, in.Group, before, in.Limit+1)
	return numbered(found, in.PageInput, func(s scaler.StepRecord) int64 { return s.ID }), err
}

type explainInput struct {
	ID int64 `path:"id"`
}

func (h decisions) explain(ctx context.Context, in *explainInput) (Explanation, error) {
	d, steps, err := h.service.Decision(ctx, in.ID)
	if err != nil {
		return Explanation{}, err
	}
	if err := mayUse(ctx, d.Application); err != nil {
		return Explanation{}, err
	}
	return explanation(d, steps), nil
}

// explanation sums up the steps of a decision.
func explanation(d scaler.Decision, steps []scaler.StepRecord) Explanation {
	e := Explanation{Decision: d, Steps: steps, Result: "nothing to do"}
	last := map[string]scaler.StepRecord{}
	for _, step := range steps {
		if change := nodeChange(step); change != "" {
			e.Plan = append(e.Plan, step.Shard+": "+change)
		}
		last[step.Shard] = step
	}
	if d.From != d.To || len(d.Drop) > 0 {
		e.Result = "not begun"
	}
	var failures []string
	var end time.Time
	open := false
	for _, shard := range slices.Sorted(maps.Keys(last)) {
		switch step := last[shard]; step.Phase {
		case scaler.PhaseDone:
			if step.At().After(end) {
				end = step.At()
			}
		case scaler.PhaseFailed, scaler.PhaseUndone:
			failures = append(failures, fmt.Sprintf("%s %s: %s", shard, step.Phase, step.Error))
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
		e.Result = fmt.Sprintf("done, %s after the decision", end.Sub(d.At).Round(100_000_000))
	}
	return e
}

// nodeChange lists the nodes that come and go: "+web-0004 -web-0001".
func nodeChange(step scaler.StepRecord) string {
	var parts []string
	for _, name := range step.Add {
		parts = append(parts, "+"+name)
	}
	for _, name := range step.Remove {
		parts = append(parts, "-"+name)
	}
	return strings.Join(parts, " ")
}

type compareInput struct {
	ApplicationPath
	Seconds int64 `query:"seconds" minimum:"1" default:"604800" doc:"How far back to look; ticks are kept for seven days."`
}

func (h decisions) compare(ctx context.Context, in *compareInput) (map[string][]scaler.Comparison, error) {
	return h.service.Compare(ctx, in.Application, time.Now().Add(-time.Duration(in.Seconds)*time.Second))
}
