package backtest

import (
	"fmt"
	"slices"
)

// Line is how one policy did over several reports of one trace, in the mean.
type Line struct {
	Policy          string  `json:"policy"`
	Trace           string  `json:"trace"`
	OverClairvoyant float64 `json:"over_clairvoyant"`
	TimeOver        float64 `json:"time_over"`
	RequestsOver    float64 `json:"requests_over"`
	ActionsPerDay   float64 `json:"actions_per_day"`
	// Seeds is how many reports the means are over.
	Seeds int `json:"seeds"`
}

// Summarise takes means over the seeds: a line for each policy and trace, in the
// order in which they first appear.
func Summarise(reports []Report) []Line {
	var lines []Line
	for _, report := range reports {
		for _, r := range report.Results {
			i := slices.IndexFunc(lines, func(l Line) bool { return l.Policy == r.Policy && l.Trace == report.Trace })
			if i < 0 {
				i, lines = len(lines), append(lines, Line{Policy: r.Policy, Trace: report.Trace})
			}
			lines[i].add(r)
		}
	}
	for i := range lines {
		lines[i].divide()
	}
	return lines
}

func (l *Line) add(r Result) {
	l.OverClairvoyant += r.OverClairvoyant
	l.TimeOver += r.TimeOver
	l.RequestsOver += r.RequestsOver
	l.ActionsPerDay += r.ActionsPerDay
	l.Seeds++
}

func (l *Line) divide() {
	n := float64(l.Seeds)
	l.OverClairvoyant /= n
	l.TimeOver /= n
	l.RequestsOver /= n
	l.ActionsPerDay /= n
}

// SummaryTable has a row for each policy and a column for each trace. A cell is
// the node-hours over the clairvoyant's, the share of the time over the limit, and
// the actions a day. Where there are several diurnal windows, a last column has the
// mean of their node-hours and the worst of their times over the limit.
func SummaryTable(lines []Line) Table {
	var policies, traces []string
	cells := map[[2]string]string{}
	for _, l := range lines {
		if !slices.Contains(policies, l.Policy) {
			policies = append(policies, l.Policy)
		}
		if !slices.Contains(traces, l.Trace) {
			traces = append(traces, l.Trace)
		}
		cells[[2]string{l.Policy, l.Trace}] = fmt.Sprintf("%s %s %.0f", signed(l.OverClairvoyant), share(l.TimeOver), l.ActionsPerDay)
	}
	t := Table{append([]string{"policy"}, traces...)}
	diurnal := diurnalAmong(traces)
	if len(diurnal) > 1 {
		t[0] = append(t[0], "diurnal mean, worst")
	}
	for _, p := range policies {
		row := []string{p}
		for _, trace := range traces {
			row = append(row, cells[[2]string{p, trace}])
		}
		if len(diurnal) > 1 {
			row = append(row, diurnalCell(lines, p, diurnal))
		}
		t = append(t, row)
	}
	return t
}

func diurnalAmong(traces []string) []string {
	var found []string
	for _, w := range Windows() {
		if w.Diurnal && slices.Contains(traces, w.Name) {
			found = append(found, w.Name)
		}
	}
	return found
}

func diurnalCell(lines []Line, policy string, traces []string) string {
	sum, worst := 0.0, 0.0
	for _, l := range lines {
		if l.Policy == policy && slices.Contains(traces, l.Trace) {
			sum += l.OverClairvoyant
			worst = max(worst, l.TimeOver)
		}
	}
	return fmt.Sprintf("%s %s", signed(sum/float64(len(traces))), share(worst))
}
