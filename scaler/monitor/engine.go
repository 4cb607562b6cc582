package monitor

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"

	"github.com/scalerd/scalerd/scaler/policy"
)

// maxSamples bounds the memory of one query, at 16 bytes a sample.
const maxSamples = 2_000_000

// newEngine is a PromQL engine for series that are scraped every interval. Each
// interval needs its own, because the step of subqueries is the engine's.
func newEngine(interval time.Duration, logger *slog.Logger) *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		Logger:                   logger,
		MaxSamples:               maxSamples,
		Timeout:                  queryTimeout,
		LookbackDelta:            lookback(interval),
		NoStepSubqueryIntervalFn: func(int64) int64 { return interval.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   newParser(),
	})
}

// lookback is how old a sample may be that is still its series' value.
func lookback(interval time.Duration) time.Duration {
	return max(missedScrapes*interval, minLookback)
}

// instant answers a query at an instant, with the warnings that come with it.
func instant(ctx context.Context, engine *promql.Engine, series storage.Queryable, text string, at time.Time) (policy.Reading, []string) {
	query, err := engine.NewInstantQuery(ctx, series, nil, text, at)
	if err != nil {
		return refusal(err), nil
	}
	defer query.Close()
	result := query.Exec(ctx)
	warnings, _ := result.Warnings.AsStrings(text, 0, 0)
	if result.Err != nil {
		return refusal(result.Err), warnings
	}
	switch v := result.Value.(type) {
	case promql.Scalar:
		return newReading([]policy.Sample{{Value: v.V}}), warnings
	case promql.Vector:
		return newReading(samplesOf(v)), warnings
	default:
		return missing(policy.QueryError, wrongType(v.Type())), warnings
	}
}

// lastValue returns when a query had a value last within lately before at.
func lastValue(ctx context.Context, engine *promql.Engine, series storage.Queryable, text string, at time.Time, step time.Duration) (time.Time, error) {
	query, err := engine.NewRangeQuery(ctx, series, nil, text, at.Add(-lately), at, step)
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
