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
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// cancelWait is how long a cancelled terraform may take to finish what it is
// doing after its SIGINT, before it is killed: longer than a cloud needs to
// answer a creation that is under way.
const cancelWait = 10 * time.Minute

// lockTimeout is how long an apply waits for a state lock that another process
// holds. A plan waits for less: it is made again, and meanwhile others use its slot.
const (
	lockTimeout     = "30s"
	planLockTimeout = "3s"
)

// planFile is the saved plan of a step, in the root module's directory. It can
// hold values that the state holds, so it goes when the step ends.
const planFile = "step.tfplan"

// Runner runs terraform in root modules. It is safe for concurrent use.
type Runner struct {
	path  string
	env   map[string]string
	login func(spec.Cloud, string) (scaler.Credentials, error)
	// outbound may be nil.
	outbound Outbound
	// slots bounds the terraform processes that run at once.
	slots chan struct{}
	// initing lets one init run at a time: a shared plugin cache is not safe for
	// parallel ones.
	initing chan struct{}

	// around is put around each change that a move of a state makes, by tests.
	around func(c moveChange, do func() error) error
	// moves has a channel with room for one for each directory whose state was moved.
	moves sync.Map
	// pulling has a *sync.Mutex for each directory whose state is read from a backend.
	pulling sync.Map
	// states has a stateRead for each directory whose state was read.
	states sync.Map

	mu      sync.Mutex
	drivers map[string]*cached
}

// cached is terraform-exec's driver of a directory, kept because it asks the binary
// for its version once for each.
type cached struct {
	tf *tfexec.Terraform
	// users counts those who use it now.
	users int
}

var _ scaler.Terraform = (*Runner)(nil)

// Options are what a Runner works with besides the binary.
type Options struct {
	// Processes is the most terraform processes at once; at least 1.
	Processes int
	// Env is added to this process's environment for terraform.
	Env map[string]string
	// Login finds the credentials of a root module; nil stands for none besides the
	// environment.
	Login func(cloud spec.Cloud, name string) (scaler.Credentials, error)
	// PluginCache is the folder in which downloaded providers are kept for all root
	// modules; empty for none.
	PluginCache string
	// Outbound bounds what this process itself calls of the hosts that descriptions
	// name: the server of an http backend's lock. Nil bounds nothing.
	Outbound Outbound
}

// NewRunner returns a Runner that uses the terraform binary at path.
func NewRunner(path string, o Options) *Runner {
	env := tfexec.CleanEnv(environment())
	if _, set := env[pluginCache]; !set && o.PluginCache != "" {
		env[pluginCache] = o.PluginCache
	}
	maps.Copy(env, o.Env)
	// OpenTofu warns of a missing one on its standard output, in the middle of what it
	// is asked for; Terraform takes it for an empty one.
	if _, err := os.Stat(env[cliConfig]); env[cliConfig] != "" && errors.Is(err, fs.ErrNotExist) {
		env[cliConfig] = os.DevNull
	}
	login := o.Login
	if login == nil {
		login = func(spec.Cloud, string) (scaler.Credentials, error) { return scaler.Credentials{}, nil }
	}
	return &Runner{
		path:     path,
		env:      env,
		login:    login,
		outbound: o.Outbound,
		slots:    make(chan struct{}, max(o.Processes, 1)),
		initing:  make(chan struct{}, 1),
		drivers:  map[string]*cached{},
	}
}

// pluginCache is the variable that tells terraform of a folder for providers, and
// cliConfig that of its configuration file.
const (
	pluginCache = "TF_PLUGIN_CACHE_DIR"
	cliConfig   = "TF_CLI_CONFIG_FILE"
)

func environment() map[string]string {
	env := map[string]string{}
	for _, entry := range os.Environ() {
		if k, v, ok := strings.Cut(entry, "="); ok {
			env[k] = v
		}
	}
	return env
}

// driver is terraform in one root module, with that module's credentials.
type driver struct {
	*tfexec.Terraform
	dir string
	// env is terraform's environment.
	env map[string]string
	// installation is whose the root module's state is; see scaler.Root.
	installation string
	// varFile holds the values of sensitive variables while the driver is used, or
	// is empty.
	varFile string
	// finds is set where machines that no state has are found: by their tags, or as
	// processes.
	finds bool
}

// drive returns the driver of a root module, for one step or one plan; close ends
// its use. The credentials are fetched anew each time.
func (r *Runner) drive(root scaler.Root) (d driver, close func(), err error) {
	return r.driveFor("step", root)
}

// driveFor returns a driver for what may run beside something else in the same root
// module: terraform-exec's drivers remember where their output goes.
func (r *Runner) driveFor(purpose string, root scaler.Root) (d driver, close func(), err error) {
	set, err := r.login(root.Cloud, root.Credentials)
	if err != nil {
		return driver{}, nil, err
	}
	if err := r.backendLogin(root, &set); err != nil {
		return driver{}, nil, err
	}
	endWidows(root.Dir, r.path)
	env := r.environment(set)
	tf, err := r.terraform(purpose, root.Dir, env)
	if err != nil {
		return driver{}, nil, err
	}
	d = driver{Terraform: tf, dir: root.Dir, env: env, installation: root.Installation, finds: root.Cloud != "" && root.Cloud != spec.CloudModule}
	if len(set.Variables) == 0 {
		return d, func() { r.release(purpose, root.Dir) }, nil
	}
	if d.varFile, err = writeVariables(set.Variables); err != nil {
		r.release(purpose, root.Dir)
		return driver{}, nil, err
	}
	return d, func() {
		os.Remove(d.varFile)
		r.release(purpose, root.Dir)
	}, nil
}

// terraform is terraform-exec's driver of a directory with an environment, one for
// each purpose, until release.
func (r *Runner) terraform(purpose, dir string, env map[string]string) (*tfexec.Terraform, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := purpose + " " + dir
	c, ok := r.drivers[key]
	if !ok {
		tf, err := tfexec.NewTerraform(dir, r.path)
		if err != nil {
			return nil, fmt.Errorf("terraform in %s: %w", dir, err)
		}
		if err := tf.SetWaitDelay(cancelWait); err != nil {
			return nil, fmt.Errorf("terraform in %s: %w", dir, err)
		}
		c = &cached{tf: tf}
		r.drivers[key] = c
	}
	if err := c.tf.SetEnv(env); err != nil {
		return nil, fmt.Errorf("terraform environment: %w", err)
	}
	c.users++
	return c.tf, nil
}

// release ends a use of a driver, which forgets its credentials with the last one.
func (r *Runner) release(purpose, dir string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.drivers[purpose+" "+dir]; c != nil {
		if c.users--; c.users == 0 {
			_ = c.tf.SetEnv(map[string]string{}) // nothing in it that could be refused
		}
	}
}

// environment is that of terraform with the credentials.
func (r *Runner) environment(set scaler.Credentials) map[string]string {
	env := maps.Clone(r.env)
	for name := range env {
		if slices.ContainsFunc(set.Replaces, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			delete(env, name)
		}
	}
	maps.Copy(env, set.Env)
	return env
}

// writeVariables writes a variable file that only this user can read, in memory
// where the system has a folder for that: terraform-exec lets no variables through
// the environment, and arguments are everybody's to see.
func writeVariables(variables map[string]string) (string, error) {
	text, err := json.Marshal(variables)
	if err != nil {
		return "", fmt.Errorf("write variables: %w", err)
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if info, err := os.Stat("/dev/shm"); dir == "" && err == nil && info.IsDir() {
		dir = "/dev/shm"
	}
	f, err := os.CreateTemp(dir, "scalerd-*.tfvars.json")
	if err != nil {
		return "", fmt.Errorf("write variables: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write variables: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), nil
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

// Login implements scaler.Terraform.
func (r *Runner) Login(root scaler.Root) (string, error) {
	set, err := r.login(root.Cloud, root.Credentials)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal([]any{r.environment(set), set.Variables})
	if err != nil {
		return "", fmt.Errorf("digest of the credentials: %w", err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text)), nil
}
