package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/operation"
)

func driftCommand(s *settings) *cobra.Command {
	var now, detailed bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "drift [APPLICATION [GROUP]]",
		Short: "List what changed behind Terraform's back, and when it was looked for",
		Long: `List what somebody else changed: resources that are gone, attributes that were
changed, and states that another one wrote. scalerd compares each shard now and then;
with --now it does so at once, and the command waits for it.

What is repaired by the group's policy is listed only until it is repaired.`,
		Args: usage(cobra.MaximumNArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			application, group := append(args, "", "")[0], append(args, "", "")[1]
			var problem error
			if now {
				if problem = s.checkDrift(cmd, application, group, timeout); problem != nil && !errors.Is(problem, errCheck) {
					return problem
				}
			}
			found, err := s.drift(cmd.Context(), application, group)
			if err != nil {
				return errors.Join(problem, err)
			}
			if err := s.show(cmd.OutOrStdout(), found, func(w io.Writer) error { return writeDrift(w, found) }); err != nil {
				return errors.Join(problem, err)
			}
			if problem == nil && detailed && slices.ContainsFunc(found, func(g scaler.GroupDrift) bool { return len(g.Findings) > 0 }) {
				return errChanges
			}
			return problem
		},
	}
	cmd.Flags().BoolVar(&now, "now", false, "check all shards now, and wait for it")
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 where there are findings")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Hour, "longest time to wait with --now; the daemon goes on after it")
	return cmd
}

// errCheck says that a check ended, and could not look at everything.
var errCheck = errors.New("not all shards could be checked")

// checkDrift asks for checks of a group, an application, or all of them, and waits. Of
// all, one that is destroyed meanwhile is left out.
func (s *settings) checkDrift(cmd *cobra.Command, application, group string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
	defer cancel()
	asked, err := ofApplications(ctx, s, application, func(name string) ([]operation.Operation, error) {
		op, err := s.client().CheckDrift(ctx, name, group)
		return []operation.Operation{op}, err
	})
	if err != nil {
		return err
	}
	var failed []error
	for _, op := range asked {
		end, err := s.checked(ctx, op)
		gone := errors.Is(err, scaler.ErrNotFound) || end.Status == operation.Superseded // only a destroy does
		if err == nil && end.Status == operation.Failed {
			_, err := s.client().Application(ctx, op.Application)
			gone = errors.Is(err, scaler.ErrNotFound)
		}
		switch {
		case gone && application == "":
		case err != nil:
			return waited(ctx, cmd.Context(), err)
		case end.Status != operation.Succeeded:
			failed = append(failed, fmt.Errorf("%w: %s: %s", errCheck, end.Application, cmp.Or(end.Error, "it is being destroyed")))
		}
	}
	return errors.Join(failed...)
}

// checked watches a check to its end. A daemon that was restarted meanwhile has
// forgotten it, and is asked for another one.
func (s *settings) checked(ctx context.Context, op operation.Operation) (operation.Operation, error) {
	ignore := func(operation.Event) {} // it has none
	end, err := s.client().Watch(ctx, op.ID, ignore)
	for broken := time.Now(); err != nil && ctx.Err() == nil && time.Since(broken) < restartPatience; {
		again, asking := s.client().CheckDrift(ctx, op.Application, op.Group)
		switch {
		case asking == nil:
			return s.client().Watch(ctx, again.ID, ignore)
		case !errors.Is(asking, api.ErrNoDaemon) && !errors.Is(asking, api.ErrBroken):
			return end, asking
		}
		if pausing := pause(ctx); pausing != nil {
			return end, pausing
		}
	}
	return end, err
}

func (s *settings) drift(ctx context.Context, application, group string) ([]scaler.GroupDrift, error) {
	return ofApplications(ctx, s, application, func(name string) ([]scaler.GroupDrift, error) { return s.client().Drift(ctx, name, group) })
}

// ofApplications asks about the application that was given or, with an empty name,
// about all of them but for those that are destroyed meanwhile.
func ofApplications[T any](ctx context.Context, s *settings, given string, ask func(name string) ([]T, error)) ([]T, error) {
	if given != "" {
		return ask(given)
	}
	applications, err := s.client().Applications(ctx)
	if err != nil {
		return nil, err
	}
	all := []T{}
	for _, application := range applications {
		found, err := ask(application.Name)
		switch {
		case errors.Is(err, scaler.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			all = append(all, found...)
		}
	}
	return all, nil
}

func writeDrift(w io.Writer, groups []scaler.GroupDrift) error {
	t := table(w)
	fmt.Fprintln(t, "APPLICATION\tGROUP\tSHARD\tADDRESS\tWHAT\tSINCE\tCHECKED\tACTION\tDETAIL")
	for _, g := range groups {
		for _, f := range g.Findings {
			checked := ""
			for _, c := range g.Checks {
				if c.Shard == f.Shard {
					checked = age(c.At)
				}
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", g.Application, g.Group, f.Shard, f.Address, f.Kind, age(f.Since), checked, f.Action, f.Detail)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, g := range groups {
		fmt.Fprintf(w, "%s %s: %s\n", g.Application, g.Group, checksText(g))
		for _, c := range g.Checks {
			if c.Problem != "" {
				fmt.Fprintf(w, "%s %s: %s could not be checked %s ago: %s\n", g.Application, g.Group, c.Shard, age(c.At), c.Problem)
			}
		}
	}
	return nil
}

// checksText says when the shards of a group were checked.
func checksText(g scaler.GroupDrift) string {
	text := "no shard was checked yet"
	if len(g.Checks) > 0 {
		first, last := g.Checks[0].At, g.Checks[0].At
		for _, c := range g.Checks {
			if c.At.Before(first) {
				first = c.At
			}
			if c.At.After(last) {
				last = c.At
			}
		}
		text = fmt.Sprintf("%d shards were checked, %s to %s ago", len(g.Checks), age(last), age(first))
	}
	if g.Every > 0 {
		return fmt.Sprintf("%s; each is checked every %s", text, time.Duration(g.Every))
	}
	return text + "; they are checked only with --now"
}
