package monitor

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// An instant query's answer bears the time of its evaluation, however old the samples
// are. A witness stands between the storage and the engine and sees the newest sample
// that one evaluation reads; for a rate it is the one at the window's end. An engine
// evaluates a query in one goroutine.
type witness struct{ newest int64 } // milliseconds since 1970

func newWitness() *witness { return &witness{math.MinInt64} }

// at is when the newest sample was taken, and zero where none was read.
func (w *witness) at() time.Time {
	if w.newest == math.MinInt64 {
		return time.Time{}
	}
	return timestamp.Time(w.newest).UTC()
}

func (w *witness) saw(t int64) { w.newest = max(w.newest, t) }

type witnessedStorage struct {
	storage.Queryable
	witness *witness
}

func (s witnessedStorage) Querier(mint, maxt int64) (storage.Querier, error) {
	q, err := s.Queryable.Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	return witnessedQuerier{q, s.witness}, nil
}

type witnessedQuerier struct {
	storage.Querier
	witness *witness
}

func (q witnessedQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	return witnessedSet{q.Querier.Select(ctx, sorted, hints, matchers...), q.witness}
}

type witnessedSet struct {
	storage.SeriesSet
	witness *witness
}

func (s witnessedSet) At() storage.Series { return witnessedSeries{s.SeriesSet.At(), s.witness} }

type witnessedSeries struct {
	storage.Series
	witness *witness
}

func (s witnessedSeries) Iterator(old chunkenc.Iterator) chunkenc.Iterator {
	it, reused := old.(*witnessedIterator)
	if !reused {
		it = new(witnessedIterator)
	}
	it.Iterator, it.witness = s.Series.Iterator(it.Iterator), s.witness
	return it
}

type witnessedIterator struct {
	chunkenc.Iterator
	witness *witness
}

func (i *witnessedIterator) At() (int64, float64) {
	t, v := i.Iterator.At()
	if !value.IsStaleNaN(v) {
		i.witness.saw(t)
	}
	return t, v
}

func (i *witnessedIterator) AtHistogram(h *histogram.Histogram) (int64, *histogram.Histogram) {
	t, h := i.Iterator.AtHistogram(h)
	i.witness.saw(t)
	return t, h
}

func (i *witnessedIterator) AtFloatHistogram(h *histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	t, h := i.Iterator.AtFloatHistogram(h)
	i.witness.saw(t)
	return t, h
}

// isSelector reports whether an expression is the selector of a series and nothing
// else, so that timestamp() of it says when its samples were taken. Of what a function
// makes, timestamp() says the time of the evaluation.
func isSelector(promql string) bool {
	expr, err := newParser().ParseExpr(promql)
	if err != nil {
		return false
	}
	for {
		switch e := expr.(type) {
		case *parser.ParenExpr:
			expr = e.Expr
		case *parser.StepInvariantExpr:
			expr = e.Expr
		case *parser.VectorSelector:
			return true
		default:
			return false
		}
	}
}
