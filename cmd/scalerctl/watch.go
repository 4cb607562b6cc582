package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/operation"
)

// pollEvery is how often a waiting command asks the daemon where it can't watch, and
// restartPatience how long the daemon may not answer then, because it is restarted.
const (
	pollEvery       = 250 * time.Millisecond
	restartPatience = 15 * time.Second
)

// waiting are the flags of commands that wait for the daemon's work.
type waiting struct {
	no      bool
	timeout time.Duration
}

func (w *waiting) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&w.no, "no-wait", false, "return at once; the daemon goes on")
	cmd.Flags().DurationVar(&w.timeout, "timeout", time.Hour, "longest time to wait; the daemon goes on after it")
}

// follow watches an operation to its end, and shows its progress on stderr. It fails
// where the operation does. Where the daemon can't be watched, because the stream of
// events breaks or the daemon was restarted, it is asked again and again.
func (s *settings) follow(cmd *cobra.Command, w waiting, op operation.Operation) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), w.timeout)
	defer cancel()
	progress := newProgress(cmd.ErrOrStderr())
	end, err := s.client().Watch(ctx, op.ID, func(e operation.Event) { progress.show(e.Group, e.Shard, e.Phase, e.Message) })
	switch {
	case ctx.Err() != nil:
	case err == nil && end.Status == operation.Succeeded:
		return nil
	case err == nil && end.Status == operation.Failed:
		return s.failure(ctx, end)
	default: // not watched to the end; or superseded, and what is newer counts
		err = s.poll(ctx, op, progress)
	}
	return waited(ctx, cmd.Context(), err)
}

// failure is why an operation failed, and when it is tried again.
func (s *settings) failure(ctx context.Context, op operation.Operation) error {
	if status, err := s.client().Application(ctx, op.Application); err == nil && status.Degraded() {
		return degraded(status)
	}
	return errors.New(op.Error)
}

// poll waits until everything that was asked of the application is carried out, or
// until it is gone where that was asked. It fails where a group is degraded.
func (s *settings) poll(ctx context.Context, op operation.Operation, p *progress) error {
	answered := time.Now()
	for {
		status, err := s.client().Application(ctx, op.Application)
		switch {
		case op.Kind == operation.Destroy && errors.Is(err, scaler.ErrNotFound):
			return nil
		case (errors.Is(err, api.ErrNoDaemon) || errors.Is(err, api.ErrBroken)) && time.Since(answered) < restartPatience:
		case err != nil:
			return err
		default:
			answered = time.Now()
			p.showStatus(status)
			if status.Degraded() {
				return degraded(status)
			}
			if status.Settled && op.Kind != operation.Destroy {
				return nil
			}
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pollEvery):
		return nil
	}
}

// waited tells a wait that took too long from one that was interrupted.
func waited(ctx, command context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && command.Err() == nil {
		return errors.New("it takes longer than --timeout; the daemon goes on, see scalerctl status")
	}
	if command.Err() != nil {
		return fmt.Errorf("the daemon goes on, see scalerctl status: %w", command.Err())
	}
	return err
}

func degraded(status scaler.ApplicationStatus) error {
	var errs []error
	if status.Problem != "" {
		errs = append(errs, errors.New(status.Problem))
	}
	for _, g := range status.Groups {
		if g.Problem == "" {
			continue
		}
		err := fmt.Errorf("group %s is degraded: %s", g.Name, g.Problem)
		if !g.RetryAt.IsZero() {
			err = fmt.Errorf("%w\nThe daemon tries again at %s", err, clock(g.RetryAt))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// progress prints Terraform's messages, each once.
type progress struct {
	w    io.Writer
	last map[string]string
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, last: map[string]string{}}
}

// show prints a message of a step, or of a group where shard is empty.
func (p *progress) show(group, shard, phase, message string) {
	key := group
	if shard != "" {
		key += "/" + shard
	}
	if message == "" || p.last[key] == message {
		return
	}
	p.last[key] = message
	fmt.Fprintf(p.w, "%s %s: %s\n", key, phase, message)
}

func (p *progress) showStatus(status scaler.ApplicationStatus) {
	for _, g := range status.Groups {
		p.show(g.Name, "", "rollout", g.Rollout)
		for _, step := range g.Steps {
			p.show(g.Name, step.Shard, step.Progress.Phase, step.Progress.Message)
		}
	}
}

func applyCommand(s *settings) *cobra.Command {
	var w waiting
	var in input
	cmd := &cobra.Command{
		Use:   "apply FILE",
		Short: "Start an application, or update the running one of the same name",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := in.read(cmd, args[0])
			if err != nil {
				return err
			}
			if source, err = forDaemon(source); err != nil {
				return err
			}
			op, err := s.client().Submit(cmd.Context(), api.Describe(source))
			if err != nil {
				return err
			}
			for _, note := range op.Warnings {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning:", note)
			}
			if w.no {
				fmt.Fprintf(cmd.OutOrStdout(), "Application %s was taken.\n", op.Application)
				return nil
			}
			if err := s.follow(cmd, w, op); err != nil {
				return err
			}
			return s.status(cmd, op.Application)
		},
	}
	in.register(cmd)
	w.register(cmd)
	return cmd
}

func destroyCommand(s *settings) *cobra.Command {
	var w waiting
	var yes bool
	cmd := &cobra.Command{
		Use:   "destroy APPLICATION",
		Short: "Destroy an application with all its nodes",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			nodes, err := s.client().Nodes(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if !yes && !confirmed(cmd, fmt.Sprintf("Destroy application %s with its %s?", args[0], count(len(nodes), "node"))) {
				return fmt.Errorf("%w: nothing was destroyed; confirm with --yes", errUsage)
			}
			op, err := s.client().Destroy(cmd.Context(), args[0])
			if err != nil || w.no {
				return err
			}
			if err := s.follow(cmd, w, op); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Application %s is destroyed.\n", args[0])
			return nil
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	w.register(cmd)
	return cmd
}

// confirmed asks on a terminal; elsewhere the answer is no.
func confirmed(cmd *cobra.Command, question string) bool {
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !isatty.IsTerminal(in.Fd()) {
		return false
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s [y/N] ", question)
	var answer string
	if _, err := fmt.Fscanln(in, &answer); err != nil {
		return false
	}
	return answer == "y" || answer == "yes"
}
