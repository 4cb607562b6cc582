package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler/backtest"
)

// backtestFlags are the flags of backtest.
type backtestFlags struct {
	traces   []string
	suite    string
	window   string
	smooth   time.Duration
	policies []string
	metrics  []string
	limit    time.Duration
	seed     uint64
	seeds    int
	nodes    int
	options  backtest.Options
	plot     string
	law      string
	plant    backtest.Plant
	recorded recordedFlags
	samples  string
	unit     string
	gates    backtest.Gates
	baseline string
	prices   string
	maxOver  string
	maxCost  string
}

func backtestCommand(s *settings) *cobra.Command {
	f := backtestFlags{plant: backtest.DefaultPlant()}
	cmd := &cobra.Command{
		Use:   "backtest --trace FILE",
		Short: "Show what policies would have done under a recorded load",
		Long: "Show what policies would have done under a recorded load, against simulated\n" +
			"nodes: the same policies and decisions as in the daemon, beside those of AWS and\n" +
			"Kubernetes, the best fixed size, and a clairvoyant that knows the future.\n\n" +
			"The trace is CSV with the columns t_seconds and requests_per_second, plain or with\n" +
			"gzip. It is scaled so that the peak of its load needs --nodes nodes. A policy is one of\n" +
			builtInNames() + ",\nor a group of a description as FILE#GROUP, which decides at its own interval. Its PromQL is\n" +
			"evaluated on the simulated nodes, which have the labels application, group, node, instance\n" +
			"and job=node, and the metrics\n" + strings.Join(backtest.SeriesNames(), ", ") + ".\n" +
			"A query for another metric takes its value from one of them by --metric.\n\n" +
			"Exit codes: 0, 1 on an error, 2 where --max-over or --max-cost-increase is exceeded.",
		Example: "  scalerctl backtest --trace examples/traces/day.csv --policy hpa60 --policy target60\n" +
			"  scalerctl backtest --trace load.csv.gz --window 45d-48d --policy shop.yaml#web --plot out.png\n" +
			"  scalerctl backtest --prometheus http://localhost:9090 --query 'sum(rate(http_requests_total[1m]))' --from -7d --policy shop.yaml#web",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return s.backtest(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.traces, "trace", nil, "trace to replay; may be given several times")
	flags.StringVar(&f.suite, "suite", "", "folder with the public traces that the project is measured on; replays the windows that are there")
	f.recorded.register(flags)
	flags.StringVar(&f.window, "window", "", "part of the traces, such as 45d-48d or 6h-18h")
	flags.DurationVar(&f.smooth, "smooth", 0, "average the traces over this time first")
	flags.StringArrayVar(&f.policies, "policy", nil, "policy to try; may be given several times (default: all built-in ones, of which the learning ones take seconds a day)")
	flags.StringArrayVar(&f.metrics, "metric", nil, "source of a description's query: NAME=METRIC or NAME=METRIC*FACTOR")
	flags.DurationVar(&f.limit, "limit", 250*time.Millisecond, "highest mean latency that is allowed")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of everything that happens by chance")
	flags.IntVar(&f.seeds, "seeds", 1, "how many seeds to run, from --seed on")
	flags.IntVar(&f.nodes, "nodes", 0, "nodes that the peak of the load needs (default 24, or 3/4 of the smallest max of the descriptions)")
	flags.Float64Var(&f.options.Price, "price", 0, "price of a node-hour, to show costs")
	flags.BoolVar(&f.options.Hindsight, "hindsight", false, "also show the best that a policy with the true capacity and a trend for a forecast can do")
	flags.StringVar(&f.plot, "plot", "", "draw load, nodes and latency into this file, .png or .svg (one trace, one seed)")
	flags.StringVar(&f.law, "law", string(f.plant.Law), "response law of the nodes: mmc, mg1 (heavy tail) or ps (processor sharing)")
	flags.StringVar(&f.samples, "fit", "", "CSV of recorded samples (vm_number, AVG_RR or SUM_RR, CPU, AVG_LAT) that service time, cores, base latency, law, imbalance and noise are fitted to; the load is then replayed as recorded, unless --nodes is given")
	flags.StringVar(&f.unit, "fit-unit", "", "unit of the latencies in --fit: us, ms or s (default: told from their size)")
	flags.StringVar(&f.maxOver, "max-over", "", "exit with 2 where a policy is over the limit for more of the time than this, such as 1%")
	flags.StringVar(&f.maxCost, "max-cost-increase", "", "exit with 2 where a policy costs more than --baseline by more than this, such as 5%")
	flags.StringVar(&f.baseline, "baseline", "", "policy that --max-cost-increase compares with, written as for --policy, and shown too (default: the clairvoyant)")
	flags.StringVar(&f.prices, "prices", "", "price list (YAML or CSV: cloud, region, offering, per_hour) for the groups of descriptions; the other policies cost the same a node")
	flags.DurationVar(&f.plant.BaseLatency, "base-latency", 0, "added to every response, without work for the processor")
	flags.DurationVar(&f.plant.Tick, "tick", f.plant.Tick, "time between two decisions; it is shortened to fit the intervals of descriptions")
	flags.IntVar(&f.plant.Cores, "cores", f.plant.Cores, "requests that a node serves at once")
	flags.DurationVar(&f.plant.ServiceTime, "service-time", f.plant.ServiceTime, "mean time that one core works on a request")
	flags.DurationVar(&f.plant.Boot, "boot", f.plant.Boot, "median time from launch to the first request")
	flags.DurationVar(&f.plant.WarmUp, "warm-up", f.plant.WarmUp, "time for which a new node is slow")
	flags.DurationVar(&f.plant.SlowStart, "slow-start", f.plant.SlowStart, "time that the balancer takes to give a new node its full share")
	flags.Float64Var(&f.plant.Drift, "drift", f.plant.Drift, "factor of the service time from half of the trace on")
	flags.DurationVar(&f.plant.ExtraLatency, "extra-latency", 0, "added to every response from half of the trace on, without work for the processor")
	return cmd
}

func builtInNames() string {
	var names []string
	for _, e := range backtest.BuiltIn() {
		names = append(names, e.Name)
	}
	return strings.Join(names, ", ")
}

func (s *settings) backtest(cmd *cobra.Command, f backtestFlags) error {
	f.plant.Law = backtest.Law(f.law)
	if len(f.traces) == 0 && f.suite == "" && !f.recorded.asked() && f.recorded.query == "" {
		return fmt.Errorf("%w: give a trace with --trace FILE, or --prometheus URL with --query", errUsage)
	}
	if err := f.recorded.check(); err != nil {
		return err
	}
	if s.output != "text" && s.output != "json" && s.output != "markdown" {
		return fmt.Errorf("%w: output %q: use text, json or markdown", errUsage, s.output)
	}
	format := strings.TrimPrefix(filepath.Ext(f.plot), ".")
	if f.plot != "" && !slices.Contains([]string{"png", "svg"}, format) {
		return fmt.Errorf("%w: --plot %s: end the name in .png or .svg", errUsage, f.plot)
	}
	if err := f.readGates(); err != nil {
		return err
	}
	policies, err := f.makers(cmd)
	if err != nil {
		return err
	}
	fitted, err := f.fit(cmd)
	if err != nil {
		return err
	}
	loads, err := f.loads(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if f.plot != "" && (len(loads) != 1 || f.seeds != 1) {
		return fmt.Errorf("%w: --plot draws one trace with one seed", errUsage)
	}
	var reports []backtest.Report
	for _, l := range loads {
		for i := range max(1, f.seeds) {
			report, err := f.report(cmd, l, f.seed+uint64(i), policies)
			if err != nil {
				return err
			}
			report.Fit = fitted
			reports = append(reports, report)
			if len(loads)*f.seeds > 1 && onTerminal(os.Stderr) {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s with seed %d is done\n", l.name, f.seed+uint64(i))
			}
		}
	}
	if f.plot != "" {
		if err := writePlot(f.plot, format, reports[0]); err != nil {
			return err
		}
	}
	if err := s.showReports(cmd.OutOrStdout(), reports); err != nil {
		return err
	}
	return f.judge(cmd.ErrOrStderr(), reports)
}

func (f *backtestFlags) report(cmd *cobra.Command, l named, seed uint64, policies []backtest.Maker) (backtest.Report, error) {
	scaled, err := backtest.NewLoad(l.name, l.trace, f.plant, f.limit, f.nodes, seed)
	if err != nil {
		return backtest.Report{}, err
	}
	world, err := backtest.NewWorld(f.plant, scaled, f.limit, seed)
	if err != nil {
		return backtest.Report{}, err
	}
	if !l.start.IsZero() {
		world.Start = l.start
	}
	return world.Compare(cmd.Context(), policies, f.options)
}

// showReports writes one report as its table, several as their summary.
func (s *settings) showReports(w io.Writer, reports []backtest.Report) error {
	write := backtest.Table.Text
	if s.output == "markdown" {
		write = backtest.Table.Markdown
	}
	if fitted := reports[0].Fit; fitted != nil && s.output != "json" {
		fmt.Fprintf(w, "The plant is %s.\n\n", fitted)
	}
	if s.output != "json" && len(reports) > 1 {
		fmt.Fprint(w, "Node-hours over the clairvoyant's, share of the time over the limit, actions a day:\n\n")
		return write(backtest.SummaryTable(backtest.Summarise(reports)), w)
	}
	if s.output == "json" {
		return s.show(w, reports, nil)
	}
	for _, r := range reports {
		fmt.Fprintf(w, "%s\n\n", r.Title())
		if err := write(r.Table(), w); err != nil {
			return err
		}
		if r.Note != "" {
			fmt.Fprintf(w, "\nLimit unreachable: %s.\n", r.Note)
		}
	}
	return nil
}

func writePlot(path, format string, r backtest.Report) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return errors.Join(r.Plot(file, format), file.Close())
}

func onTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
