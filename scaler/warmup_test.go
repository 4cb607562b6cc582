package scaler

import (
	"testing"
	"time"
)

func TestWarmup(t *testing.T) {
	created := decideNow
	times := map[string]NodeTimes{"booting": {CreatedAt: created}, "forgotten": {ReadyAt: created}}
	var w warmup
	if w.lead() != 0 || w.status() != nil {
		t.Errorf("lead() of nothing = %v, want 0", w.lead())
	}
	w.restore(times)
	for i := range 200 {
		w.add(NodeTimes{CreatedAt: created, ReadyAt: created.Add(time.Duration(i+1) * time.Second)})
	}
	if got, want := *w.status(), (Warmup{Nodes: 100, P50: 150 * time.Second, P90: 190 * time.Second, P99: 199 * time.Second}); got != want {
		t.Errorf("status() of 101s to 200s = %v, want %v", got, want)
	}
	if w.lead() != 190*time.Second {
		t.Errorf("lead() = %v, want 3m10s", w.lead())
	}
}
