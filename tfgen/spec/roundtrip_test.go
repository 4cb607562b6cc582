package spec

import (
	"fmt"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestParseReadsWhatMarshalWrites draws valid applications, writes them as YAML and
// checks that Parse gives them back, to the last digit.
func TestParseReadsWhatMarshalWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawApplication(t)
		text, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse("drawn.yaml", text)
		if err != nil {
			t.Fatalf("Parse() error:\n%v\nof:\n%s", err, text)
		}
		opts := cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Rule{}, "File", "Line", "Column"), cmpopts.IgnoreFields(Application{}, "Dir")}
		if diff := cmp.Diff(want, got, opts); diff != "" {
			t.Fatalf("Parse() (-want +got):\n%s\nof:\n%s", diff, text)
		}
	})
}

func drawApplication(t *rapid.T) *Application {
	app := &Application{
		Name:      drawName(t),
		Interval:  drawDuration(t, time.Second),
		Constants: map[string]any{},
		Queries:   map[string]Query{},
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "constants") {
		app.Constants[fmt.Sprintf("c%d", i)] = rapid.OneOf(
			rapid.Int().AsAny(), rapid.Bool().AsAny(), drawFloat.AsAny(), drawText.AsAny(),
			rapid.Map(rapid.SliceOf(rapid.Int()), func(ints []int) any {
				list := make([]any, len(ints))
				for i, n := range ints {
					list[i] = n
				}
				return list
			})).Draw(t, "constant")
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "queries") {
		query := Query{Expr: "up" + drawText.Draw(t, "query")}
		if rapid.Bool().Draw(t, "a list") {
			query.Label = "node" + drawText.Draw(t, "label")
		}
		app.Queries[fmt.Sprintf("q%d", i)] = query
	}
	app.Monitoring = drawMonitoring(t)
	for i := range rapid.IntRange(1, 3).Draw(t, "groups") {
		app.Groups = append(app.Groups, drawGroup(t, i))
	}
	return app
}

var drawFloat = rapid.Float64Range(-1e300, 1e300)

// drawText draws no text like 1e3, which the encoder leaves without quotes although
// YAML 1.2 reads it as a number.
var drawText = rapid.StringMatching(`([a-zé日][ -~é日]{0,20})?`)

func drawName(t *rapid.T) string {
	return rapid.StringMatching(`[a-z]([a-z0-9-]{0,38}[a-z0-9])?`).Draw(t, "name")
}

func drawDuration(t *rapid.T, least time.Duration) Duration {
	return Duration(rapid.Int64Range(int64(least), int64(1000*time.Hour)).Draw(t, "duration"))
}

func drawMonitoring(t *rapid.T) Monitoring {
	if rapid.Bool().Draw(t, "external") {
		return Monitoring{Prometheus: &Prometheus{URL: "http://prometheus.example:9090", BearerTokenFile: drawText.Draw(t, "token"), FileSD: drawText.Draw(t, "file"), AlertTimeout: drawDuration(t, 0), Alerts: rapid.SampledFrom([]AlertSource{AlertsEvaluate, AlertsReceive}).Draw(t, "alerts")}}
	}
	target := ScrapeTarget{Job: "j" + drawText.Draw(t, "job"), Path: "/m", Labels: map[string]string{"a": drawText.Draw(t, "label")}}
	for range rapid.IntRange(1, 3).Draw(t, "addresses") {
		target.Addresses = append(target.Addresses, fmt.Sprintf("db:%d", rapid.IntRange(1, 65535).Draw(t, "port")))
	}
	return Monitoring{Targets: []ScrapeTarget{target}}
}

func drawGroup(t *rapid.T, i int) Group {
	g := Group{
		Name:      fmt.Sprintf("g%d", i),
		Cloud:     CloudLocal,
		Max:       rapid.IntRange(1, 1000).Draw(t, "max"),
		ShardSize: rapid.IntRange(1, 200).Draw(t, "shard size"),
		Local: &Local{
			Slots:       rapid.IntRange(1, 1000).Draw(t, "slots"),
			ServiceTime: drawDuration(t, 1), BootTime: drawDuration(t, 0),
			Balancer: fmt.Sprintf("127.0.0.1:%d", 8000+i),
		},
		CloudInit: CloudInit{
			Mode:    rapid.SampledFrom([]CloudInitMode{CloudInitAppend, CloudInitInsert, CloudInitReplace}).Draw(t, "mode"),
			Content: drawText.Draw(t, "cloud init"), Base: drawText.Draw(t, "base"),
		},
		Rollout: Rollout{
			Mode:  rapid.SampledFrom([]RolloutMode{RolloutReplace, RolloutKeep}).Draw(t, "rollout"),
			Batch: rapid.IntRange(1, 9).Draw(t, "batch"), Surge: rapid.SampledFrom([]int{0, 9, 10}).Draw(t, "surge"), Pause: drawDuration(t, 0),
		},
		Drain:  rapid.SampledFrom([]*Drain{nil, {Command: []string{"drain", "--now"}, Timeout: drawDuration(t, 1), OnFailure: DrainKeep, AtOnce: 2}, {URL: "http://127.0.0.1/drain", Timeout: 1, OnFailure: DrainProceed, AtOnce: 1}}).Draw(t, "drain"),
		Repair: rapid.SampledFrom([]*Repair{nil, {UnhealthyAfter: drawDuration(t, time.Minute), BootTimeout: drawDuration(t, time.Minute), AtOnce: 1, MaxPerHour: 2, MaxUnready: 50}}).Draw(t, "repair"),
		Drift: Drift{
			Every:     drawDuration(t, 0),
			OnDeleted: rapid.SampledFrom([]DriftAction{DriftRepair, DriftReport}).Draw(t, "on deleted"),
			OnChanged: rapid.SampledFrom([]DriftAction{DriftRepair, DriftReport}).Draw(t, "on changed"),
		},
		Alerts:    []Alert{{Name: fmt.Sprintf("a%d", i), Expr: "up == 0", For: drawDuration(t, 0)}},
		Budget:    rapid.SampledFrom([]*Budget{nil, {MaxPerHour: 2.5}, {MaxPerHour: 0.5, MaxPerMonth: 900, Currency: "EUR"}}).Draw(t, "budget"),
		Metrics:   Metrics{Port: rapid.IntRange(1, 65535).Draw(t, "port"), Path: "/metrics"},
		Constants: map[string]any{"g": drawText.Draw(t, "constant")},
		Scaling: Scaling{
			CooldownOut: drawDuration(t, 0), CooldownIn: drawDuration(t, 0), Stabilisation: drawDuration(t, 0),
			MaxStepOut: rapid.IntRange(0, 9).Draw(t, "step out"), MaxStepIn: rapid.IntRange(0, 9).Draw(t, "step in"),
			MaxStepOutPercent: rapid.Float64Range(0, 300).Draw(t, "step out percent"), MaxStepInPercent: rapid.Float64Range(0, 100).Draw(t, "step in percent"),
			MaxTurns: rapid.IntRange(0, 20).Draw(t, "turns"), BreakerAfter: rapid.IntRange(0, 9).Draw(t, "breaker"), BreakerProbe: drawDuration(t, 0),
			Victims: rapid.SampledFrom([]*Victims{nil, {Order: VictimsOldest, Protected: []string{"g0-0001"}}, {Order: VictimsLeastBusy, Query: "q0"}, {Order: VictimsPrice}}).Draw(t, "victims"),
		},
	}
	g.Min = rapid.IntRange(0, 1).Draw(t, "min")
	g.Initial = rapid.IntRange(g.Min, g.Max).Draw(t, "initial")
	for j := range rapid.IntRange(0, 3).Draw(t, "policies") {
		g.Policies = append(g.Policies, drawPolicy(t, fmt.Sprintf("p%d", j)))
	}
	return g
}

func drawPolicy(t *rapid.T, name string) Policy {
	p := Policy{Name: name}
	p.Shadow = rapid.Bool().Draw(t, "shadow")
	if rapid.Bool().Draw(t, "missing") {
		m := DefaultMissing()
		m.NaN, m.HoldFor = rapid.SampledFrom([]Answer{AnswerHold, AnswerFloor, AnswerAbstain, AnswerZero}).Draw(t, "nan"), drawDuration(t, 0)
		p.Missing = &m
	}
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0:
		p.Target = &Target{
			Query: "q0", Value: rapid.Float64Range(1e-9, 1e9).Draw(t, "value"),
			Kind:      rapid.SampledFrom([]TargetKind{TargetAverage, TargetTotal}).Draw(t, "target kind"),
			Tolerance: rapid.Float64Range(0, 1).Draw(t, "tolerance"),
		}
	case 1:
		p.Steps = &Steps{Query: "q0"}
		for range rapid.IntRange(1, 3).Draw(t, "bands") {
			p.Steps.Bands = append(p.Steps.Bands, drawBand(t))
		}
	case 3:
		one := 1
		p.Schedule = &Schedule{TimeZone: "Europe/Budapest", Windows: []Window{
			{Cron: "0 8 * * 1-5", For: Duration(10 * time.Hour), Min: &one},
			{From: "2026-11-27 08:00", To: "2026-11-29 20:00", Count: &one},
		}, Otherwise: rapid.SampledFrom([]*Bounds{nil, {Max: &one}}).Draw(t, "otherwise")}
	case 4:
		p.Deadline = &Deadline{Jobs: "q0", JobTakes: drawDuration(t, 1), Slots: rapid.IntRange(1, 9).Draw(t, "job slots"), By: "2026-12-01T18:00:00Z"}
	case 5:
		p.Activation = &Activation{Query: "q0", Above: rapid.Float64Range(0, 9).Draw(t, "above"), Nodes: 1}
	case 6:
		p.Target = &Target{Tolerance: 0.1, Queries: []TargetQuery{{Query: "q0", Value: 1.5, Kind: TargetTotal}, {Query: "q0", Value: rapid.Float64Range(1e-9, 1e9).Draw(t, "value"), Kind: TargetAverage}}}
	case 2:
		p.Rule = &Rule{Source: rapid.StringMatching(`m_node_count = [0-9]{1,3}(\nif q0 > [0-9]{1,3}:\n    m_node_count = [0-9]{1,3}\n)?`).Draw(t, "rule")}
	}
	return p
}

func drawBand(t *rapid.T) Band {
	above := drawFloat.Draw(t, "above")
	b := Band{Above: &above}
	if rapid.Bool().Draw(t, "bounded") {
		below := above + max(1, abs(above))
		b.Below = &below
	}
	if rapid.Bool().Draw(t, "relative") {
		percent := drawFloat.Draw(t, "percent")
		b.Percent = &percent
	} else {
		change := rapid.Int().Draw(t, "change")
		b.Change = &change
	}
	return b
}

func abs(f float64) float64 { return max(f, -f) }
