package scaler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

// graveyard is the root module through which orphans go: it takes them over, as
// they are, and destroys them. Its state is empty in between.
type graveyard struct {
	disk       disk
	tf         Terraform
	store      Journal
	log        *slog.Logger
	app, group string
	root       Root
	// lookupDir has the provider's files.
	lookupDir string
	// policies asks the checks of the user's about a plan.
	policies func(context.Context, SavedPlan) error
}

// take destroys orphans: what uses others first, all of a kind at once, and one by
// one where that fails, because one that is gone already cannot be taken over. It
// returns those that are gone.
func (g graveyard) take(ctx context.Context, orphans []Orphan) (gone []Orphan, err error) {
	if err := g.prepare(); err != nil {
		return nil, err
	}
	if err := g.empty(ctx); err != nil { // what an interrupted one left
		return nil, err
	}
	byRank := map[int][]Orphan{}
	for _, o := range orphans {
		rank := tfgen.OrphanRank(o.Type)
		byRank[rank] = append(byRank[rank], o)
	}
	for _, rank := range sortedRanks(byRank) {
		some, err := g.takeAll(ctx, byRank[rank])
		gone = append(gone, some...)
		if err != nil {
			return gone, err
		}
	}
	return gone, nil
}

func sortedRanks(byRank map[int][]Orphan) []int {
	var ranks []int
	for rank := range byRank {
		ranks = append(ranks, rank)
	}
	slices.Sort(ranks)
	return ranks
}

func (g graveyard) takeAll(ctx context.Context, orphans []Orphan) (gone []Orphan, err error) {
	if err = g.takeSome(ctx, orphans); err == nil {
		return orphans, nil
	}
	if len(orphans) == 1 || ctx.Err() != nil {
		return nil, err
	}
	var errs []error
	for i := range orphans {
		if err := g.takeSome(ctx, orphans[i:i+1]); err != nil {
			errs = append(errs, err)
		} else {
			gone = append(gone, orphans[i])
		}
	}
	return gone, errors.Join(errs...)
}

// takeSome takes orphans over and destroys them.
func (g graveyard) takeSome(ctx context.Context, orphans []Orphan) error {
	var found []tfgen.Found
	for _, o := range orphans {
		found = append(found, tfgen.Found{Type: o.Type, ID: o.ID})
	}
	file, addresses, err := tfgen.Orphans(g.app, g.group, found)
	if err != nil {
		return err
	}
	if err := g.disk.writeFiles(g.root.Dir, []tfgen.File{file}); err != nil {
		return err
	}
	var ids []string
	for _, o := range orphans {
		ids = append(ids, fmt.Sprintf("%s %s of node %s, because %s", o.Type, o.ID, o.Node, o.Why))
	}
	err = g.step(ctx, Expect{Import: addresses}, "takes over to destroy: "+strings.Join(ids, "; "))
	return errors.Join(err, g.empty(ctx))
}

// empty destroys what was taken over.
func (g graveyard) empty(ctx context.Context) error {
	file, _, err := tfgen.Orphans(g.app, g.group, nil)
	if err != nil {
		return err
	}
	if err := g.disk.writeFiles(g.root.Dir, []tfgen.File{file}); err != nil {
		return err
	}
	state, err := g.tf.State(g.root.Dir)
	if err != nil {
		return err
	}
	if len(state.Resources) == 0 {
		return nil
	}
	return g.step(ctx, Expect{Delete: sortedKeys(state.Resources)}, "destroys what was taken over")
}

// step runs a step of the root module, journalled as any other.
func (g graveyard) step(ctx context.Context, expect Expect, reason string) error {
	record := StepRecord{Application: g.app, Group: g.group, Shard: tfgen.OrphansName, Reason: reason}
	record.enter(PhaseIntent, time.Now())
	var err error
	if record.ID, err = g.store.BeginStep(ctx, record); err != nil {
		return err
	}
	watch := &stepWatch{record: record, store: g.store, log: g.log, progress: func(Progress) {}, policies: g.policies}
	_, err = g.tf.Step(ctx, g.root, expect, watch)
	if errors.Is(err, ErrStateMoved) { // an interrupted one was brought in order
		_, err = g.tf.Step(ctx, g.root, expect, watch)
	}
	end := PhaseDone
	if err != nil {
		end, watch.record.Error = PhaseFailed, err.Error()
	}
	watch.record.enter(end, time.Now())
	return errors.Join(err, g.store.SaveStep(context.WithoutCancel(ctx), watch.record))
}

// prepare writes the provider's files, which are the lookup's.
func (g graveyard) prepare() error {
	var files []tfgen.File
	for _, name := range []string{"versions.tf", "providers.tf"} {
		text, err := os.ReadFile(filepath.Join(g.lookupDir, name))
		if err != nil {
			return fmt.Errorf("delete orphans: %w", err)
		}
		files = append(files, tfgen.File{Name: name, Content: text})
	}
	return g.disk.writeFiles(g.root.Dir, files)
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
