package terraform

import (
	"context"
	"crypto/sha256"
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
func (r *Runner) Step(ctx context.Context, dir string, expect scaler.Expect, progress func(scaler.Progress)) ([]scaler.Change, error) {
	free, err := acquire(ctx, r.slots)
	if err != nil {
		return nil, err
	}
	defer free()
	tf, err := r.root(dir)
	if err != nil {
		return nil, err
	}
	if err := mend(dir); err != nil {
		return nil, err
	}
	if err := checkRoom(dir); err != nil {
		return nil, err
	}
	if err := r.init(ctx, tf, dir, progress); err != nil {
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
		return nil, err
	}
	if !planned.anything {
		return nil, r.remember(dir)
	}
	if err := apply(ctx, tf, progress); err != nil {
		// What was created before the failure is in the state and counts.
		return planned.changes, errors.Join(fmt.Errorf("apply %s: %w", dir, err), r.remember(dir))
	}
	return planned.changes, r.remember(dir)
}

// Plan implements scaler.Terraform.
func (r *Runner) Plan(ctx context.Context, dir string) ([]scaler.Change, error) {
	planned, err := r.planOnly(ctx, dir, tfexec.Refresh(false))
	return planned.changes, err
}

// Drift implements scaler.Terraform.
func (r *Runner) Drift(ctx context.Context, dir string) ([]scaler.Change, error) {
	// It only reads, so it takes no lock and delays no step.
	planned, err := r.planOnly(ctx, dir, tfexec.RefreshOnly(true), tfexec.Lock(false))
	return planned.drift, err
}

func (r *Runner) planOnly(ctx context.Context, dir string, options ...tfexec.PlanOption) (planned, error) {
	free, err := acquire(ctx, r.slots)
	if err != nil {
		return planned{}, err
	}
	defer free()
	tf, err := r.root(dir)
	if err != nil {
		return planned{}, err
	}
	if err := mend(dir); err != nil {
		return planned{}, err
	}
	if err := r.init(ctx, tf, dir, ignore); err != nil {
		return planned{}, err
	}
	p, err := plan(ctx, tf, ignore, options...)
	if err != nil {
		return p, fmt.Errorf("plan %s: %w", dir, err)
	}
	return p, nil
}

func ignore(scaler.Progress) {}

func plan(ctx context.Context, tf *tfexec.Terraform, progress func(scaler.Progress), options ...tfexec.PlanOption) (planned, error) {
	out := &stream{phase: "plan", progress: progress}
	anything, err := tf.PlanJSON(ctx, out, append(options, tfexec.LockTimeout(lockTimeout))...)
	if err := out.failure(err); err != nil {
		return planned{}, err
	}
	out.planned.anything = anything
	// Terraform lists changes in the order of its concurrent walk.
	slices.SortFunc(out.planned.changes, func(a, b scaler.Change) int { return strings.Compare(a.Address, b.Address) })
	return out.planned, nil
}

func apply(ctx context.Context, tf *tfexec.Terraform, progress func(scaler.Progress)) error {
	out := &stream{phase: "apply", progress: progress}
	err := tf.ApplyJSON(ctx, out, tfexec.DirOrPlan(planFile), tfexec.LockTimeout(lockTimeout))
	var exit *exec.ExitError
	if ctx.Err() != nil || errors.As(err, &exit) && exit.ExitCode() < 0 {
		return fmt.Errorf("%w: %w", scaler.ErrInterrupted, out.failure(err))
	}
	return out.failure(err)
}

// initMarker holds the digest of the configuration that was last initialised.
const initMarker = ".terraform/scalerd-init"

// init runs `terraform init` where the configuration was never initialised, or
// has changed since.
func (r *Runner) init(ctx context.Context, tf *tfexec.Terraform, dir string, progress func(scaler.Progress)) error {
	digest, err := configDigest(dir)
	if err != nil {
		return err
	}
	marker := filepath.Join(dir, initMarker)
	if have, err := os.ReadFile(marker); err == nil && string(have) == digest {
		return nil
	}
	free, err := acquire(ctx, r.initing)
	if err != nil {
		return err
	}
	defer free()
	progress(scaler.Progress{Phase: "init", Message: "Initializing " + filepath.Base(dir)})
	if err := tf.Init(ctx, tfexec.Upgrade(false)); err != nil {
		return fmt.Errorf("init %s: %w", dir, err)
	}
	if err := os.MkdirAll(filepath.Dir(marker), 0o700); err != nil {
		return fmt.Errorf("init %s: %w", dir, err)
	}
	if err := os.WriteFile(marker, []byte(digest), 0o600); err != nil {
		return fmt.Errorf("init %s: %w", dir, err)
	}
	return nil
}

// configDigest is a digest of the module's .tf files: names and contents.
func configDigest(dir string) (string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		return "", fmt.Errorf("list configuration of %s: %w", dir, err)
	}
	slices.Sort(names)
	h := sha256.New()
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read configuration: %w", err)
		}
		fmt.Fprintf(h, "%s %d\n", filepath.Base(name), len(text))
		h.Write(text)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
