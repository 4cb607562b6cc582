package monitor

import (
	"slices"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
)

func TestMemoryAnswersPromQL(t *testing.T) {
	m := counted(10 * time.Minute)
	at := time.Unix(600, 0)
	for query, want := range map[string]float64{
		"sum(rate(http_requests_total[1m]))":                            5,
		`rate(http_requests_total{node="web-0002"}[2m])`:                3,
		"count(http_requests_total)":                                    2,
		`sum(rate({__name__=~"http_.*", node!="web-0002"}[1m]))`:        2,
		"max_over_time(sum(rate(http_requests_total[1m]))[5m:])":        5,
		"sum(http_requests_total) - sum(http_requests_total offset 1m)": 300,
	} {
		if r := m.Query(t.Context(), query, at); r.Missing != policy.Present || r.Value() < want-1e-6 || r.Value() > want+1e-6 {
			t.Errorf("Query(%s) = %+v, want %v", query, r, want)
		}
	}
	if r := m.Query(t.Context(), "nothing", at); r.Missing != policy.NoSeries {
		t.Errorf("Query(nothing) = %+v, want no series", r)
	}
}

func TestMemoryForgetsWhatEnded(t *testing.T) {
	m := NewMemory(15*time.Second, time.Minute)
	old, other := m.Series("load", map[string]string{"node": "a"}), m.Series("load", map[string]string{"node": "b"})
	at := time.Unix(0, 0)
	for range 20 {
		at = at.Add(15 * time.Second)
		old.Append(at, 1)
		other.Append(at, 2)
	}
	if n := len(other.samples); n > 6 {
		t.Errorf("%d samples are kept, want those of a minute", n)
	}
	at = at.Add(15 * time.Second)
	old.End(at)
	other.Append(at, 2)
	if r := m.Query(t.Context(), "sum(load)", at); r.Value() != 2 {
		t.Errorf("Query() = %+v, want 2: the other series ended", r)
	}
	for range 10 {
		at = at.Add(15 * time.Second)
		other.Append(at, 2)
	}
	m.Query(t.Context(), "sum(load)", at)
	if n := len(m.byName["load"]); n != 1 {
		t.Errorf("%d series are kept, want 1", n)
	}
	if r := m.Query(t.Context(), "sum(load)", at.Add(5*time.Minute)); r.Missing != policy.Stale {
		t.Errorf("Query() = %+v, want stale", r)
	}
}

func TestSelectors(t *testing.T) {
	a, b := Selector{"a", "a"}, Selector{"b", "b"}
	for _, test := range []struct {
		query string
		want  []Selector
		reach time.Duration
	}{
		{"a / on() b", []Selector{a, b}, 45 * time.Second},
		{"sum(rate(a[5m])) + rate(a[1m] offset 1h)", []Selector{a, a}, 61 * time.Minute},
		{"max_over_time(sum(rate(b[1m]))[1h:] offset 5m)", []Selector{b}, 66 * time.Minute},
		{`a{node="x"}`, []Selector{{"a", `a{node="x"}`}}, 45 * time.Second},
		{`{__name__=~"a.*"}`, []Selector{{"", `{__name__=~"a.*"}`}}, 45 * time.Second},
		{"time()", nil, 0},
	} {
		got, reach, err := Selectors(test.query, 15*time.Second)
		if err != nil || !slices.Equal(got, test.want) || (reach-test.reach).Abs() > time.Second {
			t.Errorf("Selectors(%s) = %v, %s, %v, want %v, %s", test.query, got, reach, err, test.want, test.reach)
		}
	}
	if _, _, err := Selectors("sum(", time.Second); err == nil {
		t.Error("Selectors(sum() = nil, want the mistake")
	}
}
