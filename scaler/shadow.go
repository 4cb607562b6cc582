package scaler

import (
	"reflect"
	"slices"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// shadow is a policy that is evaluated and never acted on: it keeps a size of its
// own, which it changes as if it were alone in charge of the group.
type shadow struct {
	policy.Policy
	spec    spec.Policy
	nodes   int
	history History
	data    []byte
	// ticked is when it was evaluated last.
	ticked time.Time
	sums   Comparison
}

// ShadowDecision is what a shadow policy would have decided at one tick.
type ShadowDecision struct {
	Policy string `json:"policy"`
	// From and To are the sizes that the group would have with it.
	From     int             `json:"from"`
	To       int             `json:"to"`
	Proposal policy.Proposal `json:"proposal"`
	Clamps   []string        `json:"clamps,omitempty"`
}

// Comparison is what a shadow policy came to beside the policies in charge, since it
// was described or the daemon started.
type Comparison struct {
	Policy string    `json:"policy"`
	Since  time.Time `json:"since"`
	Shadow Tally     `json:"shadow"`
	Active Tally     `json:"active"`
}

// Tally sums up a size over time.
type Tally struct {
	// Nodes is the size now.
	Nodes     int     `json:"nodes"`
	NodeHours float64 `json:"node_hours"`
	Changes   int     `json:"changes"`
	// Short is how long the size was below what the policies in charge needed at the
	// time.
	Short time.Duration `json:"short_ns"`
}

// add counts a size that lasted for a time, and its change to next.
func (t *Tally) add(nodes, need, next int, lasted time.Duration) {
	t.NodeHours += float64(nodes) * lasted.Hours()
	if nodes < need {
		t.Short += lasted
	}
	if next != nodes {
		t.Changes++
	}
	t.Nodes = next
}

// longestGap is the longest time between two ticks that counts: what lies in a
// longer one, as while the daemon was down, is unknown.
const longestGap = 5 * time.Minute

// newShadows makes the shadow policies of a group; one that is described as before
// goes on.
func newShadows(app *spec.Application, g *spec.Group, before []*shadow) ([]*shadow, error) {
	var shadows []*shadow
	for _, p := range g.Policies {
		if !p.Shadow {
			continue
		}
		same := slices.IndexFunc(before, func(s *shadow) bool { return reflect.DeepEqual(s.spec, p) })
		if same >= 0 {
			shadows = append(shadows, before[same])
			continue
		}
		made, err := policy.New(p, app.GroupConstants(g))
		if err != nil {
			return nil, err
		}
		shadows = append(shadows, &shadow{Policy: made, spec: p})
	}
	return shadows, nil
}

// shade evaluates the shadow policies beside a decision.
func (g *group) shade(obs policy.Observation, d Decision) []ShadowDecision {
	var made []ShadowDecision
	for _, s := range g.shadows {
		if s.ticked.IsZero() {
			s.nodes = obs.Wanted
			s.sums = Comparison{Policy: s.Name(), Since: obs.Now}
		}
		seen := obs
		seen.Wanted, seen.UserData = s.nodes, s.data
		proposal := s.Propose(seen)
		if proposal.UserData != nil {
			s.data = proposal.UserData
		}
		would, history := Decide(seen, []policy.Proposal{proposal}, g.spec.Scaling, s.history)
		if lasted := obs.Now.Sub(s.ticked); lasted > 0 && lasted <= longestGap {
			need := needed(obs, d.Proposals)
			s.sums.Shadow.add(s.nodes, need, would.To, lasted)
			s.sums.Active.add(obs.Wanted, need, d.To, lasted)
		}
		s.sums.Shadow.Nodes, s.sums.Active.Nodes = would.To, d.To
		made = append(made, ShadowDecision{Policy: s.Name(), From: s.nodes, To: would.To, Proposal: would.Proposals[0], Clamps: would.Clamps})
		s.nodes, s.history, s.ticked = would.To, history, obs.Now
	}
	return made
}

// needed is the largest size that a policy in charge proposes now, within min and
// max, and 0 where none has an opinion.
func needed(obs policy.Observation, proposals []policy.Proposal) int {
	need := 0
	for _, p := range proposals {
		if !p.Hold && !p.Abstain && len(p.Drop) == 0 {
			need = max(need, min(max(p.Nodes, obs.Min), obs.Max))
		}
	}
	return need
}

// moved is whether a shadow policy changes its size.
func moved(shadows []ShadowDecision) bool {
	return slices.ContainsFunc(shadows, func(s ShadowDecision) bool { return s.From != s.To })
}

// comparisons are those of the shadow policies that were evaluated.
func (g *group) comparisons() []Comparison {
	var all []Comparison
	for _, s := range g.shadows {
		if !s.ticked.IsZero() {
			all = append(all, s.sums)
		}
	}
	return all
}
