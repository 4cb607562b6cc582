package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler/backtest"
	"github.com/scalerd/scalerd/scaler/trace"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// named is a trace with its name in the results.
type named struct {
	name  string
	trace trace.Trace
	// start is the instant of its first sample, and zero where that is not known.
	start time.Time
}

// loads reads the traces.
func (f *backtestFlags) loads(ctx context.Context, warn io.Writer) ([]named, error) {
	var from, to time.Duration
	if f.window != "" {
		var err error
		if from, to, err = backtest.ParseSpan(f.window); err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
	}
	var loads []named
	if f.recorded.asked() {
		l, err := f.recorded.load(ctx, warn, time.Now())
		if err != nil {
			return nil, err
		}
		loads = append(loads, l)
	}
	for _, path := range f.traces {
		w := backtest.Window{Name: filepath.Base(path), File: filepath.Base(path), From: from, To: to, Smooth: f.smooth}
		t, err := w.Read(filepath.Dir(path))
		if err != nil {
			return nil, err
		}
		loads = append(loads, named{name: w.Name, trace: t})
	}
	if f.suite == "" {
		return loads, nil
	}
	for _, w := range backtest.Windows() {
		t, err := w.Read(f.suite)
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(warn, "%s is left out: %s has no %s\n", w.Name, f.suite, w.File)
			continue
		}
		if err != nil {
			return nil, err
		}
		loads = append(loads, named{name: w.Name, trace: t})
	}
	if len(loads) == 0 {
		return nil, fmt.Errorf("%s holds none of the public traces", f.suite)
	}
	return loads, nil
}

// makers finds the policies that are asked for, the baseline after them.
func (f *backtestFlags) makers(cmd *cobra.Command) ([]backtest.Maker, error) {
	sources := map[string]backtest.Source{}
	for _, text := range f.metrics {
		name, from, _ := strings.Cut(text, "=")
		source, err := backtest.ParseSource(from)
		if err != nil {
			return nil, fmt.Errorf("%w: --metric %s: %w", errUsage, text, err)
		}
		sources[name] = source
	}
	var makers []backtest.Maker
	if len(f.policies) == 0 {
		for _, e := range backtest.BuiltIn() {
			makers = append(makers, e.Make)
		}
	}
	asked := f.policies
	if f.baseline != "" && !slices.Contains(asked, f.baseline) && (len(asked) > 0 || strings.Contains(f.baseline, "#")) {
		asked = append(slices.Clone(asked), f.baseline)
	}
	smallest := 0
	names := map[string]bool{}
	for _, text := range asked {
		file, group, ok := strings.Cut(text, "#")
		if !ok {
			entry, err := backtest.Find(text)
			if err != nil {
				return nil, fmt.Errorf("%w: --policy: %w", errUsage, err)
			}
			makers = append(makers, entry.Make)
			continue
		}
		app, _, err := new(input).load(cmd, file)
		if err != nil {
			return nil, err
		}
		name := app.Name + "/" + group
		if names[name] { // two versions of a description
			name = text
		}
		names[name] = true
		if text == f.baseline {
			f.gates.Baseline = name
		}
		made, err := backtest.Described(name, app, group, sources)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		makers = append(makers, made)
		smallest = least(smallest, app.Group(group))
		if err := f.price(name, app.Group(group)); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if !cmd.Flags().Changed("tick") {
			f.plant.Tick = commonTick(f.plant.Tick, app.Interval.AsDuration())
		}
	}
	if f.nodes == 0 && f.samples == "" {
		f.nodes = 24
		if smallest > 0 {
			f.nodes = max(1, smallest*3/4)
		}
	}
	return makers, nil
}

// least is the smaller max of a group and those before, of which 0 is none.
func least(before int, g *spec.Group) int {
	if before == 0 {
		return g.Max
	}
	return min(before, g.Max)
}

// commonTick is the longest time of which both are whole numbers.
func commonTick(a, b time.Duration) time.Duration {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}
