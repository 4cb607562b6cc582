// Package policy turns what was observed of a node group into a proposal of how
// many nodes it should have.
//
// Every policy is a pure function of its Observation: no clock, no I/O, no state
// of its own. What a rule wants to remember travels in and out as UserData.
package policy

import (
	"math"
	"time"
)

// Missing says why a query has no value. The zero value, Present, means that it
// has one.
type Missing string

const (
	// Present: the reading has a value.
	Present Missing = ""
	// NoSeries: the query answered, with nothing, and has not had a value lately.
	NoSeries Missing = "no series"
	// NaN: the value is not a number, or infinite.
	NaN Missing = "not a number"
	// Stale: the query had a value a short while ago and has none now.
	Stale Missing = "stale"
	// QueryError: the monitoring refused the query.
	QueryError Missing = "query error"
	// Unreachable: the monitoring did not answer.
	Unreachable Missing = "unreachable"
)

// Sample is one series of an instant query's answer.
type Sample struct {
	Labels map[string]string `json:"labels,omitempty"`
	Value  float64           `json:"value"`
}

// Reading is the answer to one query at one instant. Samples is never empty
// where Missing is Present, and is sorted by labels.
type Reading struct {
	Samples []Sample `json:"samples,omitempty"`
	Missing Missing  `json:"missing,omitempty"`
	// Detail is the monitoring's own words where Missing is not Present.
	Detail string `json:"detail,omitempty"`
	// Firing is set for an alert: whether its condition has held long enough.
	Firing *bool `json:"firing,omitempty"`
	// SampledAt is when the newest sample was taken that the value is made of; zero
	// where the monitoring can't tell, and then all that is known is that the query was
	// evaluated at the tick.
	SampledAt time.Time `json:"sampled_at,omitzero"`
	// Label is set for a query whose value in a rule is the list of this label's
	// values; no series is an empty list then, and not a missing value.
	Label string `json:"label,omitempty"`
}

// Value is the first sample's value, which is the only one for queries that
// aggregate. It is NaN where the reading is missing.
func (r Reading) Value() float64 {
	if r.Missing != Present || len(r.Samples) == 0 {
		return math.NaN()
	}
	return r.Samples[0].Value
}

// Node is a node as a policy sees it.
type Node struct {
	Name    string
	Address string  // the private address, or "" while it is unknown
	ID      string  // the cloud's identifier
	Ready   bool    // its metrics were scraped at the last tick
	Zone    string  // the availability zone, or "" where the group has none
	PerHour float64 // what the node costs an hour, 0 where that is not known
}

// Observation is everything a policy may know.
type Observation struct {
	Now   time.Time
	Group string
	// Nodes are the nodes that exist, by name.
	Nodes []Node
	// Wanted is the number of nodes decided last, within Min and Max.
	Wanted   int
	Min, Max int
	// Initial is the number of nodes at the first apply.
	Initial int
	// Lead is how long nine of ten nodes take from their creation until they are
	// ready, as measured; zero while none was.
	Lead time.Duration
	// FailedSteps is how many steps have failed in a row.
	FailedSteps int
	// PlanRefused is set while a plan was not applied because it went beyond what was
	// decided, or because a check of the user's refused it.
	PlanRefused bool
	// ChangedAt is when the number of ready nodes last became Wanted, and zero
	// while it is not (MiCADO's stability clock).
	ChangedAt time.Time
	// Readings holds the answer to each query that the group's policies name.
	Readings map[string]Reading
	// Constants are float64, int, string, bool, or lists and maps of these.
	Constants map[string]any
	// UserData is what the same rule left at its last evaluation, as JSON.
	UserData []byte
	// Advice is what the group's optimizer advises now; nil where it has none.
	Advice *Advice
	// Cost is nil where nothing says what a node costs and no budget asks for it.
	Cost *Cost
}

// Advice is what an optimizer proposes.
type Advice struct {
	// Valid says whether Nodes is to be followed. Where it is not, Error says why, and
	// Nodes is the number that exists.
	Valid bool
	// Phase is training or production.
	Phase string
	Nodes int
	// Reliability is the chance, in percent, that the targets hold with the advice.
	Reliability float64
	Error       string
	// Reasons say how Nodes was found.
	Reasons []string
}

// PhaseTraining is the phase of an optimizer that has not learned enough.
const PhaseTraining = "training"

// Ready counts the nodes that are ready.
func (o Observation) Ready() int {
	n := 0
	for _, node := range o.Nodes {
		if node.Ready {
			n++
		}
	}
	return n
}

// Proposal is what one policy makes of an Observation. It is not clamped to min
// and max.
type Proposal struct {
	Policy string `json:"policy"`
	// Nodes is the proposed size. It means nothing where Hold or Abstain is set.
	Nodes int `json:"nodes"`
	// Hold is set where the policy can't tell: a metric is missing or its rule
	// failed. A held group is never shrunk.
	Hold bool `json:"hold,omitempty"`
	// Abstain is set where the policy has no opinion: it asks for no size and keeps
	// no other policy from one.
	Abstain bool `json:"abstain,omitempty"`
	// Drop names nodes that the policy wants removed, whatever Nodes says.
	Drop []string `json:"drop,omitempty"`
	// Min and Max clamp the size that is decided, as long as they are proposed.
	Min *int `json:"min,omitempty"`
	Max *int `json:"max,omitempty"`
	// Least is the fewest nodes with which the policy would not ask for more at once,
	// as far as it can tell; 0 where it can't.
	Least int `json:"least,omitempty"`
	// Missing is why Hold is set, where that is a query without a value.
	Missing Missing `json:"missing,omitempty"`
	// HoldFor is the longest hold for that reason, after which the policy goes to
	// Floor; see AtFloor. 0 is forever.
	HoldFor time.Duration `json:"-"`
	Floor   *int          `json:"-"`
	// Reason is one sentence with the numbers that led to the proposal.
	Reason string `json:"reason"`
	// Error is set where Hold comes from a mistake in a rule: file:line:column
	// and the mistake.
	Error string `json:"error,omitempty"`
	// Prints is what a rule printed, a line each.
	Prints []string `json:"prints,omitempty"`
	// UserData replaces Observation.UserData at the next evaluation; nil keeps it.
	UserData []byte `json:"-"`
}

// Policy proposes a size. Implementations are safe for concurrent use.
type Policy interface {
	// Name is unique within a group.
	Name() string
	// Queries are the names of the queries that Propose looks at.
	Queries() []string
	Propose(Observation) Proposal
}
