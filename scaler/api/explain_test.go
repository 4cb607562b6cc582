package api

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
)

func TestExplanationSumsUpTheJournal(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	step := func(seconds int, shard string, phase scaler.Phase, add, why string) scaler.StepRecord {
		s := scaler.StepRecord{Shard: shard, Phase: phase, Error: why, History: []scaler.PhaseTime{{Phase: phase, At: at.Add(time.Duration(seconds) * time.Second)}}}
		if add != "" {
			s.Add = []string{add}
		}
		return s
	}
	for _, test := range []struct {
		name   string
		to     int
		steps  []scaler.StepRecord
		plan   []string
		result string
	}{
		{"no change", 3, nil, nil, "nothing to do"},
		{"a change that waits", 5, nil, nil, "not begun"},
		{"a change under way", 5, []scaler.StepRecord{step(1, "shard-000", scaler.PhaseApplying, "web-0004", "")}, []string{"shard-000: +web-0004"}, "under way"},
		{"a change that is done", 5, []scaler.StepRecord{step(9, "shard-000", scaler.PhaseDone, "web-0004", ""), step(4, "shard-001", scaler.PhaseDone, "web-0005", "")},
			[]string{"shard-000: +web-0004", "shard-001: +web-0005"}, "done, 9s after the decision"},
		{"a failure that was mended", 5, []scaler.StepRecord{step(4, "shard-000", scaler.PhaseFailed, "web-0004", "no room"), step(9, "shard-000", scaler.PhaseDone, "", "")},
			[]string{"shard-000: +web-0004"}, "done, 9s after the decision"},
		{"a failure that was not", 5, []scaler.StepRecord{step(4, "shard-000", scaler.PhaseFailed, "web-0004", "no room")},
			[]string{"shard-000: +web-0004"}, "shard-000 failed: no room"},
		{"a step that another one took the place of", 5, []scaler.StepRecord{step(4, "shard-000", scaler.PhaseUndone, "web-0004", "step 7 took its place")},
			[]string{"shard-000: +web-0004"}, "shard-000 undone: step 7 took its place"},
	} {
		got := explanation(scaler.Decision{At: at, From: 3, To: test.to}, test.steps)
		if diff := cmp.Diff(test.plan, got.Plan); diff != "" || got.Result != test.result {
			t.Errorf("%s: Result = %q, want %q; Plan (-want +got):\n%s", test.name, got.Result, test.result, diff)
		}
	}
}
