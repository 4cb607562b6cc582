package policy

import "strings"

// targets keeps several queries at their values: the one that needs the most nodes
// wins.
type targets struct {
	name string
	each []Policy
}

func (t targets) Name() string { return t.name }

func (t targets) Queries() []string {
	var queries []string
	for _, one := range t.each {
		queries = append(queries, one.Queries()...)
	}
	return queries
}

// Propose holds where a query can't tell, unless another one asks for more nodes
// than are wanted.
func (t targets) Propose(o Observation) Proposal {
	p := Proposal{Policy: t.name}
	reasons := make([]string, len(t.each))
	for i, one := range t.each {
		got := one.Propose(o)
		reasons[i] = got.Reason
		if got.Hold {
			p.Hold = true
		} else {
			p.Nodes = max(p.Nodes, got.Nodes)
		}
	}
	p.Hold = p.Hold && p.Nodes <= o.Wanted
	p.Reason = strings.Join(reasons, "; ")
	return p
}
