package backtest

import "time"

// Observation is what a policy sees of the group at the end of a tick. It is
// valid until Decide returns.
type Observation struct {
	// Nodes are those that were launched and not removed, oldest first.
	Nodes []Node
	// Ready is how many of them take requests.
	Ready int
	// Metrics are by the names of Metrics. Those that are measured at the nodes are
	// missing while none is ready.
	Metrics map[string]float64
}

// Total is how many nodes were launched and not removed: ready ones and those
// that boot.
func (o Observation) Total() int { return len(o.Nodes) }

// Node is one node of the group.
type Node struct {
	// Name is unique over the whole run.
	Name string
	// Created is when the node was launched, Ready when it took its first request,
	// and zero while it boots.
	Created, Ready time.Time
	// Totals are what its own meters show.
	Totals Totals
}

// Totals are what a node's meters show at the end of a tick: sums since it was
// ready, and gauges of the last tick.
type Totals struct {
	Up       float64 // seconds
	Requests float64 // served
	Response float64 // seconds, the sum of their response times
	CPU      float64 // seconds of all cores
	Busy     float64 // gauge: the share of the cores, 0..1
	InHand   float64 // gauge: requests in service or waiting
}

// Policy decides how many nodes there shall be. It is asked once a tick, in the
// order of time, and may remember what it saw.
type Policy interface {
	// Name is shown with the results.
	Name() string
	// Decide is the number of nodes wanted from now on, booting ones included.
	Decide(now time.Time, obs Observation) int
}

// Chooser is a Policy that names the nodes that go.
type Chooser interface {
	Policy
	// Chosen are the names of nodes that go since the last Decide, within the number
	// that it wants. Of what it does not name, the newest go.
	Chosen() []string
}

// Group is what a policy may know of the group before it starts.
type Group struct {
	// Limit is the highest mean latency that is allowed.
	Limit time.Duration
	// Tick is the time between two calls of Decide.
	Tick time.Duration
	// Cores is how many a node has.
	Cores int
	// Min and Max bound the number of nodes.
	Min, Max int
	// Peak is how many nodes the peak of the load is expected to need.
	Peak int
	// Rehearse drives a policy through that many ticks of a made-up load, on the same
	// plant before any drift and in other weather: for policies that want a training
	// before the run.
	Rehearse func(ticks int, p Policy)
	// Seed is for policies that draw random numbers.
	Seed uint64
}

// Maker makes a policy that has seen nothing yet.
type Maker func(Group) (Policy, error)
