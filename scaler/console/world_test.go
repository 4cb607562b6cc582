package console_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen"
)

// cloud is a scaler.Terraform without one: it keeps states in memory, takes a moment
// for each resource, and tells of it as terraform does.
type cloud struct {
	mu     sync.Mutex
	states map[string]scaler.State
	fails  string // the group whose creations fail
	stays  string // the group whose second creation does not end
}

func (c *cloud) Step(ctx context.Context, root scaler.Root, expect scaler.Expect, watch scaler.Watcher) ([]scaler.Change, error) {
	watch.Progress(scaler.Progress{Phase: "plan", Message: "Terraform plans"})
	changes, err := c.Plan(ctx, root)
	if err != nil {
		return nil, err
	}
	if expect.Destroy {
		changes = nil
		for address := range c.state(root.Dir).Resources {
			changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionDelete})
		}
	}
	if err := expect.Check(changes); err != nil {
		return nil, err
	}
	if err := watch.Planned(ctx, scaler.SavedPlan{Digest: "d", Changes: changes}); err != nil {
		return nil, err
	}
	if err := watch.Applying(ctx); err != nil {
		return nil, err
	}
	for i, change := range changes {
		word := map[scaler.Action]string{scaler.ActionCreate: "Creating", scaler.ActionDelete: "Destroying"}[change.Action]
		watch.Progress(scaler.Progress{Phase: "apply", Message: change.Address + ": " + word + "..."})
		var took <-chan time.Time
		if i == 0 || filepath.Base(filepath.Dir(root.Dir)) != c.stays {
			took = time.After(150 * time.Millisecond)
		}
		select {
		case <-took:
		case <-ctx.Done():
			return changes, ctx.Err()
		}
		if c.fails != "" && filepath.Base(filepath.Dir(root.Dir)) == c.fails && change.Action == scaler.ActionCreate {
			return changes, scaler.Diagnostics{{Severity: "error", Summary: "creating EC2 Instance: InsufficientInstanceCapacity", Address: change.Address,
				Detail: "We currently do not have sufficient c6i.xlarge capacity in the Availability Zone you requested (eu-central-1a)."}}
		}
		watch.Progress(scaler.Progress{Phase: "apply", Message: change.Address + ": " + word + " complete"})
		watch.Results([]scaler.ResourceResult{{Address: change.Address, Action: string(change.Action), OK: true, Seconds: 12}})
	}
	c.apply(root.Dir, changes)
	return changes, nil
}

func (c *cloud) apply(dir string, changes []scaler.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := scaler.State{Lineage: "l", Serial: c.states[dir].Serial + 1, Resources: map[string]bool{}, Nodes: map[string]scaler.NodeOutput{}}
	for address := range c.states[dir].Resources {
		next.Resources[address] = false
	}
	for _, change := range changes {
		if change.Action == scaler.ActionDelete {
			delete(next.Resources, change.Address)
		} else {
			next.Resources[change.Address] = false
		}
	}
	for address := range next.Resources {
		if node, ok := tfgen.AddressNode(address); ok {
			n := tfgen.NodeNumber(node)
			next.Nodes[node] = scaler.NodeOutput{ID: fmt.Sprintf("i-0a1b2c3d4e5f6%04x", n), PrivateIP: fmt.Sprintf("10.0.%d.%d", n/200, 10+n%200), Port: 9100}
		}
	}
	c.states[dir] = next
}

func (c *cloud) Recover(context.Context, scaler.Root, scaler.Watcher) error { return nil }

func (c *cloud) Plan(_ context.Context, root scaler.Root) ([]scaler.Change, error) {
	want := map[string]bool{}
	if text, err := os.ReadFile(filepath.Join(root.Dir, tfgen.NodesFile)); err == nil {
		nodes, err := tfgen.DecodeNodes(text)
		if err != nil {
			return nil, err
		}
		for node := range nodes {
			want[fmt.Sprintf("terraform_data.node[%q]", node)] = true
		}
	}
	if filepath.Base(root.Dir) == tfgen.BaseName {
		want["terraform_data.balancer"] = true
	}
	state := c.state(root.Dir)
	var changes []scaler.Change
	for address := range want {
		if _, ok := state.Resources[address]; !ok {
			changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionCreate})
		}
	}
	for address := range state.Resources {
		if !want[address] {
			changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionDelete})
		}
	}
	slices.SortFunc(changes, func(a, b scaler.Change) int { return strings.Compare(a.Address, b.Address) })
	return changes, nil
}

func (c *cloud) Drift(context.Context, scaler.Root) ([]scaler.Change, error) { return nil, nil }

func (c *cloud) State(dir string) (scaler.State, error) { return c.state(dir), nil }

// state is that of a folder, or of the one that it is a copy of.
func (c *cloud) state(dir string) scaler.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !strings.Contains(dir, "scalerd-plan-") {
		return c.states[dir]
	}
	root := func(dir string) string { return filepath.Join(filepath.Base(filepath.Dir(dir)), filepath.Base(dir)) }
	for original, state := range c.states {
		if root(original) == root(dir) {
			return state
		}
	}
	return scaler.State{}
}

// meters is a scaler.Monitor: nodes answer a while after they were first watched, and
// queries follow the day.
type meters struct {
	mu    sync.Mutex
	boot  time.Duration
	since map[string]time.Time
	nodes []scaler.Target
}

func (m *meters) Query(_ context.Context, promql string, at time.Time) policy.Reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !strings.HasPrefix(promql, "up{") {
		v, ok := demand(promql, at)
		if !ok {
			return policy.Reading{Missing: policy.NoSeries}
		}
		return policy.Reading{Samples: []policy.Sample{{Value: v}}, SampledAt: at.Add(-4 * time.Second)}
	}
	var up []policy.Sample
	for _, t := range m.nodes {
		if at.Sub(m.since[t.Labels["node"]]) >= m.boot {
			up = append(up, policy.Sample{Labels: t.Labels, Value: 1})
		}
	}
	if len(up) == 0 {
		return policy.Reading{Missing: policy.NoSeries}
	}
	return policy.Reading{Samples: up}
}

func (m *meters) Watch(targets []scaler.Target) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nodes = targets
	for _, t := range targets {
		if _, ok := m.since[t.Labels["node"]]; !ok {
			m.since[t.Labels["node"]] = time.Now()
		}
	}
	return nil
}

func (m *meters) Close() error { return nil }

// demand is the value of a query at an instant: a day's wave with smaller ones on it.
func demand(query string, at time.Time) (float64, bool) {
	hour := float64(at.Unix()) / 3600
	load := 130 + 45*math.Sin(hour*2*math.Pi/3) + 12*math.Sin(hour*31) + 5*math.Sin(hour*173)
	switch query {
	case "requests":
		return load, true
	case "latency":
		return 0.12 + 0.09*math.Pow(load/190, 4) + 0.012*math.Sin(hour*211), true
	case "queue":
		return math.Max(0, 20+25*math.Sin(hour*5)), true
	}
	return 0, false
}

type blind struct{}

func (blind) Dead(string, []string) []string { return nil }

func (blind) Reap(context.Context, string, []string) ([]string, error) { return nil, nil }

func (c *cloud) Check(context.Context, scaler.Root, scaler.Expect, tfgen.Nodes, func(context.Context, scaler.SavedPlan) error) ([]scaler.Change, error) {
	return nil, nil
}

func (c *cloud) Login(scaler.Root) (string, error) { return "", nil }

func (c *cloud) Found(context.Context, scaler.Root) ([]tfgen.Found, error) { return nil, nil }
