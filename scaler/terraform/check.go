package terraform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

// Check implements scaler.Terraform. It only reads, so it takes no lock.
func (r *Runner) Check(ctx context.Context, root scaler.Root, expect scaler.Expect, nodes tfgen.Nodes, checked func(context.Context, scaler.SavedPlan) error) ([]scaler.Change, error) {
	free, err := acquire(ctx, r.slots)
	if err != nil {
		return nil, err
	}
	defer free()
	tf, closeDriver, err := r.driveFor("check", root)
	if err != nil {
		return nil, err
	}
	defer closeDriver()
	aside, err := os.MkdirTemp("", "scalerd-check-")
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", root.Dir, err)
	}
	defer os.RemoveAll(aside)
	file := filepath.Join(aside, planFile)
	options := []tfexec.PlanOption{tfexec.Out(file), tfexec.Refresh(false), tfexec.Lock(false)}
	if nodes != nil {
		text, err := nodes.Encode()
		if err != nil {
			return nil, err
		}
		set := filepath.Join(aside, "nodes.tfvars.json") // it wins over the one in the root module
		if err := os.WriteFile(set, text, 0o600); err != nil {
			return nil, fmt.Errorf("check %s: %w", root.Dir, err)
		}
		options = append(options, tfexec.VarFile(set))
	}
	if err := r.init(ctx, tf, ignore); err != nil {
		return nil, err
	}
	planned, err := plan(ctx, tf, ignore, options...)
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", root.Dir, err)
	}
	if err := expect.Check(planned.changes); err != nil {
		return planned.changes, err
	}
	return planned.changes, checked(ctx, scaler.SavedPlan{
		Changes: planned.changes,
		JSON:    func(ctx context.Context) ([]byte, error) { return showPlan(ctx, tf, file) },
	})
}

// showPlan is a saved plan as `terraform show -json` writes it. terraform-exec would
// decode it, and lose what it does not know.
func showPlan(ctx context.Context, tf driver, path string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, tf.ExecPath(), "show", "-json", "-no-color", path)
	cmd.Dir = tf.dir
	for name, value := range tf.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("show plan %s: %w", path, errors.Join(err, errors.New(strings.TrimSpace(words.String()))))
	}
	return out.Bytes(), nil
}
