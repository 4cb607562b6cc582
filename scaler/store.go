package scaler

import (
	"context"
	"errors"
	"time"
)

// ErrNotFound is returned for an application, group, node or decision that is not
// there.
var ErrNotFound = errors.New("not found")

// Store keeps what must survive a restart. A call that returns nil is on disk.
// Implementations are safe for concurrent use.
type Store interface {
	Knowledge
	Journal

	Applications(ctx context.Context) ([]StoredApplication, error)
	SaveApplication(ctx context.Context, app StoredApplication) error
	// DeleteApplication forgets the application, its groups, shadows and decisions.
	DeleteApplication(ctx context.Context, name string) error

	// Group is a group's row, and the zero value for one that was never saved.
	Group(ctx context.Context, app, group string) (StoredGroup, error)
	// SaveGroup keeps everything but NextNumber, which only SaveNextNumber changes.
	SaveGroup(ctx context.Context, app, group string, row StoredGroup) error
	SaveNextNumber(ctx context.Context, app, group string, next int) error
	// DeleteGroup forgets a group and its nodes; its decisions stay.
	DeleteGroup(ctx context.Context, app, group string) error

	// RecordDecision keeps the decision and, as SaveGroup does, the group's row in
	// one transaction, and returns the decision's ID.
	RecordDecision(ctx context.Context, d Decision, row StoredGroup) (int64, error)
	// Decisions are the newest first; an empty group stands for all.
	Decisions(ctx context.Context, app, group string, limit int) ([]Decision, error)
	Decision(ctx context.Context, id int64) (Decision, error)

	// Nodes are the known times of a group's nodes, by name.
	Nodes(ctx context.Context, app, group string) (map[string]NodeTimes, error)
	// SaveNodes keeps the times of some nodes, and DeleteNodes forgets some: all of
	// them or none.
	SaveNodes(ctx context.Context, app, group string, times map[string]NodeTimes) error
	DeleteNodes(ctx context.Context, app, group string, nodes []string) error

	// RecordShadows keeps what one tick made of a group's shadow policies, and drops
	// what is older than ShadowRetention.
	RecordShadows(ctx context.Context, app, group string, ticks []ShadowTick) error
	// Comparisons sum up a group's ticks since an instant, by the policy's name.
	Comparisons(ctx context.Context, app, group string, since time.Time) ([]Comparison, error)
	// ForgetShadows drops the ticks of all shadow policies of a group but those named.
	ForgetShadows(ctx context.Context, app, group string, but []string) error
	// Installation is what tells this scalerd's machines from another's, made at the
	// first call and the same ever after.
	Installation(ctx context.Context) (string, error)

	// DecisionsBefore and StepsBefore are those with smaller IDs, the newest first; an
	// empty application stands for all in DecisionsBefore.
	DecisionsBefore(ctx context.Context, app, group string, before int64, limit int) ([]Decision, error)
	StepsBefore(ctx context.Context, app, group string, before int64, limit int) ([]StepRecord, error)

	Histories

	// SaveDrain keeps how far a known node's drain is; SaveNodes leaves that as it is.
	SaveDrain(ctx context.Context, app, group, node string, drain NodeDrain) error
}

// StoredApplication is an application as it was submitted.
type StoredApplication struct {
	Name string
	// File is the name that the user's file had, for error messages.
	File string
	Text []byte
	// Params are the values of a TOSCA template's inputs. The application keeps its
	// Name whatever the template says.
	Params map[string]any
	// Paused stops decisions for all groups.
	Paused bool
	// Destroying is set from the order to destroy until the last node is gone.
	Destroying bool
	UpdatedAt  time.Time
}

// StoredGroup is what is remembered of a group.
type StoredGroup struct {
	// Wanted is the number of nodes decided last. Known is false for a group that
	// never had a decision.
	Wanted int
	Known  bool
	// Surge is how many nodes more than Wanted may exist while old ones are
	// replaced.
	Surge  int
	Paused bool
	// LastOut and LastIn are when Wanted last grew and shrank.
	LastOut, LastIn time.Time
	// Dropping are the nodes that decisions named and that were not gone yet.
	Dropping []string
	// NextNumber is the number of the next node's name.
	NextNumber int
	// UserData is each rule's m_userdata, as JSON, by policy name.
	UserData map[string][]byte
	// Remembered is what else survives a restart.
	Remembered Remembered
}

// NodeTimes are the instants in a node's life. ReadyAt is zero before the node
// was first ready.
type NodeTimes struct {
	CreatedAt time.Time
	ReadyAt   time.Time
	// Drain is kept by SaveDrain.
	Drain NodeDrain
}

// NodeDrain is how far a node is on its way out, before its deletion is written. It is
// the zero value for one that stays.
type NodeDrain struct {
	// Deadline is when the drain that has begun has to be over.
	Deadline time.Time `json:"deadline,omitzero"`
	// Drained is set when it is over, and the node goes.
	Drained bool `json:"drained,omitempty"`
	// KeptUntil is until when the node stays because it could not be drained.
	KeptUntil time.Time `json:"kept_until,omitzero"`
}
