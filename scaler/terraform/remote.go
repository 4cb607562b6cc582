package terraform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

// A state in a backend is read with one `terraform state pull` after each step and
// drift check, and kept as a file beside the one of a local state's role: what it was
// when it was read last, scaler.RemoteStateFile, is held against what the last step
// left, seenFile, in the same way as a local state file is.

// pullTimeout bounds the reading of a state whose step ended because scalerd ends.
const pullTimeout = time.Minute

// remote reports whether the state of a root module is in a backend.
func remote(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, tfgen.BackendFile))
	return err == nil
}

// statePath is the file that holds the state of a root module: terraform's own, or
// what was read from a backend.
func statePath(dir string) string {
	if remote(dir) {
		return filepath.Join(dir, scaler.RemoteStateFile)
	}
	return filepath.Join(dir, stateFile)
}

// pull reads the state from the backend, where the module has one. A state that is
// older than one that was seen, or another, is a scaler.ErrStateLost.
func (r *Runner) pull(ctx context.Context, tf driver) error {
	if !remote(tf.dir) || moving(tf.dir) {
		return nil
	}
	// One at a time in a module, so that what was read first does not replace what was
	// read last.
	lock, _ := r.pulling.LoadOrStore(tf.dir, new(sync.Mutex))
	lock.(*sync.Mutex).Lock()
	defer lock.(*sync.Mutex).Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pullTimeout)
	defer cancel()
	text, err := tf.StatePull(ctx)
	if err != nil {
		return fmt.Errorf("read the state of %s from its backend: %w", tf.dir, err)
	}
	path := filepath.Join(tf.dir, scaler.RemoteStateFile)
	switch have, readErr := os.ReadFile(path); {
	case len(bytes.TrimSpace([]byte(text))) == 0: // there is no state
		if err = os.Remove(path); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	case readErr == nil && string(have) == text:
	case torn([]byte(text)):
		err = errors.New("it is cut short")
	default:
		err = renameio.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the state of %s: %w", tf.dir, err)
	}
	_, err = ReadState(tf.dir)
	return err
}

// moved looks, after a plan was refused, whether it was made from a newer state than
// the one that the decision was: as after a kill between terraform's end and our
// reading. refused is returned where it was not.
func (r *Runner) moved(ctx context.Context, tf driver, refused error) error {
	if !remote(tf.dir) {
		return refused
	}
	before, err := ReadState(tf.dir)
	if err != nil {
		return errors.Join(refused, err)
	}
	if err := r.pull(ctx, tf); err != nil {
		return errors.Join(refused, err)
	}
	now, err := ReadState(tf.dir)
	if err != nil {
		return errors.Join(refused, err)
	}
	if now.Serial == before.Serial && now.Lineage == before.Lineage {
		return refused
	}
	return fmt.Errorf("%w: serial %d in place of %d; nothing was applied", scaler.ErrStateMoved, now.Serial, before.Serial)
}

// backendLogin adds the credentials of the backend to those of the cloud.
func (r *Runner) backendLogin(root scaler.Root, set *scaler.Credentials) error {
	if root.Backend == nil || !remote(root.Dir) {
		return nil
	}
	backend, err := r.login(scaler.BackendLogin, root.Backend.Credentials)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(backend.Env)) {
		if value, both := set.Env[name]; both && value != backend.Env[name] {
			return fmt.Errorf("the credentials of the backend and of cloud %s both set %s, and terraform has one environment: let the backend log in by a profile or file that its config names", root.Cloud, name)
		}
	}
	env := maps.Clone(set.Env)
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, backend.Env)
	set.Env = env
	return nil
}
