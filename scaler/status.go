package scaler

import "time"

// ApplicationStatus is what an application is doing at one instant.
type ApplicationStatus struct {
	Name       string    `json:"name"`
	Paused     bool      `json:"paused"`
	Destroying bool      `json:"destroying"`
	TickedAt   time.Time `json:"ticked_at,omitzero"`
	// Settled is set while everything that was asked is carried out.
	Settled bool          `json:"settled"`
	Groups  []GroupStatus `json:"groups"`
	// Problem is a failure that concerns the whole application.
	Problem string `json:"problem,omitempty"`
}

// Degraded reports whether something about the application fails now.
func (s ApplicationStatus) Degraded() bool {
	if s.Problem != "" {
		return true
	}
	for _, g := range s.Groups {
		if g.Problem != "" {
			return true
		}
	}
	return false
}

// GroupStatus is what a group is doing at one instant.
type GroupStatus struct {
	Name   string `json:"name"`
	Cloud  string `json:"cloud"`
	Min    int    `json:"min"`
	Max    int    `json:"max"`
	Wanted int    `json:"wanted"`
	// Nodes by state.
	Creating int `json:"creating"`
	Booting  int `json:"booting"`
	Ready    int `json:"ready"`
	Lost     int `json:"lost"`
	Draining int `json:"draining"`

	Paused   bool `json:"paused"`
	Removing bool `json:"removing,omitempty"`
	Settled  bool `json:"settled"`
	// Problem is why the group is degraded, in Terraform's words where it has any.
	Problem string       `json:"problem,omitempty"`
	RetryAt time.Time    `json:"retry_at,omitzero"`
	Steps   []StepStatus `json:"steps,omitempty"`
	// Drift is what changed behind Terraform's back and is not repaired.
	Drift []DriftFinding `json:"drift,omitempty"`
	// DriftOrder is the newest drift check that somebody asked for and that is over.
	DriftOrder *DriftOrder `json:"drift_order,omitempty"`
	// Lookup is what the cloud has of the group and no state tells of.
	Lookup LookupStatus `json:"lookup"`
	// Offerings are what new nodes may be, and how each has done lately.
	Offerings []OfferingStatus `json:"offerings,omitempty"`
	// Decision is what the last tick decided, also where it changed nothing.
	Decision *Decision `json:"decision,omitempty"`
	// Rollout says what the replacement of nodes with old settings does or waits for.
	Rollout string `json:"rollout,omitempty"`
	// Repair says what the replacement of nodes that do not work does or waits for.
	Repair string `json:"repair,omitempty"`
	// Optimizer is what the group's optimizer knows and does, where it has one.
	Optimizer *AdvisorStatus `json:"optimizer,omitempty"`
	// Warmup is how long nodes took from their creation until they were ready.
	Warmup *Warmup `json:"warmup,omitempty"`
	// Breaker is open or half open while steps fail in a row, and empty otherwise.
	Breaker string `json:"breaker,omitempty"`
	// Cost is what the group costs, where it is known what a node costs.
	Cost *GroupCost `json:"cost,omitempty"`
	// Shadows compare the shadow policies with those in charge.
	Shadows []Comparison `json:"shadows,omitempty"`
	// PolicyProblems are set where the last tick's proposals met a problem.
	PolicyProblems []string `json:"policy_problems,omitempty"`
}

// State is the group's state in one word.
func (g GroupStatus) State() string {
	switch {
	case g.Removing:
		return "removing"
	case g.Problem != "":
		return "degraded"
	case len(g.Steps) > 0 || !g.Settled:
		return "scaling"
	case g.Paused:
		return "paused"
	case g.Decision != nil && g.Decision.Held:
		return "held"
	default:
		return "steady"
	}
}

// NodeStatus is one node as users see it.
type NodeStatus struct {
	Name      string    `json:"name"`
	Group     string    `json:"group"`
	Shard     string    `json:"shard"`
	State     string    `json:"state"`
	ID        string    `json:"id,omitempty"`
	PrivateIP string    `json:"private_ip,omitempty"`
	PublicIP  string    `json:"public_ip,omitempty"`
	Port      int       `json:"port,omitempty"`
	Zone      string    `json:"zone,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	ReadyAt   time.Time `json:"ready_at,omitzero"`
	// Offering is the name of the offering that it is of, where its group has any.
	Offering string `json:"offering,omitempty"`
	// Protected is set for a node that never goes.
	Protected bool `json:"protected,omitempty"`
	// Outdated says in which settings the description differs from what the node
	// was created with.
	Outdated string `json:"outdated,omitempty"`
}
