package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/scaler/ruletest"
)

func explainCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "explain DECISION | APPLICATION GROUP",
		Short: "Show why a decision was made and what was done about it",
		Long: "Show why a decision was made and what was done about it: a recorded one by its\n" +
			"number, or what the last tick decided about a group.",
		Args: usage(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := s.explanation(cmd, args)
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), e, func(w io.Writer) error { return textExplanation(w, e) })
		},
	}
}

func (s *settings) explanation(cmd *cobra.Command, args []string) (api.Explanation, error) {
	if len(args) == 1 {
		var id int64
		if _, err := fmt.Sscanf(args[0], "%d", &id); err != nil {
			return api.Explanation{}, fmt.Errorf("%w: %q is not a decision's number; scalerctl decisions lists them", errUsage, args[0])
		}
		return s.client().Explain(cmd.Context(), id)
	}
	status, err := s.client().Application(cmd.Context(), args[0])
	if err != nil {
		return api.Explanation{}, err
	}
	for _, g := range status.Groups {
		if g.Name != args[1] {
			continue
		}
		if g.Decision == nil {
			return api.Explanation{}, fmt.Errorf("group %s has not been decided about yet", g.Name)
		}
		if g.Decision.ID != 0 {
			return s.client().Explain(cmd.Context(), g.Decision.ID)
		}
		return api.Explanation{Decision: *g.Decision}, nil
	}
	return api.Explanation{}, fmt.Errorf("group %s of application %s: %w", args[1], args[0], scaler.ErrNotFound)
}

func textExplanation(w io.Writer, e api.Explanation) error {
	d := e.Decision
	name := "The last tick"
	if d.ID != 0 {
		name = fmt.Sprintf("Decision %d", d.ID)
	}
	fmt.Fprintf(w, "%s on %s/%s at %s: %s\n", name, d.Application, d.Group, clock(d.At), outcome(d))
	textDecision(w, d)
	if len(e.Plan) > 0 {
		fmt.Fprintln(w, "\nPlan")
		for _, line := range e.Plan {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
	if len(e.Steps) > 0 {
		fmt.Fprintln(w, "\nWhat was done")
		for _, step := range e.Steps {
			textStep(w, step)
		}
	}
	if e.Result != "" {
		fmt.Fprintf(w, "\nResult\n  %s\n", e.Result)
	}
	return nil
}

// sampled is how old a value was when it was used, as far as the monitoring can tell.
func sampled(r policy.Reading, at time.Time) string {
	if r.SampledAt.IsZero() {
		return "evaluated at the tick"
	}
	return fmt.Sprintf("sampled %s before", max(0, at.Sub(r.SampledAt)).Round(100*time.Millisecond))
}

// outcome is what a decision comes to, in a few words.
func outcome(d scaler.Decision) string {
	text := fmt.Sprintf("%d -> %s", d.From, count(d.To, "node"))
	if d.From == d.To {
		text = "stays at " + count(d.To, "node")
	}
	if len(d.Drop) > 0 {
		text += ", drops " + strings.Join(d.Drop, ", ")
	}
	if d.Held {
		text += ", held"
	}
	return text
}

// textDecision writes how a decision came about: from the metrics over what each
// policy made of them to the limits that applied.
func textDecision(w io.Writer, d scaler.Decision) {
	if len(d.Readings) > 0 {
		fmt.Fprintf(w, "\nMetrics (evaluated %s ago)\n", age(d.At))
		for _, query := range slices.Sorted(maps.Keys(d.Readings)) {
			fmt.Fprintf(w, "  %s = %s, %s\n", query, readingText(d.Readings[query]), sampled(d.Readings[query], d.At))
		}
	}
	if d.Advice != nil {
		textOptimizer(w, *d.Advice)
	}
	if len(d.Proposals) > 0 {
		fmt.Fprintln(w, "\nProposals")
		for _, p := range d.Proposals {
			fmt.Fprintf(w, "  %s: %s\n", p.Policy, proposalText(p))
			for _, line := range p.Prints {
				fmt.Fprintf(w, "    | %s\n", line)
			}
		}
	}
	if a := d.Advice; a != nil {
		what := fmt.Sprintf("%s, reliability %.1f %%, model %s", count(a.Nodes, "node"), a.Reliability, a.Model)
		if !a.Valid {
			what = "none: " + a.Error
		}
		fmt.Fprintf(w, "\nAdvice of the optimizer (%s)\n  %s\n", a.Phase, what)
		for _, reason := range a.Reasons {
			fmt.Fprintf(w, "  %s\n", reason)
		}
	}
	if len(d.Shadows) > 0 {
		fmt.Fprintln(w, "\nShadow policies, not acted on")
		for _, s := range d.Shadows {
			fmt.Fprintf(w, "  %s would have %s: %s\n", s.Policy, count(s.To, "node"), s.Proposal.Reason)
		}
	}
	if len(d.Clamps) > 0 {
		fmt.Fprintf(w, "\nLimits\n  %s\n", strings.Join(d.Clamps, "\n  "))
	}
	if len(d.Reasons) > 0 {
		fmt.Fprintf(w, "\nReasons, in their order\n  %s\n", strings.Join(d.Reasons, "\n  "))
	}
	fmt.Fprintf(w, "\nDecision\n  %s\n", outcome(d))
	textCost(w, d.Cost)
}

// textCost writes what a decision costs more or less, and how the budget stands.
func textCost(w io.Writer, c *scaler.CostChange) {
	if c == nil {
		return
	}
	difference := c.After - c.Before
	fmt.Fprintf(w, "\nCost\n  %.4f -> %.4f %s an hour, %+.4f, which is %+.2f a month of %d hours\n",
		c.Before, c.After, c.Currency, difference, difference*scaler.HoursPerMonth, scaler.HoursPerMonth)
	fmt.Fprintf(w, "  this month: %.2f %s so far, %.2f at its end with this size\n", c.Month, c.Currency, c.Forecast)
	if c.MaxPerHour > 0 {
		fmt.Fprintf(w, "  budget: %.4f %s an hour\n", c.MaxPerHour, c.Currency)
	}
	if c.MaxPerMonth > 0 {
		fmt.Fprintf(w, "  budget: %.2f %s a month\n", c.MaxPerMonth, c.Currency)
	}
}

func whatIfCommand(s *settings) *cobra.Command {
	var nodes int
	var set []string
	cmd := &cobra.Command{
		Use:   "what-if APPLICATION GROUP [--nodes N] [--set NAME=VALUE]",
		Short: "Show what would be decided on other values than those seen last",
		Long: "Show what the last tick would have decided if the group had N nodes, all of them\n" +
			"ready, or if queries, alerts and constants had other values: --set CPU=90,\n" +
			"--set overloaded=true, --set CPU=stale. Nothing is done.",
		Args: usage(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			supposed := scaler.Supposed{Set: map[string]any{}}
			if cmd.Flags().Changed("nodes") {
				supposed.Nodes = &nodes
			}
			for _, text := range set {
				name, value, err := ruletest.ParseSetting(text)
				if err != nil {
					return fmt.Errorf("%w: --set %w", errUsage, err)
				}
				supposed.Set[name] = value
			}
			d, err := s.client().WhatIf(cmd.Context(), args[0], args[1], supposed)
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), d, func(w io.Writer) error {
				fmt.Fprintf(w, "If it were so, %s/%s: %s\n", d.Application, d.Group, outcome(d))
				textDecision(w, d)
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&nodes, "nodes", 0, "size of the group")
	cmd.Flags().StringArrayVar(&set, "set", nil, "NAME=VALUE, repeatable")
	return cmd
}

func compareCommand(s *settings) *cobra.Command {
	var since time.Duration
	cmd := &cobra.Command{
		Use:   "compare APPLICATION",
		Short: "Compare shadow policies with those in charge",
		Long: "Compare shadow policies with those in charge: every tick is recorded and kept for\n" +
			"seven days, also over restarts. Time while scalerd was down does not count.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := s.client().Compare(cmd.Context(), args[0], since)
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), all, func(w io.Writer) error { return textCompare(w, all) })
		},
	}
	cmd.Flags().DurationVar(&since, "since", scaler.ShadowRetention, "how far back to look")
	return cmd
}

func textCompare(w io.Writer, all map[string][]scaler.Comparison) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "No shadow policies: write shadow: true at a policy to compare it.")
		return err
	}
	t := table(w)
	fmt.Fprintln(t, "GROUP\tPOLICY\tSINCE\tNODES\tNODE-HOURS\tCHANGES\tSHORT")
	row := func(group, policy string, since time.Time, tally scaler.Tally) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%.2f\t%d\t%s\n", group, policy, clock(since), tally.Nodes, tally.NodeHours, tally.Changes, tally.Short.Round(time.Second))
	}
	for _, group := range slices.Sorted(maps.Keys(all)) {
		for _, c := range all[group] {
			row(group, c.Policy+" (shadow)", c.Since, c.Shadow)
			row(group, "in charge meanwhile", c.Since, c.Active)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nSHORT is the time with fewer nodes than the policies in charge needed.")
	return err
}
