package scaler

import (
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen/price"
)

// members are the nodes that are written or exist in a shard, by name, and what
// follows from them. They are worked out once for what the files and the state say:
// of the shards of a large group nearly all are as they were.
type members struct {
	key  membersKey
	list []FleetNode
	// written says of each whether it is in the node set, and wanted how many are.
	written []bool
	wanted  int
	// broken are the nodes of the node set that have a resource that was created
	// half-way.
	broken []string
	// pending is set where the node set or the module on disk was not carried out yet.
	pending bool
}

// membersKey tells what members were worked out from.
type membersKey struct {
	nodeSet, written, applied string
	state                     stateID
}

// membersOf returns the nodes of a shard; of each the presence is as it is without
// what is under way for single nodes.
func (a *actuator) membersOf(s *shard) *members {
	key := membersKey{s.nodeSet, s.written, s.applied, s.stateID()}
	if s.members != nil && s.members.key == key {
		return s.members
	}
	m := &members{key: key, wanted: len(s.nodes), pending: s.pending(a.module)}
	names := map[string]bool{}
	for name := range s.nodes {
		names[name] = true
	}
	for node := range s.resources() {
		names[node] = true
	}
	for _, name := range sortedKeys(names) {
		settings, written := s.nodes[name]
		n := FleetNode{Name: name, Shard: s.name, State: s.state.Nodes[name], CreatedAt: a.created[name], Presence: Creating}
		n.Zone, _ = settings["zone"].(string)
		n.Offered = settings.Offering()
		if a.desc != nil {
			n.Offering = price.OfNode(a.desc.group, settings)
		}
		switch {
		case !written:
			n.Presence = Leaving
		case s.exists(a.module, name):
			n.Presence = Exists
		}
		if written && a.desc != nil {
			n.Outdated = a.outdated[name]
		}
		if written && s.broken(a.module, name) {
			m.broken = append(m.broken, name)
		}
		m.list, m.written = append(m.list, n), append(m.written, written)
	}
	s.members = m
	return m
}

// pending reports whether the node set or the module of a shard was not carried out
// yet.
func (a *actuator) pending(s *shard) bool { return a.membersOf(s).pending }

// fleetNodes are the nodes of all shards. The slice is that of the last Fleet where
// nothing has changed.
func (a *actuator) fleetNodes() []FleetNode {
	all, total := make([]*members, len(a.shards)), 0
	for i, s := range a.shards {
		all[i] = a.membersOf(s)
		total += len(all[i].list)
	}
	leaving := len(a.departures)+len(a.drained)+len(a.lost)+len(a.doomed) > 0
	if !leaving && !a.told.leaving && slices.Equal(all, a.told.members) {
		return a.told.nodes
	}
	nodes, now := make([]FleetNode, 0, total), time.Now()
	for i, s := range a.shards {
		nodes = append(nodes, all[i].list...)
		if !leaving {
			continue
		}
		for j := len(nodes) - len(all[i].list); j < len(nodes); j++ {
			if a.cordoned(s, nodes[j].Name, now) {
				nodes[j].Presence = Leaving
			}
		}
	}
	a.told.members, a.told.leaving, a.told.nodes = all, leaving, nodes
	return nodes
}

// nodesOf lists the names of nodes that are written or exist in a shard.
func (a *actuator) nodesOf(s *shard) []string {
	m := a.membersOf(s)
	names := make([]string, len(m.list))
	for i, n := range m.list {
		names[i] = n.Name
	}
	return names
}
