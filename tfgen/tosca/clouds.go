package tosca

import (
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// put sets a key of a description where there is a value for it.
func put(into *strictyaml.Node, key string, value *strictyaml.Node) {
	if value != nil {
		into.Set(key, value)
	}
}

// one is a list of one value, and nil of none.
func one(value *strictyaml.Node) *strictyaml.Node {
	if value == nil {
		return nil
	}
	list := strictyaml.NewList(value)
	list.Append(value)
	return list
}

// cloudSettings makes a group's settings of its cloud.
func (t *translator) cloudSettings(n *node, s *settings) *strictyaml.Node {
	at := n.template.Get("properties")
	if at == nil {
		at = n.template
	}
	into := strictyaml.NewMapping(at)
	s.take("interface_cloud")
	s.take("context")
	if old := s.take("cloud"); old.Get("endpoint_cloud") != nil && s.lacks("endpoint") { // types before 0.6
		s.values = append(s.values, entry{"endpoint", old.Get("endpoint_cloud")})
	}
	switch n.cloud {
	case spec.CloudEC2:
		t.ec2(s, into)
	case spec.CloudOpenStack:
		t.openstack(s, into)
	case spec.CloudAzure:
		t.azure(s, into)
	}
	return into
}

// listed is a list of identifiers, of one where there is only a text.
func listed(n *strictyaml.Node) *strictyaml.Node {
	if n == nil || n.Bad() {
		return n
	}
	if !n.Is(strictyaml.KindList) {
		return one(words(n))
	}
	list := strictyaml.NewList(n)
	for _, item := range n.Items() {
		list.Append(words(item))
	}
	if len(n.Items()) == 0 {
		return nil
	}
	return list
}

// labels is a mapping of texts, with the numbers and booleans in it as texts.
func labels(n *strictyaml.Node) *strictyaml.Node {
	if n == nil || !n.Is(strictyaml.KindMapping) {
		return n
	}
	texts := strictyaml.NewMapping(n)
	for _, e := range n.Entries() {
		value := words(e)
		if e.Is(strictyaml.KindBool) {
			value = strictyaml.NewText(e, e.Scalar())
		}
		texts.Set(e.Key(), value)
	}
	return texts
}

func first(nodes ...*strictyaml.Node) *strictyaml.Node {
	for _, n := range nodes {
		if n != nil {
			return n
		}
	}
	return nil
}
