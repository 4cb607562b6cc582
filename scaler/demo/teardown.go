package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/local"
	"github.com/scalerd/scalerd/tfgen"
)

const (
	// destroyPatience is how long the daemon may take to destroy everything: steps
	// in flight, one more for each shard, and requests that nodes finish.
	destroyPatience = 60 * time.Second
	// stopPatience is how long it may take to end afterwards.
	stopPatience = 15 * time.Second
	// hurriedPatience is the same for a user who asks a second time.
	hurriedPatience = 3 * time.Second
	// sweepPatience bounds the last resort.
	sweepPatience = 40 * time.Second
	// quiet is for how long nothing must come back after the last resort: a
	// provisioner of a terraform that was killed may be at work still.
	quiet = time.Second
)

// tearDown leaves no process and no file behind, whatever state the demo is in:
// the daemon destroys the application, then it ends, then the folder goes. Where
// the daemon can't do that any more, or once hurry is closed, the processes are
// stopped without it.
func (d *daemon) tearDown(app string, hurry <-chan struct{}) error {
	ctx, cancel := context.WithCancel(context.Background())
	hurried := make(chan struct{})
	go func() {
		defer close(hurried)
		select {
		case <-hurry:
			cancel()
		case <-ctx.Done():
		}
	}()
	orderly, err := d.destroy(ctx, app)
	patience := stopPatience
	if ctx.Err() != nil {
		patience = hurriedPatience
	}
	if stopped := d.stop(patience); stopped != nil {
		orderly, err = false, errors.Join(err, stopped)
	}
	if orderly {
		err = errors.Join(err, d.remove())
	} else {
		if ctx.Err() != nil {
			err = nil // as the user wished
		}
		err = errors.Join(err, d.sweep())
	}
	cancel()
	<-hurried
	return err
}

// destroy has the daemon destroy the application, if there is one, and waits. It
// tells whether nothing of it is left.
func (d *daemon) destroy(ctx context.Context, app string) (gone bool, err error) {
	if app == "" || !d.alive() {
		return app == "", nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, destroyPatience, fmt.Errorf("it is not done within %s", destroyPatience))
	defer cancel()
	ordered, answered := false, time.Now()
	for {
		err := d.orderOrLook(ctx, app, &ordered)
		if err == nil {
			answered = time.Now()
		}
		if errors.Is(err, scaler.ErrNotFound) {
			return true, nil
		}
		if !until(ctx, time.Now().Add(lookEvery)) {
			err = context.Cause(ctx)
		}
		if ctx.Err() != nil || !d.alive() || time.Since(answered) > silencePatience {
			return false, fmt.Errorf("the daemon could not destroy %s, so its processes were stopped without it: %w", app, err)
		}
	}
}

// orderOrLook orders the end of the application, once, and then looks whether it
// has come, which is ErrNotFound.
func (d *daemon) orderOrLook(ctx context.Context, app string, ordered *bool) error {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	if *ordered {
		_, err := d.client.Application(ctx, app)
		return err
	}
	_, err := d.client.Destroy(ctx, app)
	*ordered = err == nil
	return err
}

// remove removes the folder of a daemon that has ended.
func (d *daemon) remove() error {
	if err := os.RemoveAll(d.dir); err != nil {
		return fmt.Errorf("remove the demo's folder: %w", err)
	}
	return nil
}

// sweep stops the nodes and balancers of a daemon that has ended, and removes its
// folder, until nothing comes back.
func (d *daemon) sweep() error {
	ctx, cancel := context.WithTimeout(context.Background(), sweepPatience)
	defer cancel()
	var err error
	var gone time.Time // since when the folder is not there
	for gone.IsZero() || time.Since(gone) < quiet {
		err = errors.Join(d.stopProcesses(ctx), os.RemoveAll(d.dir))
		_, there := os.Stat(d.dir)
		switch {
		case !os.IsNotExist(there):
			gone = time.Time{}
		case gone.IsZero():
			gone = time.Now()
		}
		if !until(ctx, time.Now().Add(lookEvery)) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("stop what the demo started in %s: %w", d.dir, err)
	}
	return nil
}

// stopProcesses stops every process that has files below the data folder.
func (d *daemon) stopProcesses(ctx context.Context) error {
	places := map[[2]string]bool{}
	for _, suffix := range []string{".alive", ".start.lock"} {
		paths, err := filepath.Glob(filepath.Join(d.data(), "apps", "*", "*", "*", tfgen.LocalRunDir, "*"+suffix))
		if err != nil {
			return err
		}
		for _, path := range paths {
			places[[2]string{filepath.Dir(path), strings.TrimSuffix(filepath.Base(path), suffix)}] = true
		}
	}
	errs := make([]error, len(places))
	var wg sync.WaitGroup
	for i, place := range slices.Collect(maps.Keys(places)) {
		wg.Go(func() { errs[i] = local.Stop(ctx, place[0], place[1]) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
