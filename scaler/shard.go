package scaler

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"github.com/scalerd/scalerd/scaler/failure"
	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// shard is one root module of a group: what its files say and what its state
// says. It is owned by the group's actuator.
type shard struct {
	name string
	dir  string
	// nodes is the node set as it is on disk.
	nodes tfgen.Nodes
	// written and applied are the digests of the module's files: as they are on
	// disk, and as the last step that ended well left them. Where they differ,
	// nodes that exist may have to be changed in place.
	written, applied string
	// nodeSet is the digest of the node set's file, empty where there is none.
	nodeSet string
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
	// serial is that of the state that the last step left. repair are addresses to
	// change back, repairing those of the step in flight.
	serial            int64
	serialKnown       bool
	repair, repairing []string
}

// loadShard reads a shard from disk.
func loadShard(dir string, tf Terraform) (*shard, error) {
	s := &shard{name: filepath.Base(dir), dir: dir, nodes: tfgen.Nodes{}}
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
	s.readState(tf)
	return s, s.readAdopts()
}

func (s *shard) readState(tf Terraform) {
	s.state, s.stateErr = tf.State(s.dir)
}

// writeNodes replaces the node set on disk: either all of it is there or the old
// one still is.
func (s *shard) writeNodes(nodes tfgen.Nodes) error {
	text, err := nodes.Encode()
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(filepath.Join(s.dir, tfgen.NodesFile), text, 0o600); err != nil {
		return fmt.Errorf("write node set: %w", err)
	}
	s.nodes, s.nodeSet = nodes, fileDigest(text)
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

// expect is what a plan must do to turn the state into the node set.
func (s *shard) expect(module tfgen.Module) Expect {
	if module.Within != "" {
		return s.expectWithin(module)
	}
	var e Expect
	want := map[string]bool{}
	for _, node := range sortedKeys(s.nodes) {
		for _, address := range module.Addresses(node) {
			want[address] = true
			if _, ok := s.state.Resources[address]; !ok && s.adopts[address] != "" {
				e.Import = append(e.Import, address)
			} else if !ok {
				e.Create = append(e.Create, address)
			} else if s.stale() {
				e.Update = append(e.Update, address)
			}
		}
	}
	for _, address := range sortedKeys(s.state.Resources) {
		if !want[address] {
			e.Delete = append(e.Delete, address)
		}
	}
	return e
}

func (s *shard) expectWithin(module tfgen.Module) Expect {
	w := &Within{Module: module.Within, Update: s.stale()}
	there := s.resources()
	for _, node := range sortedKeys(s.nodes) {
		switch {
		case len(there[node]) == 0:
			w.Create = append(w.Create, node)
		case !s.exists(module, node):
			w.Finish = append(w.Finish, node)
		}
	}
	for _, node := range sortedKeys(there) {
		if _, wanted := s.nodes[node]; !wanted {
			w.Delete = append(w.Delete, node)
		}
	}
	return Expect{Within: w}
}

// stateID tells one state of a root module from another.
type stateID struct {
	lineage string
	serial  int64
	// size tells apart what was never applied and a state that can't be read.
	size int
}

func (s *shard) stateID() stateID {
	return stateID{s.state.Lineage, s.state.Serial, len(s.state.Resources)}
}

// resources are the addresses in the state of each node, worked out once for a state.
// Nobody changes the map.
func (s *shard) resources() map[string][]string {
	if s.byNode != nil && s.byNodeOf == s.stateID() {
		return s.byNode
	}
	byNode := map[string][]string{}
	for _, address := range sortedKeys(s.state.Resources) {
		if node, ok := tfgen.AddressNode(address); ok {
			byNode[node] = append(byNode[node], address)
		}
	}
	s.byNode, s.byNodeOf = byNode, s.stateID()
	return byNode
}

// stale reports whether nodes exist that a change of the module's files was not
// applied to.
func (s *shard) stale() bool { return s.written != s.applied && len(s.state.Resources) > 0 }

// pending reports whether the node set or the module on disk was not carried out
// yet.
func (s *shard) pending(module tfgen.Module) bool {
	return !s.expect(module).empty() || s.stale() || s.unlisted(module)
}

// unlisted reports whether a node exists that the outputs do not tell of, because
// terraform was killed before it wrote them: nobody knows its address.
func (s *shard) unlisted(module tfgen.Module) bool {
	for name := range s.nodes {
		if _, listed := s.state.Nodes[name]; !listed && s.exists(module, name) {
			return true
		}
	}
	return false
}

// exists reports whether all of a node's resources are there and sound. Of a
// module of the user's, whose resources are not known, it is a node that has some
// and is listed.
func (s *shard) exists(module tfgen.Module, node string) bool {
	if module.Within != "" {
		_, listed := s.state.Nodes[node]
		return listed && !s.broken(module, node)
	}
	for _, address := range module.Addresses(node) {
		if tainted, ok := s.state.Resources[address]; !ok || tainted {
			return false
		}
	}
	return true
}

// broken reports whether a resource of the node was created half-way.
func (s *shard) broken(module tfgen.Module, node string) bool {
	addresses := module.Addresses(node)
	if module.Within != "" {
		addresses = s.resources()[node]
	}
	return slices.ContainsFunc(addresses, func(address string) bool {
		return s.state.Resources[address]
	})
}

// empty reports whether the shard holds nothing and wants nothing.
func (s *shard) empty() bool {
	return s.stateErr == nil && len(s.nodes) == 0 && len(s.state.Resources) == 0
}

// appliedFile holds the digest of the module's files as they were applied last.
const appliedFile = "applied.digest"

// noteApplied remembers that the files of the digest were applied.
func (s *shard) noteApplied(digest string) error {
	if s.applied == digest {
		return nil
	}
	if err := renameio.WriteFile(filepath.Join(s.dir, appliedFile), []byte(digest), 0o600); err != nil {
		return fmt.Errorf("note what was applied: %w", err)
	}
	s.applied = digest
	return nil
}

// writeModule writes the module's files and what the group's base hands to it,
// where they differ from what is there, and removes generated files that neither
// the module nor a node of the shard needs any more.
func (s *shard) writeModule(module tfgen.Module, shared json.RawMessage) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("root module: %w", err)
	}
	keep := map[string]bool{}
	for _, file := range module.RootFiles(s.name) {
		keep[file.Name] = true
		if err := writeFile(filepath.Join(s.dir, file.Name), file.Content); err != nil {
			return err
		}
	}
	if shared != nil {
		text, err := json.Marshal(map[string]json.RawMessage{"shared": shared})
		if err != nil {
			return fmt.Errorf("write shared values: %w", err)
		}
		if err := writeFile(filepath.Join(s.dir, tfgen.SharedFile), text); err != nil {
			return err
		}
	}
	if err := s.removeOld(keep); err != nil {
		return err
	}
	var err error
	s.written, err = moduleDigest(s.dir)
	return err
}

// writeFile replaces a file at once, where it differs.
func writeFile(path string, content []byte) error {
	if have, err := os.ReadFile(path); err == nil && string(have) == string(content) {
		return nil
	}
	if err := renameio.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// removeOld removes .tf files that are not to be kept, and user data that no node
// refers to.
func (s *shard) removeOld(keep map[string]bool) error {
	for _, settings := range s.nodes {
		for _, value := range settings {
			if name, ok := value.(string); ok {
				keep[name] = true
			}
		}
	}
	for _, pattern := range []string{"*.tf", tfgen.UserDataFiles} {
		old, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			return fmt.Errorf("list %s: %w", s.dir, err)
		}
		for _, path := range old {
			if !keep[filepath.Base(path)] {
				if err := os.Remove(path); err != nil {
					return fmt.Errorf("remove old file: %w", err)
				}
			}
		}
	}
	return nil
}

// moduleDigest is a digest of what a change of the description may change in a
// root module: its configuration and what its base hands to it. User data is not
// part of it, because a node keeps the one that it started with, and neither is the
// backend, which is not the nodes' business.
func moduleDigest(dir string) (string, error) {
	paths, err := configuration(dir)
	if err != nil {
		return "", err
	}
	return filesDigest(append(withoutBackend(paths), filepath.Join(dir, tfgen.SharedFile)))
}

// ModuleConfigDigest is ConfigDigest without the backend: the same for all shards of a
// group.
func ModuleConfigDigest(dir string) (string, error) {
	paths, err := configuration(dir)
	if err != nil {
		return "", err
	}
	return filesDigest(withoutBackend(paths))
}

func withoutBackend(paths []string) []string {
	return slices.DeleteFunc(paths, func(path string) bool { return filepath.Base(path) == tfgen.BackendFile })
}

// fileDigest is the sha256 of a file's content.
func fileDigest(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }

// ConfigDigest is a digest of a root module's .tf files by name and content.
func ConfigDigest(dir string) (string, error) {
	paths, err := configuration(dir)
	if err != nil {
		return "", err
	}
	return filesDigest(paths)
}

// configuration lists a root module's .tf files in order.
func configuration(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	slices.Sort(paths)
	return paths, nil
}

// filesDigest is a digest of files by name and content; files that are not there do
// not count.
func filesDigest(paths []string) (string, error) {
	h := sha256.New()
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("read configuration: %w", err)
		}
		fmt.Fprintf(h, "%s %d\n", filepath.Base(path), len(text))
		h.Write(text)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
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

// groupFile keeps what must be known of a group to remove it after its
// description is gone.
const groupFile = "group.json"

// groupFacts is the content of groupFile.
type groupFacts struct {
	PerNode     []string   `json:"per_node,omitempty"`
	Within      string     `json:"within,omitempty"`
	Shared      []string   `json:"shared,omitempty"`
	Cloud       spec.Cloud `json:"cloud"`
	Credentials string     `json:"credentials,omitempty"`
	// Backend is where the states are; nil is in files.
	Backend *spec.Backend `json:"backend,omitempty"`
}

func writeGroupFacts(groupDir string, facts groupFacts) error {
	text, err := json.Marshal(facts)
	if err != nil {
		return fmt.Errorf("encode facts of the group: %w", err)
	}
	return writeFile(filepath.Join(groupDir, groupFile), text)
}

func readGroupFacts(groupDir string) (groupFacts, error) {
	var facts groupFacts
	text, err := os.ReadFile(filepath.Join(groupDir, groupFile))
	if errors.Is(err, fs.ErrNotExist) {
		return facts, nil
	}
	if err != nil {
		return facts, fmt.Errorf("read facts of the group: %w", err)
	}
	if err := json.Unmarshal(text, &facts); err != nil {
		return facts, fmt.Errorf("read facts of the group in %s: %w", groupDir, err)
	}
	return facts, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
