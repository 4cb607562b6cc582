package scaler

import (
	"cmp"
	"context"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

// reconcile rewrites node sets until they fit the wish.
func (a *actuator) reconcile(ctx context.Context, now time.Time) error {
	edits := map[*shard]tfgen.Nodes{}
	clear(a.leaving)
	a.reoffer(edits, now)
	a.takeBack(edits, now)
	a.dropDoomed(edits, now)
	switch diff := a.wish.nodes - a.size(); {
	case diff > 0 && a.desc != nil && a.baseReady() && !now.Before(a.creating.retryAt):
		if err := a.grow(ctx, edits, diff, now); err != nil {
			return err
		}
	case diff < 0:
		a.shrink(edits, a.alive(), -diff, now)
	}
	a.depart(ctx, now)
	if a.creating.err != nil && a.done() {
		a.noteCreation(nil, time.Time{}) // what failed is not wanted any more
	}
	for _, s := range a.shards {
		if nodes, ok := edits[s]; ok {
			if err := a.rewrite(ctx, s, nodes); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropDoomed takes the nodes that must go out of the node sets of shards that
// have no step in flight.
func (a *actuator) dropDoomed(edits map[*shard]tfgen.Nodes, now time.Time) {
	for _, s := range a.shards {
		if !s.busy && s.suspect == nil {
			for _, name := range a.membersOf(s).broken {
				a.doomed[name] = true
			}
		}
	}
	if len(a.doomed)+len(a.drained) == 0 {
		return
	}
	for _, s := range a.shards {
		for name := range s.nodes {
			if a.goes(name) && a.mayGo(s, name, now) && !s.busy && s.suspect == nil {
				delete(edit(edits, s), name)
			}
		}
	}
}

// edit returns the node set of the shard to change, a copy at first.
func edit(edits map[*shard]tfgen.Nodes, s *shard) tfgen.Nodes {
	if _, ok := edits[s]; !ok {
		edits[s] = maps.Clone(s.nodes)
	}
	return edits[s]
}

// member is a node and the shard that it is in.
type member struct {
	name  string
	shard *shard
}

// alive lists the nodes that are written and are not on their way out for good.
func (a *actuator) alive() []member {
	var alive []member
	for _, s := range a.shards {
		m := a.membersOf(s)
		for i, n := range m.list {
			if m.written[i] && !a.goes(n.Name) {
				alive = append(alive, member{n.Name, s})
			}
		}
	}
	return alive
}

// size is how many nodes are alive.
func (a *actuator) size() int {
	if len(a.doomed)+len(a.drained) > 0 {
		return len(a.alive())
	}
	n := 0
	for _, s := range a.shards {
		n += len(s.nodes)
	}
	return n
}

// grow writes n new nodes, into shards that have room and no step in flight, else
// into new shards: a scale-out waits for nothing.
func (a *actuator) grow(ctx context.Context, edits map[*shard]tfgen.Nodes, n int, now time.Time) error {
	first := a.next
	if err := a.store.SaveNextNumber(ctx, a.app, a.group, first+n); err != nil {
		return err
	}
	a.next = first + n
	made := map[string]NodeTimes{}
	for number := first; number < first+n; number++ {
		made[tfgen.NodeName(a.group, number)] = NodeTimes{CreatedAt: now}
	}
	if err := a.store.SaveNodes(ctx, a.app, a.group, made); err != nil {
		return err
	}
	for name := range made {
		a.created[name] = now
	}
	for number := first; number < first+n; number++ {
		s, err := a.roomy(edits, now)
		if err != nil {
			return err
		}
		edit(edits, s)[tfgen.NodeName(a.group, number)] = a.offers.best(now).Settings(number).Decided(a.decision()).Installed(a.installation)
	}
	return nil
}

// decision is the decision that is carried out, 0 where there is none.
func (a *actuator) decision() int64 {
	if a.wish == nil {
		return 0
	}
	return a.wish.decision
}

// roomy finds or makes a shard that takes one more node now. The fullest is taken,
// so that one that is nearly empty gets none while another has room, and can go when
// its last nodes have gone.
func (a *actuator) roomy(edits map[*shard]tfgen.Nodes, now time.Time) (*shard, error) {
	var best *shard
	most := -1
	for _, s := range a.shards {
		size := len(s.nodes)
		if nodes, ok := edits[s]; ok {
			size = len(nodes)
		}
		if size > most && size < a.desc.group.ShardSize && a.idle(s, now) {
			best, most = s, size
		}
	}
	if best != nil {
		return best, nil
	}
	name := a.freeShardName()
	s := &shard{name: name, dir: filepath.Join(a.dir, name), disk: a.disk, nodes: tfgen.Nodes{}}
	if err := s.writeModule(a.module, a.handed()); err != nil {
		return nil, err
	}
	s.readState(a.tf)
	a.shards = append(a.shards, s)
	return s, s.stateErr
}

// shrink takes n nodes out of the node sets: those that do not exist yet first,
// then those on their way out, then those with old settings, then the newest;
// protected nodes never, and those that could not be drained only later. Nodes of a
// shard with a step in flight wait for its end, and those of one under suspicion until
// the cloud was asked: what leads to a lost machine may be another resource of its node.
func (a *actuator) shrink(edits map[*shard]tfgen.Nodes, alive []member, n int, now time.Time) {
	rank := func(m member) int {
		switch {
		case !m.shard.exists(a.module, m.name):
			return 0
		case a.departures[m.name] != nil || now.Before(a.deadlines[m.name]):
			return 1
		case a.outdated[m.name] != "":
			return 2
		default:
			return 3
		}
	}
	alive = slices.DeleteFunc(alive, func(m member) bool { return now.Before(a.kept[m.name]) })
	if a.desc != nil {
		alive = slices.DeleteFunc(alive, func(m member) bool { return protected(a.desc.group.Scaling.Victims, m.name) })
	}
	slices.SortFunc(alive, func(x, y member) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(tfgen.NodeNumber(y.name), tfgen.NodeNumber(x.name)))
	})
	for _, victim := range alive[:min(n, len(alive))] {
		if a.mayGo(victim.shard, victim.name, now) && !victim.shard.busy && victim.shard.suspect == nil {
			delete(edit(edits, victim.shard), victim.name)
		}
	}
}
