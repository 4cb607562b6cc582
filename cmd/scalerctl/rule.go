package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/scaler/ruletest"
	"github.com/scalerd/scalerd/tfgen/spec"
)

func ruleCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rule",
		Short: "Try the rules of a description",
		Args:  usage(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(ruleTestCommand(s))
	return cmd
}

// which names a rule in a description.
type which struct {
	group, policy string
	in            *input
}

func ruleTestCommand(s *settings) *cobra.Command {
	var in input
	rule := which{in: &in}
	var set []string
	cmd := &cobra.Command{
		Use:   "test FILE... [--set NAME=VALUE]",
		Short: "Evaluate a rule once, or run *" + ruletest.Suffix + " files",
		Long: "Evaluate a rule once, on the values that --set gives: the rule in a file of its\n" +
			"own, or that of a description (with --group and --policy where it has several).\n" +
			"Files named *" + ruletest.Suffix + " hold cases, which are all run.\n\n" +
			"--set m_node_count=3 sets the wanted number of nodes, m_nodes=2 the ready ones,\n" +
			"m_time_since_node_count_changed, m_userdata, now, min and max what they say; other\n" +
			"names are constants, queries and alerts: --set CPU=90 --set overloaded=true\n" +
			"--set 'IDLE=[\"a\"]' --set 'CPU=stale'.",
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			given := ruletest.Given{}
			for _, text := range set {
				name, value, err := ruletest.ParseSetting(text)
				if err != nil {
					return fmt.Errorf("%w: --set %w", errUsage, err)
				}
				given[name] = value
			}
			var errs []error
			for _, file := range files {
				if strings.HasSuffix(file, ruletest.Suffix) {
					errs = append(errs, s.runRuleTests(cmd, &in, file))
				} else {
					errs = append(errs, s.evaluateRule(cmd, file, rule, given))
				}
			}
			return errors.Join(errs...)
		},
	}
	in.register(cmd)
	cmd.Flags().StringArrayVar(&set, "set", nil, "NAME=VALUE, repeatable")
	cmd.Flags().StringVar(&rule.group, "group", "", "group of the description")
	cmd.Flags().StringVar(&rule.policy, "policy", "", "policy of the group")
	return cmd
}

func (s *settings) evaluateRule(cmd *cobra.Command, file string, which which, given ruletest.Given) error {
	rule, err := loadRule(cmd, file, which)
	if err != nil {
		return err
	}
	p, err := ruletest.Evaluate(rule, given)
	if err != nil {
		return err
	}
	for _, note := range policy.RuleNotes(rule.Rule) {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning:", note)
	}
	return s.show(cmd.OutOrStdout(), p, func(w io.Writer) error {
		for _, line := range p.Prints {
			fmt.Fprintf(w, "| %s\n", line)
		}
		_, err := fmt.Fprintln(w, proposalText(p))
		if p.UserData != nil {
			_, err = fmt.Fprintf(w, "m_userdata: %s\n", p.UserData)
		}
		return err
	})
}

func (s *settings) runRuleTests(cmd *cobra.Command, in *input, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	tests, err := ruletest.Parse(file, text)
	if err != nil {
		return err
	}
	rule, err := loadRule(cmd, filepath.Join(filepath.Dir(file), tests.Rule), which{tests.Group, tests.Policy, in})
	if err != nil {
		return fmt.Errorf("%s: rule: %w", file, err)
	}
	results := tests.Run(rule)
	failed := 0
	for _, r := range results {
		failed += min(len(r.Failures), 1)
	}
	err = s.show(cmd.OutOrStdout(), results, func(w io.Writer) error {
		for _, r := range results {
			verdict := "ok    "
			if len(r.Failures) > 0 {
				verdict = "FAILED"
			}
			fmt.Fprintf(w, "%s %s\n", verdict, r.Name)
			for _, f := range r.Failures {
				fmt.Fprintf(w, "       %s\n", f)
			}
		}
		return nil
	})
	if err == nil && failed > 0 {
		err = fmt.Errorf("%s: %d of %s failed", file, failed, count(len(results), "test"))
	}
	return err
}

// loadRule reads a rule from a file of its own, or from a description.
func loadRule(cmd *cobra.Command, file string, which which) (ruletest.Rule, error) {
	if ext := filepath.Ext(file); ext != ".yaml" && ext != ".yml" {
		source, err := os.ReadFile(file)
		if err != nil {
			return ruletest.Rule{}, err
		}
		return ruletest.Rule{Rule: spec.Rule{Source: string(source), File: file, Line: 1, Column: 1}, Max: 1000}, nil
	}
	app, _, err := which.in.load(cmd, file)
	if err != nil {
		return ruletest.Rule{}, err
	}
	var found []ruletest.Rule
	var names []string
	for i := range app.Groups {
		g := &app.Groups[i]
		for _, p := range g.Policies {
			if p.Rule == nil || which.group != "" && which.group != g.Name || which.policy != "" && which.policy != p.Name {
				continue
			}
			found = append(found, ruletest.Rule{Rule: *p.Rule, Constants: app.GroupConstants(g), Min: g.Min, Max: g.Max})
			names = append(names, g.Name+"/"+p.Name)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return ruletest.Rule{}, fmt.Errorf("%s has no such rule", file)
	}
	slices.Sort(names)
	return ruletest.Rule{}, fmt.Errorf("%s has several rules, choose one by its group and policy: %s", file, strings.Join(names, ", "))
}
