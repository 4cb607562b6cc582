package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/scalerd/scalerd/scaler/backtest"
	"github.com/scalerd/scalerd/tfgen/price"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// readGates reads the flags that make a backtest a check.
func (f *backtestFlags) readGates() error {
	f.gates.Baseline = f.baseline
	for flag, to := range map[string]**float64{"max-over": &f.gates.MaxOver, "max-cost-increase": &f.gates.MaxCostIncrease} {
		text := map[string]string{"max-over": f.maxOver, "max-cost-increase": f.maxCost}[flag]
		if text == "" {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if err != nil || !(v >= 0) || !strings.HasSuffix(text, "%") {
			return fmt.Errorf("%w: --%s %s: write a share such as 1%%", errUsage, flag, text)
		}
		v /= 100
		*to = &v
	}
	if f.baseline != "" && f.gates.MaxCostIncrease == nil {
		return fmt.Errorf("%w: --baseline %s: say with --max-cost-increase how much more may be spent", errUsage, f.baseline)
	}
	return nil
}

// judge holds the results against the gates.
func (f *backtestFlags) judge(w io.Writer, reports []backtest.Report) error {
	exceeded := false
	for _, r := range reports {
		for _, sentence := range f.gates.Exceeded(r) {
			fmt.Fprintf(w, "%s, seed %d: %s\n", r.Trace, r.Seed, sentence)
			exceeded = true
		}
	}
	if exceeded {
		return errChanges
	}
	return nil
}

// price looks up what a node of a description's group costs.
func (f *backtestFlags) price(policy string, g *spec.Group) error {
	if f.prices == "" {
		return nil
	}
	list, err := price.Load(f.prices)
	if err != nil {
		return err
	}
	p, ok := list.Node(g)
	if !ok {
		return fmt.Errorf("group %s: the price list %s does not have its offering %q", g.Name, f.prices, price.Of(g).Name)
	}
	if f.options.Prices == nil {
		f.options.Prices = map[string]float64{}
	}
	f.options.Prices[policy] = p.PerHour
	if f.options.Price == 0 {
		f.options.Price = p.PerHour
	}
	return nil
}
