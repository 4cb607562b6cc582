// Package operation follows what somebody asked a scaler.Service for until it is
// carried out.
//
// An Operation is kept in memory only. After a restart its fate is read from what
// it was about: an application that is not found was destroyed, one that is
// settled has all that was asked of it, and a decision's journal tells how it was
// carried out.
package operation

import (
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// Kind is what was asked for.
type Kind string

// The kinds.
const (
	Submit  Kind = "submit"
	Update  Kind = "update"
	Destroy Kind = "destroy"
	Scale   Kind = "scale"
	Drop    Kind = "drop"
	Drift   Kind = "drift"
)

// Status is how far an operation is.
type Status string

// The statuses. A failed operation may still be carried out, because the service
// tries again; a superseded one is not, because something newer was asked for.
const (
	Running    Status = "running"
	Succeeded  Status = "succeeded"
	Failed     Status = "failed"
	Superseded Status = "superseded"
)

// Operation is something that was asked for and takes its time.
type Operation struct {
	ID          string    `json:"id"`
	Kind        Kind      `json:"kind" enum:"submit,update,destroy,scale,drop,drift"`
	Application string    `json:"application"`
	Group       string    `json:"group,omitempty"`
	Status      Status    `json:"status" enum:"running,succeeded,failed,superseded"`
	StartedAt   time.Time `json:"started_at"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	// By is who asked.
	By string `json:"by,omitempty"`
	// Error is why it failed, in Terraform's words where it has any.
	Error string `json:"error,omitempty"`
	// Warnings are about what the description has and should not, such as passwords.
	Warnings []string `json:"warnings,omitempty"`
	// Decision is the decision that was made, of a scale or a drop.
	Decision *scaler.Decision `json:"decision,omitempty"`
}

// Event is a line of an operation's progress.
type Event struct {
	// Number counts from 1.
	Number  int       `json:"number"`
	At      time.Time `json:"at"`
	Group   string    `json:"group"`
	Shard   string    `json:"shard,omitempty"`
	Phase   string    `json:"phase"`
	Message string    `json:"message"`
}

// supersedes reports whether a newer operation makes an older one pointless.
func supersedes(newer, older Operation) bool {
	if newer.Application != older.Application {
		return false
	}
	switch newer.Kind {
	case Destroy:
		return true
	case Submit, Update:
		return older.Kind == Submit || older.Kind == Update
	case Scale:
		return older.Kind == Scale && older.Group == newer.Group
	default:
		return false // drops and checks add up
	}
}
