package scaler

import (
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

	"github.com/scalerd/scalerd/tfgen"
)

// shard is one root module of a group: what its files say and what its state
// says. It is owned by the group's actuator.
type shard struct {
	name string
	dir  string
	// nodes is the node set as it is on disk.
	nodes tfgen.Nodes
	state State
	// stateErr is set while the true content is unknown.
	stateErr error
	busy     bool
	// unsure is set where terraform may have been interrupted: what is written is
	// carried out before anything else is decided about it.
	unsure   bool
	failures int
	retryAt  time.Time
	err      error
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
	}
	s.readState(tf)
	return s, nil
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
	s.nodes = nodes
	return nil
}

// expect is what a plan must do to turn the state into the node set.
func (s *shard) expect(module tfgen.Module) Expect {
	var e Expect
	want := map[string]bool{}
	for _, node := range sortedKeys(s.nodes) {
		for _, address := range module.Addresses(node) {
			want[address] = true
			if _, ok := s.state.Resources[address]; !ok {
				e.Create = append(e.Create, address)
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

// pending reports whether the node set on disk was not carried out yet.
func (s *shard) pending(module tfgen.Module) bool {
	e := s.expect(module)
	return len(e.Create)+len(e.Delete) > 0 || s.unlisted(module)
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

// exists reports whether all of a node's resources are there and sound.
func (s *shard) exists(module tfgen.Module, node string) bool {
	for _, address := range module.Addresses(node) {
		if tainted, ok := s.state.Resources[address]; !ok || tainted {
			return false
		}
	}
	return true
}

// broken reports whether a resource of the node was created half-way.
func (s *shard) broken(module tfgen.Module, node string) bool {
	return slices.ContainsFunc(module.Addresses(node), func(address string) bool {
		return s.state.Resources[address]
	})
}

// empty reports whether the shard holds nothing and wants nothing.
func (s *shard) empty() bool {
	return s.stateErr == nil && len(s.nodes) == 0 && len(s.state.Resources) == 0
}

// writeModule writes a root module's files where they differ from what is there,
// and removes generated files that the module no longer has.
func writeModule(dir string, module tfgen.Module) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("root module: %w", err)
	}
	keep := map[string]bool{}
	for _, file := range module.Files {
		keep[file.Name] = true
		path := filepath.Join(dir, file.Name)
		if have, err := os.ReadFile(path); err == nil && string(have) == string(file.Content) {
			continue
		}
		if err := renameio.WriteFile(path, file.Content, 0o600); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	for _, path := range old {
		if !keep[filepath.Base(path)] {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("remove old file: %w", err)
			}
		}
	}
	return nil
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

// addressesFile keeps which resources a group's modules have, so that a group can
// be removed after its description is gone.
const addressesFile = "resources.json"

type resourceNames struct {
	PerNode []string `json:"per_node"`
	Shared  []string `json:"shared,omitempty"`
}

func writeResourceNames(groupDir string, names resourceNames) error {
	text, err := json.Marshal(names)
	if err != nil {
		return fmt.Errorf("encode resource names: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(groupDir, addressesFile), text, 0o600); err != nil {
		return fmt.Errorf("write resource names: %w", err)
	}
	return nil
}

func readResourceNames(groupDir string) (resourceNames, error) {
	var names resourceNames
	text, err := os.ReadFile(filepath.Join(groupDir, addressesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return names, nil
	}
	if err != nil {
		return names, fmt.Errorf("read resource names: %w", err)
	}
	if err := json.Unmarshal(text, &names); err != nil {
		return names, fmt.Errorf("read resource names of %s: %w", groupDir, err)
	}
	return names, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
