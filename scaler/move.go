package scaler

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// A description may move the states of an application: from files to a backend, to
// another backend, or back. Each root module is told where its state was, by a
// MoveFile, before its backend block is replaced; whoever runs terraform in it next
// moves the state first. Until then what was read last is known.

// MoveFile is the name of the file in a root module that says where its state was,
// until it is moved: a Move.
const MoveFile = "move.json"

// StateFile is the name of the file in a root module that holds its state where it has
// no backend.
const StateFile = "terraform.tfstate"

// Move says where a state was.
type Move struct {
	// From is nil where it was StateFile.
	From *spec.Backend `json:"from,omitempty"`
	// Block is the content of the backend's file, empty where there was none.
	Block string `json:"block,omitempty"`
}

// movable refuses to move the states of an application that is not at rest, unless it
// is a move that keeps it from that.
func (a *application) movable(to *spec.Backend) error {
	for _, g := range a.groups {
		why := ""
		switch fleet := g.actuator.Fleet(); {
		case fleet.Unknown != "":
			why = fleet.Unknown
		case fleet.Moving: // one that fails is changed, or taken back, when its step is over
		case fleet.Problem != "":
			why = fleet.Problem
		case !g.actuator.settled():
			why = "it has steps to carry out"
		}
		if why != "" {
			return fmt.Errorf("application %s keeps its Terraform states in %s, and they move to %s only while all groups are at rest; group %s is not: %s: %w", a.name, a.spec.Backend, to, g.name, why, ErrRefused)
		}
	}
	return nil
}

// moveStates prepares the root modules of the group for a description with another
// backend.
func (a *actuator) moveStates(d description) error {
	if a.installation == "" || a.facts.Backend.Same(d.app.Backend) {
		return nil
	}
	for _, s := range a.roots() {
		if s.busy || s.recovering || a.checking == s {
			return fmt.Errorf("the state of %s moves to %s when its step is over", s.dir, d.app.Backend)
		}
	}
	for _, s := range a.roots() {
		if err := s.beginMove(a.facts.Backend, d.app.Backend); err != nil {
			return fmt.Errorf("move the state of %s to %s: %w", s.dir, d.app.Backend, err)
		}
		a.log.Info("state will move", "shard", s.name, "from", a.facts.Backend.String(), "to", d.app.Backend.String())
	}
	return nil
}

// hasMove reports whether the root module has a MoveFile. One that can't be looked for
// counts as there.
func (s *shard) hasMove() bool {
	_, err := os.Stat(filepath.Join(s.dir, MoveFile))
	return !errors.Is(err, fs.ErrNotExist)
}

// beginMove notes where the state was. One that was not moved yet is where it was
// before.
func (s *shard) beginMove(from, to *spec.Backend) error {
	if s.moving = s.hasMove(); !s.moving {
		path := filepath.Join(s.dir, MoveFile)
		block, err := os.ReadFile(filepath.Join(s.dir, tfgen.BackendFile))
		if errors.Is(err, fs.ErrNotExist) != (from == nil) {
			return nil // it was begun, and ended by now
		}
		text, err := json.Marshal(Move{From: from, Block: string(block)})
		if err != nil {
			return err
		}
		if err := s.disk.writeFile(path, text); err != nil {
			return err
		}
		s.moving = true
		if err := s.disk.settle(s.dir); err != nil { // before the backend is another one
			return err
		}
	}
	if (from == nil) == (to == nil) {
		return nil
	}
	before, now := filepath.Join(s.dir, StateFile), filepath.Join(s.dir, RemoteStateFile)
	if to == nil {
		before, now = now, before
	}
	text, err := os.ReadFile(before)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(now); err == nil && to == nil {
		return nil // it is the one that was to move away
	}
	if err := s.disk.writeFile(now, text); err != nil {
		return err
	}
	return s.disk.settle(s.dir)
}
