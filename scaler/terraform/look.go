package terraform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/scalerd/scalerd/scaler"
)

// Plan implements scaler.Terraform.
func (r *Runner) Plan(ctx context.Context, root scaler.Root) ([]scaler.Change, error) {
	if err := mend(root.Dir); err != nil { // a copy, which nobody else writes
		return nil, err
	}
	planned, err := r.planOnly(ctx, "plan", root, nil, nil, tfexec.Refresh(false), tfexec.LockTimeout(planLockTimeout))
	return planned.changes, err
}

// Drift implements scaler.Terraform.
func (r *Runner) Drift(ctx context.Context, root scaler.Root) ([]scaler.Change, error) {
	aside, err := os.MkdirTemp("", "scalerd-drift-")
	if err != nil {
		return nil, fmt.Errorf("drift of %s: %w", root.Dir, err)
	}
	defer os.RemoveAll(aside)
	file := filepath.Join(aside, planFile)
	tell := func(ctx context.Context, tf driver, p planned) error {
		if len(p.drift) == 0 {
			return nil
		}
		return detail(ctx, tf, file, p.drift)
	}
	// It only reads, so it takes no lock and delays no step.
	planned, err := r.planOnly(ctx, "drift", root, r.checkState, tell, tfexec.RefreshOnly(true), tfexec.Lock(false), tfexec.Out(file))
	if errors.Is(err, errNotOurs) {
		return nil, nil // it has nothing that could drift
	}
	return planned.drift, err
}

// detail adds to changes behind Terraform's back which attributes they are: the stream
// of a plan does not say that. Values can be secrets, and are left out.
func detail(ctx context.Context, tf driver, file string, drift []scaler.Change) error {
	text, err := showPlan(ctx, tf, file)
	if err != nil {
		return err
	}
	var plan struct {
		ResourceDrift []struct {
			Address string `json:"address"`
			Change  struct {
				Before, After map[string]any
			} `json:"change"`
		} `json:"resource_drift"`
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		return fmt.Errorf("drift of %s: %w", tf.dir, err)
	}
	for _, resource := range plan.ResourceDrift {
		before, after := resource.Change.Before, resource.Change.After
		var attributes []string
		for _, name := range slices.Sorted(maps.Keys(after)) {
			if !reflect.DeepEqual(before[name], after[name]) {
				attributes = append(attributes, name)
			}
		}
		for i := range drift {
			if drift[i].Address == resource.Address {
				drift[i].Detail = strings.Join(attributes, ", ")
			}
		}
	}
	return nil
}

// errNotOurs is what checkState answers of a state in a backend that is not claimed.
var errNotOurs = errors.New("the state is not claimed")

// checkState reads a state in a backend anew, and answers whether the state can be
// trusted: of one that cannot, nothing is planned. One that is cut short may be what
// terraform writes at this moment, for a step that did not wait for this look: only
// the next step, which nothing runs beside, may put the one before in its place.
func (r *Runner) checkState(ctx context.Context, tf driver) error {
	if remote(tf.dir) && !r.claimed(tf) {
		return errNotOurs
	}
	if err := r.pull(ctx, tf); err != nil {
		return err
	}
	path := statePath(tf.dir)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read state: %w", err)
	}
	if err == nil && torn(text) {
		return fmt.Errorf("%s is being written, or was cut short: it is looked at again later, and the next step of this root module mends it", path)
	}
	_, err = ReadState(tf.dir)
	return err
}

func (r *Runner) planOnly(ctx context.Context, purpose string, root scaler.Root, first func(context.Context, driver) error, last func(context.Context, driver, planned) error, options ...tfexec.PlanOption) (planned, error) {
	free, err := acquire(ctx, r.slots)
	if err != nil {
		return planned{}, err
	}
	defer free()
	tf, closeDriver, err := r.driveFor(purpose, root)
	if err != nil {
		return planned{}, err
	}
	defer closeDriver()
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
	if last != nil {
		return p, last(ctx, tf, p)
	}
	return p, nil
}
