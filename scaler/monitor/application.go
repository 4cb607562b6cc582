package monitor

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
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
	placed  []*placed // the targets of the last Watch
	refused error     // of that Watch
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
		engine:   newEngine(interval, e.logger),
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
	r, warnings := instant(ctx, a.engine, witnessedStorage{a.series, seen}, text, at)
	if a.history.newWarnings(text, warnings) {
		a.embedded.logger.Warn("query has warnings", "application", a.name, "query", text, "warnings", warnings)
	}
	return sampledAt(r, seen.at())
}

// lastValue returns when the query had a value last within lately before at. What
// was scraped once is there for an interval, so that steps of that length see it.
func (a *Application) lastValue(ctx context.Context, text string, at time.Time) (time.Time, error) {
	return lastValue(ctx, a.engine, a.series, text, at, a.interval)
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
	if slices.EqualFunc(a.placed, targets, (*placed).is) {
		return a.refused
	}
	all, added, removed := a.place(targets)
	if err := a.embedded.update(a, all, added, removed); err != nil {
		return err
	}
	var refused []error
	for _, t := range all {
		if t.refused != nil {
			refused = append(refused, t.refused)
		}
	}
	a.placed, a.refused = all, errors.Join(refused...)
	return a.refused
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
	if err := a.embedded.update(a, nil, nil, a.placed); err != nil && !errors.Is(err, errClosed) {
		return err
	}
	return nil
}
