package scaler

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/scalerd/scalerd/scaler/failure"
	"github.com/scalerd/scalerd/tfgen"
)

// suspicion is what a shard is under after a creation whose outcome is not known:
// nothing is created in it before the cloud was asked.
type suspicion struct {
	// since is the end of the creation. A lookup that begins after until sees
	// whatever the creation made.
	since, until time.Time
}

// lookupFailures is after how many failed lookups in a row a shard under suspicion
// goes on without: the cloud that cannot be asked must not stop the group for ever,
// and what is doubled then is found by a later lookup and deleted.
const lookupFailures = 3

// suspect puts a shard under suspicion.
func (a *actuator) suspect(s *shard, now time.Time) {
	if a.lookup.possible {
		s.suspect = &suspicion{since: now, until: now.Add(a.lookupGrace)}
	}
}

// misses reports whether a node of the shard misses something that its next step
// would create.
func (s *shard) misses(module tfgen.Module) bool { return len(s.expect(module).Create) > 0 }

// mayHaveMade reports whether a failed creation may have made something all the
// same. It has not where the cloud itself refused all that failed.
func mayHaveMade(err error) bool {
	var said Diagnostics
	if errors.Is(err, ErrInterrupted) || errors.Is(err, context.Canceled) || !errors.As(err, &said) {
		return true
	}
	return slices.ContainsFunc(said, func(d Diagnostic) bool { return !refusedBefore(d) })
}

// refusedBefore reports whether a cloud refused a creation before it began it.
func refusedBefore(d Diagnostic) bool {
	kind := failure.Classify(d.Address, d.Summary+": "+d.Detail)
	return kind != failure.Unknown && !kind.Uncertain()
}

// clearSuspicions lets the shards go on that can.
func (a *actuator) clearSuspicions(can func(*shard) bool) {
	for _, s := range a.shards {
		if s.suspect != nil && can(s) {
			s.suspect, s.retryAt = nil, time.Time{}
		}
	}
}
