package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler"
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

// checkDrift asks for checks of a group, an application, or all of them, and waits.
func (s *settings) checkDrift(cmd *cobra.Command, application, group string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
	defer cancel()
	names, err := s.applicationNames(ctx, application)
	if err != nil {
		return err
	}
	var asked []operation.Operation
	for _, name := range names {
		op, err := s.client().CheckDrift(ctx, name, group)
		if err != nil {
			return err
		}
		asked = append(asked, op)
	}
	var failed []error
	for _, op := range asked {
		for op.Status == operation.Running {
			if err := pause(ctx); err != nil {
				return waited(ctx, cmd.Context(), err)
			}
			if op, err = s.client().Operation(ctx, op.ID); err != nil {
				return waited(ctx, cmd.Context(), err)
			}
		}
		if op.Error != "" {
			failed = append(failed, fmt.Errorf("%w: %s: %s", errCheck, op.Application, op.Error))
		}
	}
	return errors.Join(failed...)
}

// applicationNames is the one that was given, or all of them.
func (s *settings) applicationNames(ctx context.Context, given string) ([]string, error) {
	if given != "" {
		return []string{given}, nil
	}
	applications, err := s.client().Applications(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, application := range applications {
		names = append(names, application.Name)
	}
	return names, nil
}

func (s *settings) drift(ctx context.Context, application, group string) ([]scaler.GroupDrift, error) {
	names, err := s.applicationNames(ctx, application)
	if err != nil {
		return nil, err
	}
	all := []scaler.GroupDrift{}
	for _, name := range names {
		groups, err := s.client().Drift(ctx, name, group)
		if err != nil {
			return nil, err
		}
		all = append(all, groups...)
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
