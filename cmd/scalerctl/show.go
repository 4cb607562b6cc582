package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
)

func statusCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "status [APPLICATION]",
		Short: "Show what applications do now",
		Args:  usage(cobra.MaximumNArgs(1)),
		RunE:  func(cmd *cobra.Command, args []string) error { return s.status(cmd, args...) },
	}
}

func (s *settings) status(cmd *cobra.Command, names ...string) error {
	var statuses []scaler.ApplicationStatus
	var err error
	if len(names) == 0 {
		statuses, err = s.client().Applications(cmd.Context())
	} else {
		statuses = make([]scaler.ApplicationStatus, 1)
		statuses[0], err = s.client().Application(cmd.Context(), names[0])
	}
	if err != nil {
		return err
	}
	return s.show(cmd.OutOrStdout(), statuses, func(w io.Writer) error { return textStatus(w, statuses) })
}

func textStatus(w io.Writer, statuses []scaler.ApplicationStatus) error {
	if len(statuses) == 0 {
		_, err := fmt.Fprintln(w, "No applications. Start one with scalerctl apply FILE.")
		return err
	}
	t := table(w)
	fmt.Fprintln(t, "APPLICATION\tGROUP\tSTATE\tWANTED\tREADY\tBOOTING\tLEAVING\tMIN\tMAX\tLAST DECISION")
	for _, a := range statuses {
		for _, g := range a.Groups {
			fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", a.Name, g.Name, state(a, g), g.Wanted, g.Ready,
				g.Creating+g.Booting, g.Draining, g.Min, g.Max, lastReason(g.Decision))
		}
		if len(a.Groups) == 0 {
			fmt.Fprintf(t, "%s\t-\t-\t\t\t\t\t\t\t\n", a.Name)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, a := range statuses {
		textProblems(w, a)
	}
	return nil
}

// textProblems writes what a table has no room for.
func textProblems(w io.Writer, a scaler.ApplicationStatus) {
	bad := color.New(color.FgRed)
	if a.Problem != "" {
		bad.Fprintf(w, "\n%s: %s\n", a.Name, a.Problem)
	}
	for _, g := range a.Groups {
		if g.Problem != "" {
			bad.Fprintf(w, "\n%s/%s: %s\n", a.Name, g.Name, g.Problem)
			if !g.RetryAt.IsZero() {
				fmt.Fprintf(w, "  tried again at %s\n", clock(g.RetryAt))
			}
		}
		if c := g.Cost; c != nil {
			fmt.Fprintf(w, "\n%s/%s: %s\n", a.Name, g.Name, costText(*c))
		}
		if g.Rollout != "" {
			fmt.Fprintf(w, "\n%s/%s: rollout: %s\n", a.Name, g.Name, g.Rollout)
		}
		if g.Repair != "" {
			fmt.Fprintf(w, "\n%s/%s: repair: %s\n", a.Name, g.Name, g.Repair)
		}
		for _, o := range g.Offerings {
			if o.Penalty > 0 {
				fmt.Fprintf(w, "\n%s/%s: offering %s: penalty %.2f after %s\n", a.Name, g.Name, o.Name, o.Penalty, o.Why)
			}
		}
		for _, p := range g.PolicyProblems {
			bad.Fprintf(w, "\n%s/%s: %s\n", a.Name, g.Name, p)
		}
		if o := g.Optimizer; o != nil && o.Problem != "" {
			bad.Fprintf(w, "\n%s/%s: optimizer: %s\n", a.Name, g.Name, o.Problem)
		}
		if g.Lost > 0 {
			fmt.Fprintf(w, "\n%s/%s: %d nodes were ready and do not answer now\n", a.Name, g.Name, g.Lost)
		}
		for _, c := range g.Drift {
			fmt.Fprintf(w, "\n%s/%s: drift: %s\n", a.Name, g.Name, driftLine(c))
		}
	}
}

// driftLine is a finding in one line: "deleted: aws_instance.node["web-0001"], 3m0s ago (report)".
func driftLine(f scaler.DriftFinding) string {
	what := f.Address
	if what == "" {
		what = f.Shard
	}
	line := fmt.Sprintf("%s: %s, %s ago (%s)", f.Kind, what, age(f.Since), f.Action)
	if f.Detail != "" {
		line += ": " + f.Detail
	}
	return line
}

// costText is what a group costs, and how its budget stands.
func costText(c scaler.GroupCost) string {
	hour, month := "", ""
	if c.MaxPerHour > 0 {
		hour = fmt.Sprintf(" of %.4f", c.MaxPerHour)
	}
	if c.MaxPerMonth > 0 {
		month = fmt.Sprintf(" of %.2f", c.MaxPerMonth)
	}
	return fmt.Sprintf("costs %.4f%s %s an hour; this month %.2f so far, %.2f%s at its end", c.PerHour, hour, c.Currency, c.Month, c.Forecast, month)
}

func state(a scaler.ApplicationStatus, g scaler.GroupStatus) string {
	word := g.State()
	switch {
	case a.Destroying:
		word = "destroying"
	case a.Paused && word == "steady":
		word = "paused"
	}
	if word == "degraded" {
		return color.RedString(word)
	}
	return word
}

func lastReason(d *scaler.Decision) string {
	if d == nil || len(d.Reasons) == 0 {
		return "-"
	}
	return shorten(d.Reasons[0], 60)
}

func shorten(s string, most int) string {
	s, _, _ = strings.Cut(s, "\n")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func nodesCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "nodes APPLICATION",
		Short: "List the nodes of an application",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			nodes, err := s.client().Nodes(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), nodes, func(w io.Writer) error {
				t := table(w)
				fmt.Fprintln(t, "NODE\tGROUP\tSTATE\tAGE\tADDRESS\tSHARD\tNOTE")
				for _, n := range nodes {
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", n.Name, n.Group, n.State, age(n.CreatedAt), address(n), n.Shard, nodeNote(n))
				}
				return t.Flush()
			})
		},
	}
}

func address(n scaler.NodeStatus) string {
	switch {
	case n.PrivateIP == "":
		return "-"
	case n.Port != 0:
		return fmt.Sprintf("%s:%d", n.PrivateIP, n.Port)
	case n.PublicIP != "":
		return n.PrivateIP + " (" + n.PublicIP + ")"
	default:
		return n.PrivateIP
	}
}

func nodeNote(n scaler.NodeStatus) string {
	if n.Outdated != "" {
		return "has older settings: " + n.Outdated
	}
	return ""
}

func decisionsCommand(s *settings) *cobra.Command {
	var group string
	var limit int
	var prints bool
	cmd := &cobra.Command{
		Use:   "decisions APPLICATION",
		Short: "List the newest decisions; ticks that changed nothing are not kept",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			decisions, err := s.client().Decisions(cmd.Context(), args[0], group, limit)
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), decisions, func(w io.Writer) error {
				t := table(w)
				fmt.Fprintln(t, "ID\tTIME\tGROUP\tNODES\tREASON")
				for _, d := range decisions {
					fmt.Fprintf(t, "%d\t%s\t%s\t%d -> %d\t%s\n", d.ID, clock(d.At), d.Group, d.From, d.To, lastReason(&d))
					if prints {
						textPrints(t, d)
					}
				}
				return t.Flush()
			})
		},
	}
	cmd.Flags().StringVar(&group, "group", "", "only this group")
	cmd.Flags().BoolVar(&prints, "prints", false, "show what the rules printed")
	cmd.Flags().IntVar(&limit, "limit", 20, "how many")
	return cmd
}

// textPrints writes what the rules printed, below their decision.
func textPrints(w io.Writer, d scaler.Decision) {
	for _, p := range d.Proposals {
		for _, line := range p.Prints {
			fmt.Fprintf(w, "\t\t\t\t%s | %s\n", p.Policy, line)
		}
	}
}

func readingText(r policy.Reading) string {
	if r.Missing != policy.Present {
		return strings.TrimSuffix(string(r.Missing)+": "+r.Detail, ": ")
	}
	if len(r.Samples) > 1 {
		return fmt.Sprintf("%g (first of %d series)", r.Value(), len(r.Samples))
	}
	return fmt.Sprintf("%g", r.Value())
}

func proposalText(p policy.Proposal) string {
	if p.Hold {
		return "hold: " + p.Reason
	}
	if p.Abstain {
		return p.Reason
	}
	return fmt.Sprintf("%s: %s", count(p.Nodes, "node"), p.Reason)
}

func table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func age(since time.Time) string {
	if since.IsZero() {
		return "-"
	}
	return time.Since(since).Round(time.Second).String()
}
