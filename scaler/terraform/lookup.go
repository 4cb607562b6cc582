package terraform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

// Found implements scaler.Terraform: one terraform process that reads data sources
// and writes an output. The module manages nothing, so its state is no more than
// that output, and goes once it is read.
func (r *Runner) Found(ctx context.Context, root scaler.Root) ([]tfgen.Found, error) {
	free, err := acquire(ctx, r.slots)
	if err != nil {
		return nil, err
	}
	defer free()
	tf, closeDriver, err := r.drive(root)
	if err != nil {
		return nil, err
	}
	defer closeDriver()
	forget := func() error {
		return errors.Join(removeFile(filepath.Join(root.Dir, stateFile)), removeFile(filepath.Join(root.Dir, stateFile+".backup")))
	}
	if err := forget(); err != nil {
		return nil, fmt.Errorf("look up: %w", err)
	}
	if err := checkRoom(root.Dir); err != nil {
		return nil, err
	}
	if err := r.init(ctx, tf, ignore); err != nil {
		return nil, err
	}
	out := &stream{phase: "apply", progress: ignore}
	options := []tfexec.ApplyOption{tfexec.Lock(false)}
	if tf.varFile != "" {
		options = append(options, tfexec.VarFile(tf.varFile))
	}
	if err := out.failure(tf.ApplyJSON(ctx, out, options...)); err != nil {
		return nil, errors.Join(fmt.Errorf("look up in %s: %w", root.Dir, err), forget())
	}
	found, err := readFound(filepath.Join(root.Dir, stateFile))
	return found, errors.Join(err, forget())
}

func readFound(path string) ([]tfgen.Found, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read what was found: %w", err)
	}
	var raw rawState
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("read what was found: %w", err)
	}
	for _, res := range raw.Resources {
		if res.Mode == "managed" {
			return nil, fmt.Errorf("the lookup in %s manages %s.%s, and should manage nothing", filepath.Dir(path), res.Type, res.Name)
		}
	}
	out, ok := raw.Outputs[tfgen.FoundOutput]
	if !ok {
		return nil, fmt.Errorf("the lookup in %s has no output %q", filepath.Dir(path), tfgen.FoundOutput)
	}
	var found []tfgen.Found
	if err := json.Unmarshal(out.Value, &found); err != nil {
		return nil, fmt.Errorf("output %q: %w", tfgen.FoundOutput, err)
	}
	return found, nil
}

// removeFile removes a file that may not be there.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
