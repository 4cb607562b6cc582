package scaler

import (
	"context"
	"slices"
	"time"
)

// A state in a backend says which installation of scalerd it belongs to; see
// tfgen.InstallationOutput. Whoever comes first has it, and before its root module is
// removed a last step takes that away again: without it, another scalerd could not have
// an application of the same name for ever.

// claimed reports whether the root module has a state in a backend that says that it
// is ours.
func (s *shard) claimed() bool { return s.state.Installation != "" }

// giveUp starts the last step of a root module that has nothing but its claim.
func (a *actuator) giveUp(ctx context.Context, s *shard) error {
	return a.start(ctx, s, Expect{Destroy: true})
}

// giveUpAll does it for all root modules of a group that goes.
func (a *actuator) giveUpAll(ctx context.Context, now time.Time) error {
	if !a.dismissed || !a.shardsEmpty() {
		return nil
	}
	for _, s := range a.roots() {
		if s.claimed() && s.empty() && a.idle(s, now) {
			if err := a.giveUp(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// anyClaimed reports whether a root module has a claim still.
func (a *actuator) anyClaimed() bool { return slices.ContainsFunc(a.roots(), (*shard).claimed) }
