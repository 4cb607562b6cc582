package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
)

func TestADecisionIsFoundByItsWordsAndKind(t *testing.T) {
	out := scaler.Decision{Application: "shop", Group: "web", From: 2, To: 4, Reasons: []string{"target: requests is 90"}, Clamps: []string{"at most 4: Budget"},
		Proposals: []policy.Proposal{{Policy: "latency", Reason: "calm"}}}
	drop := scaler.Decision{Application: "shop", Group: "web", From: 4, To: 4, Drop: []string{"web-0002"}}
	for _, test := range []struct {
		d     scaler.Decision
		words string
		kind  string
		want  bool
	}{
		{out, "", "", true},
		{out, "requests shop", "out", true},
		{out, "budget", "", true},
		{out, "latency calm", "", true},
		{out, "2 → 4", "", true},
		{out, "requests queue", "", false},
		{out, "requests", "in", false},
		{out, "", "held", false},
		{drop, "web-0002", "drop", true},
		{drop, "", "out", false},
	} {
		if got := isKind(test.d, test.kind) && says(test.d, strings.Fields(test.words)); got != test.want {
			t.Errorf("%d to %d is found by %q of kind %q: %t, want %t", test.d.From, test.d.To, test.words, test.kind, got, test.want)
		}
	}
}

func TestABriefDecisionHasWhatAListShows(t *testing.T) {
	d := scaler.Decision{ID: 7, From: 2, To: 4, Drop: []string{"web-0001"}, Held: true, Reasons: []string{"target"}, Clamps: []string{"max"},
		Proposals: []policy.Proposal{{Policy: "target"}}, Readings: map[string]policy.Reading{"requests": {}}, Cost: &scaler.CostChange{}}
	want := scaler.Decision{ID: 7, From: 2, To: 4, Drop: []string{"web-0001"}, Held: true, Reasons: []string{"target"}, Clamps: []string{"max"}}
	if diff := cmp.Diff(want, BriefInput{Brief: true}.of(d)); diff != "" {
		t.Errorf("brief (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(d, BriefInput{}.of(d)); diff != "" {
		t.Errorf("whole (-want +got):\n%s", diff)
	}
}
