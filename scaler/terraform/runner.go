// Package terraform runs a shard's root module: init once, plan to a file, check
// the plan, apply that file, read the state.
//
// A step costs two terraform processes, plan and apply. The plan is checked from
// the machine-readable stream that `terraform plan -json` writes while it makes
// the file, so no third process has to decode the file; what is applied is that
// file, and terraform itself refuses it when the state has moved since.
package terraform

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/scalerd/scalerd/scaler"
)

// cancelWait is how long a cancelled terraform may take to finish what it is
// doing after its SIGINT, before it is killed: longer than a cloud needs to
// answer a creation that is under way.
const cancelWait = 10 * time.Minute

// lockTimeout is how long terraform waits for a state lock that another process
// holds.
const lockTimeout = "30s"

// planFile is the saved plan of a step, in the root module's directory. It can
// hold values that the state holds, so it goes when the step ends.
const planFile = "step.tfplan"

// Runner runs terraform in root modules. It is safe for concurrent use.
type Runner struct {
	path string
	env  map[string]string
	// slots bounds the terraform processes that run at once.
	slots chan struct{}
	// initing lets one init run at a time: a shared plugin cache is not safe for
	// parallel ones.
	initing chan struct{}

	mu    sync.Mutex
	roots map[string]*tfexec.Terraform
}

var _ scaler.Terraform = (*Runner)(nil)

// NewRunner returns a Runner that uses the terraform binary at path, with at most
// limit processes at once. Terraform gets this process's environment, with extra
// on top.
func NewRunner(path string, limit int, extra map[string]string) *Runner {
	env := tfexec.CleanEnv(environment())
	for k, v := range extra {
		env[k] = v
	}
	return &Runner{
		path:    path,
		env:     env,
		slots:   make(chan struct{}, limit),
		initing: make(chan struct{}, 1),
		roots:   map[string]*tfexec.Terraform{},
	}
}

func environment() map[string]string {
	env := map[string]string{}
	for _, entry := range os.Environ() {
		if k, v, ok := strings.Cut(entry, "="); ok {
			env[k] = v
		}
	}
	return env
}

// root returns the driver of one directory. It is kept, because terraform-exec
// asks the binary for its version once for each.
func (r *Runner) root(dir string) (*tfexec.Terraform, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if tf, ok := r.roots[dir]; ok {
		return tf, nil
	}
	tf, err := tfexec.NewTerraform(dir, r.path)
	if err != nil {
		return nil, fmt.Errorf("terraform in %s: %w", dir, err)
	}
	if err := tf.SetEnv(r.env); err != nil {
		return nil, fmt.Errorf("terraform environment: %w", err)
	}
	if err := tf.SetWaitDelay(cancelWait); err != nil {
		return nil, fmt.Errorf("terraform in %s: %w", dir, err)
	}
	r.roots[dir] = tf
	return tf, nil
}

// acquire waits for a free slot and returns the function that frees it.
func acquire(ctx context.Context, slots chan struct{}) (func(), error) {
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
