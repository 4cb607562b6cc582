package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler"
)

func journalCommand(s *settings) *cobra.Command {
	var limit int
	var resources bool
	cmd := &cobra.Command{
		Use:   "journal APPLICATION [GROUP]",
		Short: "List the newest steps: how far each is, and what terraform did",
		Long: "List the newest steps first. A step's phases are intent, written, planned,\n" +
			"applying and read; it ends done, failed or undone. Each phase is on disk before\n" +
			"the next begins, so that scalerd can be killed at any instant and goes on from it.",
		Args: usage(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			group := ""
			if len(args) == 2 {
				group = args[1]
			}
			steps, err := s.client().Journal(cmd.Context(), args[0], group, limit)
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), steps, func(w io.Writer) error {
				t := table(w)
				fmt.Fprintln(t, "STEP\tBEGUN\tGROUP\tSHARD\tDECISION\tPHASE\tTOOK\tNODES\tRESULT")
				for _, step := range steps {
					fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", step.ID, clock(step.Begun()), step.Group, step.Shard,
						orDash(step.Decision), step.Phase, took(step), stepNodes(step), stepResult(step))
					if resources {
						textResources(t, step, "\t\t\t\t\t\t\t\t")
					}
				}
				return t.Flush()
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "how many")
	cmd.Flags().BoolVar(&resources, "resources", false, "show what terraform did to each resource")
	return cmd
}

func orDash(id int64) string {
	if id == 0 {
		return "-"
	}
	return fmt.Sprint(id)
}

// took is how long a step was under way, up to its last phase.
func took(step scaler.StepRecord) string {
	return step.At().Sub(step.Begun()).Round(100_000_000).String()
}

// stepNodes lists the nodes that come and go, the first few by name.
func stepNodes(step scaler.StepRecord) string {
	const shown = 4
	var parts []string
	add := func(sign string, names []string) {
		for i, name := range names {
			if i == shown {
				parts = append(parts, fmt.Sprintf("%s%d more", sign, len(names)-shown))
				return
			}
			parts = append(parts, sign+name)
		}
	}
	add("+", step.Add)
	add("-", step.Remove)
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, " ")
}

// stepResult says what came of a step: what terraform did, and why not the rest.
func stepResult(step scaler.StepRecord) string {
	var parts []string
	if n := len(step.Resources); n > 0 {
		failed := 0
		for _, r := range step.Resources {
			if !r.OK {
				failed++
			}
		}
		parts = append(parts, fmt.Sprintf("%d of %s changed", n-failed, count(n, "resource")))
	} else if p := step.Plan; p != nil {
		parts = append(parts, fmt.Sprintf("plan: %d to create, %d to update, %d to replace, %d to delete", p.Create, p.Update, p.Replace, p.Delete))
	}
	if step.Reason != "" {
		parts = append(parts, step.Reason)
	}
	if step.Error != "" {
		line, _, _ := strings.Cut(step.Error, "\n")
		parts = append(parts, line)
	}
	return strings.Join(parts, "; ")
}

func textResources(w io.Writer, step scaler.StepRecord, indent string) {
	for _, r := range step.Resources {
		result := "ok"
		if !r.OK {
			result = strings.TrimSpace("failed " + r.Error)
		}
		fmt.Fprintf(w, "%s%s %s: %s, %g s\n", indent, r.Action, r.Address, result, r.Seconds)
	}
}

// textStep writes one step with its phases and results.
func textStep(w io.Writer, step scaler.StepRecord) {
	fmt.Fprintf(w, "  step %d on %s: %s, %s\n", step.ID, step.Shard, stepNodes(step), step.Phase)
	for _, t := range step.History {
		fmt.Fprintf(w, "    %s %s%s\n", clock(t.At), t.Phase, phaseNote(step, t.Phase))
	}
	textResources(w, step, "      ")
	if step.Error != "" {
		fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(step.Error, "\n", "\n    "))
	}
}

func phaseNote(step scaler.StepRecord, p scaler.Phase) string {
	switch {
	case p == scaler.PhasePlanned && step.Plan != nil:
		return fmt.Sprintf(", plan %.12s: %d to create, %d to update, %d to replace, %d to delete", step.Plan.Digest, step.Plan.Create, step.Plan.Update, step.Plan.Replace, step.Plan.Delete)
	case p == scaler.PhaseRead && step.State != nil:
		return fmt.Sprintf(", state at serial %d", step.State.Serial)
	}
	return ""
}
