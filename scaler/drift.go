package scaler

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

func (a *actuator) takeDrift(r result) {
	s := r.shard
	a.checking, a.checked[s.name] = nil, time.Now()
	if r.err != nil {
		if !errors.Is(r.err, context.Canceled) {
			a.log.Error("drift check failed", "shard", s.name, "error", r.err)
		}
		return
	}
	dead := map[string]bool{}
	for _, address := range r.dead {
		dead[address] = true
	}
	var findings []Change
	for _, change := range r.drift {
		if change.Action == ActionDelete {
			dead[change.Address] = true
		} else {
			findings = append(findings, change)
		}
	}
	a.drift[s.name] = findings
	for _, address := range sortedKeys(dead) {
		a.metrics.drift(a.app, a.group)
		a.log.Warn("resource is gone", "shard", s.name, "address", address)
		if node, ok := tfgen.AddressNode(address); ok {
			a.doomed[node], a.lost[node] = true, address
		} else if s == a.base && !slices.Contains(a.deadShared, address) {
			a.deadShared = append(a.deadShared, address)
		}
	}
}

// checkDrift starts the drift check of the shard that waited longest, one at a
// time, where it is due.
func (a *actuator) checkDrift(ctx context.Context, now time.Time) {
	if a.checking != nil || a.driftEvery <= 0 || a.dismissed {
		return
	}
	var next *shard
	for _, s := range a.roots() {
		if s.busy || s.stateErr != nil || len(s.state.Resources) == 0 {
			continue
		}
		if _, ok := a.checked[s.name]; !ok {
			a.checked[s.name] = now // what was just applied is not checked at once
		}
		if now.Sub(a.checked[s.name]) >= a.driftEvery && (next == nil || a.checked[s.name].Before(a.checked[next.name])) {
			next = s
		}
	}
	if next == nil {
		return
	}
	a.checking = next
	root, addresses, written := a.root(next), sortedKeys(next.state.Resources), a.written(next)
	go func() {
		r := result{shard: next, check: true, dead: a.inspect.Dead(root.Dir, addresses)}
		r.drift, r.err = a.tf.Drift(ctx, root)
		a.reap(ctx, root.Dir, written)
		a.results <- r
	}()
}
