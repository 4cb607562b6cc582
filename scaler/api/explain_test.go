package api

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
)

func TestExplanationSumsUpTheJournal(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	entry := func(seconds int, shard, phase, detail string) scaler.Entry {
		return scaler.Entry{At: at.Add(time.Duration(seconds) * time.Second), Shard: shard, Phase: phase, Detail: detail}
	}
	for _, test := range []struct {
		name    string
		to      int
		entries []scaler.Entry
		plan    []string
		result  string
	}{
		{"no change", 3, nil, nil, "nothing to do"},
		{"a change that waits", 5, nil, nil, "not begun"},
		{"a change under way", 5, []scaler.Entry{entry(1, "shard-000", "intent", "+web-0004")}, []string{"shard-000: +web-0004"}, "under way"},
		{"a change that is done", 5, []scaler.Entry{entry(1, "shard-000", "intent", "+web-0004"), entry(1, "shard-001", "intent", "+web-0005"), entry(4, "shard-000", "done", ""), entry(9, "shard-001", "done", "")},
			[]string{"shard-000: +web-0004", "shard-001: +web-0005"}, "done, 9s after the decision"},
		{"a failure that was mended", 5, []scaler.Entry{entry(1, "shard-000", "intent", "+web-0004"), entry(4, "shard-000", "failed", "no room"), entry(9, "shard-000", "done", "")},
			[]string{"shard-000: +web-0004"}, "done, 9s after the decision"},
		{"a failure that was not", 5, []scaler.Entry{entry(1, "shard-000", "intent", "+web-0004"), entry(4, "shard-000", "failed", "no room")},
			[]string{"shard-000: +web-0004"}, "shard-000 failed: no room"},
	} {
		got := explanation(scaler.Decision{At: at, From: 3, To: test.to}, test.entries)
		if diff := cmp.Diff(test.plan, got.Plan); diff != "" || got.Result != test.result {
			t.Errorf("%s: Result = %q, want %q; Plan (-want +got):\n%s", test.name, got.Result, test.result, diff)
		}
	}
}
