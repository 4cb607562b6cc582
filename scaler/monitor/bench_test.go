package monitor

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
)

// hourOfSamples stores, for each of 10 nodes, an hour of 15-second samples of
// what a small exporter serves: a gauge, counters by code and a histogram.
func hourOfSamples(b *testing.B, e *Embedded, end time.Time) {
	b.Helper()
	series := make([][]labels.Labels, 0, 10)
	for node := range 10 {
		series = append(series, nodeSeries(fmt.Sprintf("web-%04d", node)))
	}
	for t := end.Add(-time.Hour); !t.After(end); t = t.Add(15 * time.Second) {
		appender := e.db.Appender(b.Context())
		for _, node := range series {
			for i, s := range node {
				value := t.Sub(end.Add(-time.Hour)).Seconds() * float64(i+1)
				if _, err := appender.Append(0, s, t.UnixMilli(), value); err != nil {
					b.Fatal(err)
				}
			}
		}
		if err := appender.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

func nodeSeries(node string) []labels.Labels {
	named := func(name string, more ...string) labels.Labels {
		set := append([]string{"__name__", name, "application", "shop", "group", "web", "job", "node", "node", node}, more...)
		return labels.FromStrings(set...)
	}
	all := []labels.Labels{named("up"), named("cpu_ratio")}
	for _, code := range []string{"200", "404", "500"} {
		all = append(all, named("requests_total", "code", code))
	}
	for _, le := range []string{"0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf"} {
		all = append(all, named("latency_seconds_bucket", "le", le))
	}
	for i := range 40 {
		all = append(all, named("other", "n", fmt.Sprint(i)))
	}
	return all
}

var tenQueries = []string{
	`sum(up)`,
	`avg(cpu_ratio)`,
	`quantile(0.9, cpu_ratio)`,
	`sum(rate(requests_total[1m]))`,
	`sum(rate(requests_total{code=~"5.."}[5m])) / sum(rate(requests_total[5m]))`,
	`histogram_quantile(0.95, sum by (le) (rate(latency_seconds_bucket[1m])))`,
	`avg_over_time(sum(cpu_ratio)[5m:15s])`,
	`max_over_time(cpu_ratio[1h])`,
	`predict_linear(cpu_ratio{node="web-0001"}[15m], 300)`,
	`topk(3, sum by (node) (rate(requests_total[2m])))`,
}

// BenchmarkTenQueries answers what one tick of a group with ten queries asks.
func BenchmarkTenQueries(b *testing.B) {
	e, err := OpenEmbedded(b.TempDir(), EmbeddedOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	end := time.Now().Truncate(time.Millisecond)
	hourOfSamples(b, e, end)
	a := e.Application("shop", 15*time.Second)
	b.ReportAllocs()
	for b.Loop() {
		for _, query := range tenQueries {
			if r := a.Query(b.Context(), query, end); r.Missing != policy.Present {
				b.Fatalf("Query(%s) = %+v, want a value", query, r)
			}
		}
	}
}

// BenchmarkWatchUnchanged is what every tick pays for a group of 100 nodes.
func BenchmarkWatchUnchanged(b *testing.B) {
	e, err := OpenEmbedded(b.TempDir(), EmbeddedOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	a := e.Application("shop", time.Hour)
	targets := manyTargets(100)
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Watch(targets); err != nil {
			b.Fatal(err)
		}
	}
}

func manyTargets(n int) []scaler.Target {
	targets := make([]scaler.Target, n)
	for i := range targets {
		node := fmt.Sprintf("web-%04d", i)
		targets[i] = scaler.Target{Job: "node", Address: node + ".invalid:9100", Path: "/metrics", Labels: map[string]string{"group": "web", "node": node}}
	}
	return targets
}
