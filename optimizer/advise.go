package optimizer

import (
	"errors"
	"fmt"
	"time"
)

// adviceMemory is what was advised last.
type adviceMemory struct {
	wanted   int // the count in force
	wantedAt int64
	any      bool
}

// scratch is memory that a sample or an advice needs for a moment.
type scratch struct {
	row       []float64
	scaled    []float64
	inputs    []float64
	published publishedScratch
}

func newScratch(c Config) scratch {
	d := len(c.Inputs)
	return scratch{
		row:       make([]float64, d+len(c.Targets)),
		scaled:    make([]float64, d),
		inputs:    make([]float64, d),
		published: publishedScratch{make([]float64, d), make([]float64, d)},
	}
}

// Advise proposes a number of nodes at an instant at or after the newest sample. It
// always answers: where there is no ground for an advice, Valid is false, Error says
// why, and Nodes is the number that exists.
func (o *Optimizer) Advise(now time.Time) Advice {
	a := Advice{At: now, Nodes: o.cfg.MinNodes, Phase: Training, Model: "none"}
	if !o.any {
		a.Error = "there is no sample yet"
		return a
	}
	a.Nodes = o.clamp(o.last.total)
	if age := now.Sub(o.last.time()); age > o.staleAfter() {
		a.Error = fmt.Sprintf("the newest sample is %s old, too old for an advice", age.Round(time.Second))
		return a
	}
	if o.auto != nil {
		o.adviseAuto(&a)
	} else {
		o.advisePublished(&a)
	}
	if a.Valid {
		o.settle(&a)
		a.Reliability = o.trust.reliability(o.heldChance(&a))
		o.trust.expect(o, &a)
	}
	return a
}

// staleAfter is the age at which a sample says nothing of now.
func (o *Optimizer) staleAfter() time.Duration { return max(5*o.pace.interval, 3*time.Minute) }

func (o *Optimizer) clamp(n int) int { return min(max(n, o.cfg.MinNodes), o.cfg.MaxNodes) }

// settle clamps the advice, keeps it through the freeze interval and remembers it.
func (o *Optimizer) settle(a *Advice) {
	if n := o.clamp(a.Nodes); n != a.Nodes {
		a.Reasons = append(a.Reasons, fmt.Sprintf("%d nodes are kept within %d..%d", a.Nodes, o.cfg.MinNodes, o.cfg.MaxNodes))
		a.Nodes = n
	}
	m := &o.memory
	at := a.At.UnixNano()
	freeze := o.cfg.AdviceFreezeInterval
	if m.any && freeze > 0 && a.Nodes != m.wanted && time.Duration(at-m.wantedAt) <= freeze {
		a.Reasons = append(a.Reasons, fmt.Sprintf("%d nodes, but the advice of %d is frozen for %s", a.Nodes, m.wanted, freeze))
		a.Nodes = o.clamp(m.wanted)
	}
	if !m.any || a.Nodes != m.wanted {
		*m = adviceMemory{a.Nodes, at, true}
	}
}

// heldChance is the model's own chance, 0..1, that the targets hold with the advice.
func (o *Optimizer) heldChance(a *Advice) float64 {
	for i := range a.Candidates {
		if a.Candidates[i].Nodes == a.Nodes {
			return 1 - a.Candidates[i].Risk
		}
	}
	if n := len(a.Candidates); n > 0 && a.Nodes > a.Candidates[n-1].Nodes {
		return 1 - a.Candidates[n-1].Risk
	}
	return 0.5
}

// advisePublished fills the advice by the published method.
func (o *Optimizer) advisePublished(a *Advice) {
	s := &o.train
	a.Model = "published"
	m := s.model
	switch {
	case m == nil && s.err != nil:
		a.Error = s.err.Error()
		return
	case m == nil && s.complete < o.cfg.TrainingSamplesRequired:
		a.Error = fmt.Sprintf("there are not enough training samples yet: %d of %d", s.complete, o.cfg.TrainingSamplesRequired)
		return
	case m == nil:
		a.Error = fmt.Sprintf("the first training on %d samples is not done yet", s.complete)
		return
	}
	a.Phase = Production
	if err := o.unusable(); err != nil {
		a.Error = err.Error()
		return
	}
	n := o.last.nodes
	a.Candidates = o.candidates(n)
	best, holds := m.choose(o.cfg, o.last, a.Candidates, &o.scratch.published)
	a.Nodes, a.Valid = a.Candidates[best].Nodes, true
	if holds {
		a.Reasons = append(a.Reasons, fmt.Sprintf("%d is the smallest of %d..%d nodes with every target in range", a.Nodes, a.Candidates[0].Nodes, a.Candidates[len(a.Candidates)-1].Nodes))
	} else {
		a.Reasons = append(a.Reasons, fmt.Sprintf("no count of %d..%d has every target in range; %d is nearest", a.Candidates[0].Nodes, a.Candidates[len(a.Candidates)-1].Nodes, a.Nodes))
	}
	if s.err != nil {
		a.Reasons = append(a.Reasons, "the last training failed and the model before it is kept: "+s.err.Error())
	}
}

// candidates returns the counts that one advice may reach from n, with both ends.
func (o *Optimizer) candidates(n int) []Candidate {
	low := max(n-o.cfg.MaxDownscaleDelta, 1)
	high := max(n+o.cfg.MaxUpscaleDelta, low)
	targets := len(o.cfg.Targets)
	found := make([]Candidate, high-low+1)
	all := make([]Prediction, len(found)*targets)
	for i := range found {
		found[i] = Candidate{Nodes: low + i, Targets: all[i*targets : (i+1)*targets : (i+1)*targets]}
	}
	return found
}

var errNoNodes = errors.New("no node is ready, so nothing can be predicted from what is measured")

// unusable says what the newest sample lacks for a prediction.
func (o *Optimizer) unusable() error {
	if o.last.nodes == 0 {
		return errNoNodes
	}
	for i, v := range o.last.values {
		if v != v {
			kind := "input"
			if i >= o.cols.inputs {
				kind = "target"
			}
			return fmt.Errorf("%s %s has no finite value in the sample of %s", kind, o.cols.names[i], stamp(o.last.time()))
		}
	}
	return nil
}
