package scaler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// Inspector sees what Terraform can't see of a root module's machines. dir is the
// module's directory. Implementations are safe for concurrent use.
type Inspector interface {
	// Dead lists which of the resources are dead although the state has them.
	Dead(dir string, addresses []string) []string
	// Reap ends what runs for the module and belongs to none of the resources to
	// keep, as an interrupted creation leaves it behind; it returns their names.
	Reap(ctx context.Context, dir string, keep []string) ([]string, error)
}

// wish is what an actuator is asked to bring about.
type wish struct {
	nodes    int
	decision int64
}

// description is what an actuator generates from. A group that was removed from
// its application has none.
type description struct {
	app   *spec.Application
	group *spec.Group
}

// actuator carries out what was decided about one group. One goroutine, run,
// owns everything but the mailbox and the published Fleet; the steps that it
// starts, one for each shard at a time, report back to it.
type actuator struct {
	app, group string
	dir        string
	tf         Terraform
	store      Store
	inspect    Inspector
	driftEvery time.Duration
	metrics    *Metrics
	log        *slog.Logger
	// changed is called after a new Fleet was published.
	changed func()

	mail mailbox
	// seq is the mailbox's when it was read last.
	seq       int
	published atomic.Pointer[Fleet]

	// adopting is a description that could not be written yet.
	adopting *description
	// dismissed is set when the group is to go.
	dismissed bool
	module    tfgen.Module
	// needsBase is set where the description has something that the shards share.
	needsBase bool
	shared    []string
	// facts are what is on disk about the group.
	facts groupFacts
	// desc is what nodes are made from; nil for a group that is to go. settings are
	// what it gives the node of a number.
	desc     *description
	settings func(number int) tfgen.Settings
	// outdated says of nodes in which settings they differ from what the description
	// has for them now.
	outdated map[string]string
	base     *shard
	// basePlanned is set when the base was planned with its present files;
	// deadShared are its resources to replace.
	basePlanned bool
	deadShared  []string
	shards      []*shard
	wish        *wish
	// doomed are nodes that are to go, named by a decision or found dead.
	doomed  map[string]bool
	created map[string]time.Time
	next    int
	steps   map[string]StepStatus
	results chan result
	// drift are the findings, and checked the time of the last drift check, by
	// shard; checking is the shard whose check is under way.
	drift    map[string][]Change
	checked  map[string]time.Time
	checking *shard
	// creating is the failure of creations: it is the group's, because another shard
	// would only fail too, and it stays until a creation succeeds.
	creating struct {
		err      error
		failures int
		retryAt  time.Time
	}
	// err is a failure that belongs to no shard, such as a full disk.
	err      error
	failures int
	retryAt  time.Time
	removed  bool
}

// result is what a step's goroutine reports.
type result struct {
	shard *shard
	// progress is set while the step goes on.
	progress *Progress
	// digest is that of the module's files that the step applied.
	digest string
	// check is set for a drift check, with what it found.
	check bool
	drift []Change
	dead  []string
	err   error
}

// mailbox holds what is asked of an actuator and not taken yet; the latest wish
// wins, while nodes to drop add up.
type mailbox struct {
	mu      sync.Mutex
	wish    *wish
	drop    []string
	desc    *description
	dismiss bool
	// seq counts what was put in, so that a Fleet can tell what it includes.
	seq  int
	wake chan struct{}
}

func (m *mailbox) put(change func(*mailbox)) {
	m.mu.Lock()
	change(m)
	m.seq++
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Fleet is the newest snapshot. It is safe for concurrent use.
func (a *actuator) Fleet() *Fleet { return a.published.Load() }

// settled reports whether everything that was asked so far is carried out. It is
// safe for concurrent use.
func (a *actuator) settled() bool {
	a.mail.mu.Lock()
	defer a.mail.mu.Unlock()
	fleet := a.published.Load()
	return fleet.seq == a.mail.seq && (fleet.Settled || fleet.Removed)
}

// ask replaces the wish. The named nodes go in any case.
func (a *actuator) ask(nodes int, drop []string, decision int64) {
	a.mail.put(func(m *mailbox) {
		m.wish = &wish{nodes: nodes, decision: decision}
		m.drop = append(m.drop, drop...)
	})
}

// describe replaces the description.
func (a *actuator) describe(d description) {
	a.mail.put(func(m *mailbox) { m.desc = &d })
}

// dismissGroup makes the actuator destroy everything that the group has; its Fleet
// says Removed when that is done.
func (a *actuator) dismissGroup() {
	a.mail.put(func(m *mailbox) { m.dismiss = true })
}

// load reads the group from disk. It is called before run.
func (a *actuator) load(ctx context.Context, desc *description) error {
	a.doomed, a.steps = map[string]bool{}, map[string]StepStatus{}
	a.drift, a.checked = map[string][]Change{}, map[string]time.Time{}
	a.results = make(chan result)
	a.mail.wake = make(chan struct{}, 1)
	row, err := a.store.Group(ctx, a.app, a.group)
	if err != nil {
		return err
	}
	a.next = max(row.NextNumber, 1)
	times, err := a.store.Nodes(ctx, a.app, a.group)
	if err != nil {
		return err
	}
	a.created = map[string]time.Time{}
	for name, t := range times {
		a.created[name] = t.CreatedAt
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
		s, err := loadShard(dir, a.tf)
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
		s.unsure = s.pending(a.module)
	}
	a.published.Store(a.snapshot())
	return nil
}

func (a *actuator) loadBase() error {
	dir := filepath.Join(a.dir, tfgen.BaseName)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	base, err := loadShard(dir, a.tf)
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
	settings, err := tfgen.NewNodes(d.app, d.group)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return fmt.Errorf("group folder: %w", err)
	}
	if err := a.writeBase(base); err != nil {
		return err
	}
	for _, s := range a.shards {
		if err := s.writeModule(module, a.handed()); err != nil {
			return err
		}
	}
	facts := groupFacts{PerNode: module.PerNode, Within: module.Within, Shared: base.Shared, Cloud: d.group.Cloud, Credentials: d.group.Credentials}
	if err := writeGroupFacts(a.dir, facts); err != nil {
		return err
	}
	a.module, a.needsBase, a.shared, a.basePlanned = module, len(base.Files) > 0, base.Shared, false
	a.facts, a.desc, a.settings = facts, &d, settings
	a.compare()
	a.noteCreation(nil) // what failed may be what was changed
	return nil
}

func (a *actuator) writeBase(base tfgen.Module) error {
	if len(base.Files) == 0 {
		return nil
	}
	if a.base == nil {
		dir := filepath.Join(a.dir, tfgen.BaseName)
		if err := os.MkdirAll(dir, 0o700); err != nil {
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
			if diff := settings.Differences(a.settings(tfgen.NodeNumber(name))); diff != "" {
				a.outdated[name] = diff
			}
		}
	}
}

// root is the root module of a shard with the group's credentials.
func (a *actuator) root(s *shard) Root {
	return Root{Dir: s.dir, Cloud: a.facts.Cloud, Credentials: a.facts.Credentials}
}

// run carries out wishes until ctx ends; then it waits for the steps in flight,
// which are cancelled gracefully.
func (a *actuator) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			a.drain()
			return
		case <-a.mail.wake:
		case r := <-a.results:
			if r.progress != nil {
				a.takeProgress(r)
				a.publish()
				continue
			}
			a.finish(r)
		case <-timer.C:
		}
		a.readMail()
		now := time.Now()
		a.advance(ctx, now)
		timer.Reset(a.untilNext(now))
		a.publish()
		if a.removed {
			return
		}
	}
}

// drain waits for the steps in flight after ctx ended.
func (a *actuator) drain() {
	for len(a.steps) > 0 || a.checking != nil {
		if r := <-a.results; r.progress == nil {
			a.finish(r)
		}
	}
	a.publish()
}

func (a *actuator) publish() {
	a.published.Store(a.snapshot())
	a.changed()
}

func (a *actuator) readMail() {
	a.mail.mu.Lock()
	a.seq = a.mail.seq
	desc, w, drop, dismiss := a.mail.desc, a.mail.wish, a.mail.drop, a.mail.dismiss
	a.mail.desc, a.mail.wish, a.mail.drop, a.mail.dismiss = nil, nil, nil, false
	a.mail.mu.Unlock()
	if desc != nil {
		a.adopting, a.dismissed, a.retryAt = desc, false, time.Time{}
	}
	if w != nil {
		a.wish = w
	}
	for _, name := range drop {
		a.doomed[name] = true
	}
	if dismiss {
		a.adopting, a.desc, a.dismissed, a.wish = nil, nil, true, &wish{}
	}
}

// note remembers a failure that belongs to no shard, or that it is over.
func (a *actuator) note(err error) {
	if err == nil {
		a.err, a.failures, a.retryAt = nil, 0, time.Time{}
		return
	}
	a.failures++
	a.err, a.retryAt = err, time.Now().Add(backoff(a.failures))
	a.log.Error("group failed", "error", err)
}

func (a *actuator) takeProgress(r result) {
	step := a.steps[r.shard.name]
	step.Progress = *r.progress
	a.steps[r.shard.name] = step
}

// finish takes the end of a step: the state is read back whatever happened.
func (a *actuator) finish(r result) {
	if r.check {
		a.takeDrift(r)
		return
	}
	s := r.shard
	s.busy = false
	step := a.steps[s.name]
	delete(a.steps, s.name)
	s.readState(a.tf)
	a.metrics.step(a.app, a.group, r.err, time.Since(step.StartedAt))
	err := r.err
	if err == nil {
		err = s.noteApplied(r.digest)
	}
	if err == nil && s.stateErr == nil && s != a.base && s.pending(a.module) && s.written == r.digest {
		err = fmt.Errorf("terraform ended without an error, but %s differs from its node set", s.name)
	}
	a.journal(s, phaseOf(err), fmt.Sprint(orNothing(err)))
	if step.Create > 0 {
		a.noteCreation(err)
	}
	if err == nil {
		s.failures, s.retryAt, s.err, s.unsure = 0, time.Time{}, nil, false
		if s == a.base {
			a.basePlanned, a.deadShared = true, nil
			if err := a.handOn(); err != nil {
				a.note(err)
			}
		}
		return
	}
	// A terraform that ended by itself wrote what exists; one that was interrupted
	// may not have.
	if s.stateErr == nil {
		s.unsure = errors.Is(err, ErrInterrupted) || errors.Is(err, context.Canceled)
	}
	s.failures++
	s.retryAt = time.Now().Add(backoff(s.failures))
	s.err = fmt.Errorf("%s: %w", s.name, err)
	if !errors.Is(err, context.Canceled) {
		a.log.Error("step failed", "shard", s.name, "error", err, "retry_at", s.retryAt)
	}
}

// noteCreation remembers that a creation failed, or that one succeeded.
func (a *actuator) noteCreation(err error) {
	c := &a.creating
	switch {
	case err == nil:
		c.err, c.failures, c.retryAt = nil, 0, time.Time{}
	case !errors.Is(err, context.Canceled):
		c.failures++
		c.err, c.retryAt = err, time.Now().Add(backoff(c.failures))
	}
}

func (a *actuator) takeDrift(r result) {
	s := r.shard
	a.checking, a.checked[s.name] = nil, time.Now()
	if r.err != nil {
		if !errors.Is(r.err, context.Canceled) {
			a.log.Error("drift check failed", "shard", s.name, "error", r.err)
		}
		return
	}
	dead := map[string]bool{}
	for _, address := range r.dead {
		dead[address] = true
	}
	var findings []Change
	for _, change := range r.drift {
		if change.Action == ActionDelete {
			dead[change.Address] = true
		} else {
			findings = append(findings, change)
		}
	}
	a.drift[s.name] = findings
	for _, address := range sortedKeys(dead) {
		a.metrics.drift(a.app, a.group)
		a.log.Warn("resource is gone", "shard", s.name, "address", address)
		a.journal(s, "drift", address+" is gone and will be replaced")
		if node, ok := tfgen.AddressNode(address); ok {
			a.doomed[node] = true
		} else if s == a.base && !slices.Contains(a.deadShared, address) {
			a.deadShared = append(a.deadShared, address)
		}
	}
}

// forgetGone drops what is remembered of nodes that no longer exist.
func (a *actuator) forgetGone(ctx context.Context) {
	there := map[string]bool{}
	for _, s := range a.shards {
		if s.stateErr != nil {
			return
		}
		for _, name := range a.nodesOf(s) {
			there[name] = true
		}
	}
	maps.DeleteFunc(a.doomed, func(name string, _ bool) bool { return !there[name] })
	maps.DeleteFunc(a.outdated, func(name, _ string) bool { return !there[name] })
	for name := range a.created {
		if there[name] {
			continue
		}
		if err := a.store.DeleteNode(ctx, a.app, a.group, name); err != nil {
			a.log.Warn("forget node", "node", name, "error", err)
			continue
		}
		delete(a.created, name)
	}
}

func phaseOf(err error) string {
	if err != nil {
		return "failed"
	}
	return "done"
}

func orNothing(err error) any {
	if err == nil {
		return ""
	}
	return err
}

// backoff is the wait before the n-th try, n from 1: 2 s doubling to 5 min.
func backoff(n int) time.Duration {
	const first, most = 2 * time.Second, 5 * time.Minute
	if n > 8 {
		return most
	}
	return min(first<<(n-1), most)
}
