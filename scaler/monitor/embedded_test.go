package monitor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
)

const histogramPage = `# TYPE requests_total counter
requests_total{code="200"} %t
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} %t
latency_seconds_bucket{le="0.5"} %t
latency_seconds_bucket{le="+Inf"} %t
latency_seconds_sum %t
latency_seconds_count %t
# TYPE cpu_ratio gauge
cpu_ratio 0.75
`

func TestEmbeddedScrapesAndEvaluates(t *testing.T) {
	first, second := newPage(t, histogramPage), newPage(t, histogramPage)
	a := openEmbedded(t, t.TempDir()).Application("shop", interval)
	watch(t, a, first.target(map[string]string{"node": "web-0001"}), second.target(map[string]string{"node": "web-0002"}))

	tests := []struct {
		query  string
		accept func(float64) bool
	}{
		{`sum(up)`, equals(2)},
		{`sum(up{job="node", application="shop"})`, equals(2)},
		{`avg(cpu_ratio)`, equals(0.75)},
		// Each page counts 1 a second, so that two make 2.
		{`sum(rate(requests_total[2s]))`, between(1.9, 2.1)},
		// All observations lie in the first bucket, whose middle is 0.05.
		{`histogram_quantile(0.5, sum by (le) (rate(latency_seconds_bucket[2s])))`, between(0.049, 0.051)},
		{`quantile(0.9, cpu_ratio)`, equals(0.75)},
		{`max_over_time(sum(up)[1s:])`, equals(2)},
		{`42`, equals(42)},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) { awaitValue(t, a, test.query, test.accept) })
	}
}

func TestEmbeddedSamplesCarryLabelsInOrder(t *testing.T) {
	first, second := newPage(t, "cpu_ratio 1\n"), newPage(t, "cpu_ratio 2\n")
	a := openEmbedded(t, t.TempDir()).Application("shop", interval)
	watch(t, a, second.target(map[string]string{"node": "web-0002"}), first.target(map[string]string{"node": "web-0001"}))
	awaitValue(t, a, "count(cpu_ratio)", equals(2))

	got := a.Query(t.Context(), "sum by (node, job, application) (cpu_ratio)", time.Now())
	want := policy.Reading{Samples: []policy.Sample{
		{Labels: map[string]string{"application": "shop", "job": "node", "node": "web-0001"}, Value: 1},
		{Labels: map[string]string{"application": "shop", "job": "node", "node": "web-0002"}, Value: 2},
	}}
	if age := time.Since(got.SampledAt); age < 0 || age > time.Minute {
		t.Errorf("SampledAt = %v, want the last scrape", got.SampledAt)
	}
	got.SampledAt = time.Time{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Query() (-want +got):\n%s", diff)
	}
	r := a.Query(t.Context(), `up{node="web-0001"}`, time.Now())
	if r.Missing != policy.Present || r.Samples[0].Labels["instance"] != first.address() {
		t.Errorf("up = %+v, want instance %s", r, first.address())
	}
}

func TestEmbeddedTargetLabelsCannotForgeTheApplication(t *testing.T) {
	p := newPage(t, `cpu_ratio{application="bank", instance="elsewhere"} 1`+"\n")
	a := openEmbedded(t, t.TempDir()).Application("shop", interval)
	watch(t, a, p.target(map[string]string{"application": "bank", "instance": "forged"}))

	r := awaitValue(t, a, "cpu_ratio", equals(1))
	want := map[string]string{
		"__name__": "cpu_ratio", "application": "shop", "instance": p.address(), "job": "node",
		"exported_application": "bank", "exported_instance": "elsewhere",
	}
	if diff := cmp.Diff(want, r.Samples[0].Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

func TestEmbeddedReadsAPageWithoutContentType(t *testing.T) {
	p := newPage(t, "")
	p.server.Config.Handler = plain("cpu_ratio 3\n")
	a := openEmbedded(t, t.TempDir()).Application("shop", interval)
	watch(t, a, p.target(nil))
	awaitValue(t, a, "cpu_ratio", equals(3))
}

func TestEmbeddedSeriesOfARemovedTargetBecomeStale(t *testing.T) {
	stays, goes := newPage(t, "cpu_ratio 1\n"), newPage(t, "cpu_ratio 2\n")
	a := openEmbedded(t, t.TempDir()).Application("shop", interval)
	watch(t, a, stays.target(map[string]string{"node": "a"}), goes.target(map[string]string{"node": "b"}))
	awaitValue(t, a, `cpu_ratio{node="b"}`, equals(2))

	watch(t, a, stays.target(map[string]string{"node": "a"}))
	awaitMissing(t, a, `cpu_ratio{node="b"}`, policy.Stale)
	awaitMissing(t, a, `up{node="b"}`, policy.Stale)
	if r := a.Query(t.Context(), `up{node="a"}`, time.Now()); r.Value() != 1 {
		t.Errorf("up of the other target = %+v, want 1", r)
	}
	scrapes := goes.count()
	before := stays.count()
	eventually(t, "the other target is scraped three times more", func() bool { return stays.count() >= before+3 })
	if got := goes.count(); got != scrapes {
		t.Errorf("the removed target was scraped %d times more, want 0", got-scrapes)
	}
}

func TestEmbeddedValuesOfATargetThatFailsAreStaleAtOnce(t *testing.T) {
	p := newPage(t, "cpu_ratio 1\n")
	a := openEmbedded(t, t.TempDir()).Application("shop", interval)
	watch(t, a, p.target(nil))
	awaitValue(t, a, "cpu_ratio", equals(1))

	p.server.Close()
	awaitMissing(t, a, "cpu_ratio", policy.Stale)
	awaitValue(t, a, "up", equals(0))
}

func TestEmbeddedValueIsGoneAfterTheLookback(t *testing.T) {
	p := newPage(t, "cpu_ratio 1\n")
	dir := t.TempDir()
	e := openEmbedded(t, dir)
	a := e.Application("shop", interval)
	watch(t, a, p.target(nil))
	awaitValue(t, a, "cpu_ratio", equals(1))
	if err := e.Close(); err != nil { // without stale markers
		t.Fatal(err)
	}

	closed := time.Now()
	e = openEmbedded(t, dir)
	fast, slow := e.Application("shop", interval), e.Application("shop", time.Minute)
	tests := []struct {
		name  string
		a     *Application
		after time.Duration
		want  policy.Missing
	}{
		{"29s later it is there", fast, 29 * time.Second, policy.Present},
		{"31s later it is gone", fast, 31 * time.Second, policy.Stale},
		{"an interval of a minute keeps it for 3m", slow, 178 * time.Second, policy.Present},
		{"and no longer", slow, 181 * time.Second, policy.Stale},
		{"16m later nobody remembers it", fast, 16 * time.Minute, policy.NoSeries},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if r := test.a.Query(t.Context(), "cpu_ratio", closed.Add(test.after)); r.Missing != test.want {
				t.Errorf("Query() = %+v, want missing %q", r, test.want)
			}
		})
	}
}

func TestEmbeddedRestartKeepsSamples(t *testing.T) {
	dir, p := t.TempDir(), newPage(t, "requests_total %t\n")
	e := openEmbedded(t, dir)
	a := e.Application("shop", interval)
	watch(t, a, p.target(nil))
	before := awaitValue(t, a, "count_over_time(requests_total[1h])", between(5, 1000)).Value()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}

	a = openEmbedded(t, dir).Application("shop", interval)
	if got := a.Query(t.Context(), "count_over_time(requests_total[1h])", time.Now()).Value(); !(got >= before) {
		t.Errorf("after the restart there are %v samples, want at least %v", got, before)
	}
}

func TestEmbeddedRestartRemembersWhatIsStale(t *testing.T) {
	dir, p := t.TempDir(), newPage(t, "cpu_ratio 1\n")
	e := openEmbedded(t, dir)
	a := e.Application("shop", interval)
	watch(t, a, p.target(nil))
	awaitValue(t, a, "count_over_time(cpu_ratio[1h])", between(15, 1000))
	watch(t, a)
	awaitMissing(t, a, "cpu_ratio", policy.Stale)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}

	a = openEmbedded(t, dir).Application("shop", interval)
	if r := a.Query(t.Context(), "cpu_ratio", time.Now()); r.Missing != policy.Stale {
		t.Errorf("cpu_ratio = %+v, want stale", r)
	}
	if r := a.Query(t.Context(), "memory_bytes", time.Now()); r.Missing != policy.NoSeries {
		t.Errorf("memory_bytes = %+v, want no series", r)
	}
}

func TestEmbeddedCloseWhileInUse(t *testing.T) {
	e, err := OpenEmbedded(t.TempDir(), EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	a := e.Application("shop", interval)
	targets := []scaler.Target{newPage(t, "cpu_ratio 1\n").target(nil)}
	watch(t, a, targets...)
	awaitValue(t, a, "cpu_ratio", equals(1))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for a.Query(t.Context(), "cpu_ratio", time.Now()).Missing != policy.Unreachable {
			targets[0].Path += "/"
			_ = a.Watch(slices.Clone(targets))
		}
	}()
	for range 2 {
		if err := e.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	}
	<-done
	if err := a.Close(); err != nil {
		t.Errorf("Application.Close() after Close() = %v, want nil", err)
	}
}

func TestEmbeddedDirectoryIsForOneProcess(t *testing.T) {
	dir := t.TempDir()
	openEmbedded(t, dir)
	if e, err := OpenEmbedded(dir, EmbeddedOptions{}); err == nil {
		e.Close()
		t.Error("a second OpenEmbedded() of a directory in use = nil, want an error")
	}
}

func TestEmbeddedMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	e, err := OpenEmbedded(t.TempDir(), EmbeddedOptions{Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	a := e.Application("shop", interval)
	a.Query(t.Context(), "1", time.Now())
	a.Query(t.Context(), "cpu_ratio", time.Now())
	a.Query(t.Context(), "cpu_ratio", time.Now())
	want := `# HELP scalerd_monitor_queries_total Queries that the embedded monitoring answered, by why they have no value.
# TYPE scalerd_monitor_queries_total counter
scalerd_monitor_queries_total{missing=""} 1
scalerd_monitor_queries_total{missing="no series"} 2
# HELP scalerd_monitor_series Series of the last hours that the embedded monitoring holds in memory.
# TYPE scalerd_monitor_series gauge
scalerd_monitor_series 0
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := testutil.GatherAndCount(registry); err != nil || n != 0 {
		t.Errorf("after Close() the registry has %d metrics (%v), want 0", n, err)
	}
}
