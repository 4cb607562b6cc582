package terraform

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

// An application of the same name, of another scalerd, has its states under the same
// keys, and whoever came second would take the first one's machines for its own. So
// the first thing that comes into a state is an output that says whose it is. It is
// pushed: terraform refuses that, under the state's lock, where a state with anything
// in it came first; and a plan that was made before somebody else's push is stale. The
// last step in a root module removes the output again.

// claimFile says that the state in the backend is ours.
const claimFile = "backend.claimed"

// pushedFile is a state that is pushed.
const pushedFile = "push.tfstate"

// claimed reports whether the state in the backend is known to be ours.
func claimed(dir string) bool {
	for _, name := range []string{claimFile, seenFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// claim makes the state in the backend ours, before the first step of a root module,
// or finds out whose it is.
func (r *Runner) claim(ctx context.Context, tf driver, root scaler.Root) error {
	if !remote(tf.dir) || claimed(tf.dir) {
		return nil
	}
	owner, err := r.owner(ctx, tf, root)
	if err == nil && owner == "" && root.Installation != "" {
		if pushErr := r.pushClaim(ctx, tf, root.Installation); pushErr != nil {
			// Somebody else may have been first.
			if owner, err = r.owner(ctx, tf, root); err == nil && owner != root.Installation {
				err = pushErr
			}
		}
	}
	if err != nil {
		return errors.Join(err, removeFile(filepath.Join(tf.dir, scaler.RemoteStateFile)))
	}
	if err := renameio.WriteFile(filepath.Join(tf.dir, claimFile), nil, 0o600); err != nil {
		return fmt.Errorf("claim the state of %s: %w", tf.dir, err)
	}
	return nil
}

// owner reads whose state it is: this installation's or, with an empty name, nobody's.
// Somebody else's is an error.
func (r *Runner) owner(ctx context.Context, tf driver, root scaler.Root) (string, error) {
	if err := r.pull(ctx, tf); err != nil {
		return "", err
	}
	state, err := ReadState(tf.dir)
	if err != nil {
		return "", err
	}
	n, path := len(state.Resources), filepath.Join(tf.dir, claimFile)
	switch {
	case state.Installation == "" && n > 0:
		return "", fmt.Errorf("the backend of %s already has a state with %d resources that this scalerd did not make, perhaps of an application of the same name: give the application another name or its backend another key; or, where they are its own, write an empty file %s", tf.dir, n, path)
	case state.Installation != "" && state.Installation != root.Installation:
		return "", fmt.Errorf("the state of %s in its backend belongs to an application of the same name of another scalerd, installation %s (this one is %s), and has %d resources: give the application another name or its backend another key; or, where that scalerd is gone for good, write an empty file %s", tf.dir, state.Installation, root.Installation, n, path)
	}
	return state.Installation, nil
}

// pushClaim puts a state that has only the claim where there is none.
func (r *Runner) pushClaim(ctx context.Context, tf driver, installation string) error {
	text, err := json.Marshal(map[string]any{
		"version": stateVersion, "serial": 1, "lineage": rand.Text(),
		"outputs":   map[string]any{tfgen.InstallationOutput: map[string]string{"value": installation, "type": "string"}},
		"resources": []any{},
	})
	if err != nil {
		return fmt.Errorf("claim the state of %s: %w", tf.dir, err)
	}
	path := filepath.Join(tf.dir, pushedFile)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("claim the state of %s: %w", tf.dir, err)
	}
	defer os.Remove(path)
	if err := r.push(ctx, tf, pushedFile); err != nil {
		return err
	}
	return r.pull(ctx, tf)
}
