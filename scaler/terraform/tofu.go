package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"

	"github.com/hashicorp/go-version"
)

// The engines, which is what does the work.
const (
	// EngineTerraform is HashiCorp's Terraform.
	EngineTerraform = "terraform"
	// EngineTofu is OpenTofu, which understands the same modules, writes the same
	// stream and state, and has the same commands.
	EngineTofu = "tofu"
)

// minTofuVersion is the first release of OpenTofu.
var minTofuVersion = version.Must(version.NewVersion("1.6.0"))

// FindEngine returns the path of the engine's binary: given, where it is not empty.
// Terraform is looked for as Find does; OpenTofu on PATH only, nothing is fetched.
func FindEngine(ctx context.Context, engine, given, installDir string) (string, error) {
	switch engine {
	case EngineTerraform:
		return Find(ctx, given, installDir)
	case EngineTofu:
		return findTofu(ctx, given)
	default:
		return "", fmt.Errorf("engine %q: use %s or %s", engine, EngineTerraform, EngineTofu)
	}
}

func findTofu(ctx context.Context, given string) (string, error) {
	if given == "" {
		given = EngineTofu
	}
	path, err := exec.LookPath(given)
	if err != nil {
		return "", fmt.Errorf("OpenTofu binary %s: %w; install it from https://opentofu.org/docs/intro/install and put it on PATH, or name it with --terraform", given, err)
	}
	have, err := tofuVersion(ctx, path)
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", path, err)
	}
	if have.LessThan(minTofuVersion) {
		return "", fmt.Errorf("OpenTofu %s at %s is too old: install %s or newer", have, path, minTofuVersion)
	}
	return path, nil
}

// tofuVersion asks the binary. OpenTofu calls its own version terraform_version, as
// Terraform does, so that terraform-exec understands it too.
func tofuVersion(ctx context.Context, path string) (*version.Version, error) {
	out, err := exec.CommandContext(ctx, path, "version", "-json").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return nil, err
	}
	var said struct {
		Version string `json:"terraform_version"`
	}
	// Warnings about its configuration file stand before it.
	if begin := bytes.IndexByte(out, '{'); begin > 0 {
		out = out[begin:]
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return nil, err
	}
	return version.NewVersion(said.Version)
}
