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
	d, entries, err := h.service.Decision(ctx, in.ID)
	if err != nil {
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
