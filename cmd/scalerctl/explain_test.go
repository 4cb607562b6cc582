package main

import (
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/policy"
)

// TestExplanationShowsAgeAndCost pins how old a page says that metrics are, and what a
// decision costs.
func TestExplanationShowsAgeAndCost(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	d := scaler.Decision{
		ID: 7, Application: "shop", Group: "web", At: at, From: 3, To: 5,
		Readings: map[string]policy.Reading{
			"cpu":  {Samples: []policy.Sample{{Value: 90}}, SampledAt: at.Add(-7200 * time.Millisecond)},
			"rate": {Samples: []policy.Sample{{Value: 4}}},
		},
		Cost: &scaler.CostChange{
			Cost: scaler.Cost{Before: 1.5, After: 2.5, Currency: "EUR"}, PerNode: 0.5,
			Month: 100, Forecast: 160, MaxPerHour: 2.75, MaxPerMonth: 900,
		},
	}
	var b strings.Builder
	if err := textExplanation(&b, api.Explanation{Decision: d}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  cpu = 90, sampled 7.2s before\n",
		"  rate = 4, evaluated at the tick\n",
		"\nCost\n  1.5000 -> 2.5000 EUR an hour, +1.0000, which is +730.00 a month of 730 hours\n",
		"  this month: 100.00 EUR so far, 160.00 at its end with this size\n",
		"  budget: 2.7500 EUR an hour\n",
		"  budget: 900.00 EUR a month\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page has no %q:\n%s", want, b.String())
		}
	}
}
