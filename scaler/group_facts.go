package scaler

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/scalerd/scalerd/tfgen/spec"
)

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

func (d disk) writeGroupFacts(groupDir string, facts groupFacts) error {
	text, err := json.Marshal(facts)
	if err != nil {
		return fmt.Errorf("encode facts of the group: %w", err)
	}
	return d.writeFile(filepath.Join(groupDir, groupFile), text)
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
