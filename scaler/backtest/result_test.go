package backtest

import (
	"reflect"
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
