package terraform

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/hashicorp/go-version"
	install "github.com/hashicorp/hc-install"
	"github.com/hashicorp/hc-install/fs"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
	"github.com/hashicorp/hc-install/src"
)

// minVersion is the oldest Terraform that the generated modules and the -json
// stream are tested with.
var minVersion = version.Must(version.NewVersion("1.5.0"))

// Find returns the path of a terraform binary: given, where it is not empty;
// else the newest suitable one on PATH; else one fetched into installDir. An
// error is one sentence that says how to get a terraform.
func Find(ctx context.Context, given, installDir string) (string, error) {
	atLeast := version.MustConstraints(version.NewConstraint(">= " + minVersion.String()))
	if given != "" {
		path, err := exec.LookPath(given)
		if err != nil {
			return "", fmt.Errorf("terraform binary %s: %w; check the path given with --terraform", given, err)
		}
		return path, checkVersion(ctx, path)
	}
	if err := os.MkdirAll(installDir, 0o700); err != nil {
		return "", fmt.Errorf("folder for terraform: %w", err)
	}
	installer := install.NewInstaller()
	path, err := installer.Ensure(ctx, []src.Source{
		&fs.Version{Product: product.Terraform, Constraints: atLeast, ExtraPaths: []string{installDir}},
		&releases.LatestVersion{Product: product.Terraform, Constraints: atLeast, InstallDir: installDir},
	})
	if err == nil {
		return path, nil
	}
	if found, lookErr := exec.LookPath("terraform"); lookErr == nil {
		if err := checkVersion(ctx, found); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("no terraform %s or newer on PATH, and none could be fetched: install it from your distribution or from https://developer.hashicorp.com/terraform/install and put it on PATH, or name it with --terraform: %w", minVersion, err)
}

func checkVersion(ctx context.Context, path string) error {
	have, err := product.Terraform.GetVersion(ctx, path)
	if err != nil {
		return fmt.Errorf("ask %s for its version: %w", path, err)
	}
	if have.LessThan(minVersion) {
		return fmt.Errorf("terraform %s at %s is too old: install %s or newer", have, path, minVersion)
	}
	return nil
}
