package scaler

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler/failure"
	"github.com/scalerd/scalerd/tfgen"
)

// diagnosis is why a step failed: as a whole, and which nodes.
type diagnosis struct {
	kind  failure.Kind
	nodes map[string]failure.Kind
}

// diagnose reads Terraform's diagnostics in an error.
func diagnose(err error) diagnosis {
	d := diagnosis{kind: failure.Unknown, nodes: map[string]failure.Kind{}}
	var said Diagnostics
	if !errors.As(err, &said) {
		return d
	}
	var kinds []failure.Kind
	for _, each := range said {
		kind := failure.Classify(each.Address, each.Summary+": "+each.Detail)
		kinds = append(kinds, kind)
		if node, ok := tfgen.AddressNode(each.Address); ok {
			d.nodes[node] = failure.Worst(kind, d.nodes[node])
		}
	}
	d.kind = failure.Worst(kinds...)
	return d
}

// stopped is the wait where only a person can help. The first failure is tried
// again sooner: clouds need a moment to know of new permissions and objects.
const stopped = 30 * time.Minute

// wait is how long the n-th failure in a row holds a step up. It is spread by half,
// so that groups that failed together do not come back together.
func (a *actuator) wait(kind failure.Kind, n int) time.Duration {
	if kind.NeedsPerson() {
		if n > 1 {
			return stopped
		}
		n = 5
	}
	if kind == failure.Throttled {
		n += 2
	}
	whole := backoff(n)
	if a.rnd == nil {
		return whole
	}
	return whole/2 + time.Duration(a.rnd.Int64N(int64(whole)/2+1))
}

// weigh says why a step ended as it did, and when it is to be tried again: the zero
// time is at once, because another offering was found. It takes note of refusals.
func (a *actuator) weigh(s *shard, step StepStatus, err error) (diagnosis, time.Time) {
	now := time.Now()
	d := diagnose(err)
	if planRefused(err) {
		a.refuse(s, fmt.Errorf("%s: %w", s.name, err), now)
	} else {
		s.refusal, s.refusals, s.removed = nil, 0, nil
	}
	if s.kind = ""; err == nil {
		if step.Create > 0 {
			a.noteCreation(nil, time.Time{})
		}
		return d, time.Time{}
	}
	if s.kind = d.kind; d.kind.NeedsPerson() {
		s.login, _ = a.tf.Login(a.root(s)) // none is another one than any
	}
	elsewhere := a.penalise(s, d, now)
	again := func(failures int) time.Time {
		if elsewhere {
			return time.Time{}
		}
		return now.Add(a.wait(d.kind, failures+1))
	}
	if step.Create > 0 {
		a.noteCreation(explained(err, d.kind), again(a.creating.failures))
	}
	return d, again(s.failures)
}

// explained is an error with what is done about it.
func explained(err error, kind failure.Kind) error {
	if advice := kind.Advice(); advice != "" {
		return fmt.Errorf("%w\n(%s: %s)", err, kind, advice)
	}
	return err
}

// penalise takes note of what the cloud refused in a step that failed, and reports
// whether another offering can be tried at once.
func (a *actuator) penalise(s *shard, d diagnosis, now time.Time) bool {
	if !a.offers.several() {
		return false
	}
	failed := map[string]failure.Kind{}
	s.refused = nil
	for _, node := range sortedKeys(d.nodes) {
		if settings, written := s.nodes[node]; written && d.nodes[node].ElsewhereHelps() {
			failed[settings.Offering()] = d.nodes[node]
			s.refused = append(s.refused, node)
		}
	}
	for _, name := range sortedKeys(failed) {
		a.offers.penalise(name, failed[name], now)
	}
	return len(failed) > 0 && !a.offers.avoided(now)
}

// reoffer gives nodes that the cloud refused the best offering: one of which nothing
// exists gets its settings; one that exists in part goes, because what exists of it
// may not fit, and what grows in its place is of the best offering.
func (a *actuator) reoffer(edits map[*shard]tfgen.Nodes, now time.Time) {
	for _, s := range a.shards {
		if s.busy || s.suspect != nil || s.stateErr != nil || len(s.refused) == 0 {
			continue
		}
		best, there := a.offers.best(now), s.resources()
		for _, node := range s.refused {
			settings, written := s.nodes[node]
			switch {
			case !written || settings.Offering() == best.Offering.Name:
			case len(there[node]) > 0:
				a.doomed[node] = true
			default:
				edit(edits, s)[node] = best.Settings(tfgen.NodeNumber(node)).Decided(a.decision()).Installed(a.installation)
				delete(a.outdated, node)
			}
		}
		a.log.Warn("the cloud refused an offering", "shard", s.name, "nodes", s.refused, "next", best.Offering.Name)
		s.refused = nil
	}
}

// otherOfferings tells which nodes a rewrite gives another offering.
func otherOfferings(before, after tfgen.Nodes) string {
	var changes []string
	for _, node := range sortedKeys(after) {
		old, was := before[node]
		if next := after[node]; was && old.Offering() != next.Offering() {
			changes = append(changes, fmt.Sprintf("%s: %s in place of %s", node, next.Offering(), old.Offering()))
		}
	}
	return strings.Join(changes, ", ")
}

// loginChanged reports whether terraform would log in with other credentials than
// when a step failed in a way that only a person can mend.
func (a *actuator) loginChanged() bool {
	return slices.ContainsFunc(a.roots(), func(s *shard) bool {
		if s.busy || !s.kind.NeedsPerson() {
			return false
		}
		login, err := a.tf.Login(a.root(s))
		return err == nil && login != s.login
	})
}

// forgive lets every step be tried at once: what made it fail may be what changed.
func (a *actuator) forgive() {
	for _, s := range a.roots() {
		s.failures, s.retryAt, s.kind = 0, time.Time{}, ""
	}
	a.noteCreation(nil, time.Time{})
}

// newRand is a group's own source of chance: the same at each start, and another
// one for each group.
func newRand(app, group string) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%s", app, group)
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}
