package scaler

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

// TestASuspicionEndsWhateverTheClockDid loads a shard whose creation was cut short at
// an instant that a clock told which was right, ahead or behind.
func TestASuspicionEndsWhateverTheClockDid(t *testing.T) {
	for _, row := range []struct {
		name string
		cut  time.Duration
		want time.Duration
	}{
		{"a creation of just now", -time.Second, 59 * time.Second},
		{"a creation of long ago", -time.Hour, -59 * time.Minute},
		{"a creation of the future", 48 * time.Hour, time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := lookedUp(t)
			a.dir, a.lookupGrace = t.TempDir(), time.Minute
			if err := a.disk.writeFiles(a.lookupDir(), []tfgen.File{{Name: "main.tf"}}); err != nil {
				t.Fatal(err)
			}
			s := a.shards[0]
			s.open = &StepRecord{Shard: filepath.Base(s.dir), History: []PhaseTime{{PhaseApplying, decideNow.Add(row.cut)}}}
			a.loadLookup(decideNow)
			if s.suspect == nil {
				t.Fatal("the shard is not under suspicion")
			}
			if got := s.suspect.until.Sub(decideNow); got != row.want {
				t.Errorf("it may create again after %s, want %s", got, row.want)
			}
		})
	}
}
