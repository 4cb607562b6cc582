package monitor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/discovery/targetgroup"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen/spec"
)

const wantFileSD = `[
  {
    "targets": [
      "10.0.0.1:9100",
      "10.0.0.2:9100"
    ],
    "labels": {
      "__metrics_path__": "/metrics",
      "group": "web",
      "job": "node"
    }
  },
  {
    "targets": [
      "10.0.0.9:9187"
    ],
    "labels": {
      "__metrics_path__": "/probe",
      "job": "postgres"
    }
  }
]
`

var fileSDTargets = []scaler.Target{
	{Job: "postgres", Address: "10.0.0.9:9187", Path: "/probe"},
	{Job: "node", Address: "10.0.0.2:9100", Path: "/metrics", Labels: map[string]string{"group": "web"}},
	{Job: "node", Address: "10.0.0.1:9100", Labels: map[string]string{"group": "web"}},
}

func fileSDMonitor(t *testing.T) (*External, string) {
	path := filepath.Join(t.TempDir(), "apps", "shop", "targets.json")
	return newExternal(t, spec.Prometheus{URL: "http://prometheus.example"}, path), path
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestWatchWritesFileSD(t *testing.T) {
	e, path := fileSDMonitor(t)
	watch(t, e, fileSDTargets...)
	wantContent(t, path, wantFileSD)

	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var groups []*targetgroup.Group
	if err := json.Unmarshal(content, &groups); err != nil || len(groups) != 2 {
		t.Errorf("Prometheus reads %d groups (%v), want 2", len(groups), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode = %v (%v), want 0644", info.Mode(), err)
	}

	watch(t, e)
	wantContent(t, path, "[]\n")
}

func TestWatchReplacesTheFileOnlyOnChange(t *testing.T) {
	e, path := fileSDMonitor(t)
	watch(t, e, fileSDTargets...)
	written, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}

	reordered := []scaler.Target{fileSDTargets[2], fileSDTargets[0], fileSDTargets[1], fileSDTargets[1]}
	watch(t, e, reordered...)
	same, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(written, same) {
		t.Error("the file was replaced, want it untouched by the same targets in another order")
	}
	wantContent(t, path, wantFileSD)

	if err := os.WriteFile(path, []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	watch(t, e, reordered...)
	wantContent(t, path, wantFileSD)
}

func TestWatchWithoutFileSDWritesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	watch(t, newExternal(t, spec.Prometheus{URL: "http://prometheus.example"}, ""), fileSDTargets...)
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 0 {
		t.Errorf("the directory holds %v (%v), want nothing", entries, err)
	}
}

func TestWatchSaysWhereItCannotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	e := newExternal(t, spec.Prometheus{URL: "http://prometheus.example"}, filepath.Join(path, "targets.json"))
	if err := e.Watch(fileSDTargets); err == nil {
		t.Error("Watch() into a file as directory = nil, want an error")
	}
}
