package tosca

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// policy is one policy of a template.
type policy struct {
	node            *strictyaml.Node
	label, typeName string
	scaling         bool
	targets         []*node
	// deployed says that the policy scales a group of machines.
	deployed bool
	// properties are those of the policy and the defaults of its types, with their
	// functions replaced.
	properties []entry
	resolved   *strictyaml.Node
	// own are the policy's definitions.
	own definitions
}

func (p *policy) property(name string) *strictyaml.Node {
	for _, e := range p.properties {
		if e.name == name {
			return e.value
		}
	}
	return nil
}

func (t *translator) readPolicies(list *strictyaml.Node) []*policy {
	if !t.list(list) {
		return nil
	}
	var policies []*policy
	for _, item := range list.Items() {
		if !item.Is(strictyaml.KindMapping) || len(item.Entries()) != 1 {
			if !item.Bad() {
				t.wrong(item, "is not one policy", "write its label with its keys below, each policy behind a dash of its own")
			}
			continue
		}
		n := item.Entries()[0]
		if !n.Is(strictyaml.KindMapping) || !t.keys(n, "type", "description", "metadata", "targets", "properties", "triggers") {
			t.mapping(n)
			continue
		}
		if p := t.readPolicy(n); p != nil {
			policies = append(policies, p)
		}
	}
	return policies
}

// targetNames are the names of the nodes that a policy is for.
func (p *policy) targetNames() string {
	var names []string
	for _, n := range p.targets {
		names = append(names, n.written)
	}
	return strings.Join(names, ", ")
}

// policyProperties are those of MiCADO's scaling policies.
var policyProperties = []string{"sources", "constants", "queries", "alerts", "min_instances", "max_instances", "scaling_rule", "stage", "priority"}

func (t *translator) readPolicy(n *strictyaml.Node) *policy {
	p := &policy{node: n, label: n.Key()}
	kind := n.Get("type")
	if !kind.Is(strictyaml.KindText) {
		t.mistake(n, "type", "is missing", "add the policy's type")
		return nil
	}
	p.typeName = kind.Scalar()
	if !t.types.policies.known(p.typeName) {
		t.wrong(kind, fmt.Sprintf("is %q, which is no known type", p.typeName), t.suggest(p.typeName, t.types.policies.names(t.log), "define it under policy_types, or use one that is built in"))
		return nil
	}
	ancestors := t.types.policies.ancestors(p.typeName)
	p.scaling = slices.Contains(ancestors, "tosca.policies.Scaling")
	p.resolved = t.resolve(n, scope{index: -1})
	t.readTargets(p)
	t.readProperties(p, ancestors)
	if !p.deployed {
		t.note(n, p.notDeployed())
	}
	return p
}

// notDeployed says what a policy is that scales no machines.
func (p *policy) notDeployed() string {
	const not = "which is not deployed by this version"
	switch {
	case p.scaling && len(p.targets) > 0:
		return fmt.Sprintf("is a scaling policy of the %s %s, %s; its constants, queries and alerts are there for all", p.targets[0].kind(), p.targets[0].written, not)
	case p.scaling:
		return "is a scaling policy without a target, " + not
	case strings.HasPrefix(p.typeName, "tosca.policies.Monitoring"):
		return "is a monitoring policy, " + not + ": every machine is scraped, and nothing of Kubernetes"
	default:
		return fmt.Sprintf("is a policy of type %s, %s", p.typeName, not)
	}
}

// readTargets finds the nodes that a policy is for, and each copy of them.
func (t *translator) readTargets(p *policy) {
	list := p.resolved.Get("targets")
	if !t.list(list) {
		return
	}
	for _, target := range list.Items() {
		var nodes []*node
		if target.Is(strictyaml.KindText) {
			nodes = t.named(target.Scalar())
		}
		for _, n := range nodes {
			p.targets = append(p.targets, n)
			p.deployed = p.deployed || p.scaling && (n.cloud != "" || n.refused)
		}
		if nodes == nil && !target.Bad() {
			t.wrong(target, fmt.Sprintf("is %s, which is no node", target), t.suggest(target.Scalar(), t.nodeNames(), "name a node of this template"))
		}
	}
}

func (t *translator) readProperties(p *policy, ancestors []string) {
	own := p.resolved.Get("properties")
	if !t.mapping(own) {
		return
	}
	defined := t.types.policies.properties(ancestors, p.node)
	for _, e := range own.Entries() {
		if p.scaling && !slices.Contains(policyProperties, e.Key()) {
			if _, known := defined[e.Key()]; !known && slices.Contains(ancestors, scalingPolicy) {
				t.wrong(e, "is no property of a scaling policy", t.suggest(e.Key(), policyProperties, "remove it"))
			}
		}
		if !e.Is(strictyaml.KindNull) || e.Bad() {
			p.properties = append(p.properties, entry{e.Key(), e})
		}
	}
	for _, name := range sortedKeys(defined) {
		switch d := defined[name]; {
		case p.property(name) != nil:
		case d.fallback != nil:
			p.properties = append(p.properties, entry{name, t.resolve(d.fallback, scope{index: -1})})
		case d.required && p.deployed:
			t.missing(p.node, name, d.by)
			p.properties = append(p.properties, entry{name, strictyaml.NewWrong(p.node)})
		}
	}
	if p.deployed {
		for i, e := range p.properties {
			if p.properties[i].value = t.filled(e.value); p.properties[i].value == nil {
				p.properties[i].value = strictyaml.NewValue(e.value, nil)
			}
		}
	}
	if p.scaling {
		p.own = t.define(p)
	}
}
