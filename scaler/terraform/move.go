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
// initialises the module for that. One at a time in a module: a step and a drift check
// may both come first.
func (r *Runner) move(ctx context.Context, tf driver, progress func(scaler.Progress)) error {
	lock, _ := r.moves.LoadOrStore(tf.dir, make(chan struct{}, 1))
	free, err := acquire(ctx, lock.(chan struct{}))
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
	if err := r.initAlone(ctx, tf); err != nil {
		return err
	}
	if err := r.finishMove(ctx, tf, text); err != nil {
		return err
	}
	return noteInit(tf.dir)
}

// initAlone runs `terraform init` while no other one runs.
func (r *Runner) initAlone(ctx context.Context, tf driver) error {
	free, err := acquire(ctx, r.initing)
	if err != nil {
		return err
	}
	defer free()
	return r.terraformInit(ctx, tf)
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
		if text, err = r.leaveBackend(ctx, tf, move); err == nil && remote(tf.dir) {
			// A move to files that was taken back has left a copy, which init would ask about.
			err = renameIfThere(filepath.Join(tf.dir, stateFile), filepath.Join(tf.dir, movedFile))
		}
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
		if err := renameIfThere(from, to); err != nil {
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

func renameIfThere(from, to string) error {
	if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
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
	there := text
	if remote(tf.dir) {
		there, err = r.moveIn(ctx, tf, text, state)
	} else {
		err = r.moveOut(tf.dir, text)
	}
	if err == nil {
		err = r.endMove(tf.dir, state)
	}
	if err == nil && there != "" {
		// Not before: what is seen is what was there before, until it has moved.
		err = r.write(tf.dir, seenFile, []byte(there))
	}
	if err != nil {
		return fmt.Errorf("move the state of %s: %w", tf.dir, err)
	}
	if knownErr != nil || known.Serial != state.Serial {
		return scaler.ErrStateMoved
	}
	return nil
}

// moveOut makes a state a file.
func (r *Runner) moveOut(dir, text string) error {
	if text != "" {
		if err := r.write(dir, stateFile, []byte(text)); err != nil {
			return err
		}
	}
	return errors.Join(r.forget(dir, claimFile), r.forget(dir, scaler.RemoteStateFile))
}

// moveIn pushes a state to the backend, unless it is there already, and takes what is
// there then, which it returns, for the known one. Terraform gives a state that it pushes to where there
// is none another lineage, so it is known by its content.
func (r *Runner) moveIn(ctx context.Context, tf driver, text string, state scaler.State) (string, error) {
	if state.Lineage == "" { // there is none: the next step claims what is there
		return "", errors.Join(r.forget(tf.dir, claimFile), r.forget(tf.dir, scaler.RemoteStateFile))
	}
	if tf.installation != "" && state.Installation != tf.installation { // as of a file
		claiming, err := withClaim([]byte(text), tf.installation, 0)
		if err != nil {
			return "", err
		}
		text, state.Installation = string(claiming), tf.installation
	}
	there, found, err := r.found(ctx, tf, state)
	if err != nil {
		return "", err
	}
	if found != foundIt {
		err := r.change(movePush, func() error { return r.pushText(ctx, tf, []byte(text), found == foundOld) })
		if err != nil {
			return "", err
		}
		if there, found, err = r.found(ctx, tf, state); err != nil || found != foundIt {
			return "", errors.Join(err, errors.New("it was pushed to its new backend, and is not there"))
		}
	}
	// Without the old copy the new lineage is no surprise, wherever this is cut short.
	if err := r.forget(tf.dir, seenFile); err != nil {
		return "", err
	}
	if err := r.write(tf.dir, scaler.RemoteStateFile, []byte(there)); err != nil {
		return "", err
	}
	if tf.installation != "" {
		return there, nil // it says whose it is
	}
	return there, r.write(tf.dir, claimFile, nil)
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
