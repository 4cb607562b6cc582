package backtest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGatesNameWhatIsExceeded(t *testing.T) {
	r := Report{Results: []Result{
		{Policy: NameClairvoyant, NodeHours: 100, TimeOver: 0.5},
		{Policy: "old", NodeHours: 120, TimeOver: 0.5},
		{Policy: "new", NodeHours: 130, TimeOver: 0.012},
	}}
	some := func(v float64) *float64 { return &v }
	for _, test := range []struct {
		name  string
		gates Gates
		want  []string
	}{
		{"none", Gates{}, nil},
		{"kept", Gates{MaxOver: some(0.02), MaxCostIncrease: some(0.09), Baseline: "old"}, nil},
		{"time over", Gates{MaxOver: some(0.01), Baseline: "old"}, []string{"new is over the limit for 1.20% of the time, more than 1.00%"}},
		{"cost", Gates{MaxCostIncrease: some(0.05), Baseline: "old"}, []string{"new needs 108.3% of the node-hours of old, more than 105.0%"}},
		{"the clairvoyant's cost", Gates{MaxCostIncrease: some(0.2)}, []string{"new needs 130.0% of the node-hours of clairvoyant, more than 120.0%"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.gates.Exceeded(r)); diff != "" {
				t.Errorf("Exceeded() (-want +got):\n%s", diff)
			}
		})
	}
	for i := range r.Results {
		r.Results[i].Cost = r.Results[i].NodeHours * float64(i+1)
	}
	if got := (Gates{MaxCostIncrease: some(0.5), Baseline: "old"}).Exceeded(r); len(got) != 1 || got[0] != "new costs 162.5% of what old does, more than 150.0%" {
		t.Errorf("Exceeded() with prices = %v", got)
	}
}
