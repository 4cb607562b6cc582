package scaler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

// load reads the group from disk. It is called before run.
func (a *actuator) load(ctx context.Context, desc *description) error {
	a.doomed, a.lost, a.drained, a.steps = map[string]bool{}, map[string]string{}, map[string]bool{}, map[string]StepStatus{}
	a.leaving, a.departures, a.kept = map[string]*shard{}, map[string]*departure{}, map[string]time.Time{}
	a.deadlines = map[string]time.Time{}
	a.drift, a.checked = map[string][]DriftFinding{}, map[string]time.Time{}
	a.results = make(chan result)
	a.mail.wake = make(chan struct{}, 1)
	row, err := a.store.Group(ctx, a.app, a.group)
	if err != nil {
		return err
	}
	a.next = max(row.NextNumber, 1)
	a.offers.recall(row.Remembered.Penalties, time.Now())
	times, err := a.store.Nodes(ctx, a.app, a.group)
	if err != nil {
		return err
	}
	a.created = map[string]time.Time{}
	for name, t := range times {
		a.created[name] = notAfter(t.CreatedAt, time.Now())
		a.recallDrain(name, t.Drain, time.Now())
	}
	if a.facts, err = readGroupFacts(a.dir); err != nil {
		return err
	}
	a.module.PerNode, a.module.Within, a.shared = a.facts.PerNode, a.facts.Within, a.facts.Shared
	dirs, err := shardDirs(a.dir)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		s, err := loadShard(dir, a.disk, a.tf)
		if err != nil {
			return err
		}
		a.shards = append(a.shards, s)
		for _, name := range a.nodesOf(s) {
			a.next = max(a.next, tfgen.NodeNumber(name)+1)
		}
	}
	if err := a.loadBase(); err != nil {
		return err
	}
	if desc != nil {
		if err := a.adopt(*desc); err != nil {
			return err
		}
	}
	a.dismissed = desc == nil
	for _, s := range a.shards {
		s.unsure = a.pending(s)
	}
	if err := a.resolve(ctx); err != nil {
		return err
	}
	a.loadLookup(time.Now())
	a.published.Store(a.snapshot())
	return nil
}

func (a *actuator) loadBase() error {
	dir := filepath.Join(a.dir, tfgen.BaseName)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	base, err := loadShard(dir, a.disk, a.tf)
	if err != nil {
		return err
	}
	a.base = base
	return nil
}

// adopt takes a description and writes the modules that it gives.
func (a *actuator) adopt(d description) error {
	module, err := tfgen.Shard(d.app, d.group)
	if err != nil {
		return err
	}
	base, err := tfgen.Base(d.app, d.group)
	if err != nil {
		return err
	}
	module, base = module.ClaimedBy(a.installation), base.ClaimedBy(a.installation)
	offered, err := tfgen.Offerings(d.app, d.group)
	if err != nil {
		return err
	}
	if err := a.disk.folder(a.dir); err != nil {
		return fmt.Errorf("group folder: %w", err)
	}
	if err := a.moveStates(d); err != nil {
		return err
	}
	if err := a.writeBase(base); err != nil {
		return err
	}
	if err := a.writeLookup(d); err != nil {
		return err
	}
	for _, s := range a.shards {
		if err := s.writeModule(module, a.handed()); err != nil {
			return err
		}
	}
	facts := groupFacts{PerNode: module.PerNode, Within: module.Within, Shared: base.Shared, Cloud: d.group.Cloud, Credentials: d.group.Credentials, Backend: d.app.Backend}
	if err := a.disk.writeGroupFacts(a.dir, facts); err != nil {
		return err
	}
	a.module, a.needsBase, a.shared, a.basePlanned = module, len(base.Files) > 0, base.Shared, false
	a.facts, a.desc = facts, &d
	a.offers.describe(offered)
	for _, s := range a.shards {
		s.members = nil // another module may say otherwise which nodes are whole
	}
	a.compare()
	a.forgive()
	return nil
}

func (a *actuator) writeBase(base tfgen.Module) error {
	if len(base.Files) == 0 {
		return nil
	}
	if a.base == nil {
		dir := filepath.Join(a.dir, tfgen.BaseName)
		if err := a.disk.folder(dir); err != nil {
			return fmt.Errorf("folder of the base: %w", err)
		}
		if err := a.loadBase(); err != nil {
			return err
		}
	}
	return a.base.writeModule(base, nil)
}

// handed is what the base hands to the shards, or nil.
func (a *actuator) handed() json.RawMessage {
	if a.base == nil {
		return nil
	}
	return a.base.state.Shared
}

// handOn gives the shards what the base says now.
func (a *actuator) handOn() error {
	for _, s := range a.shards {
		if err := s.writeModule(a.module, a.handed()); err != nil {
			return err
		}
	}
	return nil
}

// compare says of each node in which settings it differs from what a node of its
// number would get now.
func (a *actuator) compare() {
	a.outdated = map[string]string{}
	for _, s := range a.shards {
		for name, settings := range s.nodes {
			if diff := a.offers.outdated(name, settings); diff != "" {
				a.outdated[name] = diff
			}
		}
	}
}

// root is the root module of a shard with the group's credentials.
func (a *actuator) root(s *shard) Root {
	return Root{Dir: s.dir, Cloud: a.facts.Cloud, Credentials: a.facts.Credentials, Backend: a.facts.Backend, Installation: a.installation}
}
