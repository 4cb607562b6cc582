package terraform

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/scalerd/scalerd/scaler"
)

// erroredFile is where terraform leaves a state that it could not write to its
// place.
const erroredFile = "errored.tfstate"

// Recover implements scaler.Terraform.
func (r *Runner) Recover(ctx context.Context, root scaler.Root, watch scaler.Watcher) error {
	outcome := r.await(ctx, root.Dir, watch)
	if _, runs := r.survivor(root.Dir); runs {
		return fmt.Errorf("%w: %w", scaler.ErrLeftRunning, outcome)
	}
	free, err := acquire(ctx, r.slots)
	if err != nil {
		return err
	}
	defer free()
	tf, closeDriver, err := r.drive(root)
	if err != nil {
		return err
	}
	defer closeDriver()
	if _, err := r.settle(ctx, tf, watch); err != nil {
		return err
	}
	if err := r.remember(ctx, tf); err != nil {
		return err
	}
	if outcome != nil {
		return fmt.Errorf("apply %s: %w", root.Dir, outcome)
	}
	return nil
}

// await waits for an apply that outlived its scalerd, tells what it did, and
// returns how it ended.
func (r *Runner) await(ctx context.Context, dir string, watch scaler.Watcher) error {
	out := follower{stream: stream{phase: "apply", progress: watch.Progress}, path: filepath.Join(dir, streamFile), watch: watch}
	defer out.close()
	if p, found := r.survivor(dir); found {
		watch.Progress(scaler.Progress{Phase: "apply", Message: fmt.Sprintf("waits for the terraform of an earlier scalerd (process %d)", p.PID)})
		ended := make(chan error, 1)
		go func() { ended <- r.waitFor(ctx, dir) }()
		if err := out.follow(ended); err != nil {
			return err
		}
	} else if err := out.read(); err != nil {
		return err
	}
	if !out.ended && len(out.errors()) == 0 {
		return fmt.Errorf("%w: it was killed, or never started", scaler.ErrInterrupted)
	}
	return out.failure(nil)
}

// survivor finds a terraform that applies our plan in the root module. It is known by
// its folder and its arguments, as scalerd may have been killed before it could note
// an identifier.
func (r *Runner) survivor(dir string) (process, bool) {
	for _, e := range engines(r.path) {
		if same(e.dir, dir) && slices.Contains(e.args, planFile) && len(e.args) > 1 && e.args[1] == "apply" {
			return e.process, true
		}
	}
	return process{}, false
}

// same compares a directory as the kernel names it with one of ours.
func same(real, dir string) bool {
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		dir = resolved
	}
	return real != "" && real == dir
}

// waitFor returns when no apply runs in the root module any more. It is not a child
// of this process, so it is looked at now and then.
func (r *Runner) waitFor(ctx context.Context, dir string) error {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		p, found := r.survivor(dir)
		if !found {
			return nil
		}
		for p.alive() {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-ticker.C:
			}
		}
	}
}

// settle brings in order what earlier runs left: it waits for one that still runs,
// mends a state that was cut short, and pushes one that could not be written. It
// reports whether the state may be another one than before. It costs nothing where
// the last run ended well.
func (r *Runner) settle(ctx context.Context, tf driver, watch scaler.Watcher) (moved bool, err error) {
	if left := readRuns(tf.dir); len(left.list) > 0 {
		if p, found := r.survivor(tf.dir); found {
			watch.Progress(scaler.Progress{Phase: "plan", Message: fmt.Sprintf("waits for the terraform of an earlier scalerd (process %d)", p.PID)})
			if err := r.waitFor(ctx, tf.dir); err != nil {
				return false, fmt.Errorf("%w: %w", scaler.ErrLeftRunning, err)
			}
			moved = true
		}
		if err := os.Remove(filepath.Join(tf.dir, planFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return moved, fmt.Errorf("remove old plan: %w", err)
		}
	}
	if !moving(tf.dir) { // a move may be under way in a drift check, and removes its own
		if err := removeFile(filepath.Join(tf.dir, pushedFile)); err != nil {
			return moved, fmt.Errorf("remove what was pushed: %w", err)
		}
	}
	if err := mend(tf.dir); err != nil {
		return moved, err
	}
	pushed, err := r.pushErrored(ctx, tf, watch)
	return moved || pushed, err
}

// pushErrored puts a state that terraform could not write in its place: where it is
// the next one of the same lineage, and else never.
func (r *Runner) pushErrored(ctx context.Context, tf driver, watch scaler.Watcher) (bool, error) {
	path := filepath.Join(tf.dir, erroredFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	errored, err := parseHead(text)
	if err != nil && torn(text) && tf.finds {
		// The disk was full for it too. It is as if terraform had been killed.
		if err := os.Rename(path, path+".torn"); err != nil {
			return false, fmt.Errorf("put %s away: %w", path, err)
		}
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s is no whole state, so nothing is changed: what terraform did last may be known to it alone. Compare it with the machines that exist, mend it or move it away: %w", path, err)
	}
	if err := checkRoom(tf.dir); err != nil {
		return false, err
	}
	if err := r.init(ctx, tf, watch.Progress); err != nil {
		return false, err
	}
	current, err := pulled(ctx, tf)
	if err != nil {
		return false, fmt.Errorf("%s waits for its backend: %w", path, err)
	}
	fits := current.Lineage == "" || current.Lineage == errored.Lineage && current.Serial <= errored.Serial
	if !fits {
		return false, fmt.Errorf("%w: terraform left serial %d of lineage %s in %s, but the state is at serial %d of lineage %s: nothing is changed until you have pushed the right one (terraform state push) and moved %s away",
			scaler.ErrStateLost, errored.Serial, errored.Lineage, path, current.Serial, current.Lineage, erroredFile)
	}
	watch.Progress(scaler.Progress{Phase: "plan", Message: fmt.Sprintf("pushes the state that terraform could not write (serial %d)", errored.Serial)})
	if err := r.push(ctx, tf, erroredFile, false); err != nil {
		return false, err
	}
	return true, putAway(path, errored.Serial)
}

// pulled is the state in its backend, or its lineage and serial where terraform alone
// can read the rest; it is the zero State where there is none.
func pulled(ctx context.Context, tf driver) (scaler.State, error) {
	text, err := tf.StatePull(ctx)
	if err != nil {
		return scaler.State{}, fmt.Errorf("pull state: %w", err)
	}
	if strings.TrimSpace(text) == "" {
		return scaler.State{}, nil
	}
	return parseHead([]byte(text))
}

// push puts a state that is a file in the root module in its place; with force also in
// that of another one.
func (r *Runner) push(ctx context.Context, tf driver, name string, force bool) error {
	return r.locked(tf, operationPush, func() error {
		if err := tf.StatePush(ctx, name, tfexec.Force(force), tfexec.Lock(true), tfexec.LockTimeout(planLockTimeout)); err != nil {
			return fmt.Errorf("push %s: %w", filepath.Join(tf.dir, name), err)
		}
		return nil
	})
}

// putAway renames a state that was pushed, and removes the ones before it.
func putAway(path string, serial int64) error {
	old, err := filepath.Glob(path + ".pushed-*")
	if err != nil {
		return fmt.Errorf("list %s: %w", path, err)
	}
	for _, o := range old {
		if err := os.Remove(o); err != nil {
			return fmt.Errorf("remove old state: %w", err)
		}
	}
	if err := os.Rename(path, fmt.Sprintf("%s.pushed-%d", path, serial)); err != nil {
		return fmt.Errorf("put %s away: %w", path, err)
	}
	return nil
}
