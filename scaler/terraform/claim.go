package terraform

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
// last step in a root module removes the output again, and whoever comes back
// claims anew.

// claimFile says that the state in the backend is ours, whatever it says itself: a user
// writes it, or a scalerd that has no installation.
const claimFile = "backend.claimed"

// pushedFile is a state that is pushed.
const pushedFile = "push.tfstate"

// claimed reports whether the state in the backend is known to be ours: it says so, or
// the last step left something in it.
func (r *Runner) claimed(tf driver) bool {
	if _, err := os.Stat(filepath.Join(tf.dir, claimFile)); err == nil {
		return true
	}
	if r.saysOurs(tf) {
		return true
	}
	seen, err := readSeen(tf.dir)
	return err != nil || len(seen.Resources) > 0 || tf.installation != "" && seen.Installation == tf.installation
}

// saysOurs reports whether the known state says that it is ours.
func (r *Runner) saysOurs(tf driver) bool {
	known, err := r.State(tf.dir)
	return err == nil && tf.installation != "" && known.Installation == tf.installation
}

// noteClaim removes what says that a state is ours where it says that itself: it will
// not say so any more when the claim is given up.
func (r *Runner) noteClaim(tf driver) error {
	if !r.saysOurs(tf) {
		return nil
	}
	if err := removeFile(filepath.Join(tf.dir, claimFile)); err != nil {
		return fmt.Errorf("note the claim of %s: %w", tf.dir, err)
	}
	return nil
}

// claim makes the state in the backend ours, before the first step of a root module,
// or finds out whose it is.
func (r *Runner) claim(ctx context.Context, tf driver) error {
	if !remote(tf.dir) || r.claimed(tf) {
		return nil
	}
	known := filepath.Join(tf.dir, scaler.RemoteStateFile)
	// One that was given up had nothing, and may be somebody else's by now.
	if err := errors.Join(removeFile(filepath.Join(tf.dir, seenFile)), removeFile(known)); err != nil {
		return fmt.Errorf("claim the state of %s: %w", tf.dir, err)
	}
	owner, err := r.owner(ctx, tf)
	if err == nil && owner == "" && tf.installation != "" {
		if pushErr := r.pushClaim(ctx, tf); pushErr != nil {
			// Somebody else may have been first.
			if owner, err = r.owner(ctx, tf); err == nil && owner != tf.installation {
				err = pushErr
			}
		}
	}
	if err != nil {
		return errors.Join(err, removeFile(known))
	}
	if tf.installation != "" {
		return nil // the state says so itself
	}
	if err := renameio.WriteFile(filepath.Join(tf.dir, claimFile), nil, 0o600); err != nil {
		return fmt.Errorf("claim the state of %s: %w", tf.dir, err)
	}
	return nil
}

// owner reads whose state it is: this installation's or, with an empty name, nobody's.
// Somebody else's is an error.
func (r *Runner) owner(ctx context.Context, tf driver) (string, error) {
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
	case state.Installation != "" && state.Installation != tf.installation:
		return "", fmt.Errorf("the state of %s in its backend belongs to an application of the same name of another scalerd, installation %s (this one is %s), and has %d resources: give the application another name or its backend another key; or, where that scalerd is gone for good, write an empty file %s", tf.dir, state.Installation, tf.installation, n, path)
	}
	return state.Installation, nil
}

// pushClaim adds the claim to the state that nobody has, or puts one there that has only
// the claim. Terraform refuses it where another one came in between.
func (r *Runner) pushClaim(ctx context.Context, tf driver) error {
	text, err := os.ReadFile(filepath.Join(tf.dir, scaler.RemoteStateFile))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = json.Marshal(map[string]any{"version": stateVersion, "resources": []any{}})
	}
	if err == nil {
		text, err = withClaim(text, tf.installation, 1)
	}
	if err != nil {
		return fmt.Errorf("claim the state of %s: %w", tf.dir, err)
	}
	if err := r.pushText(ctx, tf, text, false); err != nil {
		return err
	}
	return r.pull(ctx, tf)
}

// pushText puts a state in its place.
func (r *Runner) pushText(ctx context.Context, tf driver, text []byte, force bool) error {
	path := filepath.Join(tf.dir, pushedFile)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("push a state of %s: %w", tf.dir, err)
	}
	defer os.Remove(path)
	return r.push(ctx, tf, pushedFile, force)
}

// withClaim is a state that says whose it is, so many serials later. It has a lineage:
// Terraform lets one without take the place of any other.
func withClaim(text []byte, installation string, later int64) ([]byte, error) {
	state, outputs := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	var serial int64
	var lineage string
	if err := json.Unmarshal(text, &state); err != nil {
		return nil, err
	}
	for name, to := range map[string]any{"outputs": &outputs, "serial": &serial, "lineage": &lineage} {
		if state[name] == nil {
			continue
		}
		if err := json.Unmarshal(state[name], to); err != nil {
			return nil, fmt.Errorf("its %s: %w", name, err)
		}
	}
	for _, set := range []struct {
		in    map[string]json.RawMessage
		name  string
		value any
	}{
		{outputs, tfgen.InstallationOutput, map[string]string{"value": installation, "type": "string"}},
		{state, "outputs", outputs},
		{state, "serial", serial + later},
		{state, "lineage", cmp.Or(lineage, rand.Text())},
	} {
		encoded, err := json.Marshal(set.value)
		if err != nil {
			return nil, err
		}
		set.in[set.name] = encoded
	}
	return json.Marshal(state)
}
