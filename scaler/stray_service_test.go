package scaler_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestAStrayMachineIsDestroyedAndNoOther gives a node a second machine, as a cloud does
// that shows one only after the grace.
func TestAStrayMachineIsDestroyedAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t)
		defer m.end()
		m.start(0, false)
		if err := m.submit(); err != nil {
			t.Fatal(err)
		}
		if err := m.rest(); err != nil {
			t.Fatal(err)
		}
		before := m.sky.ids()
		installation, err := m.db.Installation(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m.sky.mu.Lock()
		m.sky.machines["i-stray"] = machine{id: "i-stray", node: "web-0001", installation: installation}
		m.sky.mu.Unlock()
		m.live(4 * mortalTick)
		if after := m.sky.ids(); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("machines are %v, want %v without the stray", after, before)
		}
		if gone := m.sky.gone(0); len(gone) != 1 || gone[0] != "i-stray" {
			t.Errorf("deleted were %v at %s, want the stray alone", gone, time.Now())
		}
	})
}
