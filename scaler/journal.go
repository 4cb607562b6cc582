package scaler

import (
	"context"
	"slices"
	"time"
)

// Journal is the write-ahead journal of steps: each phase of a step is on disk
// before the next is begun, so that after a kill at any instant the open steps
// tell what may have happened. Implementations are safe for concurrent use.
type Journal interface {
	// BeginStep keeps a new step and returns its ID.
	BeginStep(ctx context.Context, s StepRecord) (int64, error)
	// SaveStep keeps how far a step is; its Resources are left as they are.
	SaveStep(ctx context.Context, s StepRecord) error
	// AddResults keeps what terraform did to some resources, in one write. What is
	// known of a resource already is replaced.
	AddResults(ctx context.Context, step int64, results []ResourceResult) error
	// OpenSteps are a group's steps that are not at their end, oldest first and
	// without their Resources.
	OpenSteps(ctx context.Context, app, group string) ([]StepRecord, error)
	// Steps are the newest first; an empty group stands for all.
	Steps(ctx context.Context, app, group string, limit int) ([]StepRecord, error)
	// StepsOf are the steps that carry out a decision, oldest first.
	StepsOf(ctx context.Context, decision int64) ([]StepRecord, error)
}

// Phase is how far a step is.
type Phase string

// The phases of a step, in their order; the last three are its end.
const (
	// PhaseIntent: it is journalled which nodes come and go, and nothing else was done.
	PhaseIntent Phase = "intent"
	// PhaseWritten: the node set is on disk.
	PhaseWritten Phase = "written"
	// PhasePlanned: a plan was saved and does what was decided.
	PhasePlanned Phase = "planned"
	// PhaseApplying: terraform was started with that plan, or is about to be.
	PhaseApplying Phase = "applying"
	// PhaseRead: terraform has ended and its state was read back.
	PhaseRead Phase = "read"
	// PhaseDone: the state is as it was decided.
	PhaseDone Phase = "done"
	// PhaseFailed: it is not; another step goes on from what exists.
	PhaseFailed Phase = "failed"
	// PhaseUndone: nothing was applied, and another step or none takes its place.
	PhaseUndone Phase = "undone"
)

// Open reports whether the step is not at its end.
func (p Phase) Open() bool { return p != PhaseDone && p != PhaseFailed && p != PhaseUndone }

// StepRecord is what the journal knows of one step.
type StepRecord struct {
	ID          int64  `json:"id"`
	Application string `json:"application"`
	Group       string `json:"group"`
	// Shard is the name of the root module.
	Shard string `json:"shard"`
	// Decision is the decision that the step carries out, 0 for a repair or a
	// changed description.
	Decision int64 `json:"decision,omitempty"`
	// Reason says why the step is made, where no decision does.
	Reason string `json:"reason,omitempty"`
	// Add and Remove are the nodes that its node set has more and less than the one
	// before.
	Add    []string `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"`
	// NodeSet is the sha256 of the node set's file, Module that of the configuration.
	NodeSet string `json:"node_set,omitempty"`
	Module  string `json:"module,omitempty"`
	// Plan is set from PhasePlanned on.
	Plan *PlanRecord `json:"plan,omitempty"`
	// State is set from PhaseRead on, where the state could be read.
	State *StateRecord `json:"state,omitempty"`
	Phase Phase        `json:"phase"`
	// History tells when the phases were entered, in their order.
	History []PhaseTime `json:"history"`
	// Error says why a step failed or was undone.
	Error string `json:"error,omitempty"`
	// Resources are what terraform did, in the order of its ends.
	Resources []ResourceResult `json:"resources,omitempty"`
}

// PlanRecord is what is kept of a plan.
type PlanRecord struct {
	// Digest is the sha256 of the plan's file.
	Digest string `json:"digest"`
	// Create, Update, Replace and Delete count its changes.
	Create  int `json:"create"`
	Update  int `json:"update"`
	Replace int `json:"replace"`
	Delete  int `json:"delete"`
}

// StateRecord names one version of a state.
type StateRecord struct {
	Lineage string `json:"lineage"`
	Serial  int64  `json:"serial"`
}

// PhaseTime is when a phase was entered.
type PhaseTime struct {
	Phase Phase     `json:"phase"`
	At    time.Time `json:"at"`
}

// ResourceResult is what terraform did to one resource.
type ResourceResult struct {
	Address string `json:"address"`
	// Action is terraform's word: create, update, delete.
	Action string `json:"action"`
	OK     bool   `json:"ok"`
	// Seconds is how long it took, in whole seconds as terraform tells it.
	Seconds float64 `json:"seconds"`
	// Error is the summary of terraform's error about it.
	Error string `json:"error,omitempty"`
}

// enter notes that a phase begins. A step that is planned again forgets the phases
// that it had come to.
func (s *StepRecord) enter(p Phase, now time.Time) {
	if i := slices.IndexFunc(s.History, func(t PhaseTime) bool { return t.Phase == p }); i >= 0 {
		s.History = s.History[:i]
	}
	s.Phase, s.History = p, append(slices.Clone(s.History), PhaseTime{p, now})
}

// reached reports whether the step came as far as the phase.
func (s StepRecord) reached(p Phase) bool {
	return slices.ContainsFunc(s.History, func(t PhaseTime) bool { return t.Phase == p })
}

// At is when the step entered its last phase.
func (s StepRecord) At() time.Time {
	if len(s.History) == 0 {
		return time.Time{}
	}
	return s.History[len(s.History)-1].At
}

// Begun is when the step entered its first phase.
func (s StepRecord) Begun() time.Time {
	if len(s.History) == 0 {
		return time.Time{}
	}
	return s.History[0].At
}

// planRecord counts a plan's changes.
func planRecord(p SavedPlan) *PlanRecord {
	r := &PlanRecord{Digest: p.Digest}
	for _, c := range p.Changes {
		switch c.Action {
		case ActionCreate:
			r.Create++
		case ActionUpdate:
			r.Update++
		case ActionReplace:
			r.Replace++
		case ActionDelete:
			r.Delete++
		}
	}
	return r
}
