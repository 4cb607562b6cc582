package scaler

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
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
	spec spec.Policy
	// description tells the policy from another of its name.
	description string
	nodes       int
	history     History
	data        []byte
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

// ShadowTick is the record of one tick of a shadow policy.
type ShadowTick struct {
	Policy string
	At     time.Time
	// Lasted is the time since the tick before, 0 where that is too long ago to know
	// what was in between.
	Lasted time.Duration
	// Nodes is the size that the policy would have had since the tick before, To the
	// one from now on; Active and ActiveTo are those of the policies in charge.
	Nodes, To, Active, ActiveTo int
	// Need is what the policies in charge ask for now, 0 where none has an opinion.
	Need int
}

// ShadowRetention is how long the ticks of shadow policies are kept.
const ShadowRetention = 7 * 24 * time.Hour

// Comparison is what a shadow policy came to beside the policies in charge, over the
// ticks since it was described, as far as they are kept.
type Comparison struct {
	Policy string `json:"policy"`
	// Since and Until are the first tick and the last.
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Shadow Tally     `json:"shadow"`
	Active Tally     `json:"active"`
}

func (c *Comparison) add(t ShadowTick) {
	c.Until = t.At
	c.Shadow.add(t.Nodes, t.Need, t.To, t.Lasted)
	c.Active.add(t.Active, t.Need, t.ActiveTo, t.Lasted)
}

// Tally sums up a size over time.
type Tally struct {
	// Nodes is the size now.
	Nodes     int     `json:"nodes"`
	NodeHours float64 `json:"node_hours"`
	Changes   int     `json:"changes"`
	// Short is how long the size was below what the policies in charge needed at the
	// time: the violations that it would have had.
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
		shadows = append(shadows, &shadow{Policy: made, spec: p, description: digestOf(p)})
	}
	return shadows, nil
}

// shade evaluates the shadow policies beside a decision, and records the tick.
func (a *application) shade(ctx context.Context, g *group, obs policy.Observation, d Decision) []ShadowDecision {
	var made []ShadowDecision
	var ticks []ShadowTick
	for _, s := range g.shadows {
		would, tick := s.evaluate(obs, d, g.spec.Scaling)
		made, ticks = append(made, would), append(ticks, tick)
	}
	if len(ticks) > 0 {
		if err := a.config.Store.RecordShadows(ctx, a.name, g.name, ticks); err != nil {
			a.log.Warn("shadow policies not recorded", "group", g.name, "error", err)
		}
	}
	return made
}

// evaluate is what the policy would decide, as if it were alone in charge.
func (s *shadow) evaluate(obs policy.Observation, d Decision, limits spec.Scaling) (ShadowDecision, ShadowTick) {
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
	would, history := Decide(seen, []policy.Proposal{proposal}, limits, s.history)
	tick := ShadowTick{Policy: s.Name(), At: obs.Now, Nodes: s.nodes, To: would.To, Active: obs.Wanted, ActiveTo: d.To, Need: needed(obs, d.Proposals)}
	if lasted := obs.Now.Sub(s.ticked); lasted > 0 && lasted <= longestGap {
		tick.Lasted = lasted
	}
	s.sums.add(tick)
	made := ShadowDecision{Policy: s.Name(), From: s.nodes, To: would.To, Proposal: would.Proposals[0], Clamps: would.Clamps}
	s.nodes, s.history, s.ticked = would.To, history, obs.Now
	return made, tick
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

// remembered is where the policy stands, for the group's row.
func (s *shadow) remembered() RememberedShadow {
	r := RememberedShadow{Description: s.description, Nodes: s.nodes, History: s.history, UserData: s.data}
	r.History.Desired = nil
	return r
}

// digestOf is the same for the same description, and hardly for another.
func digestOf(p spec.Policy) string {
	text, err := json.Marshal(p)
	if err != nil {
		text = fmt.Appendf(nil, "%+v", p) // numbers that JSON does not have
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))[:16]
}

// restoreShadows lets shadow policies go on from where they stood before a restart,
// and forgets what is recorded of others.
func (a *application) restoreShadows(ctx context.Context, g *group, shadows []*shadow) error {
	if len(shadows) == 0 && len(g.row.Remembered.Shadows) == 0 {
		return nil
	}
	sums, err := a.config.Store.Comparisons(ctx, a.name, g.name, time.Time{})
	if err != nil {
		return err
	}
	var known []string
	for _, s := range shadows {
		before, found := g.row.Remembered.Shadows[s.Name()]
		if !found || before.Description != s.description {
			continue
		}
		known = append(known, s.Name())
		at := slices.IndexFunc(sums, func(c Comparison) bool { return c.Policy == s.Name() })
		if s.ticked.IsZero() && at >= 0 {
			s.nodes, s.history, s.data, s.sums = before.Nodes, before.History, before.UserData, sums[at]
			s.ticked = sums[at].Until
		}
	}
	return a.config.Store.ForgetShadows(ctx, a.name, g.name, known)
}

// Compare sums up what the shadow policies of an application came to since an
// instant, as far as their ticks are kept, by group.
func (s *Service) Compare(ctx context.Context, app string, since time.Time) (map[string][]Comparison, error) {
	status, err := s.Application(ctx, app)
	if err != nil {
		return nil, err
	}
	all := map[string][]Comparison{}
	for _, g := range status.Groups {
		if len(g.Shadows) == 0 {
			continue
		}
		if all[g.Name], err = s.config.Store.Comparisons(ctx, app, g.Name, since); err != nil {
			return nil, err
		}
	}
	return all, nil
}
