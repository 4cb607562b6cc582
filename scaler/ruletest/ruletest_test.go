package ruletest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/scalerd/scalerd/scaler/ruletest"
	"github.com/scalerd/scalerd/tfgen/spec"
)

const source = `
print("load", LOAD, m_userdata)
if hot and m_time_since_node_count_changed > 60:
  m_node_count = ceil(LOAD / EACH)
if idle:
  m_nodes_todrop = idle
m_userdata = {"seen": len(m_nodes)}
`

func rule() ruletest.Rule {
	return ruletest.Rule{Rule: spec.Rule{Source: source, File: "web.star"}, Constants: map[string]any{"EACH": 10}, Max: 9}
}

func TestRun(t *testing.T) {
	f, err := ruletest.Parse("web.ruletest.yaml", []byte(`
rule: web.star
given: {LOAD: 55, hot: true, idle: [], m_node_count: 3, m_time_since_node_count_changed: 61}
tests:
  - name: a hot group grows
    expect: {m_node_count: 6, m_userdata: {seen: 3}, prints: [load 55.0 None]}
  - name: a constant can be given
    given: {EACH: 5, m_userdata: [1], m_nodes: 2}
    expect: {m_node_count: 11, hold: false, m_userdata: {seen: 2}, prints: ["load 55.0 [1]"]}
  - name: a query without a value fails the rule
    given: {LOAD: stale}
    expect: {error: "web.star:4:28"}
  - name: idle nodes are dropped
    given: {hot: false, idle: [b], m_nodes: [a, b, c]}
    expect: {m_nodes_todrop: [b], m_node_count: 2}
  - name: what is wrong is told
    given: {hot: false}
    expect: {m_node_count: 4, hold: true, m_nodes_todrop: [x], error: nothing, m_userdata: 1, prints: [y]}
  - name: what cannot be given is told
    given: {m_opts: 1}
    expect: {}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range f.Run(rule()) {
		got = append(got, strings.Join(append([]string{r.Name}, r.Failures...), "\n"))
	}
	want := []string{
		"a hot group grows", "a constant can be given", "a query without a value fails the rule", "idle nodes are dropped",
		"what is wrong is told\nthe rule does not hold the group: the rule wants 3 nodes, 3 are wanted\n" +
			"m_nodes_todrop is [], want [x]: the rule wants 3 nodes, 3 are wanted\n" +
			"the error is \"\", want it to say \"nothing\"\nm_userdata is {\"seen\":3}, want 1\nnothing prints \"y\"; printed: [\"load 55.0 None\"]",
		"what cannot be given is told\nm_opts: is nothing that can be given",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Run() (-want +got):\n%s", diff)
	}
}

func TestParseSetting(t *testing.T) {
	for text, want := range map[string]any{"a=1.5": 1.5, "a=true": true, "a=stale": "stale", `a=["x"]`: []any{"x"}, "a=2026-01-01T00:00:00Z": "2026-01-01T00:00:00Z"} {
		name, got, err := ruletest.ParseSetting(text)
		if diff := cmp.Diff(want, got); diff != "" || name != "a" || err != nil {
			t.Errorf("ParseSetting(%q) = %s, %v, %v, want a, %v", text, name, got, err, want)
		}
	}
	if _, _, err := ruletest.ParseSetting("a"); err == nil {
		t.Error("ParseSetting(a) = nil, want an error")
	}
}

func TestGivenIsChecked(t *testing.T) {
	for _, test := range []struct {
		given ruletest.Given
		want  string
	}{
		{ruletest.Given{"m_node_count": -1}, "m_node_count: is -1, write a whole number"},
		{ruletest.Given{"m_nodes": "x"}, "m_nodes: is x, write how many"},
		{ruletest.Given{"LOAD": "much"}, `LOAD: is "much", write a number`},
		{ruletest.Given{"now": "noon"}, "now: parsing time"},
	} {
		if _, err := ruletest.Evaluate(rule(), test.given); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Evaluate(%v) = %v, want %q", test.given, err, test.want)
		}
	}
}
