package backtest

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestQuantilesAreOverWeights(t *testing.T) {
	for _, test := range []struct {
		name            string
		values, weights []float64
		want            []float64 // of 0.5, 0.95 and 0.99
	}{
		{"equal weights", []float64{3, 1, 2, 4}, []float64{1, 1, 1, 1}, []float64{2, 4, 4}},
		{"nearly all in one", []float64{5, 1}, []float64{1, 99}, []float64{1, 1, 1}},
		{"a tail", []float64{5, 1, 9}, []float64{6, 92, 2}, []float64{1, 5, 9}},
		{"no weight at all", []float64{1, 2}, []float64{0, 0}, []float64{1, 1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := quantiles(test.values, test.weights, 0.5, 0.95, 0.99); !reflect.DeepEqual(got, test.want) {
				t.Errorf("quantiles() = %v, want %v", got, test.want)
			}
		})
	}
}

func TestTheWorstHourIsTheOneWithMostTicksOver(t *testing.T) {
	latencies := make([]float64, 12) // ticks of 20 minutes
	for _, over := range []int{1, 6, 8} {
		latencies[over] = 1
	}
	got := worstHour(latencies, 0.5, 20*time.Minute)
	if want := (Hour{From: 2 * time.Hour, TimeOver: 2. / 3}); got != want {
		t.Errorf("worstHour() = %+v, want %+v", got, want)
	}
	if got := worstHour(make([]float64, 12), 0.5, 20*time.Minute); got != (Hour{}) {
		t.Errorf("worstHour() of a good run = %+v, want none", got)
	}
}

func TestASummaryIsOverSeedsAndWindows(t *testing.T) {
	report := func(trace string, over, time float64) Report {
		return Report{Trace: trace, Results: []Result{{Policy: "p", OverClairvoyant: over, TimeOver: time, ActionsPerDay: 10}}}
	}
	lines := Summarise([]Report{
		report("wc98-a", 0.10, 0.01), report("wc98-a", 0.20, 0.03), // two seeds
		report("wc98-b", 0.30, 0.04), report("elb", 0.9, 0.5),
	})
	got := SummaryTable(lines)
	want := Table{
		{"policy", "wc98-a", "wc98-b", "elb", "diurnal mean, worst"},
		{"p", "+15.0% 2.00% 10", "+30.0% 4.00% 10", "+90.0% 50.00% 10", "+22.5% 4.00%"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("SummaryTable() = %v, want %v", got, want)
	}
	var text, markdown strings.Builder
	if err := errors.Join(got.Text(&text), got.Markdown(&markdown)); err != nil {
		t.Fatal(err)
	}
	if want := "POLICY  WC98-A           WC98-B           ELB               DIURNAL MEAN, WORST\n" +
		"p       +15.0% 2.00% 10  +30.0% 4.00% 10  +90.0% 50.00% 10  +22.5% 4.00%\n"; text.String() != want {
		t.Errorf("Text() writes\n%s, want\n%s", text.String(), want)
	}
	if want := "| policy | wc98-a | wc98-b | elb | diurnal mean, worst |\n|---|---:|---:|---:|---:|\n" +
		"| p | +15.0% 2.00% 10 | +30.0% 4.00% 10 | +90.0% 50.00% 10 | +22.5% 4.00% |\n"; markdown.String() != want {
		t.Errorf("Markdown() writes\n%s, want\n%s", markdown.String(), want)
	}
}
