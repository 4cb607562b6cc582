package terraform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/scalerd/scalerd/scaler"
)

// Step implements scaler.Terraform.
func (r *Runner) Step(ctx context.Context, root scaler.Root, expect scaler.Expect, progress func(scaler.Progress)) ([]scaler.Change, error) {
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
	dir := root.Dir
	if err := mend(dir); err != nil {
		return nil, err
	}
	if err := checkRoom(dir); err != nil {
		return nil, err
	}
	if err := r.init(ctx, tf, progress); err != nil {
		return nil, err
	}
	if err := r.claim(ctx, tf); err != nil {
		return nil, err
	}
	defer os.Remove(filepath.Join(dir, planFile))

	options := []tfexec.PlanOption{tfexec.Out(planFile), tfexec.Refresh(false)}
	for _, address := range expect.Replace {
		options = append(options, tfexec.Replace(address))
	}
	if expect.Destroy {
		options = append(options, tfexec.Destroy(true))
	}
	planned, err := plan(ctx, tf, progress, options...)
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", dir, err)
	}
	if err := expect.Check(planned.changes); err != nil {
		return nil, r.moved(ctx, tf, err)
	}
	if !planned.anything {
		return nil, r.remember(ctx, tf)
	}
	if err := apply(ctx, tf, progress); err != nil {
		// What was created before the failure is in the state and counts.
		return planned.changes, errors.Join(fmt.Errorf("apply %s: %w", dir, err), r.remember(ctx, tf))
	}
	return planned.changes, r.remember(ctx, tf)
}

// Plan implements scaler.Terraform.
func (r *Runner) Plan(ctx context.Context, root scaler.Root) ([]scaler.Change, error) {
	planned, err := r.planOnly(ctx, root, nil, tfexec.Refresh(false))
	return planned.changes, err
}

// Drift implements scaler.Terraform.
func (r *Runner) Drift(ctx context.Context, root scaler.Root) ([]scaler.Change, error) {
	// It only reads, so it takes no lock and delays no step.
	planned, err := r.planOnly(ctx, root, r.checkState, tfexec.RefreshOnly(true), tfexec.Lock(false))
	return planned.drift, err
}

// checkState reads a state in a backend anew, and answers whether the state can be
// trusted: of one that cannot, nothing is planned.
func (r *Runner) checkState(ctx context.Context, tf driver) error {
	if err := r.pull(ctx, tf); err != nil {
		return err
	}
	_, err := ReadState(tf.dir)
	return err
}

func (r *Runner) planOnly(ctx context.Context, root scaler.Root, first func(context.Context, driver) error, options ...tfexec.PlanOption) (planned, error) {
	free, err := acquire(ctx, r.slots)
	if err != nil {
		return planned{}, err
	}
	defer free()
	tf, closeDriver, err := r.drive(root)
	if err != nil {
		return planned{}, err
	}
	defer closeDriver()
	if err := mend(root.Dir); err != nil {
		return planned{}, err
	}
	if err := r.init(ctx, tf, ignore); err != nil {
		return planned{}, err
	}
	if first != nil {
		if err := first(ctx, tf); err != nil {
			return planned{}, err
		}
	}
	p, err := plan(ctx, tf, ignore, options...)
	if err != nil {
		return p, fmt.Errorf("plan %s: %w", root.Dir, err)
	}
	return p, nil
}

func ignore(scaler.Progress) {}

func plan(ctx context.Context, tf driver, progress func(scaler.Progress), options ...tfexec.PlanOption) (planned, error) {
	out := &stream{phase: "plan", progress: progress}
	if tf.varFile != "" {
		options = append(options, tfexec.VarFile(tf.varFile))
	}
	anything, err := tf.PlanJSON(ctx, out, append(options, tfexec.LockTimeout(lockTimeout))...)
	if err := out.failure(err); err != nil {
		return planned{}, err
	}
	out.planned.anything = anything
	// Terraform lists changes in the order of its concurrent walk.
	slices.SortFunc(out.planned.changes, func(a, b scaler.Change) int { return strings.Compare(a.Address, b.Address) })
	return out.planned, nil
}

func apply(ctx context.Context, tf driver, progress func(scaler.Progress)) error {
	out := &stream{phase: "apply", progress: progress}
	err := tf.ApplyJSON(ctx, out, tfexec.DirOrPlan(planFile), tfexec.LockTimeout(lockTimeout))
	var exit *exec.ExitError
	if ctx.Err() != nil || errors.As(err, &exit) && exit.ExitCode() < 0 {
		return fmt.Errorf("%w: %w", scaler.ErrInterrupted, out.failure(err))
	}
	return out.failure(err)
}
