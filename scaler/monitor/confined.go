package monitor

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// confined shows only the series of a storage that match one more matcher. It
// stands below the PromQL engine, where every selector has to pass whatever the
// expression around it is, so that no construct of the language, present or
// future, gets around it; and errors keep the positions of the user's own text.
type confined struct {
	storage storage.Queryable
	matcher *labels.Matcher
}

func (c confined) Querier(mint, maxt int64) (storage.Querier, error) {
	q, err := c.storage.Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	return confinedQuerier{q, c.matcher}, nil
}

type confinedQuerier struct {
	querier storage.Querier
	matcher *labels.Matcher
}

func (q confinedQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	return q.querier.Select(ctx, sorted, hints, q.with(matchers)...)
}

func (q confinedQuerier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return q.querier.LabelValues(ctx, name, hints, q.with(matchers)...)
}

func (q confinedQuerier) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return q.querier.LabelNames(ctx, hints, q.with(matchers)...)
}

func (q confinedQuerier) Close() error { return q.querier.Close() }

// with copies, because the engine keeps using its slice.
func (q confinedQuerier) with(matchers []*labels.Matcher) []*labels.Matcher {
	return append(slices.Clip(matchers), q.matcher)
}
