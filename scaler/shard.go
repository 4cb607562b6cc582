package scaler

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler/failure"
	"github.com/scalerd/scalerd/tfgen"
)

// shard is one root module of a group: what its files say and what its state
// says. It is owned by the group's actuator.
type shard struct {
	name string
	dir  string
	disk disk
	// nodes is the node set as it is on disk.
	nodes tfgen.Nodes
	// written and applied are the digests of the module's files: as they are on
	// disk, and as the last step that ended well left them. Where they differ,
	// nodes that exist may have to be changed in place.
	written, applied string
	// nodeSet is the digest of the node set's file, empty where there is none; unsettled
	// is set while a power cut may bring the one before it back.
	nodeSet   string
	unsettled bool
	// open is the journal's record of the step that is under way, or that is written
	// and waits. While the shard is busy the step's goroutine has its own copy.
	open *StepRecord
	// recovering is set while the open step is an apply of a killed scalerd, which
	// was not taken over yet.
	recovering bool
	state      State
	// stateErr is set while the true content is unknown.
	stateErr error
	busy     bool
	// moving is set while its state is not yet where its files have it; see MoveFile.
	moving bool
	// unsure is set where terraform may have been interrupted: what is written is
	// carried out before anything else is decided about it.
	unsure bool
	// members are its nodes as they were worked out last; nil where that has to be done.
	members *members
	// byNode is what resources gave last, for the state byNodeOf.
	byNode   map[string][]string
	byNodeOf stateID
	// emptySince is when it was first seen to hold and want nothing; zero where it does.
	emptySince time.Time
	failures   int
	retryAt    time.Time
	err        error
	// kind is why the last step failed, and login a digest of the credentials that it
	// had; refused are the nodes that another offering is looked for.
	kind    failure.Kind
	login   string
	refused []string
	// refusal is why the shard's last plan was not applied, refusals how many were not
	// in a row, refusedUntil until when no deletion is tried, and removed the nodes
	// that the last rewrite took out.
	refusal      error
	refusals     int
	refusedUntil time.Time
	removed      tfgen.Nodes
	// leaveChecked is set while the deletion of nodes is planned beside the steps.
	leaveChecked bool
	// suspect is set while a creation's outcome is not known; adopts are the
	// identifiers of what the next step takes over, by address; endedAt is the end of
	// the last step.
	suspect *suspicion
	adopts  map[string]string
	endedAt time.Time
	// serial and lineage are those of the state that the last step left. repair are
	// addresses to change back, repairing those of the step in flight.
	serial            int64
	lineage           string
	serialKnown       bool
	repair, repairing []string
}

// loadShard reads a shard from disk.
func loadShard(dir string, d disk, tf Terraform) (*shard, error) {
	s := &shard{name: filepath.Base(dir), dir: dir, disk: d, nodes: tfgen.Nodes{}}
	path := filepath.Join(dir, tfgen.NodesFile)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("read node set: %w", err)
	default:
		if s.nodes, err = tfgen.DecodeNodes(text); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		s.nodeSet = fileDigest(text)
	}
	if s.written, err = moduleDigest(dir); err != nil {
		return nil, err
	}
	applied, err := os.ReadFile(filepath.Join(dir, appliedFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read digest: %w", err)
	}
	s.applied = string(applied)
	s.moving = s.hasMove()
	s.readState(tf)
	return s, s.readAdopts()
}

func (s *shard) readState(tf Terraform) {
	s.state, s.stateErr = tf.State(s.dir)
	if s.moving && !s.hasMove() {
		s.moving, s.serialKnown = false, false // where it is now its serial may be another
	}
}

// writeNodes replaces the node set on disk: either all of it is there or the old
// one still is.
func (s *shard) writeNodes(nodes tfgen.Nodes) error {
	text, err := nodes.Encode()
	if err != nil {
		return err
	}
	if err := s.disk.replace(filepath.Join(s.dir, tfgen.NodesFile), text, 0o600); err != nil {
		return fmt.Errorf("write node set: %w", err)
	}
	s.nodes, s.nodeSet, s.unsettled = nodes, fileDigest(text), true
	return s.settle()
}

// settle makes the node set outlast a power cut, where it might not.
func (s *shard) settle() error {
	if !s.unsettled {
		return nil
	}
	if err := s.disk.settle(s.dir); err != nil {
		return fmt.Errorf("write node set: %w", err)
	}
	s.unsettled = false
	return nil
}

// noteRemoved remembers which nodes a rewrite took out that were there before.
func (s *shard) noteRemoved(before tfgen.Nodes) {
	removed := tfgen.Nodes{}
	for name, settings := range before {
		if _, kept := s.nodes[name]; !kept {
			removed[name] = settings
		}
	}
	for name, settings := range s.removed {
		if _, back := s.nodes[name]; !back {
			removed[name] = settings
		}
	}
	s.removed = removed
}

// empty reports whether the shard holds nothing and wants nothing.
func (s *shard) empty() bool {
	return s.stateErr == nil && len(s.nodes) == 0 && len(s.state.Resources) == 0
}

// shardDirs lists the shards of a group's directory in order.
func shardDirs(groupDir string) ([]string, error) {
	entries, err := os.ReadDir(groupDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list shards: %w", err)
	}
	var dirs []string
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), "shard-") {
			dirs = append(dirs, filepath.Join(groupDir, e.Name()))
		}
	}
	return dirs, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
