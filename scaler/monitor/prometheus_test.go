package monitor

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// TestExternalWithPrometheus goes the whole way where a Prometheus is installed:
// it scrapes a page through the file_sd file and answers.
func TestExternalWithPrometheus(t *testing.T) {
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("no prometheus binary on PATH")
	}
	dir := t.TempDir()
	fileSD := filepath.Join(dir, "targets.json")
	cfg := filepath.Join(dir, "prometheus.yml")
	writeFile(t, cfg, fmt.Sprintf(`
global: {scrape_interval: 200ms, scrape_timeout: 200ms}
scrape_configs:
- job_name: scalerd
  file_sd_configs: [{files: [%s]}]
`, fileSD))
	address := closedPort(t)
	server := exec.CommandContext(t.Context(), binary, "--config.file="+cfg, "--storage.tsdb.path="+dir+"/data", "--web.listen-address="+address)
	var output bytes.Buffer
	server.Stdout, server.Stderr = &output, &output
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Wait()
		if t.Failed() {
			t.Log(output.String())
		}
	})

	e := newExternal(t, spec.Prometheus{URL: "http://" + address}, fileSD)
	watch(t, e, newPage(t, "cpu_ratio 0.75\n").target(map[string]string{"node": "web-0001"}))
	query := `cpu_ratio{job="node", node="web-0001"}`
	eventually(t, "prometheus answers 0.75", func() bool { return e.Query(t.Context(), query, time.Now()).Value() == 0.75 })
	watch(t, e)
	eventually(t, "the series is stale", func() bool { return e.Query(t.Context(), query, time.Now()).Missing == policy.Stale })
	wantMissing := func(query string, want policy.Missing) {
		if r := e.Query(t.Context(), query, time.Now()); r.Missing != want {
			t.Errorf("Query(%s) = %+v, want missing %q", query, r, want)
		}
	}
	wantMissing(`sum(`, policy.QueryError)
	wantMissing(`up[1m]`, policy.QueryError)
	wantMissing(`"up"`, policy.QueryError)
	wantMissing(`vector(0) / 0`, policy.NaN)
	wantMissing(`memory_bytes`, policy.NoSeries)
}
