package policy

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// value is the query's value, or NaN and a sentence that says why there is none.
func (o Observation) value(query string) (float64, string) {
	r, ok := o.Readings[query]
	if !ok {
		return math.NaN(), query + " was not asked of the monitoring"
	}
	if r.Missing != Present {
		return math.NaN(), missingSentence(query, r.Missing, r.Detail)
	}
	if r.Firing != nil || r.Label != "" {
		return math.NaN(), query + " is no number"
	}
	v := r.Value()
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return math.NaN(), missingSentence(query, NaN, r.Detail)
	}
	return v, ""
}

// isText reports whether a reading that is there is an alert's state or a list of
// labels, and not a number.
func (r Reading) isText() bool {
	return r.Missing == Present && r.Firing != nil || r.Label != "" && (r.Missing == Present || r.Missing == NoSeries)
}

func missingSentence(query string, m Missing, detail string) string {
	if detail == "" {
		return fmt.Sprintf("%s has no value: %s", query, m)
	}
	return fmt.Sprintf("%s has no value: %s: %s", query, m, detail)
}

// is says what the query's value is, and warns where it is one of many.
func (o Observation) is(query string, value float64) string {
	text := fmt.Sprintf("%s is %s", query, number(value))
	if n := len(o.Readings[query].Samples); n > 1 {
		text += fmt.Sprintf(" (the first of %d series)", n)
	}
	return text
}

// number writes v with four significant digits, without an exponent where a
// person would not use one.
func number(v float64) string {
	size := math.Abs(v)
	if size != 0 && (size < 1e-4 || size >= 1e15) {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	decimals := 0
	if size != 0 {
		decimals = max(0, 3-int(math.Floor(math.Log10(size))))
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// nodes is "1 node" or "3 nodes".
func nodes(n int) string { return count(n, "node") }

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// roundingSlack is the part of a node that is taken for floating-point error:
// 3 * 0.2 / 0.1 is 6, not 7.
const roundingSlack = 1e-9

// mostNodes keeps a wild metric from overflowing an int.
const mostNodes = math.MaxInt32

// ceilNodes is the least whole number of nodes that is at least x, within
// 0..mostNodes.
func ceilNodes(x float64) int {
	up := math.Ceil(x - roundingSlack*max(1, math.Abs(x)))
	return int(min(max(up, 0), mostNodes))
}
