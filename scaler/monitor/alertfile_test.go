package monitor

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// TestWriteAlerts reads the file as Prometheus does.
func TestWriteAlerts(t *testing.T) {
	dir := t.TempDir()
	e, err := NewExternal(spec.Prometheus{URL: "http://prometheus.example:9090"}, filepath.Join(dir, "sub", "shop.json"), ExternalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	app := &spec.Application{
		Name:   "shop",
		Alerts: []spec.Alert{{Name: "hot", Expr: "avg(cpu) > 80", For: spec.Duration(time.Minute), Labels: map[string]string{"severity": "page"}, Annotations: map[string]string{"summary": "{{ $value }}"}}},
		Groups: []spec.Group{{Name: "web", Alerts: []spec.Alert{{Name: "idle", Expr: "avg(cpu) < 20"}}}, {Name: "workers"}},
	}
	path := filepath.Join(dir, "sub", "shop.rules.yml")
	for range 2 {
		if err := e.WriteAlerts(app); err != nil {
			t.Fatal(err)
		}
	}
	got, errs := rulefmt.ParseFile(path, false, model.UTF8Validation, newParser(), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatalf("ParseFile() = %v", errs)
	}
	var rules []rulefmt.Rule
	for _, group := range got.Groups {
		rules = append(rules, group.Rules...)
	}
	want := []rulefmt.Rule{
		{Alert: "hot", Expr: "avg(cpu) > 80", For: model.Duration(time.Minute), Labels: map[string]string{"severity": "page", "application": "shop"}, Annotations: map[string]string{"summary": "{{ $value }}"}},
		{Alert: "idle", Expr: "avg(cpu) < 20", Labels: map[string]string{"application": "shop", "group": "web"}},
	}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if err := e.WriteAlerts(&spec.Application{Name: "shop"}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat() without alerts = %v, want no file", err)
	}
}
