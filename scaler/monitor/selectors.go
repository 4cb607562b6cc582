package monitor

import (
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// Selector is a part of a query that selects series.
type Selector struct {
	// Metric is the name of the metric, or "" where it asks for none by its name.
	Metric string
	// Text is the selector as a query of its own.
	Text string
}

// Selectors are the selectors of a query, in its order, and how long before the
// instant of the query samples count for it at most.
func Selectors(text string, interval time.Duration) (found []Selector, reach time.Duration, err error) {
	expr, err := newParser().ParseExpr(text)
	if err != nil {
		return nil, 0, err
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok {
			found = append(found, newSelector(*s))
		}
		return nil
	})
	now := time.Unix(1<<31, 0)
	mint, maxt := promql.FindMinMaxTime(&parser.EvalStmt{Expr: expr, Start: now, End: now, LookbackDelta: lookback(interval)})
	if maxt > 0 { // 0 where nothing is selected
		reach = now.Sub(timestamp.Time(mint))
	}
	return found, max(0, reach), nil
}

func newSelector(s parser.VectorSelector) Selector {
	s.OriginalOffset, s.Offset, s.Timestamp, s.StartOrEnd = 0, 0, nil, 0
	found := Selector{Text: s.String()}
	for _, m := range s.LabelMatchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			found.Metric = m.Value
		}
	}
	return found
}
