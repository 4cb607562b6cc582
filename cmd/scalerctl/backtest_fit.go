package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler/backtest"
)

// fit takes the plant's parameters from recorded samples, where these are given.
func (f *backtestFlags) fit(cmd *cobra.Command) (*backtest.Fit, error) {
	if f.samples == "" {
		return nil, nil
	}
	for _, flag := range []string{"cores", "service-time", "base-latency"} {
		if cmd.Flags().Changed(flag) {
			return nil, fmt.Errorf("%w: --%s is fitted to --fit %s: leave one of them out", errUsage, flag, f.samples)
		}
	}
	laws := backtest.Laws()
	if cmd.Flags().Changed("law") {
		laws = []backtest.Law{f.plant.Law}
	}
	samples, err := backtest.ReadRecording(f.samples, f.unit)
	if err != nil {
		return nil, err
	}
	fitted, err := backtest.FitPlant(samples, f.plant, laws)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.samples, err)
	}
	f.plant = fitted.Plant
	return &fitted, nil
}
