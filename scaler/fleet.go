package scaler

import (
	"fmt"
	"time"

	"github.com/scalerd/scalerd/tfgen/price"
)

// Fleet is what a group consists of at one instant, as its actuator knows it. It
// is never changed after it was published.
type Fleet struct {
	// Nodes are all nodes that are written or exist, by name.
	Nodes []FleetNode
	// Unknown says why the true size is not known; nothing is changed then.
	Unknown string
	// Problem is the last failure that is not mended yet, in Terraform's words
	// where it has any. The group is degraded while it is set.
	Problem string
	// Refused says why a plan was not applied, until a plan is good: it went beyond
	// the decision, or a check of the user's refused it.
	Refused string
	// Failures is how many steps failed in a row, at most of any shard's.
	Failures int
	// RetryAt is when the failed step is tried again.
	RetryAt time.Time
	// Steps are the steps in flight.
	Steps []StepStatus
	// Drift are the changes behind Terraform's back that the last drift checks found
	// and that are not repaired.
	Drift []DriftFinding
	// DriftChecks are the last checks of the shards, and DriftOrder is the newest one
	// that was asked for and is over, nil for none.
	DriftChecks []DriftCheck
	DriftOrder  *DriftOrder
	// Offerings are what new nodes may be, and how each has done lately.
	Offerings []OfferingStatus
	// penalties are what is to be kept of them over a restart.
	penalties map[string]RememberedPenalty
	// Lookup is what the cloud has of the group and no state tells of.
	Lookup LookupStatus
	// Moving is set while a state is not yet where the description has it.
	Moving bool
	// Settled is set while the last wish is carried out completely.
	Settled bool
	// Removed is set when the group is gone, with all it had.
	Removed bool
	// seq is the mailbox's count that this Fleet includes.
	seq int
}

// Presence is how far a node is, seen from Terraform.
type Presence string

const (
	// Creating: decided and written, not in the state yet.
	Creating Presence = "creating"
	// Exists: in the state and sound.
	Exists Presence = "exists"
	// Leaving: it will be destroyed.
	Leaving Presence = "leaving"
)

// FleetNode is one node of a Fleet.
type FleetNode struct {
	Name     string
	Shard    string
	Presence Presence
	// State is what Terraform knows of it; empty while it is being created.
	State NodeOutput
	// Zone is the availability zone that it was created in, where its group has any.
	Zone string
	// Offering is the kind of machine that it was created as, where that is known.
	Offering price.Offering
	// Offered is the name of its offering in the description, where there is any.
	Offered string
	// CreatedAt is when it was decided; zero if that was forgotten.
	CreatedAt time.Time
	// Outdated says in which settings the description differs from what the node
	// was created with; it is empty where it does not.
	Outdated string
}

// StepStatus is a step in flight.
type StepStatus struct {
	Shard     string    `json:"shard"`
	Create    int       `json:"create"`
	Delete    int       `json:"delete"`
	StartedAt time.Time `json:"started_at"`
	// Progress is the newest message.
	Progress Progress `json:"progress"`
}

// stepsInFlight are the steps in the order of their shards.
func (a *actuator) stepsInFlight() []StepStatus {
	var steps []StepStatus
	for _, s := range a.roots() {
		if step, ok := a.steps[s.name]; ok {
			steps = append(steps, step)
		}
	}
	return steps
}

// snapshot describes the actuator's shards.
func (a *actuator) snapshot() *Fleet {
	f := &Fleet{
		Removed: a.removed,
		Settled: a.done(),
		seq:     a.seq,
		Lookup:  a.lookupStatus(),

		DriftChecks: a.driftChecks,
		DriftOrder:  a.driftOrder.done,
	}
	f.Offerings, f.penalties = a.offers.status(time.Now()), a.offers.remembered(time.Now())
	f.Nodes = a.fleetNodes()
	for _, s := range a.shards {
		if s.stateErr != nil && f.Unknown == "" {
			f.Unknown = s.stateErr.Error()
		}
	}
	f.Steps = a.stepsInFlight()
	f.Failures = a.creating.failures
	for _, s := range a.roots() {
		f.Drift = append(f.Drift, a.drift[s.name]...)
		f.Failures = max(f.Failures, s.failures)
		f.Moving = f.Moving || s.moving
		if s.err != nil && f.Problem == "" {
			f.Problem, f.RetryAt = s.err.Error(), s.retryAt
		}
	}
	if f.Problem == "" && a.base != nil && a.base.stateErr != nil {
		f.Problem = fmt.Sprintf("what the nodes of the group share is unknown, so none is made: %v", a.base.stateErr)
	}
	for _, s := range a.roots() {
		if s.refusal == nil {
			continue
		}
		if planRefused(s.refusal) && f.Refused == "" {
			f.Refused = s.refusal.Error()
		}
		if f.Problem == "" {
			f.Problem, f.RetryAt = s.refusal.Error(), s.refusedUntil
		}
	}
	if f.Problem == "" && len(a.kept) > 0 && a.keptErr != nil {
		f.Problem = a.keptErr.Error()
	}
	if f.Problem == "" && a.creating.err != nil {
		f.Problem, f.RetryAt = a.creating.err.Error(), a.creating.retryAt
	}
	if f.Problem == "" && a.err != nil {
		f.Problem, f.RetryAt = a.err.Error(), a.retryAt
	}
	return f
}
