package terraform

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/scalerd/scalerd/scaler"
)

// Step implements scaler.Terraform.
func (r *Runner) Step(ctx context.Context, root scaler.Root, expect scaler.Expect, watch scaler.Watcher) ([]scaler.Change, error) {
	free, err := acquire(ctx, r.slots)
	if err != nil {
		return nil, err
	}
	defer free()
	tf, closeDriver, err := r.drive(root)
	if err != nil {
		return nil, err
	}
	defer closeDriver()
	moved, err := r.settle(ctx, tf, watch)
	if err == nil && moved {
		err = errors.Join(scaler.ErrStateMoved, r.remember(ctx, tf))
	}
	if err != nil {
		return nil, err
	}
	if err := checkRoom(root.Dir); err != nil {
		return nil, err
	}
	if err := spanned(ctx, "init", func(ctx context.Context) error { return r.init(ctx, tf, watch.Progress) }); err != nil {
		return nil, err
	}
	var changes []scaler.Change
	if err = r.claim(ctx, tf); err == nil {
		changes, err = r.planAndApply(ctx, tf, expect, watch)
	}
	if err == nil && expect.Destroy {
		err = removeFile(filepath.Join(tf.dir, claimFile))
	}
	if !cutShort(err) && !isLocked(err) {
		err = errors.Join(err, endRuns(root.Dir))
	}
	return changes, err
}

func (r *Runner) planAndApply(ctx context.Context, tf driver, expect scaler.Expect, watch scaler.Watcher) ([]scaler.Change, error) {
	path := filepath.Join(tf.dir, planFile)
	defer os.Remove(path)
	options := []tfexec.PlanOption{tfexec.Out(planFile), tfexec.Refresh(expect.Refresh), tfexec.LockTimeout(planLockTimeout)}
	for _, address := range expect.Replace {
		options = append(options, tfexec.Replace(address))
	}
	if expect.Destroy {
		options = append(options, tfexec.Destroy(true))
	}
	var planned planned
	err := spanned(ctx, "plan", func(ctx context.Context) error {
		return r.locked(tf, operationPlan, func() (err error) {
			planned, err = plan(ctx, tf, watch.Progress, options...)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", tf.dir, err)
	}
	if err := spanned(ctx, "check", func(context.Context) error { return expect.Check(planned.changes) }); err != nil {
		return nil, r.moved(ctx, tf, err)
	}
	if !planned.anything {
		return nil, r.remember(ctx, tf)
	}
	saved, err := savedPlan(tf, planned.changes)
	if err != nil {
		return nil, err
	}
	if err := watch.Planned(ctx, saved); err != nil {
		return nil, err
	}
	err = spanned(ctx, "apply", func(ctx context.Context) error { return r.apply(ctx, tf, watch) })
	if info, refused := refusedLock(err); refused {
		return nil, errors.Join(info.refusal(tf.dir, ""), endRuns(tf.dir))
	}
	if err != nil {
		// What was created before the failure is in the state and counts.
		return planned.changes, errors.Join(fmt.Errorf("apply %s: %w", tf.dir, err), r.remember(ctx, tf))
	}
	return planned.changes, r.remember(ctx, tf)
}

// savedPlan describes the plan that was just written.
func savedPlan(tf driver, changes []scaler.Change) (scaler.SavedPlan, error) {
	path := filepath.Join(tf.dir, planFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return scaler.SavedPlan{}, fmt.Errorf("read plan: %w", err)
	}
	return scaler.SavedPlan{
		Digest:  fmt.Sprintf("%x", sha256.Sum256(text)),
		Changes: changes,
		JSON:    func(ctx context.Context) ([]byte, error) { return showPlan(ctx, tf, path) },
	}, nil
}

func ignore(scaler.Progress) {}

func plan(ctx context.Context, tf driver, progress func(scaler.Progress), options ...tfexec.PlanOption) (planned, error) {
	out := &stream{phase: "plan", progress: progress}
	if tf.varFile != "" {
		options = append(options, tfexec.VarFile(tf.varFile))
	}
	anything, err := tf.PlanJSON(ctx, out, options...)
	if err := out.failure(err); err != nil {
		return planned{}, err
	}
	out.planned.anything = anything
	// Terraform lists changes in the order of its concurrent walk.
	slices.SortFunc(out.planned.changes, func(a, b scaler.Change) int { return strings.Compare(a.Address, b.Address) })
	return out.planned, nil
}
