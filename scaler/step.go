package scaler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// Root is a root module, and with whose credentials terraform runs in it.
type Root struct {
	Dir string
	// Cloud and Credentials choose the credentials: those of this name or, without
	// one, the first of the cloud.
	Cloud       spec.Cloud
	Credentials string
	// Backend is where the state is; nil is a file in Dir.
	Backend *spec.Backend
	// Installation claims a state in a backend; empty for nobody.
	Installation string
}

// RemoteStateFile is the name of the file in a root module that holds its state as it
// was last read from a backend.
const RemoteStateFile = "terraform.remote.tfstate"

// BackendLogin stands for a cloud where the credentials of a backend are looked for.
const BackendLogin spec.Cloud = "backend"

// Credentials are what one run of terraform logs in with.
type Credentials struct {
	// Env are variables of terraform's environment.
	Env map[string]string
	// Replaces are prefixes of variables that terraform does not inherit from
	// scalerd's own environment, so that two accounts never mix.
	Replaces []string
	// Variables are values of Terraform variables that are declared sensitive.
	Variables map[string]string
}

// Terraform runs one shard's root module. Implementations are safe for concurrent
// use on different directories, and bound how many processes run at once.
type Terraform interface {
	// Step plans root to a file without a refresh, checks the plan against expect,
	// asks watch, and applies that file. A plan that goes beyond expect is a
	// *PlanRefusedError, and nothing was applied then; a lock that somebody else
	// holds is a *LockedError, and nothing was changed either; ErrStateMoved asks
	// for another try from the state as it is now. What terraform itself said is in
	// a Diagnostics.
	Step(ctx context.Context, root Root, expect Expect, watch Watcher) ([]Change, error)
	// Recover ends an apply whose scalerd was killed: it waits for that terraform
	// where it still runs, tells watch its results, and brings the state in order.
	// Its error is what the apply's would have been; ErrInterrupted where terraform
	// was killed too, or never began.
	Recover(ctx context.Context, root Root, watch Watcher) error
	// Plan says what applying root would change, without applying it.
	Plan(ctx context.Context, root Root) ([]Change, error)
	// Drift makes a refreshing plan and lists what changed behind Terraform's back. A
	// state in a backend is read anew, so that State answers what is true now.
	Drift(ctx context.Context, root Root) ([]Change, error)
	// State reads what exists, and is cheap: of a state in a backend it is what was
	// there after the last step or drift check. ErrStateLost means that there was a state once.
	State(dir string) (State, error)
	// Check plans root with another node set (nil: the one on disk), without waiting
	// for a step that is under way in it. It checks the plan against expect, asks
	// checked about it, and applies nothing.
	Check(ctx context.Context, root Root, expect Expect, nodes tfgen.Nodes, checked func(context.Context, SavedPlan) error) ([]Change, error)
	// Login is a digest of the credentials with which terraform would run in root now.
	Login(root Root) (string, error)
	// Found applies a lookup, which manages nothing, and returns what it found.
	Found(ctx context.Context, root Root) ([]tfgen.Found, error)
}

// ErrStateLost is returned where a state existed and is gone, or went back to an
// older serial or to another lineage: the true size is unknown then, and a group
// of unknown size is never changed.
var ErrStateLost = errors.New("terraform state was lost or replaced")

// ErrStateUnread is returned where terraform alone can read a state, and was not asked
// about it yet: a step or a drift check asks.
var ErrStateUnread = errors.New("only terraform can read the state, and it was not asked yet")

// ErrInterrupted is returned where terraform was cancelled or killed: it may have
// made or destroyed machines that its state does not tell of yet.
var ErrInterrupted = errors.New("terraform was interrupted")

// ErrStateMoved is returned by a step that found the state behind what terraform
// had done, or newer than what State had answered, brought it in order, and applied nothing: what is expected of the plan
// has to be worked out again.
var ErrStateMoved = errors.New("the state was brought in order first; nothing was applied")

// ErrLeftRunning is returned where the wait for a terraform of an earlier scalerd was
// given up: it goes on.
var ErrLeftRunning = errors.New("the terraform of an earlier scalerd still runs")

// Watcher is told of a step by the goroutine that carries it out, in this order:
// Planned after the plan was checked against what is expected, Applying before
// terraform is started with it, Results while it runs. An error of Planned or
// Applying ends the step, and nothing is applied.
type Watcher interface {
	Progress(p Progress)
	Planned(ctx context.Context, plan SavedPlan) error
	Applying(ctx context.Context) error
	// Results are those of the last 200 ms or so.
	Results(results []ResourceResult)
}

// SavedPlan is a plan that was written to a file and not applied yet.
type SavedPlan struct {
	// Digest is the sha256 of the file.
	Digest  string
	Changes []Change
	// JSON is the plan as `terraform show -json` writes it; it runs that command.
	JSON func(ctx context.Context) ([]byte, error)
}

// Action is what a plan does to one resource, in Terraform's words.
type Action string

// The actions of a plan.
const (
	ActionCreate  Action = "create"
	ActionDelete  Action = "delete"
	ActionUpdate  Action = "update"
	ActionReplace Action = "replace"
	// ActionImport takes over what exists already; it may change it in place.
	ActionImport Action = "import"
)

// Change is one resource's change in a plan.
type Change struct {
	Address string `json:"address"`
	Action  Action `json:"action"`
	// Detail says of a change behind Terraform's back which attributes it was.
	Detail string `json:"detail,omitempty"`
}

// Expect is what a plan may do: create and delete exactly these addresses, and
// change some others.
type Expect struct {
	Create []string
	Delete []string
	// Update are addresses that may be changed in place.
	Update []string
	// Within is set for the module whose resources are not known by address.
	Within *Within
	// Shared are addresses of a base, which may be created, updated, replaced or
	// deleted.
	Shared []string
	// Replace are addresses of a base to replace although their configuration did
	// not change; they are part of Shared.
	Replace []string
	// Import are addresses that are taken over, by import blocks in the module.
	Import []string
	// Refresh lets the plan look at what exists first, so that what was changed behind
	// Terraform's back is changed back.
	Refresh bool
	// Destroy plans the end of everything in the module.
	Destroy bool
}

// Within is what a plan may do in a module of the user's: each change is of a
// node, whose name is a key in the resource's address.
type Within struct {
	// Module is the address of the module, such as module.nodes.
	Module string
	// Create and Delete are nodes of which the plan must create, or delete,
	// something, and may not do anything else.
	Create, Delete []string
	// Finish are nodes of which parts exist and others may be created.
	Finish []string
	// Update lets every node be changed in place.
	Update bool
}

// empty reports whether a plan that does as expected has nothing to do.
func (e Expect) empty() bool {
	return len(e.Create)+len(e.Delete)+len(e.Import) == 0 && (e.Within == nil || len(e.Within.Create)+len(e.Within.Delete)+len(e.Within.Finish) == 0)
}

// creations and deletions count what the plan should do, in resources or, within
// a module of the user's, in nodes.
func (e Expect) creations() int {
	if e.Within != nil {
		return len(e.Within.Create) + len(e.Within.Finish)
	}
	return len(e.Create)
}

func (e Expect) deletions() int {
	if e.Within != nil {
		return len(e.Within.Delete)
	}
	return len(e.Delete)
}

// Check compares a plan's changes with what is expected of it.
func (e Expect) Check(changes []Change) error {
	want := map[Change]bool{}
	for _, address := range e.Create {
		want[Change{Address: address, Action: ActionCreate}] = false
	}
	for _, address := range e.Delete {
		want[Change{Address: address, Action: ActionDelete}] = false
	}
	for _, address := range e.Import {
		want[Change{Address: address, Action: ActionImport}] = false
	}
	if e.Within != nil {
		for _, node := range e.Within.Create {
			want[e.Within.change(node, ActionCreate)] = false
		}
		for _, node := range e.Within.Delete {
			want[e.Within.change(node, ActionDelete)] = false
		}
	}
	refused := &PlanRefusedError{}
	for _, change := range changes {
		if wanted, ok := e.wanted(change); !ok {
			refused.Unexpected = append(refused.Unexpected, change)
		} else if _, counted := want[wanted]; counted {
			want[wanted] = true
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

// wanted reports whether a change may be in the plan, and as which of the expected
// ones it counts.
func (e Expect) wanted(c Change) (Change, bool) {
	switch {
	case slices.Contains(e.Shared, c.Address):
		return c, true
	case e.Within != nil && strings.HasPrefix(c.Address, e.Within.Module+"."):
		return e.Within.wanted(c)
	case c.Action == ActionCreate:
		return c, slices.Contains(e.Create, c.Address)
	case c.Action == ActionDelete:
		return c, slices.Contains(e.Delete, c.Address)
	case c.Action == ActionImport:
		return c, slices.Contains(e.Import, c.Address)
	case c.Action == ActionUpdate:
		return c, slices.Contains(e.Update, c.Address)
	default:
		return c, false
	}
}

func (w Within) wanted(c Change) (Change, bool) {
	keys := tfgen.AddressKeys(c.Address)
	of := func(nodes []string) (Change, bool) {
		for _, key := range keys {
			if slices.Contains(nodes, key) {
				return w.change(key, c.Action), true
			}
		}
		return c, false
	}
	switch c.Action {
	case ActionCreate:
		if counted, ok := of(w.Create); ok {
			return counted, true
		}
		return of(w.Finish)
	case ActionDelete:
		return of(w.Delete)
	case ActionUpdate:
		return c, w.Update
	default:
		return c, false
	}
}

// change stands for all of a node's changes within the module.
func (w Within) change(node string, action Action) Change {
	return Change{Address: fmt.Sprintf("%s[%q]", w.Module, node), Action: action}
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
		outside := ""
		if _, node := tfgen.AddressNode(c.Address); !node {
			outside = " and is none of the group's nodes"
		}
		parts = append(parts, fmt.Sprintf("it would %s %s, which was not decided%s", c.Action, c.Address, outside))
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
	// IDs are the clouds' identifiers of the managed resources, by address.
	IDs map[string]string
	// Nodes are the addresses of each node by name, from the output "nodes". After
	// a failed apply it may miss nodes whose resources exist.
	Nodes map[string]NodeOutput
	// Shared is the output "shared" of a base, as JSON; nil where there is none.
	Shared json.RawMessage
	// Installation is whose state in a backend it is; empty where it does not say.
	Installation string
}

// NodeOutput is what Terraform knows of one node.
type NodeOutput struct {
	ID        string `json:"id"`
	PrivateIP string `json:"private_ip"`
	PublicIP  string `json:"public_ip"`
	// Port is where a local node serves; other clouds have none.
	Port int `json:"port,omitempty"`
}
