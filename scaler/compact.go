package scaler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

// keepEmpty is how long a shard without nodes stays: one that grows again costs less
// than a new one.
const keepEmpty = 10 * time.Minute

// compact removes the root modules of shards that have been empty for long. Nodes
// that live are never moved: a shard becomes empty because its last nodes have gone
// and new ones went to fuller shards. One empty shard stays, ready for the next node.
func (a *actuator) compact(ctx context.Context, now time.Time) error {
	if a.dismissed || a.desc == nil {
		return nil
	}
	spare := false
	for _, s := range slices.Clone(a.shards) {
		if !a.removable(s) {
			s.emptySince = time.Time{}
			continue
		}
		if s.emptySince.IsZero() {
			s.emptySince = now
		}
		if !spare {
			spare = true
			continue
		}
		if now.Sub(s.emptySince) < keepEmpty {
			continue
		}
		if s.claimed() {
			if !a.idle(s, now) {
				continue
			}
			if err := a.giveUp(ctx, s); err != nil {
				return err
			}
			continue
		}
		if err := a.removeShard(s); err != nil {
			return err
		}
	}
	return nil
}

// removable reports whether nothing of a shard exists, is wanted, is under way or
// is in doubt.
func (a *actuator) removable(s *shard) bool {
	return s.empty() && !s.busy && !s.unsure && !s.recovering && s.open == nil && s.err == nil &&
		s.suspect == nil && len(s.adopts) == 0 && !s.leaveChecked && a.checking != s
}

// removeShard removes the folder of an empty shard. Its state is read once more
// before.
func (a *actuator) removeShard(s *shard) error {
	s.readState(a.tf)
	if !s.empty() {
		s.emptySince = time.Time{}
		return nil
	}
	if err := s.disk.remove(s.dir); err != nil {
		return fmt.Errorf("remove empty shard: %w", err)
	}
	a.shards = slices.DeleteFunc(a.shards, func(other *shard) bool { return other == s })
	delete(a.drift, s.name)
	delete(a.checked, s.name)
	a.log.Info("empty shard removed", "shard", s.name)
	return nil
}

// freeShardName is the first name of a shard that is not used. A name is used again:
// a shard that was removed had nothing.
func (a *actuator) freeShardName() string {
	for number := 0; ; number++ {
		if name := tfgen.ShardName(number); a.named(name) == nil {
			return name
		}
	}
}
