package local

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// get returns the body of an answer, which must be 200.
func get(url string) (string, error) {
	response, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("get %s: %s: %s", url, response.Status, body)
	}
	return string(body), err
}

// scrape reads the metrics page of a node into values by name and labels.
func scrape(t *testing.T, address string) map[string]float64 {
	t.Helper()
	return scrapePage(t, "http://"+address+"/metrics")
}

func scrapePage(t *testing.T, url string) map[string]float64 {
	t.Helper()
	page, err := get(url)
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		t.Fatalf("metrics page does not parse: %v\n%s", err, page)
	}
	values := map[string]float64{}
	for _, family := range families {
		flatten(family, values)
	}
	return values
}

// gather is scrape without a network.
func gather(t *testing.T, registry prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		flatten(family, values)
	}
	return values
}

func flatten(family *dto.MetricFamily, values map[string]float64) {
	for _, m := range family.GetMetric() {
		key := family.GetName() + labels(m)
		switch family.GetType() {
		case dto.MetricType_COUNTER:
			values[key] = m.GetCounter().GetValue()
		case dto.MetricType_GAUGE:
			values[key] = m.GetGauge().GetValue()
		case dto.MetricType_HISTOGRAM:
			values[key+"_count"] = float64(m.GetHistogram().GetSampleCount())
		case dto.MetricType_SUMMARY:
			values[key+"_count"] = float64(m.GetSummary().GetSampleCount())
			for _, q := range m.GetSummary().GetQuantile() {
				values[fmt.Sprintf("%s{quantile=%q}", key, fmt.Sprint(q.GetQuantile()))] = q.GetValue()
			}
		}
	}
}

func labels(m *dto.Metric) string {
	var pairs []string
	for _, label := range m.GetLabel() {
		pairs = append(pairs, fmt.Sprintf("%s=%q", label.GetName(), label.GetValue()))
	}
	if len(pairs) == 0 {
		return ""
	}
	sort.Strings(pairs)
	return "{" + strings.Join(pairs, ",") + "}"
}

func unmarshal(text string, value any) error {
	if err := json.Unmarshal([]byte(text), value); err != nil {
		return fmt.Errorf("%q is no JSON: %w", text, err)
	}
	return nil
}

// startedPIDs are the processes that a log says were started.
func startedPIDs(t *testing.T, log string) []int {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, match := range regexp.MustCompile(`msg=started .*pid=(\d+)`).FindAllSubmatch(text, -1) {
		pid, _ := strconv.Atoi(string(match[1]))
		pids = append(pids, pid)
	}
	return pids
}

// eventually fails the test where the condition does not come true.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	err := poll(context.Background(), 20*time.Second, func() (bool, error) { return condition(), nil })
	if err != nil {
		t.Fatalf("waiting until %s: %v", what, err)
	}
}
