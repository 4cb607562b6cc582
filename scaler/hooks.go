package scaler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// Checks are the user's own checks of plans. Implementations are safe for
// concurrent use.
type Checks interface {
	// Check asks every check about a plan before it is applied; plan is called where
	// there is any check. A check that refuses is a *VetoError; any other error means
	// that the plan could not be checked.
	Check(ctx context.Context, of Subject, plan func(context.Context) ([]byte, error)) error
}

// Subject is whose plan is checked.
type Subject struct {
	Application, Group, Shard string
	// Decision is the decision that the plan carries out, 0 for none.
	Decision int64
}

// VetoError says that a check of the user's refused a plan, and in what words.
type VetoError struct {
	Check string
	Words string
}

func (e *VetoError) Error() string {
	words := e.Words
	if words == "" {
		words = "it gave no reason"
	}
	return fmt.Sprintf("plan refused by the check %s, nothing was applied: %s", e.Check, words)
}

// planRefused reports whether a plan was made and not applied, because it goes beyond
// the decision or because a check refused it.
func planRefused(err error) bool {
	return errors.As(err, new(*PlanRefusedError)) || errors.As(err, new(*VetoError))
}

// Drainer asks nodes to finish their work. Implementations are safe for concurrent
// use.
type Drainer interface {
	// Drain asks one node, and waits until it has finished or ctx ends.
	Drain(ctx context.Context, how spec.Drain, node DrainNode) error
}

// DrainNode is a node to drain, as a drain hook is told.
type DrainNode struct {
	Application string    `json:"application"`
	Group       string    `json:"group"`
	Node        string    `json:"node"`
	ID          string    `json:"id"`
	PrivateIP   string    `json:"private_ip"`
	PublicIP    string    `json:"public_ip"`
	Decision    int64     `json:"decision"`
	Deadline    time.Time `json:"deadline"`
}

// policies asks the checks of the user's about a plan of the shard. It may be called
// from any goroutine.
func (a *actuator) policies(s *shard) func(context.Context, SavedPlan) error {
	checks, of := a.checks, Subject{Application: a.app, Group: a.group, Shard: s.name, Decision: a.decision()}
	return func(ctx context.Context, plan SavedPlan) error {
		if checks == nil {
			return nil
		}
		return checks.Check(ctx, of, plan.JSON)
	}
}
