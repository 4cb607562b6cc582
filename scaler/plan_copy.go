package scaler

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/scalerd/scalerd/tfgen"
)

// copyGroup copies what terraform needs for a plan: the modules, node sets and
// states, but no plugins.
func copyGroup(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fmt.Errorf("copy group: %w", err)
	}
	if from == "" {
		return nil
	}
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case entry.IsDir() && entry.Name() == ".terraform":
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(target, 0o700)
		case !entry.Type().IsRegular() || !copied(entry.Name()):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if entry.Name() == RemoteStateFile {
			target = filepath.Join(filepath.Dir(target), "terraform.tfstate")
		}
		return os.WriteFile(target, text, 0o600)
	})
}

func copied(name string) bool {
	return name != tfgen.BackendFile && name != MoveFile && (strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".tfstate") ||
		strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".yaml"))
}

// dryStore is a Store for a plan: it remembers nothing.
type dryStore struct {
	Store
	row StoredGroup
}

func (d dryStore) Group(context.Context, string, string) (StoredGroup, error) { return d.row, nil }

func (d dryStore) Nodes(context.Context, string, string) (map[string]NodeTimes, error) {
	return nil, nil
}

// OpenSteps are none: a plan finishes nothing that a killed scalerd left.
func (d dryStore) OpenSteps(context.Context, string, string) ([]StepRecord, error) { return nil, nil }

func (d dryStore) SaveNextNumber(context.Context, string, string, int) error { return nil }

func (d dryStore) SaveNodes(context.Context, string, string, map[string]NodeTimes) error { return nil }

func (d dryStore) SaveDrain(context.Context, string, string, string, NodeDrain) error { return nil }
