package scaler

import (
	"slices"

	"github.com/scalerd/scalerd/tfgen"
)

// expect is what a plan must do to turn the state into the node set.
func (s *shard) expect(module tfgen.Module) Expect {
	if module.Within != "" {
		return s.expectWithin(module)
	}
	var e Expect
	want := map[string]bool{}
	for _, node := range sortedKeys(s.nodes) {
		for _, address := range module.Addresses(node) {
			want[address] = true
			if _, ok := s.state.Resources[address]; !ok && s.adopts[address] != "" {
				e.Import = append(e.Import, address)
			} else if !ok {
				e.Create = append(e.Create, address)
			} else if s.stale() {
				e.Update = append(e.Update, address)
			}
		}
	}
	for _, address := range sortedKeys(s.state.Resources) {
		if !want[address] {
			e.Delete = append(e.Delete, address)
		}
	}
	return e
}

func (s *shard) expectWithin(module tfgen.Module) Expect {
	w := &Within{Module: module.Within, Update: s.stale()}
	there := s.resources()
	for _, node := range sortedKeys(s.nodes) {
		switch {
		case len(there[node]) == 0:
			w.Create = append(w.Create, node)
		case !s.exists(module, node):
			w.Finish = append(w.Finish, node)
		}
	}
	for _, node := range sortedKeys(there) {
		if _, wanted := s.nodes[node]; !wanted {
			w.Delete = append(w.Delete, node)
		}
	}
	return Expect{Within: w}
}

// stateID tells one state of a root module from another.
type stateID struct {
	lineage string
	serial  int64
	// size tells apart states of one serial, which Terraform does not write but somebody
	// who mends a state by hand may.
	size int
}

func (s *shard) stateID() stateID {
	return stateID{s.state.Lineage, s.state.Serial, len(s.state.Resources)}
}

// resources are the addresses in the state of each node, worked out once for a state.
// Nobody changes the map.
func (s *shard) resources() map[string][]string {
	if s.byNode != nil && s.byNodeOf == s.stateID() {
		return s.byNode
	}
	byNode := map[string][]string{}
	for _, address := range sortedKeys(s.state.Resources) {
		if node, ok := tfgen.AddressNode(address); ok {
			byNode[node] = append(byNode[node], address)
		}
	}
	s.byNode, s.byNodeOf = byNode, s.stateID()
	return byNode
}

// stale reports whether nodes exist that a change of the module's files was not
// applied to.
func (s *shard) stale() bool { return s.written != s.applied && len(s.state.Resources) > 0 }

// pending reports whether the node set or the module on disk was not carried out
// yet.
func (s *shard) pending(module tfgen.Module) bool {
	return !s.expect(module).empty() || s.stale() || s.unlisted(module)
}

// unlisted reports whether a node exists that the outputs do not tell of, because
// terraform was killed before it wrote them: nobody knows its address.
func (s *shard) unlisted(module tfgen.Module) bool {
	for name := range s.nodes {
		if _, listed := s.state.Nodes[name]; !listed && s.exists(module, name) {
			return true
		}
	}
	return false
}

// exists reports whether all of a node's resources are there and sound. Of a
// module of the user's, whose resources are not known, it is a node that has some
// and is listed.
func (s *shard) exists(module tfgen.Module, node string) bool {
	if module.Within != "" {
		_, listed := s.state.Nodes[node]
		return listed && !s.broken(module, node)
	}
	for _, address := range module.Addresses(node) {
		if tainted, ok := s.state.Resources[address]; !ok || tainted {
			return false
		}
	}
	return true
}

// broken reports whether a resource of the node was created half-way.
func (s *shard) broken(module tfgen.Module, node string) bool {
	addresses := module.Addresses(node)
	if module.Within != "" {
		addresses = s.resources()[node]
	}
	return slices.ContainsFunc(addresses, func(address string) bool {
		return s.state.Resources[address]
	})
}
