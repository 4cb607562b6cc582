package trace

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRecordedNamesItsGaps(t *testing.T) {
	from := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	at := func(minute int) time.Time { return from.Add(time.Duration(minute) * time.Minute) }
	samples := []Sample{{at(1), 1}, {at(2), 2}, {at(5), 5}, {at(6), math.NaN()}, {at(7), 7}, {at(8), 8}}
	got, gaps, start, err := Recorded(samples, from, at(9), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Trace{Seconds: []float64{0, 60, 240, 360, 420}, Rates: []float64{1, 2, 5, 7, 8}}); !cmp.Equal(want, got) || !start.Equal(at(1)) {
		t.Errorf("Recorded() = %v from %s, want %v", got, start, want)
	}
	want := []Gap{{at(0), at(1), false}, {at(3), at(5), false}, {at(6), at(7), true}, {at(9), at(10), false}}
	if diff := cmp.Diff(want, gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if text := gaps[2].String(); text != "1m0s of NaN from 2026-01-05T10:06:00Z" {
		t.Errorf("String() = %s", text)
	}
}

func TestARecordingThatIsNoLoadIsRefused(t *testing.T) {
	from := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	at := func(minute int) time.Time { return from.Add(time.Duration(minute) * time.Minute) }
	for _, test := range []struct {
		name    string
		samples []Sample
		want    string
	}{
		{"nothing", nil, "fewer than two values"},
		{"a rate below 0", []Sample{{at(0), -1}}, "can't be less than 0"},
		{"mostly gaps", []Sample{{at(0), 1}, {at(1), 1}, {at(2), 1}}, "70% of the range has no value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, _, _, err := Recorded(test.samples, from, at(9), time.Minute); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Recorded() = %v, want %q in it", err, test.want)
			}
		})
	}
}
