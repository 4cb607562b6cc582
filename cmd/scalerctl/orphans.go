package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler"
)

func orphansCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "orphans [APPLICATION [GROUP]]",
		Short: "List what the clouds have of the fleets and no state tells of, and what will be done",
		Long: `List machines, and what belongs to them, that carry a group's tags and are in no
Terraform state: what an interrupted creation left behind. scalerd looks for them
after such a creation and now and then.

adopt   its node is wanted: it is taken over into the state
delete  nobody wants it: it is destroyed once it was seen again after the grace
keep    it is not certain that this scalerd made it: it is left to you`,
		Args: usage(cobra.MaximumNArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			groups, err := orphansOf(cmd.Context(), s, args)
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), groups, func(w io.Writer) error { return writeOrphans(w, groups) })
		},
	}
}

// orphansOf asks for a group, an application, or all of them.
func orphansOf(ctx context.Context, s *settings, args []string) ([]scaler.GroupOrphans, error) {
	application, group := append(args, "", "")[0], append(args, "", "")[1]
	return ofApplications(ctx, s, application, func(name string) ([]scaler.GroupOrphans, error) { return s.client().Orphans(ctx, name, group) })
}

func writeOrphans(w io.Writer, groups []scaler.GroupOrphans) error {
	t := table(w)
	fmt.Fprintln(t, "APPLICATION\tGROUP\tID\tTYPE\tNODE\tSINCE\tVERDICT\tWHY")
	for _, g := range groups {
		for _, o := range g.Orphans {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", g.Application, g.Group, o.ID, o.Type, o.Node, age(o.Since), o.Verdict, o.Why)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, g := range groups {
		switch {
		case !g.Possible:
			fmt.Fprintf(w, "%s %s: cloud %s can't be asked for machines\n", g.Application, g.Group, g.Cloud)
		case g.Problem != "":
			fmt.Fprintf(w, "%s %s: %s\n", g.Application, g.Group, g.Problem)
		case g.LookedAt.IsZero():
			fmt.Fprintf(w, "%s %s: the cloud was not asked yet\n", g.Application, g.Group)
		default:
			fmt.Fprintf(w, "%s %s: the cloud was asked %s ago\n", g.Application, g.Group, age(g.LookedAt))
		}
	}
	return nil
}
