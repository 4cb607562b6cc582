package monitor

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"go.yaml.in/yaml/v3"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// alertFile is the rule file beside a file_sd file: shop.json has shop.rules.yml.
func alertFile(fileSD string) string {
	return strings.TrimSuffix(fileSD, filepath.Ext(fileSD)) + ".rules.yml"
}

// WriteAlerts writes the application's alerts as a rule file for the Prometheus
// server, beside the file_sd file, atomically and only where it differs. Each alert
// has the label application, and the label group where it is of one group, by which
// a notification finds back. An application without alerts has no file.
func (e *External) WriteAlerts(app *spec.Application) error {
	if e.fileSD == "" {
		return nil
	}
	path := alertFile(e.fileSD)
	content, err := alertRules(app)
	if err != nil {
		return fmt.Errorf("encode alerts: %w", err)
	}
	if content == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove alerts: %w", err)
		}
		return nil
	}
	if present, err := os.ReadFile(path); err == nil && bytes.Equal(present, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	if err := renameio.WriteFile(path, content, 0o644); err != nil {
		return fmt.Errorf("write alerts %s: %w", path, err)
	}
	return nil
}

// alertRules are the rules of an application, one group of rules for it and one for
// each of its node groups, or nil where there is no alert.
func alertRules(app *spec.Application) ([]byte, error) {
	var file rulefmt.RuleGroups
	add := func(name string, alerts []spec.Alert, own map[string]string) {
		group := rulefmt.RuleGroup{Name: name}
		for _, a := range alerts {
			labels := maps.Clone(own)
			maps.Copy(labels, a.Labels)
			maps.Copy(labels, own)
			group.Rules = append(group.Rules, rulefmt.Rule{
				Alert: a.Name, Expr: a.Expr, For: model.Duration(a.For), Labels: labels, Annotations: a.Annotations,
			})
		}
		if len(group.Rules) > 0 {
			file.Groups = append(file.Groups, group)
		}
	}
	add(app.Name, app.Alerts, map[string]string{"application": app.Name})
	for _, g := range app.Groups {
		add(app.Name+"/"+g.Name, g.Alerts, map[string]string{"application": app.Name, "group": g.Name})
	}
	if len(file.Groups) == 0 {
		return nil, nil
	}
	return yaml.Marshal(file)
}
