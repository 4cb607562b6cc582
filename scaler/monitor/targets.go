package monitor

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/scrape"

	"github.com/scalerd/scalerd/scaler"
)

// group makes the target group that the scrape manager takes, of those targets
// that it will not refuse, and says which it would.
func (a *Application) group(targets []scaler.Target) (*targetgroup.Group, error) {
	group := &targetgroup.Group{Source: a.name}
	builder := labels.NewBuilder(labels.EmptyLabels())
	var refused []error
	for _, t := range targets {
		set := targetLabels(t)
		set[model.AddressLabel] = model.LabelValue(t.Address)
		set[model.InstanceLabel] = model.LabelValue(t.Address)
		maps.Copy(set, a.forced())
		if _, err := scrape.PopulateLabels(builder, a.embedded.config, set, nil); err != nil {
			refused = append(refused, fmt.Errorf("target %q of job %q: %w", t.Address, t.Job, err))
			continue
		}
		group.Targets = append(group.Targets, set)
	}
	return group, errors.Join(refused...)
}

// targetLabels are the labels of t without its address, with job and path as
// Prometheus' service discovery spells them.
func targetLabels(t scaler.Target) model.LabelSet {
	set := make(model.LabelSet, len(t.Labels)+6)
	for name, value := range t.Labels {
		set[model.LabelName(name)] = model.LabelValue(value)
	}
	set[model.JobLabel] = model.LabelValue(t.Job)
	set[model.MetricsPathLabel] = model.LabelValue(cmp.Or(t.Path, "/metrics"))
	return set
}

func sameTarget(a, b scaler.Target) bool {
	return a.Job == b.Job && a.Address == b.Address && a.Path == b.Path && maps.Equal(a.Labels, b.Labels)
}

// cloneTargets copies what the caller may change after Watch.
func cloneTargets(targets []scaler.Target) []scaler.Target {
	clones := slices.Clone(targets)
	for i := range clones {
		clones[i].Labels = maps.Clone(clones[i].Labels)
	}
	return clones
}
