package terraform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/scalerd/scalerd/scaler"
)

// leftFile lists the states that moved away from where they were and were left there: a
// lineage and a serial a line. Whoever moves back finds them again.
const leftFile = "backend.left"

// finding is what the place to which a state moves has.
type finding int

const (
	// foundNothing is no state, or one that is empty and nobody's.
	foundNothing finding = iota
	// foundIt is the state that moves.
	foundIt
	// foundOld is one of ours that was left there.
	foundOld
)

// found reads what a backend has, and compares it with a state that moves to it.
// Anything else that is there is an error.
func (r *Runner) found(ctx context.Context, tf driver, state scaler.State) (string, finding, error) {
	text, err := tf.StatePull(ctx)
	if err != nil {
		return "", foundNothing, fmt.Errorf("read what its new backend has: %w", err)
	}
	if strings.TrimSpace(text) == "" {
		return text, foundNothing, nil
	}
	there, err := parseState([]byte(text))
	if err != nil {
		return "", foundNothing, fmt.Errorf("what its new backend has: %w", err)
	}
	same := there
	same.Lineage, same.Serial = state.Lineage, state.Serial
	if encoded(same) == encoded(state) {
		return text, foundIt, nil
	}
	left, err := wasLeft(tf.dir, there)
	if err != nil {
		return "", foundNothing, err
	}
	if left || tf.installation != "" && there.Installation == tf.installation {
		return text, foundOld, nil
	}
	if len(there.Resources) == 0 && there.Installation == "" {
		return text, foundNothing, nil
	}
	return "", foundNothing, fmt.Errorf("its new backend already has a state with %d resources (installation %q): give the backend another key, or go back to the one from before", len(there.Resources), there.Installation)
}

// wasLeft reports whether a state is one that moved away from where it is, and that
// nobody has written since.
func wasLeft(dir string, state scaler.State) (bool, error) {
	text, err := os.ReadFile(filepath.Join(dir, leftFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return state.Lineage != "" && bytes.Contains(text, leftLine(state)), nil
}

func leftLine(state scaler.State) []byte {
	return fmt.Appendf(nil, "%s %d\n", state.Lineage, state.Serial)
}

// endMove notes which state was left where it was, and that it has moved.
func (r *Runner) endMove(dir string, state scaler.State) error {
	if err := r.noteLeft(dir, state); err != nil {
		return err
	}
	if err := r.forget(dir, scaler.MoveFile); err != nil {
		return err
	}
	// A move that came back with the power would take the old state for the newest one.
	return r.change(moveSettle, func() error { return settleFolder(dir) })
}

func (r *Runner) noteLeft(dir string, state scaler.State) error {
	if noted, err := wasLeft(dir, state); err != nil || noted || state.Lineage == "" {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, leftFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return r.write(dir, leftFile, append(text, leftLine(state)...))
}

// settleFolder makes what was renamed and removed in a folder outlast a power cut.
func settleFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// moveChange is what a move changes at once.
type moveChange string

const (
	movePush   moveChange = "push"
	moveSettle moveChange = "settle"
)

func (r *Runner) change(c moveChange, do func() error) error {
	if r.around == nil {
		return do()
	}
	return r.around(c, do)
}

// write replaces a file of a root module whose state moves.
func (r *Runner) write(dir, name string, text []byte) error {
	return r.change(moveChange("write "+name), func() error {
		return renameio.WriteFile(filepath.Join(dir, name), text, 0o600)
	})
}

// forget removes a file of such a root module, where it is there.
func (r *Runner) forget(dir, name string) error {
	return r.change(moveChange("forget "+name), func() error { return removeFile(filepath.Join(dir, name)) })
}
