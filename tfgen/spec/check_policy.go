package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// policyKinds are the keys of what a policy can do.
var policyKinds = []string{"target", "steps", "rule", "advice", "schedule", "deadline", "activation"}

// policy checks one policy; known are the names of the queries that it can use.
func (c *checker) policy(g *Group, p *Policy, path string, known []string) {
	c.name(path+".name", p.Name)
	var kinds []string
	for _, kind := range policyKinds {
		if c.doc.Has(path + "." + kind) {
			kinds = append(kinds, kind)
		}
	}
	c.exactlyOne(path, kinds, "target, steps, rule, advice, schedule, deadline and activation")
	if p.Target != nil {
		c.target(p.Target, path+".target", known)
	}
	if p.Schedule != nil {
		c.schedule(g, p.Schedule, path+".schedule")
	}
	if p.Deadline != nil {
		c.deadline(p.Deadline, path+".deadline", known)
	}
	if a := p.Activation; a != nil {
		c.query(path+".activation.query", a.Query, known)
		c.within(g, path+".activation.nodes", a.Nodes)
	}
	if p.Missing != nil && p.Missing.Floor != nil {
		c.within(g, path+".missing.floor", *p.Missing.Floor)
	}
	if p.Rule != nil && c.fine(path+".rule") && strings.TrimSpace(p.Rule.Source) == "" {
		c.mistake(path+".rule", "is empty", "write a program that sets m_node_count")
	}
	if p.Steps != nil {
		c.query(path+".steps.query", p.Steps.Query, known)
		for i, b := range p.Steps.Bands {
			c.band(strictyaml.JoinIndex(path+".steps.bands", i), b)
		}
	}
}

// exactlyOne reports a mapping that has none of some keys, or several. One with a
// mistake in it may have meant to have one, so none is not reported then.
func (c *checker) exactlyOne(path string, has []string, of string) {
	switch {
	case len(has) == 0 && !c.doc.Wrong(path):
		c.mistake(path, "has none of "+of, "add one of them")
	case len(has) > 1:
		c.mistake(path, "has "+strings.Join(has, " and "), "keep one of them")
	}
}

// query checks that a name is that of a defined query.
func (c *checker) query(path, name string, known []string) {
	if c.fine(path) && !slices.Contains(known, name) {
		c.mistake(path, fmt.Sprintf("is %q, which is no defined query", name), suggestion(name, known))
	}
}

func (c *checker) band(path string, b Band) {
	var sizes []string
	for _, key := range []string{"change", "percent", "nodes"} {
		if c.doc.Has(path + "." + key) {
			sizes = append(sizes, key)
		}
	}
	c.exactlyOne(path, sizes, "change, percent and nodes")
	switch {
	case b.Above == nil && b.Below == nil && !c.doc.Wrong(path):
		c.mistake(path, "has neither above nor below", "add one of them, or both")
	case c.fine(path+".above", path+".below") && *b.Above >= *b.Below:
		c.mistake(path+".above", fmt.Sprintf("is %v, not less than below %v, so the band holds nothing", *b.Above, *b.Below), "lower above or raise below")
	}
}
