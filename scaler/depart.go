package scaler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// A node of a group with a drain hook goes in four steps: its deletion is planned,
// and the plan is checked as any; it is cordoned, which balancers see; it is drained;
// only then its deletion is written, planned again and applied. Nothing waits for
// it: new nodes are made meanwhile, and a wish for more nodes calls those back that
// are not drained yet. After a restart its deletion is planned again; a drain that had
// begun has the time that it had left, and one that was over is not done again.

// departure is a node on its way out of the group, before its deletion is written.
type departure struct {
	shard *shard
	// cordoned is set from the end of the check on, draining while the hook runs.
	cordoned, draining bool
	cancel             context.CancelFunc
}

// errand is the end of a check of departures, or of one drain.
type errand struct {
	shard *shard
	// departures are those that were checked or drained, by node.
	departures map[string]*departure
	drained    bool
	err        error
}

// keptFor is how long a node stays that could not be drained, before it is tried
// again.
const keptFor = 5 * time.Minute

// mayGo reports whether the deletion of a node can be written now. One that has to
// be drained first is noted in a.leaving.
func (a *actuator) mayGo(s *shard, name string, now time.Time) bool {
	switch {
	case a.desc == nil || !s.exists(a.module, name) || a.lost[name] != "":
		return true
	case now.Before(s.refusedUntil) || now.Before(a.kept[name]):
		return false
	case a.desc.group.Drain == nil || a.drained[name]:
		return true
	}
	a.leaving[name] = s
	return false
}

// goes reports whether a node goes, whatever the size: it was named or found dead, or
// it is drained already.
func (a *actuator) goes(name string) bool { return a.doomed[name] || a.drained[name] }

// depart starts what brings the leaving nodes closer to their end, and calls back
// those that are not to go any more.
func (a *actuator) depart(ctx context.Context, now time.Time) {
	for _, name := range sortedKeys(a.departures) {
		if a.leaving[name] == nil {
			a.departures[name].cancel()
			delete(a.departures, name)
			a.saveDrain(ctx, name, NodeDrain{})
			a.log.Info("node stays", "node", name)
		}
	}
	waiting := map[*shard][]string{}
	for _, name := range sortedKeys(a.leaving) {
		s := a.leaving[name]
		if a.departures[name] == nil && !s.busy && !s.leaveChecked && s.stateErr == nil {
			waiting[s] = append(waiting[s], name)
		}
	}
	for _, s := range a.shards {
		if len(waiting[s]) > 0 {
			a.checkLeave(ctx, s, waiting[s])
		} else if s.refusal != nil && !now.Before(s.refusedUntil) && !a.pending(s) && !a.leaves(s) {
			s.refusal = nil // what was refused is not wanted any more
		}
	}
	a.drainNext(ctx, now)
}

// leaves reports whether a node of the shard is to go.
func (a *actuator) leaves(s *shard) bool {
	for _, of := range a.leaving {
		if of == s {
			return true
		}
	}
	return s.leaveChecked
}

// checkLeave plans the shard as if the nodes had gone already.
func (a *actuator) checkLeave(ctx context.Context, s *shard, names []string) {
	ctx, cancel := context.WithCancel(ctx)
	after := *s
	after.nodes = maps.Clone(s.nodes)
	end := errand{shard: s, departures: map[string]*departure{}}
	for _, name := range names {
		delete(after.nodes, name)
		end.departures[name] = &departure{shard: s, cancel: cancel}
	}
	maps.Copy(a.departures, end.departures)
	root, expect, policies := a.root(s), after.expect(a.module), a.policies(s)
	s.leaveChecked = true
	a.errands++
	go func() {
		defer cancel()
		_, end.err = a.tf.Check(ctx, root, expect, after.nodes, policies)
		a.results <- result{errand: &end}
	}()
}

// drainNext starts as many drains as may run at the same time.
func (a *actuator) drainNext(ctx context.Context, now time.Time) {
	free := 0
	if a.desc != nil && a.desc.group.Drain != nil {
		free = a.desc.group.Drain.AtOnce
	}
	for _, d := range a.departures {
		if d.draining {
			free--
		}
	}
	for _, name := range sortedKeys(a.departures) {
		if d := a.departures[name]; d.cordoned && !d.draining && free > 0 {
			a.drainNode(ctx, name, d, now)
			free--
		}
	}
}

func (a *actuator) drainNode(ctx context.Context, name string, d *departure, now time.Time) {
	how, out := *a.desc.group.Drain, d.shard.state.Nodes[name]
	deadline := now.Add(how.Timeout.AsDuration())
	if begun := a.deadlines[name]; now.Before(begun) && begun.Before(deadline) {
		deadline = begun
	}
	if !a.saveDrain(ctx, name, NodeDrain{Deadline: deadline}) {
		return // it is tried again soon
	}
	delete(a.deadlines, name)
	late := fmt.Errorf("not drained within %s", how.Timeout)
	ctx, d.cancel = context.WithDeadlineCause(ctx, deadline, late)
	d.draining = true
	node := DrainNode{
		Application: a.app, Group: a.group, Node: name, ID: out.ID, PrivateIP: out.PrivateIP, PublicIP: out.PublicIP,
		Decision: a.decision(), Deadline: deadline,
	}
	a.log.Info("node drains", "node", name, "deadline", deadline)
	end := errand{shard: d.shard, departures: map[string]*departure{name: d}, drained: true}
	a.errands++
	go func() {
		defer d.cancel()
		end.err = a.drainer.Drain(ctx, how, node)
		a.results <- result{errand: &end}
	}()
}

// takeErrand takes the end of a check or a drain. Departures that were called back
// meanwhile are not touched.
func (a *actuator) takeErrand(e errand) {
	a.errands--
	maps.DeleteFunc(e.departures, func(name string, d *departure) bool { return a.departures[name] != d })
	if e.drained {
		a.takeDrained(e)
		return
	}
	s, now := e.shard, time.Now()
	s.leaveChecked = false
	if e.err == nil {
		s.refusal, s.refusals = nil, 0
		for _, d := range e.departures {
			d.cordoned = true
		}
		return
	}
	names := sortedKeys(e.departures)
	for _, name := range names {
		delete(a.departures, name)
	}
	if !errors.Is(e.err, context.Canceled) {
		a.refuse(s, fmt.Errorf("%s: %s can't go: %w", s.name, strings.Join(names, ", "), e.err), now)
		a.journalRefusal(s, names, e.err, now)
	}
}

func (a *actuator) takeDrained(e errand) {
	for name := range e.departures {
		delete(a.departures, name)
		if e.err != nil && errors.Is(e.err, context.Canceled) {
			continue // scalerd ends
		}
		if e.err != nil && a.desc != nil && a.desc.group.Drain != nil && a.desc.group.Drain.OnFailure == spec.DrainKeep {
			until := time.Now().Add(keptFor)
			a.saveDrain(context.Background(), name, NodeDrain{KeptUntil: until})
			a.kept[name], a.keptErr = until, fmt.Errorf("%s stays, and is tried again later: %w", name, e.err)
			a.log.Warn("node stays, it was not drained", "node", name, "error", e.err)
			continue
		}
		if e.err != nil {
			a.log.Warn("node goes without having been drained", "node", name, "error", e.err)
		} else {
			a.log.Info("node is drained", "node", name)
		}
		a.drained[name] = true
		a.saveDrain(context.Background(), name, NodeDrain{Drained: true})
	}
}

// saveDrain keeps over a restart how far a node's drain is, and reports whether that
// is so.
func (a *actuator) saveDrain(ctx context.Context, name string, d NodeDrain) bool {
	err := a.store.SaveDrain(ctx, a.app, a.group, name, d)
	if err != nil {
		a.log.Warn("note how far a drain is", "node", name, "error", err)
	}
	return err == nil
}

// recallDrain takes over what was kept of a node's drain.
func (a *actuator) recallDrain(name string, d NodeDrain, now time.Time) {
	if d.Drained {
		a.drained[name] = true
	}
	if now.Before(d.KeptUntil) {
		a.kept[name] = now.Add(min(d.KeptUntil.Sub(now), keptFor))
	}
	if now.Before(d.Deadline) {
		a.deadlines[name] = d.Deadline
	}
}

// refuse remembers that a plan of the shard was not applied, and when the next is
// made.
func (a *actuator) refuse(s *shard, err error, now time.Time) {
	s.refusals++
	s.refusal, s.refusedUntil = err, now.Add(a.wait("", s.refusals+2))
}

// journalRefusal keeps that the deletion of nodes would not have been allowed: it is
// a step that was not begun.
func (a *actuator) journalRefusal(s *shard, names []string, err error, now time.Time) {
	a.log.Error("nodes can't go", "shard", s.name, "nodes", names, "error", err, "retry_at", s.refusedUntil)
	record := a.record(s)
	record.Remove, record.Error, record.Reason = names, err.Error(), "checked before the nodes are drained"
	record.enter(PhaseIntent, now)
	record.enter(PhaseFailed, now)
	if _, err := a.store.BeginStep(context.Background(), record); err != nil {
		a.log.Warn("journal a refusal", "shard", s.name, "error", err)
	}
}

// takeBack writes nodes again whose deletion was refused: they are in service again
// until it is tried next.
func (a *actuator) takeBack(edits map[*shard]tfgen.Nodes, now time.Time) {
	for _, s := range a.shards {
		if s.busy || s.suspect != nil || s.refusal == nil || !now.Before(s.refusedUntil) || a.desc == nil {
			continue
		}
		for name, settings := range s.removed {
			if _, written := s.nodes[name]; !written && len(s.resources()[name]) > 0 && !s.broken(a.module, name) && a.lost[name] == "" {
				edit(edits, s)[name] = settings
				delete(a.drained, name)
				a.saveDrain(context.Background(), name, NodeDrain{})
				a.log.Warn("node stays, its deletion was refused", "node", name)
			}
		}
		s.removed = nil
	}
}

// cordoned reports whether a node is out of service because it is to go.
func (a *actuator) cordoned(s *shard, name string, now time.Time) bool {
	if _, written := s.nodes[name]; !written {
		return true
	}
	if d := a.departures[name]; d != nil {
		return d.cordoned
	}
	if a.drained[name] || a.lost[name] != "" || a.doomed[name] && !s.exists(a.module, name) {
		return true
	}
	drains := a.desc != nil && a.desc.group.Drain != nil
	return a.doomed[name] && !drains && !now.Before(s.refusedUntil)
}
