package cmd_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/local"
	"github.com/scalerd/scalerd/scaler/terraform"
	"github.com/scalerd/scalerd/tfgen"
)

// node is a node that is written, in the state and running.
type node struct {
	shard, id string
	pid       int
}

// fleet are the nodes of a group by name.
type fleet map[string]node

func (f fleet) names() []string { return slices.Sorted(maps.Keys(f)) }

// shards lists the root modules that hold nodes.
func (f fleet) shards() []string {
	used := map[string]bool{}
	for _, n := range f {
		used[n.shard] = true
	}
	return slices.Sorted(maps.Keys(used))
}

func (d *daemon) groupDir(app, group string) string {
	return filepath.Join(d.data, "apps", app, group)
}

// modules are the folders of a group's root modules with nodes.
func (d *daemon) modules(app, group string) []string {
	d.t.Helper()
	dirs, err := filepath.Glob(filepath.Join(d.groupDir(app, group), "shard-*"))
	if err != nil {
		d.t.Fatal(err)
	}
	return dirs
}

// fleet reads a group from disk and from /proc. It is an error where what is
// written, what the state knows and what runs are not the same, or where a name
// was used before.
func (d *daemon) fleet(app, group string) (fleet, error) {
	running := map[string][]int{}
	for _, p := range processesOf(d.t, d.groupDir(app, group)) {
		if module, name, ok := p.serves(); ok && name != tfgen.LocalBalancer {
			key := filepath.Join(module, name)
			running[key] = append(running[key], p.pid)
		}
	}
	all := fleet{}
	for _, dir := range d.modules(app, group) {
		if err := d.addModule(all, dir, running); err != nil {
			return nil, err
		}
	}
	if len(running) > 0 {
		return nil, fmt.Errorf("processes run that nothing knows of: %v", running)
	}
	for name, n := range all {
		key := app + "/" + name
		if before, ok := d.ids[key]; ok && before != n.id {
			return nil, permanent(fmt.Errorf("the name %s stands for %s, and stood for %s", key, n.id, before))
		}
		d.ids[key] = n.id
	}
	return all, nil
}

// addModule adds the nodes of one root module, and takes their processes off the
// list of those that run.
func (d *daemon) addModule(all fleet, dir string, running map[string][]int) error {
	text, err := os.ReadFile(filepath.Join(dir, tfgen.NodesFile))
	if err != nil {
		return err
	}
	written, err := tfgen.DecodeNodes(text)
	if err != nil {
		return permanent(err)
	}
	state, err := terraform.ReadState(dir)
	if err != nil {
		return err
	}
	for address, tainted := range state.Resources {
		name, ok := tfgen.AddressNode(address)
		if _, is := written[name]; !ok || !is || tainted {
			return fmt.Errorf("%s: the state has %s (tainted: %t), and written is %v", dir, address, tainted, slices.Sorted(maps.Keys(written)))
		}
	}
	for name := range written {
		key := filepath.Join(dir, name)
		pids := running[key]
		known, ok := state.Nodes[name]
		switch _, twice := all[name]; {
		case twice:
			return fmt.Errorf("%s is in two root modules", name)
		case !ok:
			return fmt.Errorf("%s is written in %s and not in its state", name, dir)
		case len(pids) != 1:
			return fmt.Errorf("%s has the processes %v, want one", name, pids)
		}
		record, err := local.ReadRecord(filepath.Join(dir, tfgen.LocalRunDir), name)
		if err != nil || record.PID != pids[0] || record.Port != known.Port {
			return fmt.Errorf("%s runs as %d at the state's port %d, its record is %+v, error %v", name, pids[0], known.Port, record, err)
		}
		all[name] = node{shard: filepath.Base(dir), id: known.ID, pid: pids[0]}
		delete(running, key)
	}
	return nil
}

// status is the state of one group.
func (d *daemon) status(app, group string) (scaler.GroupStatus, error) {
	status, err := d.client.Application(context.Background(), app)
	if err != nil {
		return scaler.GroupStatus{}, err
	}
	for _, g := range status.Groups {
		if g.Name == group {
			return g, nil
		}
	}
	return scaler.GroupStatus{}, fmt.Errorf("application %s has no group %s", app, group)
}

// settle waits until a group has n nodes and everything about it is as wanted.
func (d *daemon) settle(app, group string, n int) fleet {
	d.t.Helper()
	var all fleet
	d.eventually(fmt.Sprintf("%s/%s has %d nodes", app, group, n), func() error {
		status, err := d.status(app, group)
		switch {
		case err != nil:
			return err
		case status.Wanted != n || !status.Settled || status.Problem != "":
			return fmt.Errorf("wanted %d, settled %t, problem %q", status.Wanted, status.Settled, status.Problem)
		}
		all, err = d.fleet(app, group)
		if err == nil && len(all) != n {
			err = fmt.Errorf("it has %v", all.names())
		}
		return err
	})
	return all
}

// submit starts or updates an application.
func (d *daemon) submit(description string) {
	d.t.Helper()
	if _, err := d.client.Submit(d.t.Context(), api.Description{File: "test.yaml", Text: description}); err != nil {
		d.t.Fatal(err)
	}
}

// scale orders a size, without waiting.
func (d *daemon) scale(app, group string, n int) {
	d.t.Helper()
	if _, err := d.client.Scale(d.t.Context(), app, group, n); err != nil {
		d.t.Fatal(err)
	}
}

// describe is the description of an application of local groups, each given as
// "name key: value, key: value".
func describe(app string, groups ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "name: %s\ninterval: 1s\ngroups:\n", app)
	for _, g := range groups {
		name, keys, _ := strings.Cut(g, " ")
		if !strings.Contains(keys, "local:") {
			keys += ", local: {service_time: 20ms, boot_time: 0s}"
		}
		fmt.Fprintf(&b, "  - {name: %s, cloud: local, %s}\n", name, keys)
	}
	return b.String()
}

// freePort finds a port that is free and that the kernel gives to nobody who asks
// for any.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(10000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
