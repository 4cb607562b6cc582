package scaler

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// Generate writes the Terraform of an application that does not run yet, with each
// group at its initial size: dir/<group>/base and dir/<group>/shard-NNN. It runs
// no terraform. What was generated there before is replaced, unless it was applied.
func Generate(ctx context.Context, described *spec.Application, tf Terraform, dir string) error {
	for i := range described.Groups {
		source := newSource(&described.Groups[i])
		a := &actuator{
			app: described.Name, group: source.name, dir: filepath.Join(dir, source.name),
			tf: tf, store: dryStore{}, log: slog.New(slog.DiscardHandler),
		}
		if err := clearGenerated(a.dir); err != nil {
			return fmt.Errorf("generate group %s: %w", source.name, err)
		}
		if err := a.load(ctx, &description{described, source.described}); err != nil {
			return fmt.Errorf("generate group %s: %w", source.name, err)
		}
		edits := map[*shard]tfgen.Nodes{}
		if err := a.grow(ctx, edits, source.to, time.Now()); err != nil {
			return fmt.Errorf("generate group %s: %w", source.name, err)
		}
		for s, nodes := range edits {
			if err := s.writeNodes(nodes); err != nil {
				return fmt.Errorf("generate group %s: %w", source.name, err)
			}
		}
	}
	return nil
}

// clearGenerated removes a group's folder that was generated before, and refuses one that
// has a state: its nodes may exist.
func clearGenerated(dir string) error {
	states, err := filepath.Glob(filepath.Join(dir, "*", "*.tfstate"))
	if err != nil {
		return err
	}
	if len(states) > 0 {
		return fmt.Errorf("%s was applied: %s is there; choose another folder", dir, states[0])
	}
	return os.RemoveAll(dir)
}
