package backtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler/monitor"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// question is a query of a description, or an alert's condition.
type question struct {
	name   string
	source Source     // where its Metric is set
	query  spec.Query // else
	alert  *spec.Alert
	since  time.Time // of an alert: when its condition began to hold
}

// questions answer what the policies of a group ask.
type questions struct {
	all         []question
	instruments *instruments // nil where no question is PromQL
}

// newQuestions finds where each query that is used gets its value from.
func newQuestions(app *spec.Application, g *spec.Group, used []string, sources map[string]Source, world Group) (*questions, error) {
	q := &questions{}
	var (
		errs    []error
		metrics = map[string]bool{}
		reach   time.Duration
		every   = app.Interval.AsDuration()
	)
	slices.Sort(used)
	for _, name := range slices.Compact(used) {
		asked, err := newQuestion(app, g, name, sources)
		if err == nil && asked.source.Metric == "" {
			var r time.Duration
			r, err = asked.selects(every, metrics)
			reach = max(reach, r)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("group %s: query %s %w", g.Name, name, err))
		}
		q.all = append(q.all, asked)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if len(metrics) == 0 && !q.promQL() {
		return q, nil
	}
	newSeries := func() *instruments {
		return newInstruments(app.Name, g.Name, max(1, world.Cores), max(every, time.Second), reach, func(m string) bool { return metrics[m] || metrics[""] })
	}
	if err := q.probe(g, newSeries()); err != nil {
		return nil, err
	}
	q.instruments = newSeries()
	return q, nil
}

func (q *questions) promQL() bool {
	return slices.ContainsFunc(q.all, func(asked question) bool { return asked.source.Metric == "" })
}

func newQuestion(app *spec.Application, g *spec.Group, name string, sources map[string]Source) (question, error) {
	asked := question{name: name, query: app.GroupQueries(g)[name]}
	alerts := app.GroupAlerts(g)
	if i := slices.IndexFunc(alerts, func(a spec.Alert) bool { return a.Name == name }); i >= 0 {
		asked.alert, asked.query = &alerts[i], spec.Query{Expr: alerts[i].Expr}
	}
	source, ok := sources[name]
	if !ok && !answerable(asked.query.Expr) {
		source, ok = sameName(name)
	}
	switch {
	case ok && asked.alert == nil:
		asked.source = source
	case asked.query.Expr == "":
		return asked, fmt.Errorf("has no metric of the simulated nodes: give it one with --metric %s=METRIC, of %s", name, strings.Join(Metrics(), ", "))
	}
	return asked, nil
}

// answerable is whether the simulated nodes have every metric that a query names.
func answerable(expr string) bool {
	selectors, _, err := monitor.Selectors(expr, time.Second)
	return err == nil && !slices.ContainsFunc(selectors, func(s monitor.Selector) bool { return unknown(s.Metric) })
}

func unknown(metric string) bool { return metric != "" && !slices.Contains(SeriesNames(), metric) }

func sameName(query string) (Source, bool) {
	for _, metric := range Metrics() {
		if strings.EqualFold(metric, query) {
			return Source{Metric: metric, Factor: 1}, true
		}
	}
	return Source{}, false
}

// selects notes the metrics that a query selects, and tells how long samples count.
func (q question) selects(interval time.Duration, metrics map[string]bool) (time.Duration, error) {
	selectors, reach, err := monitor.Selectors(q.query.Expr, max(interval, time.Second))
	if err != nil {
		return 0, err
	}
	for _, s := range selectors {
		if unknown(s.Metric) {
			return 0, fmt.Errorf("asks for %s, which the simulated nodes don't have: give the query a source with --metric %s=METRIC, of %s; or ask for metrics that they have: %s",
				s.Metric, q.name, strings.Join(Metrics(), ", "), strings.Join(SeriesNames(), ", "))
		}
		metrics[s.Metric] = true
	}
	return reach, nil
}

// probe has one node show its metrics, to find selectors that no node ever matches.
func (q *questions) probe(g *spec.Group, in *instruments) error {
	obs := Observation{Ready: 1, Metrics: map[string]float64{}}
	for _, metric := range Metrics() {
		obs.Metrics[metric] = 1
	}
	obs.Nodes = []Node{{Name: g.Name + "-0001", Created: defaultStart, Ready: defaultStart}}
	in.scrape(defaultStart, obs)
	var errs []error
	for _, asked := range q.all {
		if asked.source.Metric != "" {
			continue
		}
		selectors, _, err := monitor.Selectors(asked.query.Expr, time.Second)
		if err != nil {
			return err
		}
		for _, s := range selectors {
			if in.memory.Query(context.Background(), s.Text, defaultStart).Missing != policy.Present {
				errs = append(errs, fmt.Errorf("group %s: query %s selects %s, which no simulated node matches: their labels are %s; give the query a source with --metric %s=METRIC",
					g.Name, asked.name, s.Text, labelsOf(in, obs.Nodes[0].Name), asked.name))
			}
		}
	}
	return errors.Join(errs...)
}

func labelsOf(in *instruments, node string) string {
	var pairs []string
	for k, v := range in.labels(node, nil) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", k, v))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, ", ")
}

// ask answers every question at an instant.
func (q *questions) ask(now time.Time, obs Observation) map[string]policy.Reading {
	if q.instruments != nil {
		q.instruments.scrape(now, obs)
	}
	readings := make(map[string]policy.Reading, len(q.all))
	for i := range q.all {
		asked := &q.all[i]
		var r policy.Reading
		switch {
		case asked.source.Metric == "":
			r = q.instruments.memory.Query(context.Background(), asked.query.Expr, now)
			r.Label = asked.query.Label
		default:
			r = policy.Reading{Missing: policy.NoSeries}
			if v, ok := obs.Metrics[asked.source.Metric]; ok {
				r = policy.Reading{Samples: []policy.Sample{{Value: v * asked.source.Factor}}}
			}
		}
		if asked.alert != nil {
			r = asked.state(r, now)
		}
		readings[asked.name] = r
	}
	return readings
}

// state is whether an alert fires, given the reading of its condition.
func (q *question) state(r policy.Reading, now time.Time) policy.Reading {
	firing := false
	switch r.Missing {
	case policy.QueryError, policy.Unreachable:
		return r
	case policy.NoSeries, policy.Stale:
		q.since = time.Time{}
	default:
		if q.since.IsZero() {
			q.since = now
		}
		firing = now.Sub(q.since) >= q.alert.For.AsDuration()
	}
	return policy.Reading{Samples: r.Samples, Firing: &firing}
}
