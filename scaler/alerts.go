package scaler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// alertWriter is a Monitor whose alerts are evaluated by somebody else, who reads
// them from a file.
type alertWriter interface {
	WriteAlerts(app *spec.Application) error
}

// NotifiedAlert is one alert of an Alertmanager's notification.
type NotifiedAlert struct {
	Name string
	// Application and Group are empty where the alert is for all.
	Application, Group string
	Firing             bool
	// Key tells alerts of one name apart.
	Key   string
	Since time.Time
	// Ends is when it ends without another word, and zero where nothing says so.
	Ends time.Time
}

// Notify takes a notification. An alert fires until the notification that it is
// resolved, also over a restart; where that never comes, until its own end, else until
// the description's alert_timeout after it was heard of last. It answers how many
// alerts an application receives, and the names of those that none does.
func (s *Service) Notify(ctx context.Context, alerts []NotifiedAlert) (taken int, ignored []string, err error) {
	select {
	case <-s.loaded:
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	}
	s.mu.Lock()
	apps := make([]*application, 0, len(s.apps))
	for _, name := range sortedKeys(s.apps) {
		apps = append(apps, s.apps[name])
	}
	s.mu.Unlock()
	known := make([]bool, len(alerts))
	var errs []error
	for _, a := range apps {
		here := make([]bool, len(alerts)) // of its own: an order that is given up may run later
		err := a.order(ctx, func(context.Context) error { return a.notify(alerts, here) })
		if err == nil {
			for i := range here {
				known[i] = known[i] || here[i]
			}
		} else if !errors.Is(err, ErrNotFound) {
			errs = append(errs, err)
		}
	}
	for i, alert := range alerts {
		if known[i] {
			taken++
		} else {
			ignored = append(ignored, alert.Name)
		}
	}
	slices.Sort(ignored)
	return taken, slices.Compact(ignored), errors.Join(errs...)
}

// receives is whether an Alertmanager tells of the application's alerts.
func (a *application) receives() bool {
	return a.spec != nil && a.spec.Monitoring.Prometheus != nil && a.spec.Monitoring.Prometheus.Alerts == spec.AlertsReceive
}

// notify takes the alerts that are for this application, and marks them known.
func (a *application) notify(alerts []NotifiedAlert, known []bool) error {
	if !a.receives() {
		return nil
	}
	changed, now := false, time.Now()
	for i, alert := range alerts {
		if alert.Application != "" && alert.Application != a.name || !a.hasAlert(alert) {
			continue
		}
		known[i], changed = true, true
		a.received.take(alert, now, a.spec.Monitoring.Prometheus.AlertTimeout.AsDuration())
	}
	if !changed {
		return nil
	}
	a.received.forget(now)
	return a.received.save(a.config.disk, a.dir())
}

func (a *application) hasAlert(alert NotifiedAlert) bool {
	for i := range a.spec.Groups {
		g := &a.spec.Groups[i]
		if alert.Group != "" && alert.Group != g.Name {
			continue
		}
		if slices.ContainsFunc(a.spec.GroupAlerts(g), func(known spec.Alert) bool { return known.Name == alert.Name }) {
			return true
		}
	}
	return false
}

// received are the alerts that fire, by name, group and key. The group is empty for
// those that are for all.
type received map[string]map[string]map[string]firing

// firing is an alert of which no end was heard.
type firing struct {
	Since time.Time `json:"since,omitzero"`
	// Ends is when it ends without another word; zero is never.
	Ends time.Time `json:"ends,omitzero"`
}

// take keeps or ends an alert. One that does not say when it ends does so after a
// timeout, where that is not 0: whoever would resolve it may be gone.
func (r *received) take(alert NotifiedAlert, now time.Time, timeout time.Duration) {
	if *r == nil {
		*r = received{}
	}
	groups := (*r)[alert.Name]
	if !alert.Firing {
		delete(groups[alert.Group], alert.Key)
		return
	}
	if groups == nil {
		groups = map[string]map[string]firing{}
		(*r)[alert.Name] = groups
	}
	if groups[alert.Group] == nil {
		groups[alert.Group] = map[string]firing{}
	}
	f := firing{Since: alert.Since, Ends: alert.Ends}
	if f.Ends.IsZero() && timeout > 0 {
		f.Ends = now.Add(timeout)
	}
	groups[alert.Group][alert.Key] = f
}

// forget drops the alerts that are over.
func (r received) forget(now time.Time) {
	for _, groups := range r {
		for _, of := range groups {
			maps.DeleteFunc(of, func(_ string, f firing) bool { return f.over(now) })
		}
	}
}

func (f firing) over(now time.Time) bool { return !f.Ends.IsZero() && !now.Before(f.Ends) }

// reading is the state of an alert for a group.
func (r received) reading(name, group string, now time.Time) policy.Reading {
	fires := false
	for _, of := range []string{"", group} {
		for _, f := range r[name][of] {
			fires = fires || !f.over(now)
		}
	}
	return policy.Reading{Firing: &fires}
}

// receivedFile is where the alerts that fire are kept, in the application's folder.
const receivedFile = "alerts.json"

func (r received) save(d disk, dir string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode received alerts: %w", err)
	}
	if err := d.replace(filepath.Join(dir, receivedFile), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("keep received alerts: %w", err)
	}
	return nil
}

func (r *received) load(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, receivedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read received alerts: %w", err)
	}
	if err := json.Unmarshal(text, r); err != nil {
		return fmt.Errorf("read received alerts: %w", err)
	}
	return nil
}
