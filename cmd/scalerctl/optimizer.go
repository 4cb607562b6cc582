package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler/api"
)

func adviceCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "advice APPLICATION GROUP",
		Short: "Show what the optimizer of a group advises, and why",
		Args:  usage(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := s.client().Optimizer(cmd.Context(), api.GroupOptimizer(args[0], args[1]))
			if err != nil {
				return err
			}
			if a.Advice == nil {
				return fmt.Errorf("group %s has not been advised yet", args[1])
			}
			return s.show(cmd.OutOrStdout(), a.Advice, func(w io.Writer) error { return textAdvice(w, a) })
		},
	}
}

func textAdvice(w io.Writer, o api.OptimizerDetail) error {
	a := o.Advice
	what := count(a.Nodes, "node") + fmt.Sprintf(", reliability %.1f %%", a.Reliability)
	if !a.Valid {
		what = "no advice: " + a.Error
	}
	fmt.Fprintf(w, "%s at %s: %s\n", o.Name, clock(a.At), what)
	fmt.Fprintf(w, "  %s, model %s, %s, %s\n", a.Phase, a.Model, count(o.Samples, "sample"), count(o.Trainings, "training"))
	if o.Problem != "" {
		fmt.Fprintf(w, "  %s\n", o.Problem)
	}
	for _, reason := range a.Reasons {
		fmt.Fprintf(w, "  %s\n", reason)
	}
	if len(a.Candidates) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := table(w)
	fmt.Fprint(t, "NODES\t")
	for _, target := range o.Config.Targets {
		fmt.Fprintf(t, "%s\t", target.Name)
	}
	fmt.Fprintln(t, "RISK\tIN RANGE")
	for _, c := range a.Candidates {
		fmt.Fprintf(t, "%d%s\t", c.Nodes, mark(c, a.Nodes))
		for _, p := range c.Targets {
			fmt.Fprintf(t, "%.4g (%.4g to %.4g)\t", p.Value, p.Low, p.High)
		}
		fmt.Fprintf(t, "%.1f %%\t%s\n", 100*c.Risk, map[bool]string{true: "yes", false: "no"}[c.Holds])
	}
	return t.Flush()
}

// textOptimizer writes what the optimizer said to a decision.
func textOptimizer(w io.Writer, a optimizer.Advice) {
	what := fmt.Sprintf("%s, reliability %.1f %%, model %s", count(a.Nodes, "node"), a.Reliability, a.Model)
	if !a.Valid {
		what = "none: " + a.Error
	}
	fmt.Fprintf(w, "\nAdvice of the optimizer (%s)\n  %s\n", a.Phase, what)
	for _, reason := range a.Reasons {
		fmt.Fprintf(w, "  %s\n", reason)
	}
}

func mark(c optimizer.Candidate, advised int) string {
	if c.Nodes == advised {
		return " <"
	}
	return ""
}

func reportCommand(s *settings) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "report APPLICATION GROUP -o report.html|report.png|report.svg",
		Short: "Write what the optimizer of a group knows: a page, a picture or data",
		Long: "Write what the optimizer of a group knows. The name after -o says what: a page\n" +
			"(.html) that works without a network, a picture (.png, .svg) or data (.json).\n" +
			"- is standard output.",
		Args: usage(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := format
			if kind == "" {
				kind = strings.TrimPrefix(filepath.Ext(s.output), ".")
			}
			switch kind {
			case "html", "png", "svg", "json":
			default:
				return fmt.Errorf("%w: say where to write with -o FILE.html, .png, .svg or .json, or -o - --format html", errUsage)
			}
			return s.write(cmd, s.output, func(w io.Writer) error {
				return s.client().Report(cmd.Context(), api.GroupOptimizer(args[0], args[1]), kind, w)
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "html, png, svg or json, where the file's name does not say")
	return cmd
}

// write lets do write to a file, which is there whole or not at all, or to standard
// output.
func (s *settings) write(cmd *cobra.Command, path string, do func(io.Writer) error) error {
	if path == "-" {
		return do(cmd.OutOrStdout())
	}
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer file.Cleanup()
	if err := do(file); err != nil {
		return err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Wrote %s\n", path)
	return nil
}

func knowledgeCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "knowledge",
		Short: "Export and import what the optimizer of a group has learned from",
		Args:  usage(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(exportCommand(s), importCommand(s))
	return cmd
}

func exportCommand(s *settings) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "export APPLICATION GROUP",
		Short: "Write the samples to standard output: csv in the columns of MiCADO's Optimizer, json with all",
		Args:  usage(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := knownFormat(format); err != nil {
				return err
			}
			return s.client().ExportKnowledge(cmd.Context(), api.GroupOptimizer(args[0], args[1]), format, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&format, "format", "csv", "csv or json")
	return cmd
}

func importCommand(s *settings) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "import APPLICATION GROUP [FILE]",
		Short: "Add the samples of a file, or of standard input; files of MiCADO's Optimizer too",
		Args:  usage(cobra.RangeArgs(2, 3)),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, kind := cmd.InOrStdin(), format
			if len(args) == 3 {
				file, err := os.Open(args[2])
				if err != nil {
					return err
				}
				defer file.Close()
				from = file
				if kind == "" {
					kind = strings.TrimPrefix(filepath.Ext(args[2]), ".")
				}
			}
			if kind == "" {
				kind = "csv"
			}
			if err := knownFormat(kind); err != nil {
				return err
			}
			done, err := s.client().ImportKnowledge(cmd.Context(), api.GroupOptimizer(args[0], args[1]), kind, from)
			if err != nil {
				return err
			}
			return s.show(cmd.OutOrStdout(), done, func(w io.Writer) error {
				fmt.Fprintf(w, "%s added, %d rows skipped\n", count(done.Added, "sample"), done.Skipped)
				for _, reason := range done.Reasons {
					fmt.Fprintf(w, "  %s\n", reason)
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "csv or json (default: by the file's name, else csv)")
	return cmd
}

func knownFormat(format string) error {
	if format != "csv" && format != "json" {
		return fmt.Errorf("%w: format %q: use csv or json", errUsage, format)
	}
	return nil
}
