package terraform

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/scalerd/scalerd/scaler"
)

// initMarker holds the digest of the configuration that was last initialised.
const initMarker = ".terraform/scalerd-init"

// lockFile pins the providers of a root module.
const lockFile = ".terraform.lock.hcl"

// init prepares a root module where its configuration was never initialised, or has
// changed since: with what another shard of its group has, else by `terraform init`. A
// state that is to move is moved.
func (r *Runner) init(ctx context.Context, tf driver, progress func(scaler.Progress)) error {
	if moving(tf.dir) {
		return r.move(ctx, tf, progress)
	}
	if ready, err := initialised(tf.dir); err != nil || ready {
		return err
	}
	found, err := fromSibling(tf.dir)
	if err != nil {
		return err
	}
	if !found {
		free, err := acquire(ctx, r.initing)
		if err != nil {
			return err
		}
		defer free()
		if found, err = fromSibling(tf.dir); err != nil { // one that was initialised meanwhile
			return err
		}
	}
	if !found || remote(tf.dir) {
		progress(scaler.Progress{Phase: "init", Message: "Initializing " + filepath.Base(tf.dir)})
		if err := r.terraformInit(ctx, tf); err != nil {
			return err
		}
	}
	return noteInit(tf.dir)
}

// noteInit remembers with which configuration a root module was initialised.
func noteInit(dir string) error {
	digest, err := scaler.ConfigDigest(dir)
	if err != nil {
		return err
	}
	marker := filepath.Join(dir, initMarker)
	if err := os.MkdirAll(filepath.Dir(marker), 0o700); err != nil {
		return fmt.Errorf("init %s: %w", dir, err)
	}
	if err := os.WriteFile(marker, []byte(digest), 0o600); err != nil {
		return fmt.Errorf("init %s: %w", dir, err)
	}
	return nil
}

// terraformInit runs `terraform init`. A new root module starts with the lock file
// of its group, so that all shards of a group use the same provider versions, and
// find them in the plugin cache.
func (r *Runner) terraformInit(ctx context.Context, tf driver) error {
	if cache := r.env[pluginCache]; cache != "" { // terraform refuses one that is not there
		if err := os.MkdirAll(cache, 0o700); err != nil {
			return fmt.Errorf("folder for providers: %w", err)
		}
	}
	group := filepath.Join(filepath.Dir(tf.dir), lockFile)
	if err := copyLock(group, filepath.Join(tf.dir, lockFile), false); err != nil {
		return err
	}
	if err := tf.Init(ctx, tfexec.Upgrade(false)); err != nil {
		return fmt.Errorf("init %s: %w", tf.dir, err)
	}
	return copyLock(filepath.Join(tf.dir, lockFile), group, true)
}

// copyLock copies a lock file, if it is there. One that is at the other place
// already is kept, unless replace is set.
func copyLock(from, to string, replace bool) error {
	text, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read lock file: %w", err)
	}
	if _, err := os.Stat(to); err == nil && !replace {
		return nil
	}
	if err := renameio.WriteFile(to, text, 0o600); err != nil {
		return fmt.Errorf("write lock file: %w", err)
	}
	return nil
}
