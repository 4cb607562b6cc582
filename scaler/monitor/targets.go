package monitor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/scrape"

	"github.com/scalerd/scalerd/scaler"
)

// placed is a target of an application, in the pool that scrapes it.
type placed struct {
	scaler.Target
	labels model.LabelSet
	// refused says why the target can't be scraped; it is in no pool then.
	refused error
	pool    *pool
}

// place gives the application's targets in the order of the new list, those that it
// had already as they are, and which are new and gone.
func (a *Application) place(targets []scaler.Target) (all, added, removed []*placed) {
	// Nearly all of a long list is as it was, so only what lies between the first and
	// the last difference is looked at.
	from, end := 0, len(a.placed)
	for from < min(end, len(targets)) && a.placed[from].is(targets[from]) {
		from++
	}
	more := len(targets) - end // how much further back the same target is in the new list
	for end > from && end+more > from && a.placed[end-1].is(targets[end+more-1]) {
		end--
	}
	had := map[string][]*placed{}
	for _, t := range a.placed[from:end] {
		had[identity(t.Target)] = append(had[identity(t.Target)], t)
	}
	all = slices.Clone(a.placed[:from])
	for _, target := range targets[from : end+more] {
		known := had[identity(target)]
		if len(known) == 0 {
			t := a.newPlaced(target)
			all, added = append(all, t), append(added, t)
			continue
		}
		all = append(all, known[0])
		had[identity(target)] = known[1:]
	}
	for _, left := range had {
		removed = append(removed, left...)
	}
	return append(all, a.placed[end:]...), added, removed
}

// newPlaced is a target in no pool yet. It keeps nothing that the caller may change.
func (a *Application) newPlaced(target scaler.Target) *placed {
	target.Labels = maps.Clone(target.Labels)
	t := &placed{Target: target, labels: targetLabels(target)}
	t.labels[model.AddressLabel] = model.LabelValue(target.Address)
	t.labels[model.InstanceLabel] = model.LabelValue(target.Address)
	maps.Copy(t.labels, a.forced())
	if _, err := scrape.PopulateLabels(labels.NewBuilder(labels.EmptyLabels()), a.embedded.config.ScrapeConfigs[0], t.labels, nil); err != nil {
		t.refused = fmt.Errorf("target %q of job %q: %w", target.Address, target.Job, err)
	}
	return t
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

// identity is the same for targets that are the same.
func identity(t scaler.Target) string {
	return fmt.Sprintf("%q", []any{t.Job, t.Address, t.Path, t.Labels})
}

// is reports whether the target is the same as another.
func (t *placed) is(b scaler.Target) bool {
	return t.Job == b.Job && t.Address == b.Address && t.Path == b.Path && maps.Equal(t.Labels, b.Labels)
}
