package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/scaler"
)

// counts sums a group's changes as Terraform's summary line does.
func counts(changes []scaler.Change) (add, change, destroy int) {
	for _, c := range changes {
		switch c.Action {
		case scaler.ActionCreate:
			add++
		case scaler.ActionDelete:
			destroy++
		case scaler.ActionReplace:
			add, destroy = add+1, destroy+1
		default:
			change++
		}
	}
	return add, change, destroy
}

var signs = map[scaler.Action]string{
	scaler.ActionCreate:  "+",
	scaler.ActionDelete:  "-",
	scaler.ActionUpdate:  "~",
	scaler.ActionReplace: "-/+",
}

func title(plan scaler.ApplicationPlan) string {
	switch {
	case plan.New:
		return "is new"
	case plan.Changes():
		return "changes"
	default:
		return "needs no change of its nodes"
	}
}

func textPlan(w io.Writer, plan scaler.ApplicationPlan) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Application %s %s.\n", plan.Application, title(plan))
	total := [3]int{}
	for _, g := range plan.Groups {
		add, change, destroy := counts(g.Changes)
		total[0], total[1], total[2] = total[0]+add, total[1]+change, total[2]+destroy
		fmt.Fprintf(&b, "\n  group %s", g.Name)
		if g.Cloud != "" {
			fmt.Fprintf(&b, " (%s)", g.Cloud)
		}
		fmt.Fprintf(&b, ": %d -> %d nodes", g.From, g.To)
		if c := g.Cost; c != nil {
			fmt.Fprintf(&b, ", %.4f -> %.4f %s/h", c.Before, c.After, c.Currency)
		}
		b.WriteString("\n")
		for _, note := range g.Notes {
			fmt.Fprintf(&b, "    %s\n", note)
		}
		for _, c := range g.Changes {
			fmt.Fprintf(&b, "    %-3s %s\n", signs[c.Action], c.Address)
		}
	}
	fmt.Fprintf(&b, "\nPlan: %d to add, %d to change, %d to destroy.\n", total[0], total[1], total[2])
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownPlan is made for a comment on a pull request: a table, and the changes
// folded away.
func markdownPlan(w io.Writer, plan scaler.ApplicationPlan) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### scalerd: application `%s` %s\n\n", plan.Application, title(plan))
	priced := slices.ContainsFunc(plan.Groups, func(g scaler.GroupPlan) bool { return g.Cost != nil })
	b.WriteString("| group | cloud | nodes | add | change | destroy |")
	if priced {
		b.WriteString(" per hour |")
	}
	b.WriteString("\n|---|---|---|---|---|---|")
	if priced {
		b.WriteString("---|")
	}
	b.WriteString("\n")
	for _, g := range plan.Groups {
		add, change, destroy := counts(g.Changes)
		fmt.Fprintf(&b, "| %s | %s | %d → %d | %d | %d | %d |", g.Name, g.Cloud, g.From, g.To, add, change, destroy)
		if c := g.Cost; c != nil {
			fmt.Fprintf(&b, " %.4f → %.4f %s |", c.Before, c.After, c.Currency)
		} else if priced {
			b.WriteString(" |")
		}
		b.WriteString("\n")
	}
	var notes []string
	for _, g := range plan.Groups {
		for _, note := range g.Notes {
			notes = append(notes, fmt.Sprintf("- **%s**: %s\n", g.Name, note))
		}
	}
	if len(notes) > 0 {
		b.WriteString("\n" + strings.Join(notes, ""))
	}
	b.WriteString("\n")
	if plan.Changes() {
		b.WriteString("<details><summary>Changes</summary>\n\n```diff\n")
		for _, g := range plan.Groups {
			for _, c := range g.Changes {
				fmt.Fprintf(&b, "%s %s (%s)\n", diffSign(c.Action), c.Address, g.Name)
			}
		}
		b.WriteString("```\n\n</details>\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// diffSign is the sign that a diff block colours.
func diffSign(a scaler.Action) string {
	switch a {
	case scaler.ActionCreate:
		return "+"
	case scaler.ActionUpdate:
		return "!"
	default:
		return "-"
	}
}
