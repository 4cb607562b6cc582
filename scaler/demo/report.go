package demo

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// reportRows is how many parts of the run the report has a row for.
const reportRows = 12

// report writes what the groups went through in the time that there was load.
func report(out io.Writer, p plan, lasted time.Duration) {
	fmt.Fprintf(out, "scalerd demo: application %s under load for %s\nLoad: %s\n", p.app.Name, lasted.Round(time.Second), p.source)
	for _, part := range p.parts {
		fmt.Fprintln(out)
		part.table(out, p.limit, lasted)
		part.totals(out, p.limit, lasted)
	}
	fmt.Fprintf(out, "\nTime is over the limit, in slices of %s, where 1 request in 20 took longer or\nfailed. One that is unanswered after %s has failed.\n", verdictSlice, requestTimeout)
}

func (p *part) table(out io.Writer, limit, lasted time.Duration) {
	fmt.Fprintf(out, "%s: %d to %d nodes; limit: 95 %% of requests within %s\n", p.group.Name, p.group.Min, p.group.Max, latency(limit))
	fmt.Fprintf(out, "  %-13s %8s %8s %8s %6s %6s\n", "time", "req/s", "p50", "p95", "over", "nodes")
	for i := range reportRows {
		from, to := lasted*time.Duration(i)/reportRows, lasted*time.Duration(i+1)/reportRows
		latencies := p.record.arrivals(from, to)
		over, judged := p.record.over(from, to, limit)
		nodes := p.record.nodes(from, to)
		fmt.Fprintf(out, "  %-13s %8.1f %8s %8s %6s %6.1f  %s\n", clock(from)+" - "+clock(to),
			float64(len(latencies))/(to-from).Seconds(), latency(quantile(latencies, 0.5)), latency(quantile(latencies, tail)),
			percent(over, judged), nodes, strings.Repeat("█", int(math.Round(min(1, nodes/float64(p.group.Max))*16))))
	}
}

func (p *part) totals(out io.Writer, limit, lasted time.Duration) {
	all := p.record.arrivals(0, lasted)
	over, judged := p.record.over(0, lasted, limit)
	fmt.Fprintf(out, "  %d requests, %d failed, p95 %s; over the limit for %s of the time (%s)\n",
		len(all), failed(all), latency(quantile(all, tail)), percent(over, judged), over.Round(time.Second))
	used, fixed := p.record.nodeTime(0, lasted), time.Duration(p.fixed)*lasted
	fmt.Fprintf(out, "  %.1f node-minutes; a fixed fleet of %d nodes needs %.1f, which is %s\n",
		used.Minutes(), p.fixed, fixed.Minutes(), compared(used, fixed))
	fmt.Fprintf(out, "  (fixed fleet: %.0f req/s, the highest %s, over %.1f req/s, the most at which\n  a node of %d slots and %s a request keeps the limit as an M/M/%d queue)\n",
		p.peak*p.shape.peak(p.length), peakWindow, p.each, p.group.Local.Slots, p.group.Local.ServiceTime, p.group.Local.Slots)
}

// compared says how much more or less a fixed fleet needs than was used.
func compared(used, fixed time.Duration) string {
	if used == 0 || fixed == 0 {
		return "no comparison"
	}
	change := 100 * (fixed.Seconds()/used.Seconds() - 1)
	if change < 0 {
		return fmt.Sprintf("%.0f %% less", -change)
	}
	return fmt.Sprintf("%.0f %% more", change)
}

// percent writes a share of time.
func percent(part, whole time.Duration) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", 100*part.Seconds()/whole.Seconds())
}
