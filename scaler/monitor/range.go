package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/tsdb"
)

// mostPoints is how many steps one request asks for. A Prometheus refuses more than
// 11,000 points in a series.
const mostPoints = 10_000

// Point is a value at an instant; it may be NaN.
type Point struct {
	At    time.Time
	Value float64
}

// Range answers a query at every step from one instant to another, both included,
// in as many requests as the server's limit on points needs. The steps at which it
// has no value are left out. It is an error where the answer is not one series.
func (e *External) Range(ctx context.Context, query string, from, to time.Time, step time.Duration) ([]Point, error) {
	if err := checkRange(from, to, step); err != nil {
		return nil, err
	}
	var points []Point
	for start := from; !start.After(to); start = start.Add(mostPoints * step) {
		end := start.Add((mostPoints - 1) * step)
		if end.After(to) {
			end = to
		}
		part, err := e.part(ctx, query, v1.Range{Start: start, End: end, Step: step})
		if err != nil {
			return nil, fmt.Errorf("query %s from %s to %s: %w", query, start.UTC().Format(time.RFC3339), end.UTC().Format(time.RFC3339), err)
		}
		points = append(points, part...)
	}
	return points, nil
}

func checkRange(from, to time.Time, step time.Duration) error {
	switch {
	case step < time.Millisecond:
		return fmt.Errorf("step %s: must be at least 1ms", step)
	case !from.Before(to):
		return fmt.Errorf("the range from %s to %s is empty: choose an end after its start", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	return nil
}

// part asks for no more points than a request may.
func (e *External) part(ctx context.Context, query string, r v1.Range) ([]Point, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	answer, warnings, _, err := e.api.QueryRange(ctx, query, r, v1.WithTimeout(e.timeout))
	if e.history.newWarnings(query, warnings) {
		e.logger.Warn("query has warnings", "query", query, "warnings", []string(warnings))
	}
	if err != nil {
		return nil, errors.New(apiRefusal(err).Detail)
	}
	matrix, ok := answer.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("the answer is a %s, not a range", answer.Type())
	}
	if len(matrix) > 1 {
		return nil, severalSeries(len(matrix), matrix[0].Metric.String(), matrix[1].Metric.String())
	}
	var points []Point
	for _, series := range matrix {
		for _, p := range series.Values {
			points = append(points, Point{p.Timestamp.Time(), float64(p.Value)})
		}
	}
	return points, nil
}

func severalSeries(n int, a, b string) error {
	return fmt.Errorf("the answer is %d series, such as %s and %s: make it one with sum()", n, a, b)
}

// Recorded answers a query at every step from one instant to another, as
// External.Range does, from what an Embedded keeps in the folder dir, which may be
// in use. Of its applications it sees the one of that name, whose interval is that
// at which it is scraped.
func Recorded(ctx context.Context, dir, application, query string, from, to time.Time, step, interval time.Duration) (points []Point, err error) {
	if err := checkRange(from, to, step); err != nil {
		return nil, err
	}
	db, err := tsdb.OpenDBReadOnly(dir, os.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, fmt.Errorf("open metrics storage %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	series := confined{db, labels.MustNewMatcher(labels.MatchEqual, applicationLabel, application)}
	q, err := newEngine(interval, slog.New(slog.DiscardHandler)).NewRangeQuery(ctx, series, nil, query, from, to, step)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	defer q.Close()
	matrix, err := q.Exec(ctx).Matrix()
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	return onlySeries(query, matrix)
}

func onlySeries(query string, matrix promql.Matrix) ([]Point, error) {
	if len(matrix) > 1 {
		return nil, fmt.Errorf("query %s: %w", query, severalSeries(len(matrix), matrix[0].Metric.String(), matrix[1].Metric.String()))
	}
	var points []Point
	for _, series := range matrix {
		for _, p := range series.Floats {
			points = append(points, Point{timestamp.Time(p.T), p.F})
		}
	}
	return points, nil
}
