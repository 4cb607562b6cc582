package trace

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestAWindowIsCutFromTheFirstSampleOn(t *testing.T) {
	whole := Trace{Seconds: []float64{100, 160, 220, 280}, Rates: []float64{1, 2, 3, 4}}
	for _, test := range []struct {
		name     string
		from, to time.Duration
		want     Trace
	}{
		{"all", 0, 0, whole},
		{"the middle", time.Minute, 3 * time.Minute, Trace{Seconds: []float64{160, 220}, Rates: []float64{2, 3}}},
		{"to the end", 90 * time.Second, 0, Trace{Seconds: []float64{220, 280}, Rates: []float64{3, 4}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := whole.Window(test.from, test.to)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Window() (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := whole.Window(time.Hour, 2*time.Hour); err == nil || !strings.Contains(err.Error(), "choose a window within it") {
		t.Errorf("Window() outside = %v", err)
	}
}

func TestSmoothTakesTheMeanAround(t *testing.T) {
	spiky := Trace{Seconds: []float64{0, 60, 120, 180, 240}, Rates: []float64{0, 0, 9, 0, 0}}
	got := spiky.Smooth(3 * time.Minute)
	// At the ends only what there is counts: 90 s of 0 and then 30 s of 9 are not reached.
	if diff := cmp.Diff([]float64{0, 3, 3, 3, 0}, got.Rates, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("Smooth() (-want +got):\n%s", diff)
	}
	if spiky.Rates[2] != 9 {
		t.Error("Smooth() changed its receiver")
	}
}

func TestAtGoesInLinesBetweenTheMiddles(t *testing.T) {
	steps := Trace{Seconds: []float64{1000, 1060, 1120}, Rates: []float64{2, 8, 4}}
	for _, test := range []struct{ seconds, want float64 }{
		{0, 2}, {30, 2}, {60, 5}, {90, 8}, {120, 6}, {150, 4}, {1e6, 4},
	} {
		if got := steps.At(test.seconds); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("At(%g) = %g, want %g", test.seconds, got, test.want)
		}
	}
}

// TestSmoothingStaysBetweenTheExtremes: a mean is no more than its largest part.
func TestSmoothingStaysBetweenTheExtremes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rates := rapid.SliceOfN(rapid.Float64Range(0, 100), 2, 30).Draw(t, "rates")
		tr := Trace{Rates: rates}
		at := 0.0
		for range rates {
			tr.Seconds = append(tr.Seconds, at)
			at += rapid.Float64Range(1, 100).Draw(t, "step")
		}
		least, most := math.Inf(1), 0.0
		for _, r := range rates {
			least, most = min(least, r), max(most, r)
		}
		over := time.Duration(rapid.IntRange(1, 10000).Draw(t, "seconds")) * time.Second
		for i, r := range tr.Smooth(over).Rates {
			if r < least-1e-6 || r > most+1e-6 {
				t.Fatalf("rate %d is %g after smoothing, outside %g..%g", i, r, least, most)
			}
		}
	})
}
