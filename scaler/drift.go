package scaler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// DriftKind is what changed behind Terraform's back.
type DriftKind string

const (
	// DriftDeleted is a resource that is gone.
	DriftDeleted DriftKind = "deleted"
	// DriftChanged is a resource whose attributes were changed.
	DriftChanged DriftKind = "changed"
	// DriftForeign is a state that somebody else wrote.
	DriftForeign DriftKind = "foreign writer"
)

// DriftFinding is one thing that changed behind Terraform's back.
type DriftFinding struct {
	Shard string    `json:"shard"`
	Kind  DriftKind `json:"kind"`
	// Address is the resource's; empty for a foreign writer.
	Address string    `json:"address,omitempty"`
	Since   time.Time `json:"since"`
	// Action is repair or report, as the group's description says.
	Action spec.DriftAction `json:"action"`
	// Detail says more: which attributes were changed, or why it could not be repaired.
	Detail string `json:"detail,omitempty"`
}

// driftPolicy is what the group's description says, with its defaults where the
// group has none any more.
func (a *actuator) driftPolicy() spec.Drift {
	p := spec.Drift{OnDeleted: spec.DriftRepair, OnChanged: spec.DriftReport}
	if a.desc != nil {
		p = a.desc.group.Drift
	}
	if p.Every == 0 {
		p.Every = spec.Duration(a.driftEvery)
	}
	return p
}

func (a *actuator) takeDrift(r result) {
	s := r.shard
	a.checking = nil
	a.driftBudget.done()
	if a.facts.Backend != nil && !s.busy {
		s.readState(a.tf) // the check has read it from the backend
	}
	if s.busy || s.endedAt.After(a.driftOrder.began) {
		return // what a step did meanwhile would look as if somebody else had done it
	}
	a.checked[s.name] = time.Now()
	a.noteCheck(s, r.err)
	if r.err != nil {
		if !errors.Is(r.err, context.Canceled) {
			a.log.Error("drift check failed", "shard", s.name, "error", r.err)
		}
		return
	}
	gone, changed, details := map[string]bool{}, map[string]bool{}, map[string]string{}
	for _, address := range r.dead {
		gone[address] = true
	}
	for _, change := range r.drift {
		if change.Action == ActionDelete {
			gone[change.Address] = true
		} else {
			changed[change.Address], details[change.Address] = true, change.Detail
		}
	}
	policy, before := a.driftPolicy(), a.drift[s.name]
	// A foreign writer stays listed for a while: the check after it finds nothing odd.
	a.drift[s.name] = slices.DeleteFunc(slices.Clone(before), func(f DriftFinding) bool {
		return f.Kind != DriftForeign || time.Since(f.Since) >= time.Duration(policy.Every)
	})
	for _, address := range sortedKeys(gone) {
		a.findGone(s, address, before)
	}
	for _, address := range sortedKeys(changed) {
		a.find(s, DriftFinding{Kind: DriftChanged, Address: address, Action: policy.OnChanged, Detail: details[address]}, before)
		if policy.OnChanged == spec.DriftRepair && s != a.base {
			s.repair = append(s.repair, address)
		}
	}
}

// findGone takes a resource that is gone: its node is replaced, or reported.
func (a *actuator) findGone(s *shard, address string, before []DriftFinding) {
	a.metrics.gone.WithLabelValues(a.app, a.group).Inc()
	if a.driftPolicy().OnDeleted == spec.DriftReport {
		a.find(s, DriftFinding{Kind: DriftDeleted, Address: address, Action: spec.DriftReport}, before)
		return
	}
	a.metrics.drift.WithLabelValues(a.app, a.group, string(DriftDeleted)).Inc()
	a.log.Warn("resource is gone", "shard", s.name, "address", address)
	if node, ok := tfgen.AddressNode(address); ok {
		a.doomed[node], a.lost[node] = true, address
	} else if s == a.base && !slices.Contains(a.deadShared, address) {
		a.deadShared = append(a.deadShared, address)
	}
}

// find adds a finding to the shard's; one that was there before is told only once.
func (a *actuator) find(s *shard, f DriftFinding, before []DriftFinding) {
	f.Shard, f.Since = s.name, time.Now()
	i := slices.IndexFunc(before, func(b DriftFinding) bool { return b.Kind == f.Kind && b.Address == f.Address })
	if i >= 0 {
		f.Since = before[i].Since
	} else {
		a.metrics.drift.WithLabelValues(a.app, a.group, string(f.Kind)).Inc()
		a.log.Warn("drift", "shard", s.name, "kind", f.Kind, "address", f.Address, "action", f.Action, "detail", f.Detail)
	}
	a.drift[s.name] = append(a.drift[s.name], f)
}

// noteForeign notices a state that somebody else wrote since the shard's last step.
// What it says is taken as the truth, and checked soon.
func (a *actuator) noteForeign(s *shard) {
	if s.stateErr != nil || s.busy || s.recovering {
		return
	}
	// Another lineage is that of a state that was moved: any other one is none to trust.
	if s.serialKnown && s.state.Serial != s.serial && s.state.Lineage == s.lineage {
		detail := fmt.Sprintf("the state went from serial %d to %d without a step of this scalerd", s.serial, s.state.Serial)
		a.find(s, DriftFinding{Kind: DriftForeign, Action: spec.DriftReport, Detail: detail}, nil)
		a.checked[s.name] = time.Time{}
	}
	s.serial, s.lineage, s.serialKnown = s.state.Serial, s.state.Lineage, true
}

// startRepair changes attributes back that were changed behind Terraform's back, in
// place.
func (a *actuator) startRepair(ctx context.Context, s *shard) error {
	addresses := slices.Compact(slices.Sorted(slices.Values(s.repair)))
	record := a.record(s)
	record.Reason = "changed behind Terraform's back: " + strings.Join(addresses, ", ")
	if err := a.begin(ctx, s, record); err != nil {
		return err
	}
	s.repair, s.repairing = nil, addresses
	return a.start(ctx, s, Expect{Refresh: true, Update: addresses})
}

// finishRepair takes the end of such a step. What could not be changed in place is
// left for the next check.
func (a *actuator) finishRepair(s *shard, err error) {
	repaired := s.repairing
	s.repairing = nil
	if len(repaired) == 0 || errors.Is(err, context.Canceled) {
		return
	}
	if err == nil {
		a.drift[s.name] = slices.DeleteFunc(a.drift[s.name], func(f DriftFinding) bool { return slices.Contains(repaired, f.Address) })
		return
	}
	for i, f := range a.drift[s.name] {
		if slices.Contains(repaired, f.Address) {
			a.drift[s.name][i].Detail = "could not be changed back in place: " + err.Error()
		}
	}
}
