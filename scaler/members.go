package scaler

import (
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen/price"
)

// members are the nodes that are written or exist in a shard, by name. They are
// worked out once for a node set and a state: of the shards of a large group nearly
// all are as they were.
type members struct {
	// nodeSet and state tell what they were worked out from.
	nodeSet string
	state   stateID
	list    []FleetNode
	// written says of each whether it is in the node set.
	written []bool
}

// membersOf returns the nodes of a shard; of each the presence is Exists or Creating,
// and what does not stand in the shard's own files is not set.
func (a *actuator) membersOf(s *shard) *members {
	m := s.members
	if m != nil && m.nodeSet == s.nodeSet && m.state == s.stateID() {
		return m
	}
	m = &members{nodeSet: s.nodeSet, state: s.stateID()}
	names := map[string]bool{}
	for name := range s.nodes {
		names[name] = true
	}
	for node := range s.resources() {
		names[node] = true
	}
	for _, name := range sortedKeys(names) {
		settings, written := s.nodes[name]
		n := FleetNode{Name: name, Shard: s.name, State: s.state.Nodes[name], Presence: Creating}
		n.Zone, _ = settings["zone"].(string)
		n.Offered = settings.Offering()
		if a.desc != nil {
			n.Offering = price.OfNode(a.desc.group, settings)
		}
		if s.exists(a.module, name) {
			n.Presence = Exists
		}
		m.list, m.written = append(m.list, n), append(m.written, written)
	}
	s.members = m
	return m
}

// shardNodes describes the nodes of a shard.
func (a *actuator) shardNodes(s *shard) []FleetNode {
	m, now := a.membersOf(s), time.Now()
	nodes := slices.Clone(m.list)
	for i := range nodes {
		n := &nodes[i]
		n.CreatedAt = a.created[n.Name]
		if a.cordoned(s, n.Name, now) {
			n.Presence = Leaving
		}
		if m.written[i] && a.desc != nil {
			n.Outdated = a.outdated[n.Name]
		}
	}
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
