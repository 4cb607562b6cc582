package backtest

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Table is rows of cells, the first row being the header.
type Table [][]string

// Text writes the table in columns.
func (t Table) Text(w io.Writer) error {
	tabs := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for i, row := range t {
		line := strings.Join(row, "\t")
		if i == 0 {
			line = strings.ToUpper(line)
		}
		fmt.Fprintln(tabs, line)
	}
	return tabs.Flush()
}

// Markdown writes the table for a pull request.
func (t Table) Markdown(w io.Writer) error {
	for i, row := range t {
		if _, err := fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | ")); err != nil {
			return err
		}
		if i > 0 {
			continue
		}
		rule := "|---" + strings.Repeat("|---:", len(row)-1) + "|"
		if _, err := fmt.Fprintln(w, rule); err != nil {
			return err
		}
	}
	return nil
}

// Title is a line about what the report's table shows.
func (r Report) Title() string {
	text := fmt.Sprintf("%s: %s, peak needs %d nodes, limit %s, boot %s, seed %d",
		r.Trace, longTime(r.Span), r.PeakNodes, r.Limit, r.Plant.Boot, r.Seed)
	if r.Plant.Drift != 1 {
		text += fmt.Sprintf(", service time x%g from %g%% on", r.Plant.Drift, 100*r.Plant.DriftAt)
	}
	if r.Plant.ExtraLatency > 0 {
		text += fmt.Sprintf(", +%s from %g%% on", r.Plant.ExtraLatency, 100*r.Plant.DriftAt)
	}
	if r.Plant.Law != LawMMC {
		text += fmt.Sprintf(", law %s", r.Plant.Law)
	}
	return text
}

// Table has a row for each policy.
func (r Report) Table() Table {
	cost := r.Results[0].Cost > 0
	header := []string{"policy", "node-hours", "over clairvoyant", "time over", "requests over", "p50", "p95", "p99", "actions/day", "launches", "worst hour"}
	if cost {
		header = append(header, "cost")
	}
	t := Table{header}
	for _, res := range r.Results {
		row := []string{
			res.Policy, fmt.Sprintf("%.1f", res.NodeHours), signed(res.OverClairvoyant), share(res.TimeOver), share(res.RequestsOver),
			millis(res.P50), millis(res.P95), millis(res.P99), fmt.Sprintf("%.0f", res.ActionsPerDay), fmt.Sprint(res.Launches), worst(res.Worst),
		}
		if cost {
			row = append(row, fmt.Sprintf("%.2f", res.Cost))
		}
		t = append(t, row)
	}
	return t
}

func worst(h Hour) string {
	if h.TimeOver == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%% at %s", 100*h.TimeOver, longTime(h.From))
}

func signed(v float64) string { return fmt.Sprintf("%+.1f%%", 100*v) }
func share(v float64) string  { return fmt.Sprintf("%.2f%%", 100*v) }
func millis(v float64) string { return fmt.Sprintf("%.0fms", 1000*v) }

// longTime writes a time of hours or days.
func longTime(d time.Duration) string {
	d = d.Round(time.Minute)
	if days := int(d / day); days > 0 {
		return fmt.Sprintf("%dd%02dh%02dm", days, int(d.Hours())%24, int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}
