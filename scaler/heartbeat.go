package scaler

import (
	"slices"
	"sync/atomic"
	"time"
)

// heartbeat is when a control loop went round last.
type heartbeat struct {
	at, interval atomic.Int64
}

func (h *heartbeat) beat(now time.Time, interval time.Duration) {
	h.at.Store(now.UnixNano())
	h.interval.Store(int64(interval))
}

// stalledAfter is how long a loop may take besides three of its intervals.
const stalledAfter = time.Minute

func (h *heartbeat) stalled(now time.Time) bool {
	at := h.at.Load()
	return at != 0 && now.Sub(time.Unix(0, at)) > 3*time.Duration(h.interval.Load())+stalledAfter
}

// Stalled lists the applications whose control loop has not gone round for over
// three of its intervals and a minute, by name: a service manager's watchdog should
// restart a daemon that has one.
func (s *Service) Stalled(now time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name, a := range s.apps {
		if a.heart.stalled(now) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
