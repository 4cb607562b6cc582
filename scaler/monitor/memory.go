package monitor

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/scalerd/scalerd/scaler/policy"
)

// Memory answers PromQL queries as Application does, from samples that it is given
// instead of those it scrapes. It is for one goroutine.
type Memory struct {
	engine   *promql.Engine
	interval time.Duration
	keep     time.Duration
	now      time.Time // of the latest sample
	byName   map[string][]*Series
	history  *history
}

// NewMemory returns a Memory for samples that come every interval, each kept for at
// least keep: see Reach.
func NewMemory(interval, keep time.Duration) *Memory {
	return &Memory{
		engine: newEngine(interval, slog.New(slog.DiscardHandler)), interval: interval, keep: max(keep, lookback(interval)),
		byName: map[string][]*Series{}, history: newHistory(),
	}
}

// Series is one time series of a Memory.
type Series struct {
	memory  *Memory
	labels  labels.Labels
	samples []chunks.Sample
	ended   bool
}

// Series adds a series of that metric and labels, which has none yet.
func (m *Memory) Series(metric string, own map[string]string) *Series {
	all := maps.Clone(own)
	if all == nil {
		all = map[string]string{}
	}
	all[model.MetricNameLabel] = metric
	s := &Series{memory: m, labels: labels.FromMap(all)}
	m.byName[metric] = append(m.byName[metric], s)
	return s
}

// Append adds a sample, later than those before.
func (s *Series) Append(at time.Time, v float64) {
	s.memory.now = at
	oldest := timestamp.FromTime(at.Add(-s.memory.keep))
	for len(s.samples) > 0 && s.samples[0].T() < oldest {
		s.samples = s.samples[1:]
	}
	s.samples = append(s.samples, sample{timestamp.FromTime(at), v})
}

// End makes the series stale, as when its target is gone.
func (s *Series) End(at time.Time) {
	s.Append(at, math.Float64frombits(value.StaleNaN))
	s.ended = true
}

// Query answers the query at an instant; see Application.Query.
func (m *Memory) Query(ctx context.Context, promql string, at time.Time) policy.Reading {
	r, _ := instant(ctx, m.engine, m, promql, at)
	return m.history.settle(promql, at, r, func() (time.Time, error) {
		return lastValue(ctx, m.engine, m, promql, at, m.interval)
	})
}

// Querier implements storage.Queryable.
func (m *Memory) Querier(mint, maxt int64) (storage.Querier, error) {
	return memoryQuerier{m, mint}, nil
}

// forget drops series that ended so long ago that nothing of them is kept.
func (m *Memory) forget(metric string) []*Series {
	oldest := timestamp.FromTime(m.now.Add(-m.keep))
	m.byName[metric] = slices.DeleteFunc(m.byName[metric], func(s *Series) bool {
		return s.ended && s.samples[len(s.samples)-1].T() < oldest
	})
	return m.byName[metric]
}

type memoryQuerier struct {
	memory *Memory
	mint   int64
}

func (q memoryQuerier) Select(_ context.Context, sorted bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	found := &seriesList{at: -1}
	for _, metric := range q.memory.metrics(matchers) {
		for _, s := range q.memory.forget(metric) {
			if last := len(s.samples) - 1; last >= 0 && s.samples[last].T() >= q.mint && matches(s.labels, matchers) {
				found.series = append(found.series, storage.NewListSeries(s.labels, s.samples))
			}
		}
	}
	if sorted {
		slices.SortFunc(found.series, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	}
	return found
}

// metrics are the names of which the matchers ask.
func (m *Memory) metrics(matchers []*labels.Matcher) []string {
	for _, matcher := range matchers {
		if matcher.Name == model.MetricNameLabel && matcher.Type == labels.MatchEqual {
			return []string{matcher.Value}
		}
	}
	return slices.Sorted(maps.Keys(m.byName))
}

func matches(all labels.Labels, matchers []*labels.Matcher) bool {
	return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(all.Get(m.Name)) })
}

// The engine asks only for series.

func (memoryQuerier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (memoryQuerier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (memoryQuerier) Close() error { return nil }

type seriesList struct {
	series []storage.Series
	at     int
}

func (l *seriesList) Next() bool                        { l.at++; return l.at < len(l.series) }
func (l *seriesList) At() storage.Series                { return l.series[l.at] }
func (l *seriesList) Err() error                        { return nil }
func (l *seriesList) Warnings() annotations.Annotations { return nil }

// sample is a number at an instant, in milliseconds of Unix time.
type sample struct {
	t int64
	f float64
}

func (s sample) T() int64                      { return s.t }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.f }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }
