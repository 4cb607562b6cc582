package scaler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
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

// nodeAddress is the address of a node's resource of a type.
func nodeAddress(kind, node string) string { return fmt.Sprintf("%s.node[%q]", kind, node) }

// shardOf is the shard that has the node in its node set, or nil.
func (a *actuator) shardOf(node string) *shard {
	for _, s := range a.shards {
		if _, ok := s.nodes[node]; ok {
			return s
		}
	}
	return nil
}

// writeAdopts makes the shard's next step take over resources too, by address.
func (s *shard) writeAdopts(ids map[string]string) error {
	all := maps.Clone(s.adopts)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, ids)
	text, err := tfgen.Adopt(all)
	if err != nil {
		return err
	}
	if err := s.disk.writeFile(filepath.Join(s.dir, tfgen.AdoptFile), text); err != nil {
		return err
	}
	s.adopts = all
	return nil
}

// readAdopts reads what a step that was interrupted was to take over.
func (s *shard) readAdopts() error {
	text, err := os.ReadFile(filepath.Join(s.dir, tfgen.AdoptFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		s.adopts, err = tfgen.DecodeAdopt(text)
	}
	if err != nil {
		return fmt.Errorf("read %s of %s: %w", tfgen.AdoptFile, s.name, err)
	}
	return nil
}

// finishAdopts takes the end of a step that was to take something over.
func (a *actuator) finishAdopts(s *shard, err error) {
	if len(s.adopts) == 0 || s.stateErr != nil {
		return
	}
	var refused *PlanRefusedError
	for _, address := range sortedKeys(s.adopts) {
		id := s.adopts[address]
		if s.state.IDs[address] == id {
			a.metrics.adopted.WithLabelValues(a.app, a.group).Inc()
			a.log.Info("adopted", "shard", s.name, "address", address, "id", id)
			a.lookup.forget(id)
		} else if errors.As(err, &refused) {
			a.lookup.refused[key(id)] = refused.Error()
		}
	}
	s.adopts = nil
	if rmErr := s.disk.remove(filepath.Join(s.dir, tfgen.AdoptFile)); rmErr != nil {
		a.note(fmt.Errorf("remove import blocks: %w", rmErr))
	}
	if err != nil {
		now := time.Now()
		s.suspect = &suspicion{since: now, until: now}
	}
}

// forget drops an orphan that is none any more.
func (l *lookup) forget(id string) {
	l.orphans = slices.DeleteFunc(l.orphans, func(o Orphan) bool { return key(o.ID) == key(id) })
	delete(l.seen, key(id))
}

// condemned are the orphans to destroy now: those that were found twice, with the
// grace between, and in a group that goes all.
func (a *actuator) condemned() []Orphan {
	var victims []Orphan
	if a.blind() {
		return nil
	}
	for _, o := range a.lookup.orphans {
		if o.Verdict == VerdictDelete && (a.dismissed && a.idleAndEmpty() || a.lookup.lookedAt.Sub(o.Since) >= a.lookupGrace) {
			victims = append(victims, o)
		}
	}
	return victims
}

// deleteOrphans destroys orphans in a goroutine.
func (a *actuator) deleteOrphans(ctx context.Context, victims []Orphan) {
	a.lookup.deleting = true
	grave := graveyard{disk: a.disk, tf: a.tf, store: a.store, log: a.log, app: a.app, group: a.group, lookupDir: a.lookupDir(),
		policies: a.policies(&shard{name: tfgen.OrphansName}),
		root:     Root{Dir: filepath.Join(a.dir, tfgen.OrphansName), Cloud: a.facts.Cloud, Credentials: a.facts.Credentials}}
	go func() {
		gone, err := grave.take(ctx, victims)
		a.results <- result{deleted: &deletedResult{gone, err}}
	}()
}

// deletedResult is what the goroutine that destroys orphans reports.
type deletedResult struct {
	gone []Orphan
	err  error
}

// takeDeleted takes the end of orphans. Those that are left are looked up again.
func (a *actuator) takeDeleted(r deletedResult) {
	l, now := &a.lookup, time.Now()
	l.deleting = false
	for _, o := range r.gone {
		l.forget(o.ID)
		a.metrics.deleted.WithLabelValues(a.app, a.group).Inc()
		a.log.Info("orphan deleted", "type", o.Type, "id", o.ID, "node", o.Node)
	}
	l.err = r.err
	if r.err != nil && !errors.Is(r.err, context.Canceled) {
		l.failures++
		l.retryAt = now.Add(backoff(l.failures))
		a.log.Error("orphans could not be deleted", "error", r.err, "retry_at", l.retryAt)
	}
	// A machine that is gone may still be listed for a while, or be gone for good: the
	// next lookup tells.
	l.orphans = slices.DeleteFunc(l.orphans, func(o Orphan) bool { return o.Verdict == VerdictDelete })
	l.next = now
}

// existing is how azurerm refuses to create what is there already.
var existing = regexp.MustCompile(`A resource with the ID "([^"]+)" already exists`)

// adoptExisting makes the shard adopt what a creation found to be there already and
// no lookup finds, because it has no tags: an association of a node's interface, told
// by that interface, which is in the state.
func (a *actuator) adoptExisting(s *shard, err error) {
	var said Diagnostics
	if !errors.As(err, &said) {
		return
	}
	ours := map[string]bool{}
	for _, id := range s.state.IDs {
		ours[key(id)] = true
	}
	ids := map[string]string{}
	for _, d := range said {
		m := existing.FindStringSubmatch(d.Summary + " " + d.Detail)
		if m == nil {
			continue
		}
		node, _ := tfgen.AddressNode(d.Address)
		part, _, joined := strings.Cut(m[1], "|")
		if joined && ours[key(part)] && slices.Contains(a.module.Addresses(node), d.Address) {
			ids[d.Address] = m[1]
		}
	}
	if len(ids) == 0 {
		return
	}
	if err := s.writeAdopts(ids); err != nil {
		a.note(err)
	}
}
