package scaler

import (
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// shown is what was published last, so that what has not changed is not made again:
// of ten thousand nodes nearly all are as they were.
type shown struct {
	// parts are the groups' nodes, and nodes those of all groups.
	parts [][]NodeStatus
	nodes []NodeStatus
	// tickedAt and spec are those with which balancers and the monitoring were told.
	tickedAt time.Time
	spec     *spec.Application
	file     listFile
	// pages and targets are the nodes' metrics pages; monitor has them and the targets
	// of described.
	pages     []page
	targets   []Target
	monitor   Monitor
	described *spec.Application
}

// page is what a node's Target follows from.
type page struct {
	group, node, ip, path string
	port                  int
}

// tellOthers tells balancers and the monitoring which nodes there are. What could not
// be told is told at the next tick.
func (a *application) tellOthers(nodes []NodeStatus, now time.Time) {
	if err := a.shown.file.write(a.config.disk, filepath.Join(a.dir(), NodeListFile), listed(nodes, now)); err != nil {
		a.log.Warn("node list", "error", err)
	}
	changed := a.pagesChanged(nodes)
	if a.monitor == nil || !changed && a.shown.monitor == a.monitor && a.shown.described == a.spec {
		return
	}
	a.shown.monitor = nil
	if err := a.monitor.Watch(append(slices.Clip(a.shown.targets), a.describedTargets()...)); err != nil {
		a.log.Warn("scrape targets", "error", err)
		return
	}
	a.shown.monitor, a.shown.described = a.monitor, a.spec
}

// pagesChanged works out the metrics pages of the nodes, which come in their order, and
// reports whether they are others than before.
func (a *application) pagesChanged(nodes []NodeStatus) bool {
	if a.spec == nil {
		return false
	}
	groups := map[string]*spec.Group{}
	for i := range a.spec.Groups {
		groups[a.spec.Groups[i].Name] = &a.spec.Groups[i]
	}
	before, pages := a.shown.pages, make([]page, 0, len(nodes))
	for i := range nodes {
		n := &nodes[i]
		g := groups[n.Group]
		if g == nil || n.PrivateIP == "" || n.State == StateCreating || n.State == StateDraining {
			continue
		}
		p := page{group: n.Group, node: n.Name, ip: n.PrivateIP, path: g.Metrics.Path, port: n.Port}
		if p.port == 0 {
			p.port = g.Metrics.Port
		}
		pages = append(pages, p)
	}
	if slices.Equal(pages, before) {
		return false
	}
	targets, at := make([]Target, len(pages)), 0
	for i, p := range pages {
		for at < len(before) && comesBefore(before[at].group, before[at].node, p.group, p.node) {
			at++
		}
		if at < len(before) && before[at] == p {
			targets[i] = a.shown.targets[at]
			continue
		}
		targets[i] = Target{
			Job:     p.group,
			Address: net.JoinHostPort(p.ip, strconv.Itoa(p.port)),
			Path:    p.path,
			Labels:  map[string]string{"application": a.name, "group": p.group, "node": p.node},
		}
	}
	a.shown.pages, a.shown.targets = pages, targets
	return true
}

// describedTargets are the description's own.
func (a *application) describedTargets() []Target {
	if a.spec == nil {
		return nil
	}
	var targets []Target
	for _, t := range a.spec.Monitoring.Targets {
		for _, address := range t.Addresses {
			targets = append(targets, Target{Job: t.Job, Address: address, Path: t.Path, Labels: maps.Clone(t.Labels)})
		}
	}
	return targets
}
