package tosca

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// maxCopies is the largest instance_count.
const maxCopies = 200

// node is a node template, or one of its copies.
type node struct {
	template *strictyaml.Node
	// name is the node's as MiCADO writes it; written is the template's own.
	name, written string
	typeName      string
	ancestors     []string
	// cloud is where the node's machines are, and empty for a node that is not
	// deployed. A node of another cloud is refused.
	cloud   spec.Cloud
	refused bool
	// index is which copy the node is, -1 for one without instance_count.
	index int
	// host is what the node's host requirement names.
	host string
	// properties are those of the template and the defaults of its types, in order,
	// with their functions.
	properties []entry
	// least and most are the occurrences, nil where there are none.
	least, most *strictyaml.Node
}

// entry is a value by its name.
type entry struct {
	name  string
	value *strictyaml.Node
}

// raw is a property with its functions, nil where the node does not set it.
func (n *node) raw(name string) *strictyaml.Node {
	for _, p := range n.properties {
		if p.name == name {
			return p.value
		}
	}
	return nil
}

func (n *node) rawNames() []string {
	names := make([]string, len(n.properties))
	for i, p := range n.properties {
		names[i] = p.name
	}
	return names
}

// kind says what a node that is not deployed is.
func (n *node) kind() string {
	for _, k := range kinds {
		if slices.Contains(n.ancestors, k.ancestor) {
			return k.kind
		}
	}
	return "node"
}

// resolved is the template of a node that is not deployed, with its functions
// replaced.
func (n *node) resolved(t *translator) *strictyaml.Node {
	return t.resolve(n.template, scope{self: n, index: n.index})
}

// named returns the node of a name and its copies, or one copy.
func (t *translator) named(name string) []*node { return t.byName[identifier(name)] }

// node returns the first node of a name, written as in the template or as MiCADO
// does, and nil where there is none.
func (t *translator) node(name string) *node {
	if nodes := t.named(name); len(nodes) > 0 {
		return nodes[0]
	}
	return nil
}

func (t *translator) addNode(n *node) {
	t.nodes = append(t.nodes, n)
	written := identifier(n.written)
	t.byName[written] = append(t.byName[written], n)
	if n.name != written {
		t.byName[n.name] = append(t.byName[n.name], n)
	}
}

func (t *translator) nodeNames() []string {
	if t.full() {
		return nil
	}
	names := map[string]bool{}
	for _, n := range t.nodes {
		names[n.written] = true
	}
	return sortedKeys(names)
}

var nodeKeys = []string{
	"type", "description", "metadata", "directives", "properties", "attributes", "requirements", "capabilities",
	"interfaces", "artifacts", "node_filter", "copy", "occurrences", "instance_count",
}

func (t *translator) readNodes(templates *strictyaml.Node) {
	if !t.mapping(templates) {
		return
	}
	for _, template := range templates.Entries() {
		if t.keys(template, nodeKeys...) {
			t.readNode(template)
		}
	}
	for _, n := range t.nodes {
		t.requirements(n)
	}
}

func (t *translator) readNode(template *strictyaml.Node) {
	n := &node{template: template, written: template.Key(), name: identifier(template.Key()), index: -1}
	if n.name != n.written {
		t.note(template, fmt.Sprintf("is called %s: names are of lower-case letters, digits and dashes", n.name))
	}
	kind := template.Get("type")
	if !kind.Is(strictyaml.KindText) {
		t.mistake(template, "type", "is missing", "add the node's type")
		return
	}
	n.typeName = kind.Scalar()
	if !t.types.nodes.known(n.typeName) {
		t.wrong(kind, fmt.Sprintf("is %q, which is no known type", n.typeName), t.suggest(n.typeName, t.types.nodes.names(t.log), "define it under node_types, or use one that is built in"))
		n.refused = true
	}
	n.ancestors = t.types.nodes.ancestors(n.typeName)
	t.classify(n, kind)
	t.fillProperties(n)
	t.readOccurrences(n)
}

// classify finds the cloud of a node among its type's ancestors.
func (t *translator) classify(n *node, kind *strictyaml.Node) {
	for _, ancestor := range n.ancestors {
		if cloud, ok := cloudTypes[ancestor]; ok {
			n.cloud = cloud
			if ancestor != n.typeName && slices.Contains(n.ancestors, micado+"EGI.Compute") {
				t.note(kind, "is a type of older versions of MiCADO; it is taken as tosca.nodes.MiCADO.Nova.Compute")
			}
			if strings.HasPrefix(n.typeName, micado+"Edge.") {
				t.note(kind, "is a machine at the edge; this version makes the machine, and joins it to no cluster")
			}
			return
		}
		if name, ok := otherClouds[ancestor]; ok {
			t.wrong(kind, fmt.Sprintf("is a machine of %s, which this version does not generate Terraform for", name),
				"write a description with cloud: module and a Terraform module that makes such machines, or choose EC2, Nova or Azure")
			n.refused = true
			return
		}
	}
	if slices.Contains(n.ancestors, "tosca.nodes.Compute") {
		t.wrong(kind, fmt.Sprintf("is %s, which names no cloud", n.typeName), "use tosca.nodes.MiCADO.EC2.Compute, tosca.nodes.MiCADO.Nova.Compute or tosca.nodes.MiCADO.Azure.Compute, or a type that derives from one")
		n.refused = true
	}
}

// fillProperties gathers the template's properties and its types' defaults.
func (t *translator) fillProperties(n *node) {
	if t.spent {
		return
	}
	own := n.template.Get("properties")
	if !t.mapping(own) {
		return
	}
	for _, p := range own.Entries() {
		if !p.Is(strictyaml.KindNull) || p.Bad() {
			n.properties = append(n.properties, entry{p.Key(), p})
		}
	}
	defined := t.types.nodes.properties(n.ancestors, n.template.Get("type"))
	if !t.spend(n.template, len(defined)) {
		return
	}
	for _, name := range sortedKeys(defined) {
		p := defined[name]
		switch {
		case n.raw(name) != nil:
		case p.fallback != nil:
			n.properties = append(n.properties, entry{name, p.fallback})
		case p.required && n.cloud != "" && t.givenInput(n, name) == nil:
			t.missing(n.template, name, p.by)
			n.properties = append(n.properties, entry{name, strictyaml.NewWrong(n.template)})
		}
	}
}

// missing reports a required property that a template does not set.
func (t *translator) missing(template *strictyaml.Node, name, by string) {
	at := template
	if p := template.Get("properties"); p != nil {
		at = p
	}
	m := at.Mistake("is missing", fmt.Sprintf("add it: %s requires it", by))
	if at == template {
		m.Path = strictyaml.JoinKey(m.Path, "properties")
	}
	m.Path = strictyaml.JoinKey(m.Path, name)
	m.What = fmt.Sprintf("the property %s is missing", name)
	t.add(m)
}

// readOccurrences makes the copies of a node and reads how many it may have.
func (t *translator) readOccurrences(n *node) {
	s := scope{self: n, index: -1}
	if list := t.resolve(n.template.Get("occurrences"), s); list != nil && !list.Bad() {
		if items := list.Items(); len(items) == 2 {
			n.least, n.most = number(items[0]), number(items[1])
		} else {
			t.wrong(list, fmt.Sprintf("is %s, not two numbers", described(list)), "write [least, most], such as [1, 5] or [1, UNBOUNDED]")
		}
	}
	count := t.resolve(n.template.Get("instance_count"), s)
	if count == nil || count.Is(strictyaml.KindNull) {
		t.addNode(n)
		return
	}
	copies := number(count)
	if !copies.Bad() && (!copies.Is(strictyaml.KindInt) || copies.Int() < 0 || copies.Int() > maxCopies || !t.within(n, copies.Int())) {
		if n.least == nil || !copies.Is(strictyaml.KindInt) || copies.Int() < 0 || copies.Int() > maxCopies {
			t.wrong(n.template.Get("instance_count"), fmt.Sprintf("is %s, not a whole number from 0 to %d", described(count), maxCopies), "write such a number")
		} else {
			t.wrong(n.template.Get("instance_count"), fmt.Sprintf("is %d, outside the occurrences", copies.Int()), "choose a number within them")
		}
		copies = strictyaml.NewWrong(count)
	}
	if copies.Bad() {
		n.refused, n.cloud = n.refused || n.cloud != "", ""
		t.addNode(n)
		return
	}
	for i := range copies.Int() {
		if !t.spend(n.template, 50) {
			break
		}
		c := *n
		c.name, c.index, c.least, c.most = fmt.Sprintf("%s-%d", n.name, i+1), i, nil, nil
		t.addNode(&c)
	}
	if n.cloud != "" {
		t.note(n.template.Get("instance_count"), fmt.Sprintf("makes %d groups of machines, %s-1 and so on; leave it out for one group that is scaled", copies.Int(), n.name))
	}
}

// within reports whether a number of copies is within the occurrences.
func (t *translator) within(n *node, copies int) bool {
	if n.least != nil && n.least.Is(strictyaml.KindInt) && copies < n.least.Int() {
		return false
	}
	return n.most == nil || !n.most.Is(strictyaml.KindInt) || copies <= n.most.Int()
}

// requirements checks that what a node requires is there.
func (t *translator) requirements(n *node) {
	list := n.template.Get("requirements")
	if !t.list(list) {
		return
	}
	for _, item := range list.Items() {
		if !item.Is(strictyaml.KindMapping) || len(item.Entries()) != 1 {
			t.wrong(item, "is not one requirement", `write "host: <node>", each behind a dash of its own`)
			continue
		}
		requirement := item.Entries()[0]
		target := requirement
		if requirement.Is(strictyaml.KindMapping) && requirement.Get("get_input") == nil {
			target = requirement.Get("node")
		}
		target = t.resolve(target, scope{self: n, index: n.index})
		if !target.Is(strictyaml.KindText) || target.Bad() {
			continue
		}
		if requirement.Key() == "host" {
			n.host = target.Scalar()
		}
		if t.node(target.Scalar()) == nil && !t.types.nodes.known(target.Scalar()) {
			t.wrong(target, fmt.Sprintf("is %q, which is no node", target.Scalar()), t.suggest(target.Scalar(), t.nodeNames(), "name a node of this template"))
		}
	}
}
