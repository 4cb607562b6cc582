// Package demo shows scalerd at work within three minutes: a daemon of its own
// sizes node groups that are processes on this machine, with a real terraform,
// under real HTTP load.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/tfgen"
)

// Options say what to show, and where.
type Options struct {
	// Executable is the scalerd to run, and Terraform the terraform that it uses;
	// empty to let it find one.
	Executable, Terraform string
	// File is the name of the description in messages, and Text its content. Its
	// groups have cloud: local and a balancer, which is moved to a free port.
	File string
	Text []byte
	// Trace is the path of a CSV file with the load; empty for the built-in one.
	Trace string
	// Duration is the length of the load, at least 2 s. Starting and ending the
	// fleet comes on top.
	Duration time.Duration
	// Limit is what the 95th percentile of the latency is held against.
	Limit time.Duration
	// Seed makes the arrivals repeatable.
	Seed uint64
	// Out gets everything that is shown.
	Out io.Writer
	// Size is the size of the terminal in columns and rows; nil where Out is none.
	Size func() (columns, rows int)
	// Color allows colours on a terminal.
	Color bool
	// Hurry is closed when the user asks a second time to stop.
	Hurry <-chan struct{}
}

// ErrInterrupted is returned where ctx ended before the demo was over. Nothing is
// left running then either.
var ErrInterrupted = errors.New("interrupted; everything that was started is stopped")

// minDuration is the shortest load that says anything.
const minDuration = 2 * time.Second

// Run shows the demo. It ends by itself, or when ctx ends; when it returns, every
// process that it started has ended and its files are removed.
func Run(ctx context.Context, o Options) error {
	plan, err := newPlan(o)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "scalerd-demo-")
	if err != nil {
		return fmt.Errorf("temporary folder: %w", err)
	}
	d, err := startDaemon(dir, o.Executable, o.Terraform)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	running, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-d.ended:
			fail(d.death())
		case <-running.Done():
		}
	}()
	s := &stage{options: o, plan: plan, daemon: d, screen: newDisplay(o, fail), fail: fail}
	err = s.play(running)
	switch {
	case ctx.Err() != nil:
		err = ErrInterrupted
	case running.Err() != nil:
		err = context.Cause(running)
	}
	fail(nil)
	<-watched
	s.screen.say("Stopping everything: the daemon destroys its nodes, then it ends.")
	if torn := d.tearDown(s.submitted, o.Hurry); torn != nil {
		err = errors.Join(err, torn)
	}
	s.screen.close()
	if s.lasted > 0 {
		report(o.Out, plan, s.lasted)
	}
	return err
}

// stage is a demo that is being shown.
type stage struct {
	options Options
	plan    plan
	daemon  *daemon
	screen  display
	fail    context.CancelCauseFunc

	// submitted is the application's name once the daemon may know it.
	submitted string
	start     time.Time
	// lasted is how long there was load.
	lasted time.Duration
	// silentSince is when the daemon last answered, while it does not.
	silentSince time.Time
}

// play starts the fleet, and then drives the load and shows what happens.
func (s *stage) play(ctx context.Context) error {
	s.screen.say("Starting a daemon of the demo's own in " + s.daemon.dir)
	if err := s.daemon.ready(ctx); err != nil {
		return err
	}
	if err := s.submit(); err != nil {
		return err
	}
	s.screen.say("Terraform creates the first nodes and the balancers.")
	if err := s.fleetReady(ctx); err != nil {
		return err
	}
	s.start = time.Now()
	loads, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for i, part := range s.plan.parts {
		l := &load{
			client: newClient(s.balancerDir(part.group.Name)),
			rate:   part.rate,
			most:   part.peak,
			chance: rand.New(rand.NewPCG(s.options.Seed, uint64(i))),
			record: part.record,
		}
		wg.Go(func() { l.drive(loads, s.start, s.plan.length) })
	}
	err := s.watch(ctx)
	if err != nil {
		stop()
	}
	wg.Wait()
	s.lasted = min(time.Since(s.start), s.plan.length)
	return err
}

// submit hands the description in. An interrupt does not break it off, since the
// daemon might take it nevertheless.
func (s *stage) submit() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*answerPatience)
	defer cancel()
	s.submitted = s.plan.app.Name
	_, err := s.daemon.client.Submit(ctx, api.Description{File: s.options.File, Text: string(s.plan.text)})
	return err
}

func (s *stage) balancerDir(group string) string {
	return filepath.Join(s.daemon.data(), "apps", s.plan.app.Name, group, tfgen.BaseName, tfgen.LocalRunDir)
}

// fleetPatience is how long the first nodes may take.
const fleetPatience = 90 * time.Second

// fleetReady waits until every node that is wanted serves.
func (s *stage) fleetReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, fleetPatience, fmt.Errorf("the first nodes were not ready within %s", fleetPatience))
	defer cancel()
	for {
		status, err := s.daemon.client.Application(ctx, s.plan.app.Name)
		if err == nil && allReady(status) {
			return nil
		}
		if err == nil && status.Degraded() {
			return fmt.Errorf("the first nodes can't be created: %s", problemOf(status))
		}
		if !until(ctx, time.Now().Add(lookEvery)) {
			return context.Cause(ctx)
		}
	}
}

func allReady(status scaler.ApplicationStatus) bool {
	for _, g := range status.Groups {
		if !g.Settled || g.Ready < g.Wanted {
			return false
		}
	}
	return status.Settled && len(status.Groups) > 0
}

// problemOf is the first problem of an application, or "".
func problemOf(status scaler.ApplicationStatus) string {
	if status.Problem != "" {
		return status.Problem
	}
	for _, g := range status.Groups {
		if g.Problem != "" {
			return g.Name + ": " + g.Problem
		}
	}
	return ""
}

const (
	// frameEvery is the time between two frames.
	frameEvery = 500 * time.Millisecond
	// silencePatience is how long the daemon may leave questions unanswered.
	silencePatience = 15 * time.Second
	// newestDecisions is how many decisions are asked for at each frame: more than
	// can be made between two.
	newestDecisions = 50
)

// watch records and shows what the daemon sees and decides until the load ends.
func (s *stage) watch(ctx context.Context) error {
	for at := time.Duration(0); at < s.plan.length; {
		if err := s.frame(ctx, at); err != nil {
			return err
		}
		next := min(at+frameEvery, s.plan.length)
		if !until(ctx, s.start.Add(next)) {
			return context.Cause(ctx)
		}
		at = time.Since(s.start)
	}
	return nil
}

func (s *stage) frame(ctx context.Context, at time.Duration) error {
	ask, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	status, err := s.daemon.client.Application(ask, s.plan.app.Name)
	if err != nil {
		return s.silent(err)
	}
	decisions, err := s.daemon.client.Decisions(ask, s.plan.app.Name, "", newestDecisions)
	if err != nil {
		return s.silent(err)
	}
	s.silentSince = time.Time{}
	for _, part := range s.plan.parts {
		for _, g := range status.Groups {
			if g.Name == part.group.Name {
				part.record.size(at, g)
			}
		}
	}
	s.screen.show(s.view(at, status, decisions))
	return nil
}

// silent notes that the daemon gave no answer, and gives up on it after a while.
func (s *stage) silent(err error) error {
	if s.silentSince.IsZero() {
		s.silentSince = time.Now()
	}
	if time.Since(s.silentSince) < silencePatience {
		return nil
	}
	return fmt.Errorf("the daemon does not answer any more, its log ends with:\n%s\n%w", s.daemon.lastWords(), err)
}
