package monitor

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
)

const (
	// applicationLabel tells applications apart in the storage they share.
	applicationLabel = "application"
	// missedScrapes is after how many scrapes that never took place a value is
	// gone. A scrape that took place and failed ends its series at once.
	missedScrapes = 3
	minLookback   = 30 * time.Second
	queryTimeout  = 10 * time.Second
	// maxSamples bounds the memory of one query, at 16 bytes a sample.
	maxSamples = 2_000_000
)

var errClosed = errors.New("the embedded monitoring is closed")

// Application is one application's part of an Embedded: its targets, and the
// series scraped from them. It is safe for concurrent use.
type Application struct {
	embedded *Embedded
	interval time.Duration
	series   confined
	engine   *promql.Engine
	name     string
	history  *history

	mu      sync.Mutex
	closed  bool
	watched []scaler.Target // as at the last Watch
	refused error           // of that Watch
}

// Application returns the part of e for the application called name, whose
// targets are scraped every interval, a whole number of milliseconds. Series
// that an earlier Application of this name left are its own.
//
// A value that is not scraped again is gone after three intervals, and after 30
// seconds at the earliest. Subqueries without a step use the interval.
func (e *Embedded) Application(name string, interval time.Duration) *Application {
	return &Application{
		embedded: e,
		name:     name,
		interval: interval,
		series:   confined{e.db, labels.MustNewMatcher(labels.MatchEqual, applicationLabel, name)},
		history:  newHistory(),
		// An engine of its own, because the step of subqueries is the engine's.
		engine: promql.NewEngine(promql.EngineOpts{
			Logger:                   e.logger,
			MaxSamples:               maxSamples,
			Timeout:                  queryTimeout,
			LookbackDelta:            max(missedScrapes*interval, minLookback),
			NoStepSubqueryIntervalFn: func(int64) int64 { return interval.Milliseconds() },
			EnableAtModifier:         true,
			EnableNegativeOffset:     true,
			Parser:                   newParser(),
		}),
	}
}

// Query answers the PromQL query at an instant, from the series of this
// application alone: every selector in it also asks for the application's label.
func (a *Application) Query(ctx context.Context, promql string, at time.Time) policy.Reading {
	// Before the read lock, because Watch takes the two the other way round.
	closed := a.isClosed()
	a.embedded.closing.RLock()
	defer a.embedded.closing.RUnlock()
	if closed || a.embedded.closed {
		return missing(policy.Unreachable, errClosed.Error())
	}
	r := a.instant(ctx, promql, at)
	r = a.history.settle(promql, at, r, func() (time.Time, error) { return a.lastValue(ctx, promql, at) })
	a.embedded.metrics.answered(r)
	return r
}

func (a *Application) instant(ctx context.Context, text string, at time.Time) policy.Reading {
	seen := newWitness()
	query, err := a.engine.NewInstantQuery(ctx, witnessedStorage{a.series, seen}, nil, text, at)
	if err != nil {
		return refusal(err)
	}
	defer query.Close()
	result := query.Exec(ctx)
	warnings, _ := result.Warnings.AsStrings(text, 0, 0)
	if a.history.newWarnings(text, warnings) {
		a.embedded.logger.Warn("query has warnings", "application", a.name, "query", text, "warnings", warnings)
	}
	if result.Err != nil {
		return refusal(result.Err)
	}
	switch v := result.Value.(type) {
	case promql.Scalar:
		return newReading([]policy.Sample{{Value: v.V}})
	case promql.Vector:
		return sampledAt(newReading(samplesOf(v)), seen.at())
	default:
		return missing(policy.QueryError, wrongType(v.Type()))
	}
}

func samplesOf(v promql.Vector) []policy.Sample {
	samples := make([]policy.Sample, len(v))
	for i, s := range v {
		samples[i] = policy.Sample{Labels: s.Metric.Map(), Value: s.F}
		if s.H != nil {
			samples[i].Value = math.NaN()
		}
	}
	return samples
}

// refusal tells a query that can't be answered from storage that can't answer.
func refusal(err error) policy.Reading {
	var (
		timeout  promql.ErrQueryTimeout
		canceled promql.ErrQueryCanceled
		storage  promql.ErrStorage
	)
	if errors.As(err, &timeout) || errors.As(err, &canceled) || errors.As(err, &storage) {
		return missing(policy.Unreachable, err.Error())
	}
	return missing(policy.QueryError, err.Error())
}

// lastValue returns when the query had a value last within lately before at. What
// was scraped once is there for an interval, so that steps of that length see it.
func (a *Application) lastValue(ctx context.Context, text string, at time.Time) (time.Time, error) {
	query, err := a.engine.NewRangeQuery(ctx, a.series, nil, text, at.Add(-lately), at, a.interval)
	if err != nil {
		return time.Time{}, err
	}
	defer query.Close()
	result := query.Exec(ctx)
	matrix, err := result.Matrix()
	if err != nil {
		return time.Time{}, err
	}
	var last time.Time
	for _, series := range matrix {
		for _, p := range series.Floats {
			if t := timestamp.Time(p.T); t.After(last) && finite(policy.Sample{Value: p.F}) {
				last = t
			}
		}
	}
	return last, nil
}

// Watch makes targets the whole list of what is scraped for this application. A
// new target is scraped for the first time within one interval, at a moment of
// its own that spreads the load; the series of one that is gone become stale
// after two. A list that is the same as before costs nothing.
//
// The error names the targets that can't be scraped, such as one with an invalid
// address; the others are.
func (a *Application) Watch(targets []scaler.Target) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return errClosed
	}
	if slices.EqualFunc(a.watched, targets, sameTarget) {
		return a.refused
	}
	group, refused := a.group(targets)
	if err := a.embedded.replace(a, group); err != nil {
		return err
	}
	a.watched, a.refused = cloneTargets(targets), refused
	return refused
}

// forced are the labels that a target has whatever its own labels are.
func (a *Application) forced() model.LabelSet {
	interval := a.interval.Truncate(time.Millisecond)
	return model.LabelSet{
		applicationLabel:          model.LabelValue(a.name),
		model.ScrapeIntervalLabel: model.LabelValue(model.Duration(interval).String()),
		model.ScrapeTimeoutLabel:  model.LabelValue(model.Duration(min(interval, queryTimeout)).String()),
	}
}

func (a *Application) isClosed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

// Close stops the scraping of this application's targets, whose series become
// stale. The samples stay until their retention is over. A second Close does
// nothing, and neither does one after that of the Embedded.
func (a *Application) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	if err := a.embedded.replace(a, nil); err != nil && !errors.Is(err, errClosed) {
		return err
	}
	return nil
}
