package tosca

import (
	"fmt"
	"maps"
	"slices"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// types are the node and policy types of a template: those that are built in and
// its own, which win.
type types struct {
	nodes, policies family
}

// family are types that derive from each other.
type family struct {
	builtIn map[string]builtInType
	own     map[string]*strictyaml.Node
}

func newTypes() types {
	return types{
		nodes:    family{builtIn: builtInNodes, own: map[string]*strictyaml.Node{}},
		policies: family{builtIn: builtInPolicies, own: map[string]*strictyaml.Node{}},
	}
}

var typeKeys = []string{
	"derived_from", "version", "metadata", "description", "properties", "attributes", "requirements", "capabilities",
	"interfaces", "artifacts", "targets", "triggers",
}

// add takes the types that a document defines.
func (ts *types) add(l *log, root *strictyaml.Node) {
	for _, of := range []struct {
		key string
		family
	}{{"node_types", ts.nodes}, {"policy_types", ts.policies}} {
		defined := root.Get(of.key)
		if !l.mapping(defined) {
			continue
		}
		for _, e := range defined.Entries() {
			if l.keys(e, typeKeys...) {
				l.mapping(e.Get("properties"))
				of.own[e.Key()] = e
			}
		}
	}
}

// check reports types that derive from unknown ones or from themselves.
func (ts *types) check(l *log) {
	for _, f := range []family{ts.nodes, ts.policies} {
		for _, name := range slices.Sorted(maps.Keys(f.own)) {
			f.checkParents(l, name)
		}
	}
}

// maxAncestors is through how many types one may derive.
const maxAncestors = 100

func (f family) checkParents(l *log, name string) {
	from := f.own[name].Get("derived_from")
	if from == nil || from.Is(strictyaml.KindNull) {
		return
	}
	parent := from.Scalar()
	if !f.known(parent) {
		l.wrong(from, fmt.Sprintf("is %q, which is no known type", parent), l.suggest(parent, f.names(l), "define it, or derive from one that is built in"))
		return
	}
	passed := 0
	for at := parent; f.own[at] != nil; passed++ {
		next := f.own[at].Get("derived_from")
		switch {
		case at == name:
			l.wrong(from, fmt.Sprintf("is %s, which derives from this type", parent), "break the circle")
			return
		case passed > maxAncestors:
			l.wrong(from, fmt.Sprintf("derives through more than %d types", maxAncestors), "derive from one further up")
			return
		case next == nil:
			return
		}
		at = next.Scalar()
	}
}

func (f family) known(name string) bool {
	_, builtIn := f.builtIn[name]
	return builtIn || f.own[name] != nil
}

// names are the names of all types, for a suggestion; none where there will be none.
func (f family) names(l *log) []string {
	if l.full() {
		return nil
	}
	return slices.Concat(slices.Collect(maps.Keys(f.own)), slices.Collect(maps.Keys(f.builtIn)))
}

// ancestors returns the type and those that it derives from, itself first. A
// circle ends where it closes.
func (f family) ancestors(name string) []string {
	var chain []string
	for name != "" && f.known(name) && !slices.Contains(chain, name) && len(chain) <= maxAncestors {
		chain = append(chain, name)
		own := f.own[name]
		if from := own.Get("derived_from"); from != nil {
			name = from.Scalar()
			continue
		}
		parent := f.builtIn[name].parent
		if own != nil && parent == "" {
			return chain
		}
		name = parent
	}
	return chain
}

// property is a property of a type, with what its descendants say of it too.
type property struct {
	fallback *strictyaml.Node // its default; nil where there is none
	required bool
	// by is the type that requires it.
	by string
}

// properties returns the properties that the user's types in a chain define, and
// the defaults of those that are built in, made from at.
func (f family) properties(chain []string, at *strictyaml.Node) map[string]property {
	all := map[string]property{}
	for _, name := range slices.Backward(chain) {
		own := f.own[name]
		if own == nil {
			for key, value := range f.builtIn[name].defaults {
				all[key] = property{fallback: strictyaml.NewValue(at, value)}
			}
			continue
		}
		for _, e := range own.Get("properties").Entries() {
			p := all[e.Key()]
			if fallback := e.Get("default"); fallback != nil && !fallback.Is(strictyaml.KindNull) {
				p.fallback = fallback
			}
			p.required, p.by = true, name
			if required := e.Get("required"); required != nil {
				p.required = truth(required) != no
			}
			all[e.Key()] = p
		}
	}
	return all
}
