package simcloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/scalerd/scalerd/tfgen/schema"
)

// providerPackage is the provider binary's package.
const providerPackage = "github.com/scalerd/scalerd/tfgen/simcloud/provider"

// Mirror builds the provider binary and lays out, in the folder, a filesystem
// mirror with the three providers and a CLI configuration that lets terraform and
// tofu install from nowhere else. It returns the environment entries, KEY=VALUE,
// that lead terraform there; with [Cloud.Env] they are all it needs besides
// credentials.
//
// It is for tests: it needs the go command and must be called with this module, or
// one that requires it, around the working directory. The binary is built once for
// all test packages and again after a change of its source.
func Mirror(ctx context.Context, dir string) ([]string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("make provider mirror: %w", err)
	}
	binary, err := Build(ctx)
	if err != nil {
		return nil, err
	}
	mirror := filepath.Join(dir, "mirror")
	for _, name := range schema.Names {
		p, err := schema.Read(name)
		if err != nil {
			return nil, err
		}
		// The same short address means another registry to OpenTofu.
		_, short, _ := strings.Cut(p.Source, "/")
		for _, source := range []string{p.Source, "registry.opentofu.org/" + short} {
			folder := filepath.Join(mirror, filepath.FromSlash(source), p.Version, runtime.GOOS+"_"+runtime.GOARCH)
			if err := place(binary, filepath.Join(folder, "terraform-provider-"+name+"_v"+p.Version)); err != nil {
				return nil, err
			}
		}
	}
	config := filepath.Join(dir, "terraform.rc")
	content := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n\ndisable_checkpoint = true\n", mirror)
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		return nil, fmt.Errorf("make provider mirror: %w", err)
	}
	return []string{"TF_CLI_CONFIG_FILE=" + config}, nil
}

// Build compiles the provider binary, or finds that the one it compiled before is
// up to date, and returns its path in the user's cache folder.
func Build(ctx context.Context) (string, error) {
	module, err := goCommand(ctx, "list", "-f", "{{.Dir}}", providerPackage)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("build provider: %w", err)
	}
	// One binary for each checkout, for two may differ.
	sum := sha256.Sum256([]byte(module + runtime.Version()))
	dir := filepath.Join(cache, "scalerd-simcloud", hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("build provider: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("build provider: %w", err)
	}
	defer file.Close()
	if err := lock(file, true); err != nil {
		return "", fmt.Errorf("build provider: %w", err)
	}
	// A small binary counts: terraform reads all of it at each command, to check its hash.
	binary := filepath.Join(dir, "provider")
	_, err = goCommand(ctx, "build", "-trimpath", "-ldflags=-s -w", "-o", binary, providerPackage)
	return binary, err
}

func goCommand(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build provider: go %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), nil
}

// place puts the binary where the mirror has it, as a link where that is possible.
func place(binary, target string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return fmt.Errorf("make provider mirror: %w", err)
	}
	if err := os.Remove(target); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("make provider mirror: %w", err)
	}
	if os.Link(binary, target) == nil {
		return nil
	}
	source, err := os.Open(binary)
	if err != nil {
		return fmt.Errorf("make provider mirror: %w", err)
	}
	defer source.Close()
	out, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return fmt.Errorf("make provider mirror: %w", err)
	}
	_, err = io.Copy(out, source)
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("make provider mirror: %w", err)
	}
	return nil
}
