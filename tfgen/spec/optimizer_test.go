package spec

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const optimized = `name: shop
queries: {requests: sum(requests), latency: avg(latency), busy: [busy > 0, node]}
groups:
  - name: web
    cloud: local
    max: 3
    policies: [{advice: {min_reliability: 50}}]
    optimizer:
      inputs: [requests]
      targets: [{query: latency, max: 0.25}]
`

func TestAnOptimizerHasTheDefaultsOfMiCADO(t *testing.T) {
	app, err := Parse("shop.yaml", []byte(optimized))
	if err != nil {
		t.Fatal(err)
	}
	limit := 0.25
	want := &Optimizer{
		Method: MethodAuto, Inputs: []string{"requests"}, Targets: []OptimizerTarget{{Query: "latency", Max: &limit}},
		KnowledgeBase: KnowledgeUseExisting, TrainingSamplesRequired: 300, MaxUpscaleDelta: 6, MaxDownscaleDelta: 6,
		ActionLag: 1, HiddenUnits: 4, Budget: 0.99, BootHint: Duration(2 * time.Minute),
		Retain: Retention{Recent: 50_000, Older: 50_000}, Seed: 1234,
	}
	if diff := cmp.Diff(want, app.Groups[0].Optimizer); diff != "" {
		t.Errorf("Optimizer (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Policy{Name: "advice", Advice: &Advice{MinReliability: 50}}, app.Groups[0].Policies[0]); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
}

func TestParseReportsMistakesOfAnOptimizer(t *testing.T) {
	for _, tt := range []struct{ name, lines, want string }{
		{"an undefined query", "inputs: [request], targets: [{query: latency, max: 1}]",
			`8:26 groups[0].optimizer.inputs[0]: is "request", which is no defined query; did you mean requests? Defined: busy, latency, requests`},
		{"a metric twice", "inputs: [requests, requests], targets: [{query: latency, max: 1}]",
			`8:36 groups[0].optimizer.inputs[1]: is "requests", as is groups[0].optimizer.inputs[0]; give each metric its own`},
		{"a target that is an input", "inputs: [latency], targets: [{query: latency, max: 1}]",
			`8:47 groups[0].optimizer.targets[0].query: is "latency", as is groups[0].optimizer.inputs[0]; give each metric its own`},
		{"a list of labels", "inputs: [busy], targets: [{query: latency, max: 1}]",
			`8:26 groups[0].optimizer.inputs[0]: is "busy", which is a list of labels; name a query whose value is a number`},
		{"no limit", "inputs: [requests], targets: [{query: latency}]",
			`8:47 groups[0].optimizer.targets[0]: has neither min nor max; add one of them, or both`},
		{"limits the wrong way round", "inputs: [requests], targets: [{query: latency, min: 2, max: 1}]",
			`8:64 groups[0].optimizer.targets[0].min: is 2, not less than max 1; lower min or raise max`},
		{"a whole budget", "inputs: [requests], targets: [{query: latency, max: 1}], budget: 1",
			`8:74 groups[0].optimizer.budget: is 1; write a share of time above 0.5 and below 1, such as 0.99`},
		{"a window that ends before it begins", "inputs: [requests], targets: [{query: latency, max: 1}], exploration: {every: 1h, from_hour: 5, to_hour: 4, node_hours: 1}",
			`8:74 groups[0].optimizer.exploration: goes from hour 5 to hour 4; make to_hour later than from_hour`},
		{"an experiment every minute, for nothing", "inputs: [requests], targets: [{query: latency, max: 1}], exploration: {every: 1m, node_hours: 0}",
			"8:88 groups[0].optimizer.exploration.every: is 1m, less than 10m; write 10m or more\n" +
				"8:99 groups[0].optimizer.exploration.node_hours: is 0; write a number above 0"},
		{"no targets", "inputs: [requests], targets: []",
			`8:37 groups[0].optimizer.targets: has 0 items, less than 1; add items, or remove the key`},
		{"too few samples", "inputs: [requests], targets: [{query: latency, max: 1}], training_samples_required: 3",
			`8:74 groups[0].optimizer.training_samples_required: is 3, less than 10; write 10 or more`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "name: shop\nqueries: {requests: sum(requests), latency: avg(latency), busy: [busy > 0, node]}\ngroups:\n  - name: web\n    cloud: local\n    max: 3\n" +
				"\n    optimizer: {" + tt.lines + "}\n"
			if diff := cmp.Diff(tt.want, mistakes(t, text)); diff != "" {
				t.Errorf("Parse() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheSchemaKnowsOptimizers(t *testing.T) {
	if err := compiledSchema(t).Validate(asJSON(t, optimized)); err != nil {
		t.Error(err)
	}
}
