package scaler

import (
	"testing"
	"time"
)

func TestALoopStallsAfterThreeIntervalsAndAMinute(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	var h heartbeat
	if h.stalled(start) {
		t.Error("a loop that has not begun is stalled")
	}
	h.beat(start, 15*time.Second)
	for after, want := range map[time.Duration]bool{0: false, 105 * time.Second: false, 106 * time.Second: true} {
		if got := h.stalled(start.Add(after)); got != want {
			t.Errorf("%s after a beat at an interval of 15 s: stalled %t, want %t", after, got, want)
		}
	}
}
