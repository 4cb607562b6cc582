package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/monitor"
)

var update = flag.Bool("update", false, "rewrite generated pages")

// described collects what is registered: metrics without a value yet are not
// gathered.
type described struct {
	prometheus.Registerer
	metrics []metric
}

type metric struct{ name, help, labels string }

var descText = regexp.MustCompile(`fqName: "([^"]*)", help: "((?:[^"\\]|\\.)*)", .*constLabels: \{.*\}, variableLabels: \{([^}]*)\}`)

func (d *described) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() { c.Describe(descs); close(descs) }()
	for desc := range descs {
		if found := descText.FindStringSubmatch(desc.String()); found != nil {
			d.metrics = append(d.metrics, metric{found[1], found[2], found[3]})
		}
	}
	return d.Registerer.Register(c)
}

func (d *described) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := d.Register(c); err != nil {
			panic(err)
		}
	}
}

// ownMetrics are the metrics of a daemon, by name.
func ownMetrics(t *testing.T) []metric {
	t.Helper()
	d := &described{Registerer: prometheus.NewRegistry()}
	embedded, err := monitor.OpenEmbedded(t.TempDir(), monitor.EmbeddedOptions{Registerer: d})
	if err != nil {
		t.Fatal(err)
	}
	if err := embedded.Close(); err != nil {
		t.Fatal(err)
	}
	scaler.NewMetrics(d)
	own := slices.DeleteFunc(d.metrics, func(m metric) bool { return !strings.HasPrefix(m.name, "scalerd_") })
	slices.SortFunc(own, func(a, b metric) int { return cmp.Compare(a.name, b.name) })
	return own
}

func TestTheMetricsPageListsAllMetrics(t *testing.T) {
	const page = "../../templates/docs/metrics.md"
	var b strings.Builder
	b.WriteString("# Metrics\n\nWhat `scalerd` says of itself at `/metrics`. Those of the Go runtime and of the\nprocess come with it.\n\n| metric | labels | what it is |\n|---|---|---|\n")
	for _, m := range ownMetrics(t) {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.name, strings.ReplaceAll(m.labels, ",", ", "), strings.ReplaceAll(m.help, "|", `\|`))
	}
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is not up to date; run go test ./cmd/scalerd -run MetricsPage -update", page)
	}
}

var metricName = regexp.MustCompile(`scalerd_[a-z_]+`)

func TestAlertsAndDashboardKnowTheMetrics(t *testing.T) {
	known := map[string]bool{}
	for _, m := range ownMetrics(t) {
		known[m.name] = true
	}
	for _, file := range []string{"alerts.yaml", "dashboard.json"} {
		text, err := os.ReadFile(filepath.Join("../../templates/monitoring", file))
		if err != nil {
			t.Fatal(err)
		}
		names := metricName.FindAllString(string(text), -1)
		if len(names) < 5 {
			t.Errorf("%s uses only %d metrics", file, len(names))
		}
		for _, name := range names {
			if !known[name] && !known[strings.TrimSuffix(name, "_bucket")] {
				t.Errorf("%s uses %s, which scalerd does not have", file, name)
			}
		}
	}
}

func TestPromtoolAcceptsTheAlerts(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	out, err := exec.Command(promtool, "check", "rules", "../../templates/monitoring/alerts.yaml").CombinedOutput()
	if err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}
