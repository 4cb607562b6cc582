package api

import (
	"context"
	"math"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
)

// History is what was seen of a group over time. The lists are as long as At.
type History struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Step is the time between two instants, in seconds, where ticks were closer.
	Step int         `json:"step_seconds"`
	At   []time.Time `json:"at"`
	// Wanted, Existing and Ready are numbers of nodes at the last tick of each step.
	Wanted   []int `json:"wanted"`
	Existing []int `json:"existing"`
	Ready    []int `json:"ready"`
	// Metrics are those that the group's policies and its optimizer use, by name.
	Metrics []MetricHistory `json:"metrics"`
}

// MetricHistory is a metric over time.
type MetricHistory struct {
	scaler.MetricOf
	// Values are means over each step, null where there was no value.
	Values []*float64 `json:"values"`
}

type historyInput struct {
	GroupPath
	From time.Time `query:"from" doc:"Begin; default: an hour before the end. What ticks saw is kept for seven days."`
	To   time.Time `query:"to" doc:"End; default: now."`
	Step int       `query:"step" minimum:"1" maximum:"86400" doc:"Least time between two instants, in seconds; default: such that there are at most 500."`
}

// shownInstants is how many instants a history has where its step is not given, and
// mostInstants how many it has at most.
const (
	shownInstants = 500
	mostInstants  = 5000
)

func (h groups) history(ctx context.Context, in *historyInput) (History, error) {
	if in.To.IsZero() {
		in.To = time.Now()
	}
	if in.From.IsZero() {
		in.From = in.To.Add(-time.Hour)
	}
	if !in.From.Before(in.To) {
		return History{}, huma.Error422UnprocessableEntity("from: it has to be before to")
	}
	span := in.To.Sub(in.From)
	step := time.Duration(in.Step) * time.Second
	if step == 0 {
		step = max(time.Second, (span / shownInstants).Round(time.Second))
	}
	if span/step > mostInstants {
		return History{}, huma.Error422UnprocessableEntity("step: there would be more than 5000 instants; take a longer one")
	}
	seen, metrics, err := h.service.History(ctx, in.Application, in.Group, in.From, in.To)
	if err != nil {
		return History{}, err
	}
	return historyOf(seen, metrics, in.From, in.To, step), nil
}

// historyOf puts what was seen into steps.
func historyOf(seen []scaler.Observed, metrics []scaler.MetricOf, from, to time.Time, step time.Duration) History {
	h := History{
		From: from, To: to, Step: int(step / time.Second),
		At: []time.Time{}, Wanted: []int{}, Existing: []int{}, Ready: []int{}, Metrics: make([]MetricHistory, len(metrics)),
	}
	for i, m := range metrics {
		h.Metrics[i] = MetricHistory{MetricOf: m, Values: []*float64{}}
	}
	for len(seen) > 0 {
		bucket := seen[0].At.Sub(from) / step
		n := 1
		for n < len(seen) && seen[n].At.Sub(from)/step == bucket {
			n++
		}
		last := seen[n-1]
		h.At = append(h.At, last.At)
		h.Wanted, h.Existing, h.Ready = append(h.Wanted, last.Wanted), append(h.Existing, last.Existing), append(h.Ready, last.Ready)
		for i := range h.Metrics {
			h.Metrics[i].Values = append(h.Metrics[i].Values, meanOf(seen[:n], h.Metrics[i].Name))
		}
		seen = seen[n:]
	}
	return h
}

// meanOf is the mean of a metric, nil where it never had a value.
func meanOf(seen []scaler.Observed, name string) *float64 {
	sum, n := 0.0, 0
	for _, o := range seen {
		if v, ok := o.Values[name]; ok {
			sum, n = sum+v, n+1
		}
	}
	mean := sum / float64(n)
	if math.IsNaN(mean) || math.IsInf(mean, 0) {
		return nil
	}
	return &mean
}
