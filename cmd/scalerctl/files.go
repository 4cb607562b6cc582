package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/hook"
	"github.com/scalerd/scalerd/scaler/terraform"
	"github.com/scalerd/scalerd/tfgen/price"
	"github.com/scalerd/scalerd/tfgen/spec"
)

func validateCommand() *cobra.Command {
	var in input
	var prices string
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check descriptions and list all mistakes",
		Args:  usage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			list, err := priceList(prices)
			if err != nil {
				return err
			}
			if list != nil {
				in.checks = append(in.checks, scaler.CheckPrices(list))
			}
			var errs []error
			for _, file := range files {
				described, source, err := in.load(cmd, file)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				for _, note := range append(scaler.Notes(described), scaler.LeakNotes(source)...) {
					fmt.Fprintln(cmd.ErrOrStderr(), "warning:", note)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: application %s is valid: %s\n", file, described.Name, count(len(described.Groups), "group"))
			}
			return errors.Join(errs...)
		},
	}
	in.register(cmd)
	cmd.Flags().StringVar(&prices, "prices", "", "price list of scalerd; budgets are checked against it, as at apply")
	return cmd
}

// priceList reads a price list; without a file there is none.
func priceList(file string) (*price.List, error) {
	if file == "" {
		return nil, nil
	}
	return price.Load(file)
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of descriptions, for editors",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := spec.Schema()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), string(text))
			return err
		},
	}
}

func generateCommand() *cobra.Command {
	var in input
	var out string
	var force bool
	cmd := &cobra.Command{
		Use:   "generate FILE --out DIR",
		Short: "Write the Terraform of a description, at its initial sizes",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return fmt.Errorf("%w: say where to write with --out DIR", errUsage)
			}
			described, _, err := in.load(cmd, args[0])
			if err != nil {
				return err
			}
			if entries, err := os.ReadDir(out); err == nil && len(entries) > 0 && !force {
				return fmt.Errorf("%s is not empty: choose another folder, or overwrite with --force", out)
			}
			if err := scaler.Generate(cmd.Context(), described, terraform.NewRunner("terraform", terraform.Options{}), out); err != nil {
				return err
			}
			return listFiles(cmd.OutOrStdout(), out)
		},
	}
	in.register(cmd)
	cmd.Flags().StringVar(&out, "out", "", "folder to write to")
	cmd.Flags().BoolVar(&force, "force", false, "write into a folder that is not empty")
	return cmd
}

func listFiles(w io.Writer, dir string) error {
	return filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			_, err = fmt.Fprintln(w, path)
		}
		return err
	})
}

func planCommand(s *settings) *cobra.Command {
	var in input
	var offline, detailed bool
	var binary, prices, policies string
	cmd := &cobra.Command{
		Use:   "plan FILE",
		Short: "Show what applying a description would do, as Terraform plans it",
		Long: "Show what applying a description would do, as Terraform plans it.\n\n" +
			"Where a scalerd answers on the socket, its running nodes are what the plan\n" +
			"starts from. Otherwise, or with --offline, it starts from nothing.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := s.plan(cmd, in, args[0], offline, binary, prices, policies)
			if err != nil {
				return err
			}
			if err := s.showPlan(cmd.OutOrStdout(), plan); err != nil {
				return err
			}
			if detailed && plan.Changes() {
				return errChanges
			}
			return nil
		},
	}
	in.register(cmd)
	cmd.Flags().BoolVar(&offline, "offline", false, "do not ask the daemon: plan from nothing")
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 where there are changes")
	cmd.Flags().StringVar(&binary, "terraform", "", "terraform binary (default: on PATH, else fetched)")
	cmd.Flags().StringVar(&prices, "prices", "", "price list (YAML or CSV: cloud, region, offering, per_hour); shows what the nodes cost")
	cmd.Flags().StringVar(&policies, "policy-dir", "", "folder of checks to ask about plans that terraform makes here; a running scalerd has its own")
	return cmd
}

func (s *settings) plan(cmd *cobra.Command, in input, file string, offline bool, binary, prices, policies string) (scaler.ApplicationPlan, error) {
	described, source, err := in.load(cmd, file)
	if err != nil {
		return scaler.ApplicationPlan{}, err
	}
	list, err := priceList(prices)
	if err != nil {
		return scaler.ApplicationPlan{}, err
	}
	plan, err := s.planned(cmd, described, source, offline, binary, policies)
	if err != nil {
		return plan, err
	}
	for i := range plan.Groups {
		g := &plan.Groups[i]
		group := described.Group(g.Name)
		if group == nil {
			continue
		}
		if node, known := scaler.NodePrice(list, group); known {
			g.Cost = &scaler.Cost{Before: node.Times(g.From).PerHour, After: node.Times(g.To).PerHour, Currency: node.Currency}
		} else if list != nil {
			g.Notes = append(g.Notes, fmt.Sprintf("the price list does not say what a node costs (%s %s)", group.Cloud, price.Of(group).Name))
		}
	}
	return plan, nil
}

func (s *settings) planned(cmd *cobra.Command, described *spec.Application, source scaler.Source, offline bool, binary, policies string) (scaler.ApplicationPlan, error) {
	var err error
	if !offline {
		if source, err = forDaemon(source); err != nil {
			return scaler.ApplicationPlan{}, err
		}
		plan, err := s.client().Plan(cmd.Context(), api.Describe(source))
		if !errors.Is(err, api.ErrNoDaemon) {
			return plan, err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "No scalerd answers on %s: planned from nothing.\n", s.socket)
	}
	runner, err := offlineTerraform(cmd.Context(), binary)
	if err != nil {
		return scaler.ApplicationPlan{}, err
	}
	if policies == "" {
		return scaler.PlanNew(cmd.Context(), described, runner, nil, false)
	}
	return scaler.PlanNew(cmd.Context(), described, runner, hook.Checks(policies), false)
}

func offlineTerraform(ctx context.Context, binary string) (*terraform.Runner, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	path, err := terraform.Find(ctx, binary, filepath.Join(cache, "scalerd", "bin"))
	if err != nil {
		return nil, err
	}
	return terraform.NewRunner(path, terraform.Options{}), nil
}

func (s *settings) showPlan(w io.Writer, plan scaler.ApplicationPlan) error {
	if s.output == "markdown" {
		return markdownPlan(w, plan)
	}
	return s.show(w, plan, func(w io.Writer) error { return textPlan(w, plan) })
}
