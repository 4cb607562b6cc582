package scaler

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

// Verdict is what will be done about an orphan.
type Verdict string

const (
	// VerdictAdopt takes it over into the state of its node's shard.
	VerdictAdopt Verdict = "adopt"
	// VerdictDelete destroys it once it was found again after the grace.
	VerdictDelete Verdict = "delete"
	// VerdictKeep leaves it alone: it is not certain that this scalerd made it.
	VerdictKeep Verdict = "keep"
)

// Orphan is a resource in the cloud with a group's tags that no state has.
type Orphan struct {
	// Type is Terraform's resource type, ID the cloud's identifier.
	Type string `json:"type"`
	ID   string `json:"id"`
	// Node, Decision and Installation are its tags.
	Node         string `json:"node,omitempty"`
	Decision     string `json:"decision,omitempty"`
	Installation string `json:"installation,omitempty"`
	// Since is when it was found first.
	Since   time.Time `json:"since"`
	Verdict Verdict   `json:"verdict"`
	// Why is the reason of the verdict.
	Why string `json:"why"`
}

// key tells resources apart; Azure writes identifiers in any case.
func key(id string) string { return strings.ToLower(id) }

// judge says of everything that a lookup found what it is and what will be done,
// and makes the shards adopt what they miss.
func (a *actuator) judge(found []tfgen.Found) {
	l := &a.lookup
	if a.blind() {
		l.orphans = nil
		return
	}
	slices.SortFunc(found, func(x, y tfgen.Found) int { return cmp.Or(cmp.Compare(x.Type, y.Type), cmp.Compare(x.ID, y.ID)) })
	known := map[string]bool{}
	for _, s := range a.shards {
		for _, id := range s.state.IDs {
			known[key(id)] = true
		}
	}
	seen := map[string]time.Time{}
	l.orphans = nil
	adopting := map[*shard]map[string]string{}
	for _, f := range found {
		if known[key(f.ID)] || f.Application != a.app || f.Group != a.group {
			continue
		}
		o := Orphan{Type: f.Type, ID: f.ID, Node: f.Node, Decision: f.Decision, Installation: f.Installation, Since: l.startedAt}
		if since, before := l.seen[key(f.ID)]; before {
			o.Since = since
		}
		s := a.shardOf(f.Node)
		if s != nil && (s.busy || s.endedAt.After(l.startedAt)) {
			continue // its step may just have made it, or taken it over
		}
		if o.Verdict, o.Why = a.verdict(f, s, adopting[s]); o.Verdict == VerdictAdopt {
			if adopting[s] == nil {
				adopting[s] = map[string]string{}
			}
			adopting[s][nodeAddress(f.Type, f.Node)] = f.ID
		}
		seen[key(f.ID)] = o.Since
		l.orphans = append(l.orphans, o)
		a.log.Warn("resource that no state has", "type", o.Type, "id", o.ID, "node", o.Node, "verdict", o.Verdict, "why", o.Why)
	}
	l.seen = seen
	for _, s := range a.shards {
		ids := adopting[s]
		if ids == nil {
			continue
		}
		if err := s.writeAdopts(ids); err != nil {
			a.note(err)
			continue
		}
		s.retryAt = time.Time{}
	}
}

// blind reports whether a state can't be read: what it has would all seem lost.
func (a *actuator) blind() bool {
	return slices.ContainsFunc(a.shards, func(s *shard) bool { return s.stateErr != nil })
}

// verdict is what to do about a resource of the group that no state has; s is the
// shard that has its node in its node set, and taken what is adopted there already.
// What belongs to a node that is to go is adopted too, as long as the node is in the
// set: then it goes with the rest of the node, in the right order.
func (a *actuator) verdict(f tfgen.Found, s *shard, taken map[string]string) (Verdict, string) {
	number, address := tfgen.NodeNumber(f.Node), nodeAddress(f.Type, f.Node)
	switch {
	case f.Installation == "":
		return VerdictKeep, "it does not say which scalerd made it"
	case f.Installation != a.installation:
		return VerdictKeep, "another scalerd made it, installation " + f.Installation
	case number == 0 || f.Node != tfgen.NodeName(a.group, number):
		return VerdictKeep, "its node name is none of this group's"
	case number >= a.next:
		return VerdictKeep, "its node was never decided here: the database may be an older copy"
	case s == nil:
		return VerdictDelete, "its node is not wanted"
	case !slices.Contains(a.module.Addresses(f.Node), address):
		return VerdictDelete, "its node has no such resource"
	case a.lookup.refused[key(f.ID)] != "":
		return VerdictDelete, "it cannot be adopted: " + a.lookup.refused[key(f.ID)]
	case taken[address] != "":
		return VerdictDelete, "its node is made twice; the other one is adopted"
	}
	if _, has := s.state.Resources[address]; has {
		return VerdictDelete, "its node is made twice; the state has " + s.state.IDs[address]
	}
	return VerdictAdopt, "its node is wanted, and its creation was interrupted"
}

// shardOf is the shard that has the node in its node set, or nil.
func (a *actuator) shardOf(node string) *shard {
	for _, s := range a.shards {
		if _, ok := s.nodes[node]; ok {
			return s
		}
	}
	return nil
}

// forget drops an orphan that is none any more.
func (l *lookup) forget(id string) {
	l.orphans = slices.DeleteFunc(l.orphans, func(o Orphan) bool { return key(o.ID) == key(id) })
	delete(l.seen, key(id))
}
