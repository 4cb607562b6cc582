package tosca

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// unbounded is what MiCADO takes UNBOUNDED for.
const unbounded = 99

// group makes the node group of a node.
func (t *translator) group(n *node, policies []*policy, shared *shared) *strictyaml.Node {
	s := t.settings(n)
	g := strictyaml.NewMapping(n.template)
	g.Set("name", strictyaml.NewText(n.template, n.name))
	g.Set("cloud", strictyaml.NewText(n.template.Get("type"), string(n.cloud)))
	var own []*policy
	for _, p := range policies {
		if p.deployed && slices.Contains(p.targets, n) {
			own = append(own, p)
		}
	}
	t.sizes(g, n, own, shared)
	g.Set(string(n.cloud), t.cloudSettings(n, s))
	if init := t.cloudInit(s); init != nil {
		g.Set("cloud_init", init)
	}
	if d, ok := shared.perGroup[n]; ok {
		d.set(g)
	}
	rules := strictyaml.NewList(n.template)
	for _, p := range own {
		if rule := t.rule(p, policies, shared); rule != nil {
			rules.Append(rule)
		}
	}
	if len(rules.Items()) > 0 {
		g.Set("policies", rules)
	}
	return g
}

// rule makes a group's policy of a scaling rule, and returns nil where there is
// none.
func (t *translator) rule(p *policy, policies []*policy, shared *shared) *strictyaml.Node {
	rule := p.property("scaling_rule")
	if !isSet(rule) {
		return nil
	}
	rule, _ = t.render(rule, shared.constantsOf(p), false)
	if rule.Is(strictyaml.KindText) && strings.TrimSpace(rule.Scalar()) == "" {
		return nil
	}
	if !t.timed {
		t.timed = true
		t.note(rule, "shrinks its group only after scaling.cooldown_in (1m) and scaling.stabilisation (5m), which MiCADO does not have; convert the template to change them")
	}
	if !strings.Contains(rule.Scalar(), "m_userdata") {
		policies = nil
	}
	for _, other := range policies {
		if other.scaling && !other.deployed && strings.Contains(scalar(other.property("scaling_rule")), "m_userdata") {
			t.note(rule, fmt.Sprintf("has an m_userdata of its own: what the rule of %s puts into it does not arrive", other.targetNames()))
		}
	}
	made := strictyaml.NewMapping(rule)
	made.Set("rule", rule)
	return made
}

func scalar(n *strictyaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Scalar()
}

// sizes sets min, max and initial: of the policy, of the occurrences, which win,
// or of the capability scalable.
func (t *translator) sizes(g *strictyaml.Node, n *node, policies []*policy, shared *shared) {
	for _, p := range policies {
		least, _ := t.render(p.property("min_instances"), shared.constantsOf(p), false)
		if isSet(least) {
			g.Set("min", number(least))
		}
		most, _ := t.render(p.property("max_instances"), shared.constantsOf(p), false)
		switch {
		case isSet(most):
			g.Set("max", number(most))
		case n.most == nil:
			t.missing(p.node, "max_instances", scalingPolicy)
			g.Set("max", strictyaml.NewWrong(p.node))
		}
	}
	if n.least != nil {
		g.Set("min", n.least)
	}
	if n.most != nil {
		most := n.most
		if most.Scalar() == "UNBOUNDED" {
			most = strictyaml.NewValue(most, unbounded)
			t.note(most, fmt.Sprintf("is taken as %d, as in MiCADO", unbounded))
		}
		g.Set("max", most)
	}
	t.scalable(g, n)
	if g.Get("max") == nil {
		if g.Get("min") == nil {
			t.note(n.template, "has no scaling policy: the group keeps one machine")
		}
		g.Set("max", strictyaml.NewValue(n.template, max(1, lowest(g.Get("min")), lowest(g.Get("initial")))))
	}
}

// isSet reports whether there is a value, be it a wrong one.
func isSet(n *strictyaml.Node) bool {
	return n != nil && (n.Bad() || !n.Is(strictyaml.KindNull))
}

func lowest(n *strictyaml.Node) int {
	if n.Is(strictyaml.KindInt) {
		return n.Int()
	}
	return 0
}

// scalable reads the capability of that name: the bounds where nothing else says
// them, and the initial number.
func (t *translator) scalable(g *strictyaml.Node, n *node) {
	capability := n.template.Get("capabilities").Get("scalable")
	if !capability.Is(strictyaml.KindMapping) {
		return
	}
	get := func(name string) *strictyaml.Node {
		return number(t.resolve(capability.Get("properties").Get(name), scope{self: n, index: n.index}))
	}
	least, most, initial := get("min_instances"), get("max_instances"), get("default_instances")
	switch {
	case g.Get("max") == nil:
		put(g, "min", least)
		put(g, "max", most)
	case initial == nil:
		initial = least
	}
	if initial == nil || !initial.Is(strictyaml.KindInt) {
		return
	}
	if i := initial.Int(); g.Get("max").Is(strictyaml.KindInt) && (i > g.Get("max").Int() || i < lowest(g.Get("min"))) {
		t.note(initial, "is outside the bounds of the scaling policy; the group starts with its least")
		return
	}
	g.Set("initial", initial)
}

// cloudInit makes the cloud-init of a context.
func (t *translator) cloudInit(s *settings) *strictyaml.Node {
	context := s.take("context")
	if context == nil || context.Bad() || !t.keys(context, "cloud_config", "append", "insert", "path") {
		return nil
	}
	init := strictyaml.NewMapping(context)
	config := context.Get("cloud_config")
	insert, add := boolean(context.Get("insert")), boolean(context.Get("append"))
	for _, f := range []*strictyaml.Node{insert, add} {
		if f != nil && !f.Bad() && !f.Is(strictyaml.KindBool) && !f.Is(strictyaml.KindNull) {
			t.wrong(f, fmt.Sprintf("is %s, not true or false", f), "write true or false")
		}
	}
	if isSet(config) {
		init.Set("content", config)
		mode := spec.CloudInitReplace
		at := context
		switch {
		case insert.Is(strictyaml.KindBool) && insert.Bool():
			mode, at = spec.CloudInitInsert, insert
		case add.Is(strictyaml.KindBool) && add.Bool():
			mode, at = spec.CloudInitAppend, add
		case add == nil && insert == nil && s.occopus:
			mode = spec.CloudInitAppend
			t.note(context, "says neither append nor insert, so that it is appended, as with Occopus")
		default:
			t.note(context, "replaces all of scalerd's cloud-init, so that it has to start whatever serves the machine's metrics")
		}
		init.Set("mode", strictyaml.NewText(at, string(mode)))
	}
	base := context.Get("path")
	if base != nil && t.archive {
		t.wrong(base, "names a base template, and those inside an archive are not read", "unpack the archive beside the template, or put all of the cloud-init into cloud_config")
		base = nil
	}
	put(init, "base", base)
	if len(init.Entries()) == 0 {
		return nil
	}
	return init
}
