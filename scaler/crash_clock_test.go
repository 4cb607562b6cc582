package scaler_test

import (
	"context"
	"path/filepath"
	"time"

	"github.com/scalerd/scalerd/scaler/store/storetest"
)

// clockJumps are how far a clock jumps between two scalerds.
var clockJumps = [...]time.Duration{
	-48 * time.Hour, -5 * time.Hour, -time.Hour, -time.Minute, -mortalGrace,
	mortalGrace, time.Minute, time.Hour, 5 * time.Hour, 48 * time.Hour,
}

// restartAt stops the service, lets the clock jump, and starts the next one. The
// clock of a bubble can't jump: all instants that are stored jump the other way, which
// is the same to who reads them.
func (m *mortalWorld) restartAt(jump time.Duration) {
	m.cancel()
	select {
	case <-m.ended[len(m.ended)-1]:
		m.ended = m.ended[:len(m.ended)-1]
	case <-m.fuse.blown:
		m.crashes++
	}
	if err := storetest.Shift(context.Background(), filepath.Join(m.dir, "scalerd.db"), -jump); err != nil {
		m.t.Fatal(err)
	}
	m.start(0, false)
}
