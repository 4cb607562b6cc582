package monitor

import (
	"fmt"

	"github.com/prometheus/prometheus/promql/parser"
)

// CheckQuery returns why promql can't be a query: a syntax error, or an
// expression whose result is not an instant vector or a scalar. The message
// begins with line:column in promql, both 1-based. No monitoring is asked.
func CheckQuery(promql string) error {
	expr, err := newParser().ParseExpr(promql)
	if err != nil {
		return err
	}
	if !answers(expr.Type()) {
		return fmt.Errorf("1:1: %s", wrongType(expr.Type()))
	}
	return nil
}

// newParser leaves experimental functions off. Their meaning may change with
// the next version, so that a description would change its meaning too.
func newParser() parser.Parser {
	return parser.NewParser(parser.Options{})
}

func answers(t parser.ValueType) bool {
	return t == parser.ValueTypeVector || t == parser.ValueTypeScalar
}

func wrongType(t parser.ValueType) string {
	text := "the result is a " + parser.DocumentedType(t) + ", want an instant vector or a scalar"
	if t == parser.ValueTypeMatrix {
		text += "; wrap it in a function such as rate() or avg_over_time()"
	}
	return text
}
