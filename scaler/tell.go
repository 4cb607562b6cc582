package scaler

import (
	"maps"
	"net"
	"path/filepath"
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
	// targets are the nodes' metrics pages.
	targets map[page]Target
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
	if a.monitor == nil {
		return
	}
	if err := a.monitor.Watch(a.targets(nodes)); err != nil {
		a.log.Warn("scrape targets", "error", err)
	}
}

// targets are the metrics pages of the nodes, and the description's own.
func (a *application) targets(nodes []NodeStatus) []Target {
	if a.spec == nil {
		return nil
	}
	groups := map[string]*spec.Group{}
	for i := range a.spec.Groups {
		groups[a.spec.Groups[i].Name] = &a.spec.Groups[i]
	}
	targets, kept := make([]Target, 0, len(nodes)), make(map[page]Target, len(nodes))
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
		target, known := a.shown.targets[p]
		if !known {
			target = Target{
				Job:     n.Group,
				Address: net.JoinHostPort(n.PrivateIP, strconv.Itoa(p.port)),
				Path:    g.Metrics.Path,
				Labels:  map[string]string{"application": a.name, "group": n.Group, "node": n.Name},
			}
		}
		kept[p] = target
		targets = append(targets, target)
	}
	a.shown.targets = kept
	for _, t := range a.spec.Monitoring.Targets {
		for _, address := range t.Addresses {
			targets = append(targets, Target{Job: t.Job, Address: address, Path: t.Path, Labels: maps.Clone(t.Labels)})
		}
	}
	return targets
}
