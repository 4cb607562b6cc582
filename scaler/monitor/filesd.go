package monitor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/scalerd/scalerd/scaler"
)

// Watch writes targets, the whole list, to the file_sd file for the Prometheus
// server to read. Targets with the same labels form a group; the order of the
// list doesn't matter. The file is replaced atomically and only when its content
// differs, and its directory is created.
//
// Its permissions let everyone read it, as the server is usually another user.
func (e *External) Watch(targets []scaler.Target) error {
	if e.fileSD == "" {
		return nil
	}
	content, err := fileSDContent(targets)
	if err != nil {
		return fmt.Errorf("encode targets: %w", err)
	}
	present, err := os.ReadFile(e.fileSD)
	if err == nil && bytes.Equal(present, content) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read targets: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(e.fileSD), 0o755); err != nil {
		return fmt.Errorf("write targets: %w", err)
	}
	if err := renameio.WriteFile(e.fileSD, content, 0o644); err != nil {
		return fmt.Errorf("write targets %s: %w", e.fileSD, err)
	}
	return nil
}

func fileSDContent(targets []scaler.Target) ([]byte, error) {
	groups := []*targetgroup.Group{}
	byLabels := map[string]*targetgroup.Group{}
	for _, t := range targets {
		set := targetLabels(t)
		key := set.String()
		group, ok := byLabels[key]
		if !ok {
			group = &targetgroup.Group{Labels: set}
			byLabels[key] = group
			groups = append(groups, group)
		}
		group.Targets = append(group.Targets, model.LabelSet{model.AddressLabel: model.LabelValue(t.Address)})
	}
	sortGroups(groups)
	content, err := json.MarshalIndent(groups, "", "  ")
	return append(content, '\n'), err
}

func sortGroups(groups []*targetgroup.Group) {
	slices.SortFunc(groups, func(a, b *targetgroup.Group) int { return compareSets(a.Labels, b.Labels) })
	for _, group := range groups {
		slices.SortFunc(group.Targets, compareSets)
		group.Targets = slices.CompactFunc(group.Targets, model.LabelSet.Equal)
	}
}

func compareSets(a, b model.LabelSet) int {
	return labels.Compare(labelsOf(a), labelsOf(b))
}

func labelsOf(set model.LabelSet) labels.Labels {
	b := labels.NewScratchBuilder(len(set))
	for name, value := range set {
		b.Add(string(name), string(value))
	}
	b.Sort()
	return b.Labels()
}
