package scaler

import (
	"time"

	"github.com/scalerd/scalerd/tfgen"
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
	// Failures is how many steps failed in a row, at most of any shard's.
	Failures int
	// RetryAt is when the failed step is tried again.
	RetryAt time.Time
	// Steps are the steps in flight.
	Steps []StepStatus
	// Drift are attribute changes behind Terraform's back that the last drift
	// check found. Nodes that are gone are replaced and not listed.
	Drift []Change
	// DriftCheckedAt is when every shard had been checked for drift.
	DriftCheckedAt time.Time
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

// snapshot describes the actuator's shards.
func (a *actuator) snapshot() *Fleet {
	f := &Fleet{
		Removed: a.removed,
		Settled: a.done(),
		seq:     a.seq,
	}
	for _, at := range a.checked {
		if f.DriftCheckedAt.IsZero() || at.Before(f.DriftCheckedAt) {
			f.DriftCheckedAt = at
		}
	}
	for _, s := range a.shards {
		f.Nodes = append(f.Nodes, a.shardNodes(s)...)
		f.Drift = append(f.Drift, a.drift[s.name]...)
		if s.stateErr != nil && f.Unknown == "" {
			f.Unknown = s.stateErr.Error()
		}
	}
	f.Failures = a.creating.failures
	for _, s := range a.roots() {
		f.Failures = max(f.Failures, s.failures)
		if step, ok := a.steps[s.name]; ok {
			f.Steps = append(f.Steps, step)
		}
		if s.err != nil && f.Problem == "" {
			f.Problem, f.RetryAt = s.err.Error(), s.retryAt
		}
	}
	if f.Problem == "" && a.creating.err != nil {
		f.Problem, f.RetryAt = a.creating.err.Error(), a.creating.retryAt
	}
	if f.Problem == "" && a.err != nil {
		f.Problem, f.RetryAt = a.err.Error(), a.retryAt
	}
	return f
}

func (a *actuator) shardNodes(s *shard) []FleetNode {
	var nodes []FleetNode
	for _, name := range a.nodesOf(s) {
		n := FleetNode{Name: name, Shard: s.name, State: s.state.Nodes[name], CreatedAt: a.created[name]}
		settings, written := s.nodes[name]
		n.Zone, _ = settings["zone"].(string)
		if a.desc != nil {
			n.Offering = price.OfNode(a.desc.group, settings)
		}
		switch {
		case !written || a.doomed[name]:
			n.Presence = Leaving
		case s.exists(a.module, name):
			n.Presence = Exists
		default:
			n.Presence = Creating
		}
		if written && a.desc != nil {
			n.Outdated = a.outdated[name]
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// nodesOf lists the names of nodes that are written or exist in a shard.
func (a *actuator) nodesOf(s *shard) []string {
	names := map[string]bool{}
	for name := range s.nodes {
		names[name] = true
	}
	for address := range s.state.Resources {
		if node, ok := tfgen.AddressNode(address); ok {
			names[node] = true
		}
	}
	return sortedKeys(names)
}
