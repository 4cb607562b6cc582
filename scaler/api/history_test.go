package api

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
)

func TestAHistoryIsThinnedToItsStep(t *testing.T) {
	from := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return from.Add(time.Duration(seconds) * time.Second) }
	load := func(v float64) map[string]float64 { return map[string]float64{"load": v} }
	seen := []scaler.Observed{
		{At: at(0), Wanted: 1, Existing: 1, Ready: 1, Values: load(10)},
		{At: at(15), Wanted: 3, Existing: 2, Ready: 1, Values: load(20)},
		{At: at(30), Wanted: 3, Existing: 3, Ready: 2},
		{At: at(100), Wanted: 4, Existing: 3, Ready: 3, Values: load(7)},
	}
	h := historyOf(seen, []scaler.MetricOf{{Name: "load"}, {Name: "never"}}, from, at(120), 30*time.Second)
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"from":"2026-05-04T12:00:00Z","to":"2026-05-04T12:02:00Z","step_seconds":30,` +
		`"at":["2026-05-04T12:00:15Z","2026-05-04T12:00:30Z","2026-05-04T12:01:40Z"],"wanted":[3,3,4],"existing":[2,3,3],"ready":[1,2,3],` +
		`"metrics":[{"name":"load","values":[15,null,7]},{"name":"never","values":[null,null,null]}]}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("historyOf() (-want +got):\n%s", diff)
	}
}
