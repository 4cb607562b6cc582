package backtest

import (
	"context"
	"fmt"
	"time"
)

// Report is how several policies did in one world. The first two results are the
// references: the clairvoyant and the best fixed size.
type Report struct {
	Trace string        `json:"trace"`
	Span  time.Duration `json:"span"`
	Seed  uint64        `json:"seed"`
	Limit time.Duration `json:"limit"`
	// PeakNodes is how many nodes the peak of the load needs before any drift.
	PeakNodes int   `json:"peak_nodes"`
	Plant     Plant `json:"plant"`
	// Note says where the limit can't be kept, and why.
	Note string `json:"note,omitempty"`
	// Fit is set where the plant was fitted to recorded samples.
	Fit     *Fit     `json:"fit,omitempty"`
	Results []Result `json:"results"`
	// need is how many nodes each tick needs, for the plot.
	need []int
}

// Options are what else Compare is to tell.
type Options struct {
	// Price of a node-hour; 0 where cost is not to be shown.
	Price float64
	// Prices are those of a node-hour of policies whose nodes cost something else.
	Prices map[string]float64
	// Hindsight adds the result of World.Hindsight to the references.
	Hindsight bool
}

// Compare runs the references and the policies through a world.
func (w *World) Compare(ctx context.Context, policies []Maker, o Options) (Report, error) {
	r := Report{
		Trace: w.Load.Name, Span: w.Span(), Seed: w.Seed, Limit: w.Limit, PeakNodes: w.Load.Nodes,
		Plant: w.Plant, Note: w.Unreachable(), need: w.need(),
	}
	clairvoyant := w.Clairvoyant()
	if r.Note == "" && !clairvoyant.Feasible() {
		r.Note = fmt.Sprintf("even the clairvoyant is over the limit for %.1f%% of the time: the load changes faster than nodes boot", 100*clairvoyant.TimeOver)
	}
	r.Results = []Result{clairvoyant, w.BestFixed()}
	if o.Hindsight {
		r.Results = append(r.Results, w.Hindsight())
	}
	for _, m := range policies {
		if err := ctx.Err(); err != nil {
			return Report{}, err
		}
		result, err := w.Try(m)
		if err != nil {
			return Report{}, err
		}
		r.Results = append(r.Results, result)
	}
	for i := range r.Results {
		r.Results[i].OverClairvoyant = r.Results[i].NodeHours/clairvoyant.NodeHours - 1
		price, ok := o.Prices[r.Results[i].Policy]
		if !ok {
			price = o.Price
		}
		r.Results[i].Cost = r.Results[i].NodeHours * price
	}
	return r, nil
}
