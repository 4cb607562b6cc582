package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/scalerd/scalerd/scaler/backtest"
	"github.com/scalerd/scalerd/scaler/monitor"
	"github.com/scalerd/scalerd/scaler/trace"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// rangeTimeout bounds one request for a part of a range.
const rangeTimeout = 2 * time.Minute

// recordedFlags name a load that a monitoring recorded.
type recordedFlags struct {
	prometheus  spec.Prometheus
	data        string
	application string
	query       string
	from, to    string
	step        time.Duration
}

func (f *recordedFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.prometheus.URL, "prometheus", "", "Prometheus that recorded the load, which --query asks for")
	flags.StringVar(&f.prometheus.BearerTokenFile, "bearer-token-file", "", "file with the token for --prometheus")
	flags.StringVar(&f.prometheus.CAFile, "ca-file", "", "certificate authority of --prometheus")
	flags.StringVar(&f.data, "data", "", "data folder of a scalerd whose own monitoring recorded the load, in place of --prometheus")
	flags.StringVar(&f.application, "application", "", "application whose metrics --data is asked for")
	flags.StringVar(&f.query, "query", "", "PromQL of the recorded load in requests/s, such as 'sum(rate(http_requests_total[1m]))'")
	flags.StringVar(&f.from, "from", "-24h", "start of the recorded load: an instant such as 2026-01-05T10:00:00Z, or a time before now such as -7d")
	flags.StringVar(&f.to, "to", "", "end of the recorded load (default now)")
	flags.DurationVar(&f.step, "step", 15*time.Second, "time between two values of the recorded load")
}

// asked is whether a recorded load is asked for.
func (f *recordedFlags) asked() bool { return f.prometheus.URL != "" || f.data != "" }

func (f *recordedFlags) check() error {
	switch {
	case f.prometheus.URL != "" && f.data != "":
		return fmt.Errorf("%w: give one of --prometheus and --data", errUsage)
	case f.asked() && f.query == "":
		return fmt.Errorf("%w: say with --query what the load is, such as 'sum(rate(http_requests_total[1m]))'", errUsage)
	case !f.asked() && f.query != "":
		return fmt.Errorf("%w: say with --prometheus URL, or --data DIR, who answers --query", errUsage)
	case (f.data == "") != (f.application == ""):
		return fmt.Errorf("%w: --data DIR and --application NAME go together", errUsage)
	}
	return nil
}

// load asks for the recorded load, and tells of its gaps.
func (f *recordedFlags) load(ctx context.Context, warn io.Writer, now time.Time) (named, error) {
	from, err := backtest.ParseInstant(f.from, now)
	if err != nil {
		return named{}, fmt.Errorf("%w: --from: %w", errUsage, err)
	}
	to, err := backtest.ParseInstant(f.to, now)
	if err != nil {
		return named{}, fmt.Errorf("%w: --to: %w", errUsage, err)
	}
	points, err := f.points(ctx, from, to)
	if err != nil {
		return named{}, err
	}
	samples := make([]trace.Sample, len(points))
	for i, p := range points {
		samples[i] = trace.Sample{At: p.At, Rate: p.Value}
	}
	t, gaps, start, err := trace.Recorded(samples, from, to, f.step)
	for _, gap := range gaps {
		fmt.Fprintf(warn, "gap: %s; the rate before it holds\n", gap)
	}
	if err != nil {
		return named{}, fmt.Errorf("query %s: %w", f.query, err)
	}
	return named{"recorded", t, start}, nil
}

func (f *recordedFlags) points(ctx context.Context, from, to time.Time) ([]monitor.Point, error) {
	if f.data != "" {
		return monitor.Recorded(ctx, filepath.Join(f.data, "metrics"), f.application, f.query, from, to, f.step, f.step)
	}
	server, err := monitor.NewExternal(f.prometheus, "", monitor.ExternalOptions{Timeout: rangeTimeout})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	return server.Range(ctx, f.query, from, to, f.step)
}
