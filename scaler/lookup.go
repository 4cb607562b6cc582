package scaler

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

// lookup is how an actuator looks in the cloud for machines of its group that no
// state tells of.
type lookup struct {
	// possible is set where the group's cloud can be asked.
	possible bool
	running  bool
	// final is set on a running lookup of a dismissed group that has nothing left.
	final bool
	// clear is set when a final lookup found nothing to delete.
	clear bool
	// startedAt is the start of the newest lookup, lookedAt that of the newest one
	// that ended well, next that of the next periodic one.
	startedAt, lookedAt, next time.Time
	failures                  int
	retryAt                   time.Time
	err                       error
	// orphans are what the newest lookup found and no state has.
	orphans []Orphan
	// seen is when each was found first, and refused why it could not be adopted; by
	// its key.
	seen    map[string]time.Time
	refused map[string]string
	// deleting is set while orphans are being destroyed.
	deleting bool
}

// foundResult is what a lookup's goroutine reports.
type foundResult struct {
	found []tfgen.Found
	err   error
}

func (a *actuator) lookupDir() string { return filepath.Join(a.dir, tfgen.LookupName) }

// loadLookup finds out whether there is a lookup, and what is suspect.
func (a *actuator) loadLookup(now time.Time) {
	l := &a.lookup
	l.seen, l.refused = map[string]time.Time{}, map[string]string{}
	_, err := os.Stat(filepath.Join(a.lookupDir(), "main.tf"))
	l.possible = a.installation != "" && err == nil
	if a.lookupEvery > 0 {
		l.next = now.Add(time.Duration(spread(a.app+"/"+a.group) * float64(a.lookupEvery)))
	}
	for _, s := range a.shards {
		if !s.misses(a.module) {
			continue
		}
		if a.suspect(s, now); s.suspect != nil && s.open != nil {
			// Nothing was made since, unless the clock went back.
			if until := s.open.At().Add(a.lookupGrace); until.Before(s.suspect.until) {
				s.suspect.until = until
			}
		}
	}
}

// spread is a number from 0 to 1 that is always the same for a name and differs
// between names: it keeps periodic work of many groups from falling together.
func spread(name string) float64 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return float64(h.Sum32()) / (1 << 32)
}

// writeLookup writes the root module of the group's lookup.
func (a *actuator) writeLookup(d description) error {
	if a.installation == "" {
		return nil // it is only planned or generated
	}
	module, err := tfgen.Lookup(d.app, d.group)
	if err != nil {
		return err
	}
	a.lookup.possible = len(module.Files) > 0
	if !a.lookup.possible {
		return a.disk.remove(a.lookupDir())
	}
	return a.disk.writeFiles(a.lookupDir(), module.Files)
}

// writeFiles makes a root module's folder and writes its files.
func (d disk) writeFiles(dir string, files []tfgen.File) error {
	if err := d.folder(dir); err != nil {
		return fmt.Errorf("root module: %w", err)
	}
	for _, file := range files {
		if err := d.writeFile(filepath.Join(dir, file.Name), file.Content); err != nil {
			return err
		}
	}
	return nil
}

// advanceLookup starts a lookup, or the end of orphans, where one is due.
func (a *actuator) advanceLookup(ctx context.Context, now time.Time) {
	l := &a.lookup
	if !l.possible || l.running || l.deleting || now.Before(l.retryAt) {
		return
	}
	if a.blind() {
		return
	}
	if victims := a.condemned(); len(victims) > 0 {
		a.deleteOrphans(ctx, victims)
		return
	}
	if at := a.lookupAt(); at.IsZero() || now.Before(at) {
		return
	}
	known, err := tfgen.Known(a.knownIDs())
	if err == nil {
		err = a.disk.writeFile(filepath.Join(a.lookupDir(), tfgen.KnownFile), known)
	}
	l.running, l.startedAt, l.final = true, now, a.dismissed && a.idleAndEmpty()
	root := Root{Dir: a.lookupDir(), Cloud: a.facts.Cloud, Credentials: a.facts.Credentials}
	go func() {
		r := foundResult{err: err}
		if err == nil {
			r.found, r.err = a.tf.Found(ctx, root)
		}
		a.results <- result{found: &r}
	}()
}

// lookupAt is when the next lookup is due, zero for never.
func (a *actuator) lookupAt() time.Time {
	l := &a.lookup
	var at time.Time
	due := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if !l.possible || len(a.shards) == 0 {
		return at
	}
	if !l.next.IsZero() {
		due(l.next)
	}
	for _, s := range a.shards {
		switch {
		case s.suspect == nil:
		case l.startedAt.Before(s.suspect.since):
			due(s.suspect.since)
		default:
			due(s.suspect.until)
		}
	}
	for _, orphan := range l.orphans {
		if orphan.Verdict == VerdictDelete {
			due(orphan.Since.Add(a.lookupGrace))
		}
	}
	if a.dismissed && !l.clear && a.idleAndEmpty() {
		due(l.startedAt.Add(time.Second))
	}
	return at
}

func (a *actuator) idleAndEmpty() bool { return len(a.steps) == 0 && a.shardsEmpty() }

// knownIDs are the identifiers of the nodes all of whose resources are in a state.
func (a *actuator) knownIDs() []string {
	var ids []string
	for _, s := range a.shards {
		for _, node := range a.nodesOf(s) {
			if s.exists(a.module, node) {
				for _, address := range a.module.Addresses(node) {
					ids = append(ids, s.state.IDs[address])
				}
			}
		}
	}
	return ids
}

// takeLookup takes the end of a lookup: it judges what was found, and clears shards
// of suspicion.
func (a *actuator) takeLookup(r foundResult) {
	l, now := &a.lookup, time.Now()
	l.running = false
	l.next = time.Time{}
	if a.lookupEvery > 0 {
		l.next = now.Add(a.lookupEvery)
	}
	if r.err != nil {
		if errors.Is(r.err, context.Canceled) {
			return
		}
		l.failures++
		l.err, l.retryAt = r.err, now.Add(backoff(l.failures))
		a.log.Warn("machines could not be looked up", "error", r.err, "retry_at", l.retryAt)
		if l.failures >= lookupFailures {
			a.clearSuspicions(func(*shard) bool { return true })
			l.clear = l.final
		}
		return
	}
	l.failures, l.err, l.retryAt, l.lookedAt = 0, nil, time.Time{}, l.startedAt
	a.judge(r.found)
	l.clear = l.final && !slices.ContainsFunc(l.orphans, func(o Orphan) bool { return o.Verdict == VerdictDelete })
	a.clearSuspicions(func(s *shard) bool {
		if l.startedAt.Before(s.suspect.since) {
			return false
		}
		return !s.misses(a.module) || !l.startedAt.Before(s.suspect.until)
	})
}

// looked reports whether a dismissed group may be forgotten: the cloud was asked,
// and has nothing more of it.
func (a *actuator) looked() bool {
	l := &a.lookup
	return !l.running && !l.deleting && (!l.possible || len(a.shards) == 0 || l.clear)
}

// LookupStatus is what is known of a group's machines that no state tells of.
type LookupStatus struct {
	// Possible is false where the group's cloud can't be asked: nodes that are
	// processes are found otherwise, and those of a module of the user's not at all.
	Possible bool `json:"possible"`
	// LookedAt is when the cloud was asked last; zero if it never was.
	LookedAt time.Time `json:"looked_at,omitzero"`
	// Problem is why the cloud could not be asked, or an orphan not be deleted.
	Problem string   `json:"problem,omitempty"`
	Orphans []Orphan `json:"orphans,omitempty"`
}

func (a *actuator) lookupStatus() LookupStatus {
	s := LookupStatus{Possible: a.lookup.possible, LookedAt: a.lookup.lookedAt, Orphans: slices.Clone(a.lookup.orphans)}
	if a.lookup.err != nil {
		s.Problem = a.lookup.err.Error()
	}
	return s
}
