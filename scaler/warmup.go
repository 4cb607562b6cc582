package scaler

import (
	"slices"
	"time"
)

// Warmup is how long nodes took from the decision to create them until they were
// ready, over the newest ones; half of them took P50 at most, nine of ten P90.
type Warmup struct {
	Nodes int           `json:"nodes"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P99   time.Duration `json:"p99_ns"`
}

// warmupNodes is how many nodes are remembered.
const warmupNodes = 100

// warmup holds the times that the newest nodes took, oldest first.
type warmup struct{ took []time.Duration }

// add takes what a node took, where that is known.
func (w *warmup) add(t NodeTimes) {
	if t.CreatedAt.IsZero() || t.ReadyAt.Before(t.CreatedAt) {
		return
	}
	w.took = append(w.took, t.ReadyAt.Sub(t.CreatedAt))
	if len(w.took) > warmupNodes {
		w.took = w.took[1:]
	}
}

// restore takes up what the nodes that exist took.
func (w *warmup) restore(nodes map[string]NodeTimes) {
	times := make([]NodeTimes, 0, len(nodes))
	for _, t := range nodes {
		times = append(times, t)
	}
	slices.SortFunc(times, func(a, b NodeTimes) int { return a.ReadyAt.Compare(b.ReadyAt) })
	for _, t := range times {
		w.add(t)
	}
}

// lead is what nine of ten nodes took, and 0 while nothing is known.
func (w *warmup) lead() time.Duration {
	if len(w.took) == 0 {
		return 0
	}
	return w.status().P90
}

func (w *warmup) status() *Warmup {
	if len(w.took) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(w.took))
	quantile := func(percent int) time.Duration { return sorted[(len(sorted)*percent+99)/100-1] }
	return &Warmup{Nodes: len(sorted), P50: quantile(50), P90: quantile(90), P99: quantile(99)}
}
