package monitor

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler/policy"
)

func TestNewReading(t *testing.T) {
	node := func(name string, value float64) policy.Sample {
		return policy.Sample{Labels: map[string]string{"node": name}, Value: value}
	}
	tests := []struct {
		name string
		in   []policy.Sample
		want policy.Reading
	}{
		{"nothing is no series", nil, policy.Reading{Missing: policy.NoSeries, Detail: "empty result"}},
		{
			"samples are sorted by labels",
			[]policy.Sample{node("b", 2), node("a", 1)},
			policy.Reading{Samples: []policy.Sample{node("a", 1), node("b", 2)}},
		},
		{
			"a first sample that is not a number makes the reading so",
			[]policy.Sample{node("b", 2), node("a", math.NaN())},
			policy.Reading{Missing: policy.NaN, Detail: `NaN for {node="a"}`},
		},
		{
			"a later one is dropped",
			[]policy.Sample{node("a", 1), node("b", math.Inf(1)), node("c", 3)},
			policy.Reading{Samples: []policy.Sample{node("a", 1), node("c", 3)}},
		},
		{
			"an infinite value is not a number",
			[]policy.Sample{{Value: math.Inf(-1)}},
			policy.Reading{Missing: policy.NaN, Detail: "-Inf for {}"},
		},
		{
			"three series are named and the others counted",
			[]policy.Sample{node("a", math.NaN()), node("b", math.NaN()), node("c", math.NaN()), node("d", math.NaN()), node("e", math.NaN())},
			policy.Reading{Missing: policy.NaN, Detail: `NaN for {node="a"}, NaN for {node="b"}, NaN for {node="c"}, and 2 more`},
		},
		{
			"zero is a value",
			[]policy.Sample{{Value: 0}},
			policy.Reading{Samples: []policy.Sample{{Value: 0}}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newReading(test.in)); diff != "" {
				t.Errorf("newReading() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckQuery(t *testing.T) {
	tests := []struct{ name, query, want string }{
		{"a vector", `sum(rate(requests_total[1m]))`, ""},
		{"a scalar", `1 + 1`, ""},
		{"a syntax error has its position", "sum(up)\n  + sum(up", "2:11: parse error: unclosed left parenthesis"},
		{"an unknown function", `summ(up)`, `1:1: parse error: unknown function with name "summ"`},
		{"nothing", ``, "parse error: no expression found in input"},
		{"a range vector", `up[5m]`, "1:1: the result is a range vector, want an instant vector or a scalar; wrap it in a function such as rate()"},
		{"a string", `"up"`, "1:1: the result is a string"},
		{"an experimental function", `info(up)`, "is not enabled"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := CheckQuery(test.query)
			if test.want == "" && err != nil {
				t.Errorf("CheckQuery(%q) = %v, want nil", test.query, err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("CheckQuery(%q) = %v, want %s", test.query, err, test.want)
			}
		})
	}
}
