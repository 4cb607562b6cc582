package scaler

import (
	"context"
	"log/slog"
	"math/rand/v2"
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
	disk       disk
	tf         Terraform
	store      Store
	inspect    Inspector
	driftEvery time.Duration
	// driftBudget is that of all groups.
	driftBudget *driftBudget
	// installation tells this scalerd's machines from another's; empty where nothing
	// is carried out. lookupEvery and lookupGrace are those of Config.
	installation             string
	lookupEvery, lookupGrace time.Duration
	metrics                  *Metrics
	log                      *slog.Logger
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
	// desc is what nodes are made from; nil for a group that is to go. offers are
	// what it gives new nodes.
	desc   *description
	offers offerings
	// rnd spreads retries; nil for none.
	rnd *rand.Rand
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
	// doomed are nodes that are to go, named by a decision or found dead; lost are
	// the latter, with the address that is gone; drained are those that are drained.
	doomed  map[string]bool
	lost    map[string]string
	drained map[string]bool
	// leaving are the nodes that are to go and have to be drained first, as the last
	// look at the wish found; departures are how far each is. kept are those that could
	// not be drained, with when that is tried again; keptErr is why.
	leaving    map[string]*shard
	departures map[string]*departure
	kept       map[string]time.Time
	// deadlines are when the drains that a scalerd before this one began have to be over.
	deadlines map[string]time.Time
	keptErr   error
	// errands are the checks and drains in flight.
	errands int
	checks  Checks
	drainer Drainer
	created map[string]time.Time
	// told is what the last Fleet's nodes were made of.
	told struct {
		members []*members
		leaving bool
		nodes   []FleetNode
	}
	next    int
	steps   map[string]StepStatus
	results chan result
	// ended are steps whose end could not be journalled yet.
	ended []StepRecord
	// drift are the findings, and checked the time of the last drift check, by
	// shard; checking is the shard whose check is under way.
	drift    map[string][]DriftFinding
	checked  map[string]time.Time
	checking *shard
	// driftChecks are the last checks, in a list that is never changed; driftOrder is
	// what was asked for besides.
	driftChecks []DriftCheck
	driftOrder  driftOrder
	lookup      lookup
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
	// toldAt is when progress was published last.
	toldAt time.Time
}

// result is what a step's goroutine reports.
type result struct {
	shard *shard
	// progress is set while the step goes on.
	progress *Progress
	// record is how far the step came.
	record *StepRecord
	// check is set for a drift check, with what it found.
	check bool
	// errand is the end of a check or a drain of nodes that go.
	errand *errand
	drift  []Change
	dead   []string
	// found and deleted are set for the ends of a lookup and of orphans.
	found   *foundResult
	deleted *deletedResult
	err     error
}

// mailbox holds what is asked of an actuator and not taken yet; the latest wish
// wins, while nodes to drop add up.
type mailbox struct {
	mu      sync.Mutex
	wish    *wish
	drop    []string
	desc    *description
	dismiss bool
	check   time.Time
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
				a.takeProgress(r, time.Now())
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
	for len(a.steps) > 0 || a.checking != nil || a.lookup.running || a.lookup.deleting || a.errands > 0 {
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
	desc, w, drop, dismiss, check := a.mail.desc, a.mail.wish, a.mail.drop, a.mail.dismiss, a.mail.check
	a.mail.desc, a.mail.wish, a.mail.drop, a.mail.dismiss, a.mail.check = nil, nil, nil, false, time.Time{}
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
	if !check.IsZero() {
		a.orderChecks(check)
	}
	if dismiss {
		a.adopting, a.desc, a.dismissed, a.wish = nil, nil, true, &wish{}
		for _, s := range a.shards {
			s.members = nil // without a description, no node is outdated
		}
	}
}
