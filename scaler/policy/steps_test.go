package policy_test

import (
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
	"pgregory.net/rapid"
)

func TestSteps(t *testing.T) {
	value := func(f float64) *float64 { return &f }
	whole := func(n int) *int { return &n }
	bands := []spec.Band{
		{Above: value(90), Percent: value(50)},
		{Above: value(70), Change: whole(2)},
		{Above: value(60), Below: value(70), Nodes: whole(5)},
		{Below: value(10), Percent: value(-10)},
		{Below: value(20), Change: whole(-1)},
	}
	for _, test := range []struct {
		name   string
		seen   policy.Observation
		want   int
		reason string
	}{
		{"the first band that holds the value applies", group(4, 0, 4, 95), 6, "q is 95, above 90: +50% on 4 ready nodes makes 6"},
		{"a percentage is rounded away from zero", group(3, 0, 3, 95), 5, "makes 5"},
		{"a whole percentage is not rounded up", group(10, 0, 10, 95), 15, "makes 15"},
		{"a bound is not in its band", group(4, 0, 4, 90), 6, "above 70: +2 on 4 ready nodes makes 6"},
		{"a range sets an exact size", group(4, 0, 4, 65), 5, "between 60 and 70: 5 nodes"},
		{"a value on both bounds is in no band", group(4, 0, 4, 70), 4, "in no band, no opinion"},
		{"growth is counted from ready nodes", group(4, 2, 6, 80), 6, "+2 on 4 ready nodes makes 6"},
		{"growth does not take back what boots", group(2, 6, 8, 80), 8, "makes 4, and 8 are wanted already"},
		{"growth can leave zero", group(0, 0, 0, 80), 2, "+2 on 0 ready nodes makes 2"},
		{"shrinking is counted from wanted nodes", group(4, 2, 6, 15), 5, "-1 of 6 nodes wanted makes 5"},
		{"a negative percentage is rounded away from zero", group(4, 0, 4, 5), 3, "-10% of 4 nodes wanted makes 3"},
		{"shrinking stops at zero", group(0, 0, 0, 15), 0, "makes 0"},
		{"no band is no opinion", group(4, 1, 5, 50), 5, "in no band, no opinion"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := mustNew(t, spec.Policy{Steps: &spec.Steps{Query: "q", Bands: bands}}, nil).Propose(test.seen)
			if size(got) != test.want {
				t.Errorf("Propose() = %d (%s), want %d", size(got), got.Reason, test.want)
			}
			if !strings.Contains(got.Reason, test.reason) {
				t.Errorf("Reason = %q, want it to say %q", got.Reason, test.reason)
			}
		})
	}
}

func TestStepsDoNotRatchetWhileNodesBoot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		above := 70.0
		band := spec.Band{Above: &above}
		if rapid.Bool().Draw(t, "percent") {
			percent := rapid.Float64Range(1, 300).Draw(t, "by")
			band.Percent = &percent
		} else {
			change := rapid.IntRange(1, 30).Draw(t, "by")
			band.Change = &change
		}
		p, err := policy.New(spec.Policy{Steps: &spec.Steps{Query: "q", Bands: []spec.Band{band}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ready := rapid.IntRange(1, 30).Draw(t, "ready")
		first := p.Propose(group(ready, 0, ready, 99)).Nodes
		again := p.Propose(group(ready, first-ready, first, 99)).Nodes
		if first <= ready || again != first {
			t.Fatalf("Propose() = %d, then %d while nodes boot, want the same and more than %d", first, again, ready)
		}
	})
}
