package api

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

type explainInput struct {
	ID int64 `path:"id"`
}

func (h handlers) explain(ctx context.Context, in *explainInput) (Explanation, error) {
	d, steps, err := h.service.Decision(ctx, in.ID)
	if err != nil {
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

type whatIfInput struct {
	ApplicationPath
	Group string `path:"group"`
	Body  scaler.Supposed
}

func (h handlers) whatIf(ctx context.Context, in *whatIfInput) (scaler.Decision, error) {
	return h.service.WhatIf(ctx, in.Application, in.Group, in.Body)
}

type compareInput struct {
	ApplicationPath
	Seconds int64 `query:"seconds" minimum:"1" default:"604800" doc:"How far back to look; ticks are kept for seven days."`
}

func (h handlers) compare(ctx context.Context, in *compareInput) (map[string][]scaler.Comparison, error) {
	return h.service.Compare(ctx, in.Application, time.Now().Add(-time.Duration(in.Seconds)*time.Second))
}
