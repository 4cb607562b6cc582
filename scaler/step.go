package scaler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Terraform runs one shard's root module. Implementations are safe for concurrent
// use on different directories, and bound how many processes run at once.
type Terraform interface {
	// Step plans dir to a file without a refresh, checks the plan against expect
	// and applies that file. It calls progress from its own goroutine. A plan that
	// goes beyond expect is a *PlanRefusedError, and nothing was applied then.
	// What terraform itself said is in a Diagnostics.
	Step(ctx context.Context, dir string, expect Expect, progress func(Progress)) ([]Change, error)
	// Plan says what applying dir would change, without applying it.
	Plan(ctx context.Context, dir string) ([]Change, error)
	// Drift makes a refreshing plan and lists what changed behind Terraform's back.
	Drift(ctx context.Context, dir string) ([]Change, error)
	// State reads what exists. ErrStateLost means that there was a state once.
	State(dir string) (State, error)
}

// ErrStateLost is returned where a state existed and is gone, or went back to an
// older serial or to another lineage: the true size is unknown then, and a group
// of unknown size is never changed.
var ErrStateLost = errors.New("terraform state was lost or replaced")

// ErrInterrupted is returned where terraform was cancelled or killed: it may have
// made or destroyed machines that its state does not tell of yet.
var ErrInterrupted = errors.New("terraform was interrupted")

// Action is what a plan does to one resource, in Terraform's words.
type Action string

// The actions of a plan.
const (
	ActionCreate  Action = "create"
	ActionDelete  Action = "delete"
	ActionUpdate  Action = "update"
	ActionReplace Action = "replace"
)

// Change is one resource's change in a plan.
type Change struct {
	Address string `json:"address"`
	Action  Action `json:"action"`
}

// Expect is what a plan may do: create and delete exactly these addresses, and
// change the shared ones in any way.
type Expect struct {
	Create []string
	Delete []string
	// Shared are addresses of a base, which may be created, updated, replaced or
	// deleted.
	Shared []string
	// Replace are addresses of a base to replace although their configuration did
	// not change; they are part of Shared.
	Replace []string
	// Destroy plans the end of everything in the module.
	Destroy bool
}

// Check compares a plan's changes with what is expected of it.
func (e Expect) Check(changes []Change) error {
	want := map[Change]bool{}
	for _, address := range e.Create {
		want[Change{address, ActionCreate}] = false
	}
	for _, address := range e.Delete {
		want[Change{address, ActionDelete}] = false
	}
	refused := &PlanRefusedError{}
	for _, change := range changes {
		if _, ok := want[change]; ok {
			want[change] = true
		} else if !slices.Contains(e.Shared, change.Address) {
			refused.Unexpected = append(refused.Unexpected, change)
		}
	}
	for change, seen := range want {
		if !seen {
			refused.Absent = append(refused.Absent, change)
		}
	}
	if len(refused.Unexpected)+len(refused.Absent) == 0 {
		return nil
	}
	slices.SortFunc(refused.Absent, compareChanges)
	return refused
}

func compareChanges(a, b Change) int {
	return strings.Compare(a.Address+string(a.Action), b.Address+string(b.Action))
}

// PlanRefusedError says where a plan differs from the decision.
type PlanRefusedError struct {
	// Unexpected are changes that were not asked for.
	Unexpected []Change
	// Absent are changes that were asked for and are not in the plan.
	Absent []Change
}

func (e *PlanRefusedError) Error() string {
	var parts []string
	for _, c := range e.Unexpected {
		parts = append(parts, fmt.Sprintf("it would %s %s, which was not decided", c.Action, c.Address))
	}
	for _, c := range e.Absent {
		parts = append(parts, fmt.Sprintf("it would not %s %s, which was decided", c.Action, c.Address))
	}
	return "plan refused, nothing was applied: " + strings.Join(parts, "; ")
}

// Progress is one thing that happened in a step.
type Progress struct {
	// Phase is init, plan or apply.
	Phase string `json:"phase"`
	// Message is Terraform's own line.
	Message string `json:"message"`
	// Address and Done are set where a resource's change began or ended.
	Address string `json:"address,omitempty"`
	Done    bool   `json:"done,omitempty"`
}

// Diagnostics are Terraform's own errors; as an error it reads as Terraform
// prints them.
type Diagnostics []Diagnostic

// Diagnostic is one of Terraform's errors or warnings.
type Diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail,omitempty"`
	Address  string `json:"address,omitempty"`
	// File and Line point into the generated files, where Terraform does.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

func (d Diagnostics) Error() string {
	var b strings.Builder
	for i, diag := range d {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString("terraform: ")
		if diag.Address != "" {
			b.WriteString(diag.Address + ": ")
		}
		b.WriteString(diag.Summary)
		if diag.Detail != "" {
			b.WriteString(": " + diag.Detail)
		}
		if diag.File != "" {
			fmt.Fprintf(&b, " (%s:%d)", diag.File, diag.Line)
		}
	}
	return b.String()
}

// State is what Terraform's state says exists in one root module.
type State struct {
	Lineage string
	Serial  int64
	// Resources are the addresses of the managed resources. The value is true for
	// a tainted one, whose creation failed half-way.
	Resources map[string]bool
	// Nodes are the addresses of each node by name, from the output "nodes". After
	// a failed apply it may miss nodes whose resources exist.
	Nodes map[string]NodeOutput
}

// NodeOutput is what Terraform knows of one node.
type NodeOutput struct {
	ID        string `json:"id"`
	PrivateIP string `json:"private_ip"`
	PublicIP  string `json:"public_ip"`
	// Port is where a local node serves; other clouds have none.
	Port int `json:"port,omitempty"`
}
