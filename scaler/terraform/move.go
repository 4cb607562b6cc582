package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

// movedFile is the state of a root module without a backend, when it is on its way to
// one, and stays as a copy.
const movedFile = "terraform.tfstate.moved"

// savedBackend is where `terraform init` keeps what the backend was.
const savedBackend = ".terraform/terraform.tfstate"

// moving reports whether the state of a root module is not in its backend yet.
func moving(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, scaler.MoveFile))
	return err == nil
}

// move moves the state of a root module to where its files say that it is, and
// initialises the module for that. One move at a time: a step and a drift check may
// both come first.
func (r *Runner) move(ctx context.Context, tf driver, progress func(scaler.Progress)) error {
	free, err := acquire(ctx, r.initing)
	if err != nil {
		return err
	}
	defer free()
	if !moving(tf.dir) {
		return nil
	}
	progress(scaler.Progress{Phase: "init", Message: "Moving the state of " + filepath.Base(tf.dir)})
	text, err := r.beginMove(ctx, tf)
	if err != nil {
		return err
	}
	if err := r.terraformInit(ctx, tf); err != nil {
		return err
	}
	if err := r.finishMove(ctx, tf, text); err != nil {
		return err
	}
	return noteInit(tf.dir)
}

// beginMove reads the state of a root module that is to move from where it was, and
// has the next init know nothing of that place.
func (r *Runner) beginMove(ctx context.Context, tf driver) (text string, err error) {
	encoded, err := os.ReadFile(filepath.Join(tf.dir, scaler.MoveFile))
	if err != nil {
		return "", fmt.Errorf("move the state of %s: %w", tf.dir, err)
	}
	var move scaler.Move
	if err := json.Unmarshal(encoded, &move); err != nil {
		return "", fmt.Errorf("move the state of %s: %s: %w", tf.dir, scaler.MoveFile, err)
	}
	if move.From == nil {
		text, err = leaveFile(tf.dir)
	} else {
		text, err = r.leaveBackend(ctx, tf, move)
	}
	if err != nil {
		return "", fmt.Errorf("move the state of %s: %w", tf.dir, err)
	}
	return text, removeFile(filepath.Join(tf.dir, savedBackend))
}

// leaveFile reads a state that is a file, and puts it out of the way of an init, which
// would ask what to do about it.
func leaveFile(dir string) (string, error) {
	if err := mend(dir); err != nil {
		return "", err
	}
	from, to := filepath.Join(dir, stateFile), filepath.Join(dir, movedFile)
	if remote(dir) {
		if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		from = to
	}
	text, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return string(text), errors.Join(err, notOlder(dir, string(text)))
}

// leaveBackend reads a state from the backend where it was, with that one's login, in a
// folder where nothing else is.
func (r *Runner) leaveBackend(ctx context.Context, tf driver, move scaler.Move) (string, error) {
	login, err := r.login(scaler.BackendLogin, move.From.Credentials)
	if err != nil {
		return "", err
	}
	aside, err := os.MkdirTemp("", "scalerd-move-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(aside)
	if err := os.WriteFile(filepath.Join(aside, tfgen.BackendFile), []byte(move.Block), 0o600); err != nil {
		return "", err
	}
	old, err := tfexec.NewTerraform(aside, r.path)
	if err != nil {
		return "", err
	}
	if err := old.SetEnv(r.environment(login)); err != nil {
		return "", err
	}
	if err := old.Init(ctx, tfexec.Upgrade(false)); err != nil {
		return "", fmt.Errorf("init its old %s: %w", move.From, err)
	}
	text, err := old.StatePull(ctx)
	if err != nil {
		return "", fmt.Errorf("read it from its old %s: %w", move.From, err)
	}
	if strings.TrimSpace(text) == "" {
		text = ""
	}
	return text, notOlder(tf.dir, text)
}

// notOlder refuses a state that is not the one that the last step left, or a newer one.
func notOlder(dir, text string) error {
	seen, err := readSeen(dir)
	if err != nil || seen.Lineage == "" {
		return err
	}
	var state scaler.State
	if text != "" {
		if state, err = parseState([]byte(text)); err != nil {
			return err
		}
	}
	if state.Lineage != seen.Lineage || state.Serial < seen.Serial {
		return fmt.Errorf("%w: where it was there is serial %d of lineage %q, but serial %d of lineage %s was seen", scaler.ErrStateLost, state.Serial, state.Lineage, seen.Serial, seen.Lineage)
	}
	return nil
}

// finishMove puts a state that was read by beginMove to where the root module has it
// now, and makes sure that it is there. It answers scaler.ErrStateMoved where that is a
// newer one than was known.
func (r *Runner) finishMove(ctx context.Context, tf driver, text string) error {
	known, knownErr := ReadState(tf.dir)
	var state scaler.State
	var err error
	if text != "" {
		if state, err = parseState([]byte(text)); err != nil {
			return fmt.Errorf("move the state of %s: %w", tf.dir, err)
		}
	}
	if remote(tf.dir) {
		err = r.moveIn(ctx, tf, text, state)
	} else {
		err = moveOut(tf.dir, text)
	}
	if err != nil {
		return fmt.Errorf("move the state of %s: %w", tf.dir, err)
	}
	if err := removeFile(filepath.Join(tf.dir, scaler.MoveFile)); err != nil {
		return fmt.Errorf("move the state of %s: %w", tf.dir, err)
	}
	if knownErr != nil || known.Serial != state.Serial {
		return scaler.ErrStateMoved
	}
	return nil
}

// moveOut makes a state a file.
func moveOut(dir, text string) error {
	if text != "" {
		if err := renameio.WriteFile(filepath.Join(dir, stateFile), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return errors.Join(removeFile(filepath.Join(dir, claimFile)), removeFile(filepath.Join(dir, scaler.RemoteStateFile)))
}

// moveIn pushes a state to the backend, unless it is there already, and takes what is
// there then for the known one. Terraform gives a state that it pushes to where there
// is none another lineage, so it is known by its content.
func (r *Runner) moveIn(ctx context.Context, tf driver, text string, state scaler.State) error {
	claim, seen, known := filepath.Join(tf.dir, claimFile), filepath.Join(tf.dir, seenFile), filepath.Join(tf.dir, scaler.RemoteStateFile)
	if text == "" {
		return errors.Join(removeFile(claim), removeFile(known)) // the next step claims what is there
	}
	there, err := tf.StatePull(ctx)
	if err != nil {
		return fmt.Errorf("read what its new backend has: %w", err)
	}
	if moved, err := isThere(there, state); err != nil {
		return err
	} else if !moved {
		if err := os.WriteFile(filepath.Join(tf.dir, pushedFile), []byte(text), 0o600); err != nil {
			return err
		}
		defer os.Remove(filepath.Join(tf.dir, pushedFile))
		if err := r.push(ctx, tf, pushedFile); err != nil {
			return err
		}
		if there, err = tf.StatePull(ctx); err != nil {
			return fmt.Errorf("read what its new backend has: %w", err)
		}
		if moved, err = isThere(there, state); err != nil || !moved {
			return errors.Join(err, errors.New("it was pushed to its new backend, and is not there"))
		}
	}
	// Without the old copy the new lineage is no surprise, wherever this is cut short.
	if err := removeFile(seen); err != nil {
		return err
	}
	for _, path := range []string{known, seen} {
		if err := renameio.WriteFile(path, []byte(there), 0o600); err != nil {
			return err
		}
	}
	return renameio.WriteFile(claim, nil, 0o600)
}

// isThere compares what a backend has with a state that moves to it. Anything else that
// is there is an error.
func isThere(text string, state scaler.State) (bool, error) {
	if strings.TrimSpace(text) == "" {
		return false, nil
	}
	there, err := parseState([]byte(text))
	if err != nil {
		return false, fmt.Errorf("what its new backend has: %w", err)
	}
	same := there
	same.Lineage, same.Serial = state.Lineage, state.Serial
	if encoded(same) == encoded(state) {
		return true, nil
	}
	if len(there.Resources) > 0 || there.Installation != "" {
		return false, fmt.Errorf("its new backend already has a state with %d resources (installation %q): give the backend another key", len(there.Resources), there.Installation)
	}
	return false, nil
}

// encoded is a state as a text that is the same for the same state.
func encoded(state scaler.State) string {
	var shared bytes.Buffer
	if json.Compact(&shared, state.Shared) == nil { // backends keep other white space
		state.Shared = shared.Bytes()
	}
	text, err := json.Marshal(state)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
