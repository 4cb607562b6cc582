// Package report shows what an optimizer knows: as one page that works without a
// network, as a picture, and as data.
package report

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler"
)

// Number is a number in JSON: with five digits, null where there is none.
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	v := float64(n)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.AppendFloat(nil, v, 'f', 0, 64), nil
	}
	return strconv.AppendFloat(nil, v, 'g', 5, 64), nil
}

// Data is what a report shows. Instants are seconds since 1970; lists along time are
// as long as Time.
type Data struct {
	Name    string            `json:"name"`
	Method  string            `json:"method"`
	Made    string            `json:"made"` // instant of the newest sample, RFC 3339
	Advice  *optimizer.Advice `json:"advice"`
	Problem string            `json:"problem,omitempty"`
	Inputs  []string          `json:"inputs"`
	Targets []Target          `json:"targets"`

	Time        []Number   `json:"time"`
	Nodes       []Number   `json:"nodes"`
	Total       []Number   `json:"total"`
	Advised     []Number   `json:"advised"`
	Reliability []Number   `json:"reliability"`
	Values      [][]Number `json:"values"` // inputs, then targets
	// Predictions has an entry for each target.
	Predictions []Predicted `json:"predictions"`

	Correlation [][]Number              `json:"correlation"`
	Regressions []Regression            `json:"regressions"`
	WhatIf      WhatIf                  `json:"what_if"`
	Trainings   []Training              `json:"trainings"`
	Calibration []optimizer.Calibration `json:"calibration"`
	Knowledge   Knowledge               `json:"knowledge"`
}

// Target is a target metric and its range.
type Target struct {
	Name string   `json:"name"`
	Min  *float64 `json:"min"`
	Max  *float64 `json:"max"`
}

// Predicted is what was expected of a target at each instant for the nodes that were
// there, by the newest advice that was a horizon old.
type Predicted struct {
	Horizon string   `json:"horizon"`
	Value   []Number `json:"value"`
	Low     []Number `json:"low"`
	High    []Number `json:"high"`
	// Error is the running mean of |log(predicted/measured)|.
	Error []Number `json:"error"`
	// Coverage is the share of measurements within Low..High, which is to be 0.8;
	// MedianRelative the middle of |predicted-measured|/measured; Judged how many.
	Coverage       Number `json:"coverage"`
	MedianRelative Number `json:"median_relative"`
	Judged         int    `json:"judged"`
	// Recent and Before are the mean errors of the newest tenth and of those before:
	// drift is their ratio.
	Recent Number `json:"recent"`
	Before Number `json:"before"`
}

// WhatIf is what is expected of each count now.
type WhatIf struct {
	Present int                   `json:"present"`
	Advised int                   `json:"advised"`
	Counts  []optimizer.Candidate `json:"counts"`
}

// Training is one training and what its models were worth on samples held out.
type Training struct {
	At      Number              `json:"at"`
	Seconds Number              `json:"seconds"`
	Error   string              `json:"error,omitempty"`
	Quality []optimizer.Quality `json:"quality"`
}

// Knowledge is how much is known.
type Knowledge struct {
	Samples  int    `json:"samples"`
	Shown    int    `json:"shown"`
	Recent   int    `json:"recent"` // of the retention
	Older    int    `json:"older"`
	Complete Number `json:"complete"` // share of those shown
	Events   int    `json:"events"`   // changes of the number of nodes among those shown
	Counts   []int  `json:"counts"`   // different numbers of nodes
	Interval string `json:"interval"`
	Boot     string `json:"boot"`
}

// charted bounds the instants of a chart along time.
const charted = 3000

// Make computes a report's data.
func Make(f scaler.OptimizerFacts) Data {
	d := Data{
		Name: f.Status.Name, Method: string(f.Config.Method), Advice: f.Status.Advice, Problem: f.Status.Problem,
		Inputs: f.Config.Inputs, Calibration: f.Calibration,
		// Lists are lists in JSON also where they are empty.
		Time: []Number{}, Nodes: []Number{}, Total: []Number{}, Advised: []Number{}, Reliability: []Number{},
	}
	names := slices.Clone(d.Inputs)
	for _, t := range f.Config.Targets {
		d.Targets = append(d.Targets, Target(t))
		names = append(names, t.Name)
	}
	if !f.Status.Newest.IsZero() {
		d.Made = f.Status.Newest.UTC().Format(time.RFC3339)
	}
	columns := columnsOf(f.Samples, names)
	shown := f.Samples[max(0, len(f.Samples)-charted):]
	d.along(shown, names, f.Advices)
	for t := range d.Targets {
		d.Predictions = append(d.Predictions, predicted(f, shown, t))
	}
	d.Correlation = correlations(columns)
	for j, name := range d.Inputs {
		d.Regressions = append(d.Regressions, regression(name, f.Samples, columns[j], f.Config.ActionLag))
	}
	d.whatIf(f)
	for _, r := range f.Trainings {
		d.Trainings = append(d.Trainings, Training{seconds(r.At), Number(r.Seconds), r.Error, r.Quality})
	}
	d.Knowledge = knowledgeOf(f, columns)
	return d
}

// span writes a length of time as people do: 2m, 1h30m, 15s.
func span(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func seconds(t time.Time) Number { return Number(float64(t.UnixMilli()) / 1000) }

// columnsOf are the samples' values by metric.
func columnsOf(samples []optimizer.Sample, names []string) [][]float64 {
	columns := make([][]float64, len(names))
	for j, name := range names {
		columns[j] = make([]float64, len(samples))
		for i, s := range samples {
			columns[j][i] = s.Values[name]
		}
	}
	return columns
}

// along fills the lists along time.
func (d *Data) along(samples []optimizer.Sample, names []string, advices []scaler.AdviceRecord) {
	d.Values = make([][]Number, len(names))
	for j := range d.Values {
		d.Values[j] = []Number{}
	}
	next := 0
	for _, s := range samples {
		d.Time = append(d.Time, seconds(s.At))
		d.Nodes, d.Total = append(d.Nodes, Number(s.Nodes)), append(d.Total, Number(max(s.Total, s.Nodes)))
		for j, name := range names {
			d.Values[j] = append(d.Values[j], Number(s.Values[name]))
		}
		for next < len(advices) && advices[next].At.Before(s.At) {
			next++
		}
		advised, reliability := math.NaN(), math.NaN()
		if next < len(advices) && advices[next].At.Equal(s.At) && advices[next].Valid {
			advised, reliability = float64(advices[next].Nodes), advices[next].Reliability
		}
		d.Advised, d.Reliability = append(d.Advised, Number(advised)), append(d.Reliability, Number(reliability))
	}
}

func (d *Data) whatIf(f scaler.OptimizerFacts) {
	if n := len(f.Samples); n > 0 {
		last := f.Samples[n-1]
		d.WhatIf.Present = max(last.Total, last.Nodes)
	}
	if a := f.Status.Advice; a != nil {
		d.WhatIf.Advised, d.WhatIf.Counts = a.Nodes, a.Candidates
	}
}

func knowledgeOf(f scaler.OptimizerFacts, columns [][]float64) Knowledge {
	k := Knowledge{
		Samples: f.Status.Samples, Shown: len(f.Samples), Recent: f.Config.Retain.Recent, Older: f.Config.Retain.Older,
		Boot: span(f.Boot), Complete: Number(math.NaN()),
	}
	complete := 0
	var gaps []time.Duration
	for i, s := range f.Samples {
		whole := true
		for j := range columns {
			whole = whole && !math.IsNaN(columns[j][i])
		}
		if whole {
			complete++
		}
		if i > 0 {
			gaps = append(gaps, s.At.Sub(f.Samples[i-1].At))
			if s.Nodes != f.Samples[i-1].Nodes {
				k.Events++
			}
		}
		if !slices.Contains(k.Counts, s.Nodes) {
			k.Counts = append(k.Counts, s.Nodes)
		}
	}
	slices.Sort(k.Counts)
	if len(f.Samples) > 0 {
		k.Complete = Number(float64(complete) / float64(len(f.Samples)))
	}
	if len(gaps) > 0 {
		slices.Sort(gaps)
		k.Interval = span(gaps[len(gaps)/2])
	}
	return k
}
