package scaler_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen"
)

// cloud is a scaler.Terraform that keeps its states in memory: what a test of the
// loop needs to run hours in a moment and to fail on demand. What real terraform
// does is tested in scaler/terraform and in cmd.
type cloud struct {
	mu     sync.Mutex
	states map[string]scaler.State
	// created counts, by address within a group, how often a resource was created.
	created map[string]int
	// takes is how long a step lasts; fails says whether the next change of a
	// resource fails. A test sets them by taking and failing, because steps in
	// flight read them.
	takes time.Duration
	fails func(scaler.Change) bool
	// gone are resources that vanished behind Terraform's back.
	gone map[string]bool
	// changed are resources that somebody changed behind Terraform's back.
	changed map[string]bool
	steps   int
	// login is the digest of the credentials.
	login string
	// refuses says in which words the cloud refuses a node, empty where it does not,
	// and whether it leaves it half made.
	refuses func(tfgen.Settings) (words string, half bool)
	// foreign are changes that every plan has besides.
	foreign []scaler.Change
	// blind is why nothing can be compared with what exists, nil for nothing.
	blind error
	// looking is how long a drift check lasts, and unreadable
	// says why a state can't be read.
	looking    time.Duration
	unreadable func(dir string) error
	// locked is the lock of somebody else, nil for none.
	locked *scaler.LockedError
	// lost is the root module whose state can't be read, and taken the backend, a part
	// of its block, that no state can move to; empty for none.
	lost, taken string
}

func newCloud() *cloud {
	return &cloud{states: map[string]scaler.State{}, created: map[string]int{}, gone: map[string]bool{}, changed: map[string]bool{}, takes: time.Second,
		fails: func(scaler.Change) bool { return false }}
}

func (c *cloud) Step(ctx context.Context, root scaler.Root, expect scaler.Expect, watch scaler.Watcher) ([]scaler.Change, error) {
	dir := root.Dir
	c.mu.Lock()
	locked := c.locked
	c.mu.Unlock()
	if locked != nil {
		return nil, locked
	}
	if err := c.move(dir); err != nil {
		return nil, err
	}
	changes, err := c.Plan(ctx, root)
	if err != nil {
		return nil, err
	}
	if expect.Destroy {
		changes = nil
		for address := range c.state(dir).Resources {
			changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionDelete})
		}
	}
	if expect.Refresh {
		changes = append(changes, c.back(dir)...)
	}
	for _, address := range expect.Replace {
		changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionReplace})
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
	watch.Progress(scaler.Progress{Phase: "apply", Message: "working"})
	c.mu.Lock()
	takes := c.takes
	c.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-time.After(takes):
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps++
	err = c.apply(ctx, dir, changes)
	if state := c.states[dir]; root.Backend != nil {
		if state.Installation = root.Installation; expect.Destroy {
			state.Installation = ""
		}
		c.states[dir] = state
	}
	var results []scaler.ResourceResult
	for _, change := range changes {
		_, there := c.states[dir].Resources[change.Address]
		results = append(results, scaler.ResourceResult{Address: change.Address, Action: string(change.Action), OK: there == (change.Action != scaler.ActionDelete), Seconds: 1})
	}
	watch.Results(results)
	return changes, err
}

// move ends a move of the state, where it can.
func (c *cloud) move(dir string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	path := filepath.Join(dir, scaler.MoveFile)
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	if block, err := os.ReadFile(filepath.Join(dir, tfgen.BackendFile)); err == nil && c.taken != "" && strings.Contains(string(block), c.taken) {
		return fmt.Errorf("its new backend is taken")
	}
	return os.Remove(path)
}

// losing makes the state of the root modules of that name unreadable, or none.
func (c *cloud) losing(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = name
}

// Recover finds no terraform of an earlier scalerd.
func (c *cloud) Recover(context.Context, scaler.Root, scaler.Watcher) error {
	return scaler.ErrInterrupted
}

// back are the changes that undo what somebody else changed.
func (c *cloud) back(dir string) []scaler.Change {
	c.mu.Lock()
	defer c.mu.Unlock()
	var changes []scaler.Change
	for address := range c.states[dir].Resources {
		if c.changed[address] {
			changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionUpdate})
		}
	}
	return changes
}

// apply does what it can of the changes: an interruption or a failure leaves the
// others done, as terraform does.
func (c *cloud) apply(ctx context.Context, dir string, changes []scaler.Change) error {
	state := c.states[dir]
	next := scaler.State{Lineage: "l", Serial: state.Serial + 1, Resources: map[string]bool{}, Nodes: map[string]scaler.NodeOutput{}}
	for address, tainted := range state.Resources {
		next.Resources[address] = tainted
	}
	var failed scaler.Diagnostics
	nodes, err := nodesIn(dir)
	if err != nil {
		return err
	}
	for i, change := range changes {
		if node, ok := tfgen.AddressNode(change.Address); ok && c.refuses != nil && change.Action == scaler.ActionCreate {
			if words, half := c.refuses(nodes[node]); words != "" {
				failed = append(failed, scaler.Diagnostic{Severity: "error", Summary: words, Address: change.Address})
				if half {
					next.Resources[change.Address] = true
				}
				continue
			}
		}
		if ctx.Err() != nil && i%2 == 1 {
			break
		}
		key := filepath.Base(filepath.Dir(dir)) + "/" + change.Address
		switch {
		case c.fails(change) && change.Action == scaler.ActionCreate && i%2 == 0:
			next.Resources[change.Address] = true
			failed = append(failed, scaler.Diagnostic{Severity: "error", Summary: "half made", Address: change.Address})
		case c.fails(change):
			failed = append(failed, scaler.Diagnostic{Severity: "error", Summary: "not done", Address: change.Address})
		case change.Action == scaler.ActionDelete:
			delete(next.Resources, change.Address)
		case change.Action == scaler.ActionUpdate:
			delete(c.changed, change.Address)
		default:
			c.created[key]++
			delete(c.gone, change.Address)
			next.Resources[change.Address] = false
		}
	}
	for address := range next.Resources {
		if node, ok := tfgen.AddressNode(address); ok {
			next.Nodes[node] = scaler.NodeOutput{ID: "id-" + node, PrivateIP: "10.0.0.1", Port: 80}
		}
	}
	c.states[dir] = next
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(failed) > 0 {
		return failed
	}
	return nil
}

// nodesIn is the node set of a root module, empty where it has none.
func nodesIn(dir string) (tfgen.Nodes, error) {
	text, err := os.ReadFile(filepath.Join(dir, tfgen.NodesFile))
	if err != nil {
		return nil, nil
	}
	return tfgen.DecodeNodes(text)
}

func (c *cloud) Plan(_ context.Context, root scaler.Root) ([]scaler.Change, error) {
	nodes, err := nodesIn(root.Dir)
	if err != nil {
		return nil, err
	}
	return c.plan(root.Dir, nodes), nil
}

func (c *cloud) Check(ctx context.Context, root scaler.Root, expect scaler.Expect, nodes tfgen.Nodes, checked func(context.Context, scaler.SavedPlan) error) ([]scaler.Change, error) {
	if _, err := os.Stat(filepath.Join(root.Dir, scaler.MoveFile)); err == nil && strings.Contains(root.Dir, "scalerd-plan-") {
		return nil, fmt.Errorf("a plan would move the state of %s", root.Dir)
	}
	if nodes == nil {
		var err error
		if nodes, err = nodesIn(root.Dir); err != nil {
			return nil, err
		}
	}
	changes := c.plan(root.Dir, nodes)
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
	}
	if err := expect.Check(changes); err != nil {
		return changes, err
	}
	return changes, checked(ctx, scaler.SavedPlan{Digest: "d", Changes: changes})
}

// plan is what turns the state of a root module into the node set.
func (c *cloud) plan(dir string, nodes tfgen.Nodes) []scaler.Change {
	want, machine := map[string]bool{}, "terraform_data"
	if text, err := os.ReadFile(filepath.Join(dir, "main.tf")); err == nil && strings.Contains(string(text), `"aws_instance"`) {
		machine = "aws_instance"
	}
	for node := range nodes {
		want[fmt.Sprintf("%s.node[%q]", machine, node)] = true
	}
	if filepath.Base(dir) == tfgen.BaseName {
		want["terraform_data.balancer"] = true
	}
	state := c.state(dir)
	var changes []scaler.Change
	for address := range want {
		if tainted, ok := state.Resources[address]; !ok {
			changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionCreate})
		} else if tainted {
			changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionReplace})
		}
	}
	for address := range state.Resources {
		if !want[address] {
			changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionDelete})
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return append(changes, c.foreign...)
}

func (c *cloud) Drift(_ context.Context, root scaler.Root) ([]scaler.Change, error) {
	dir := root.Dir
	c.mu.Lock()
	blind, looking := c.blind, c.looking
	c.mu.Unlock()
	if blind != nil {
		return nil, blind
	}
	if err := c.move(dir); err != nil {
		return nil, err
	}
	before := c.state(dir).Resources
	time.Sleep(looking)
	after := c.state(dir).Resources
	var drift []scaler.Change
	for address := range before {
		c.mu.Lock()
		if c.changed[address] {
			drift = append(drift, scaler.Change{Address: address, Action: scaler.ActionUpdate})
		}
		if _, there := after[address]; c.gone[address] || !there {
			drift = append(drift, scaler.Change{Address: address, Action: scaler.ActionDelete})
		}
		c.mu.Unlock()
	}
	return drift, nil
}

func (c *cloud) State(dir string) (scaler.State, error) {
	c.mu.Lock()
	unreadable, lost := c.unreadable, c.lost
	c.mu.Unlock()
	if lost != "" && filepath.Base(dir) == lost {
		return scaler.State{}, scaler.ErrStateLost
	}
	if unreadable != nil {
		if err := unreadable(dir); err != nil {
			return scaler.State{}, err
		}
	}
	return c.state(dir), nil
}

func (c *cloud) Login(scaler.Root) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.login, nil
}
func (c *cloud) Found(context.Context, scaler.Root) ([]tfgen.Found, error) { return nil, nil }

func (c *cloud) state(dir string) scaler.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !strings.Contains(dir, "scalerd-plan-") {
		return c.states[dir]
	}
	// A plan is made in a copy of the group's folder, to which a state file goes along.
	root := func(dir string) string { return filepath.Join(filepath.Base(filepath.Dir(dir)), filepath.Base(dir)) }
	for original, state := range c.states {
		if root(original) == root(dir) {
			return state
		}
	}
	return scaler.State{}
}

// lose makes a node vanish behind Terraform's back.
func (c *cloud) lose(node string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone[fmt.Sprintf("terraform_data.node[%q]", node)] = true
}

// change changes a node behind Terraform's back.
func (c *cloud) change(node string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed[fmt.Sprintf("terraform_data.node[%q]", node)] = true
}

func (c *cloud) isChanged(node string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed[fmt.Sprintf("terraform_data.node[%q]", node)]
}

// write writes the states of a group as somebody else would, who changes nothing.
func (c *cloud) write(group string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for dir, state := range c.states {
		if filepath.Base(filepath.Dir(dir)) == group {
			state.Serial++
			c.states[dir] = state
		}
	}
}

// nodes lists what exists in the group, over all shards.
func (c *cloud) nodes(group string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for dir, state := range c.states {
		if filepath.Base(filepath.Dir(dir)) != group {
			continue
		}
		for address := range state.Resources {
			if node, ok := tfgen.AddressNode(address); ok {
				names = append(names, node)
			}
		}
	}
	return names
}

// locking puts a lock of somebody else on all states, or takes it away.
func (c *cloud) locking(by *scaler.LockedError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.locked = by
}

// taking makes every later step last that long.
func (c *cloud) taking(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takes = d
}

// failing makes the changes fail that fails tells; nil mends the cloud.
func (c *cloud) failing(fails func(scaler.Change) bool) {
	if fails == nil {
		fails = func(scaler.Change) bool { return false }
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fails = fails
}

// sometimes is true for a share of all changes. It draws from a generator of its
// own, because the cloud's steps call it.
func sometimes(seed uint64, share float64) func(scaler.Change) bool {
	rnd := rand.New(rand.NewPCG(seed, 1))
	return func(scaler.Change) bool { return rnd.Float64() < share }
}

// refusing makes the cloud refuse nodes; nil mends it.
func (c *cloud) refusing(refuses func(tfgen.Settings) (string, bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuses = refuses
}

// planning makes every plan have the changes besides its own.
func (c *cloud) planning(foreign ...scaler.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.foreign = foreign
}

// stepsDone is how many steps were applied.
func (c *cloud) stepsDone() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.steps
}

// meters is a scaler.Monitor: every node that was scraped since boot answers, and
// queries have the values that the test sets.
type meters struct {
	mu      sync.Mutex
	boot    time.Duration
	targets map[string]scaler.Target
	since   map[string]time.Time
	values  map[string]policy.Reading
}

func newMeters() *meters {
	return &meters{boot: 3 * time.Second, since: map[string]time.Time{}, values: map[string]policy.Reading{}}
}

func (m *meters) set(query string, value float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[query] = policy.Reading{Samples: []policy.Sample{{Value: value}}}
}

// booting makes nodes take that long until they answer.
func (m *meters) booting(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.boot = d
}

func (m *meters) miss(query string, why policy.Missing) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[query] = policy.Reading{Missing: why}
}

func (m *meters) Query(_ context.Context, promql string, at time.Time) policy.Reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !strings.HasPrefix(promql, "up{") {
		if r, ok := m.values[promql]; ok {
			return r
		}
		return policy.Reading{Missing: policy.NoSeries}
	}
	var up []policy.Sample
	for node, t := range m.targets {
		if at.Sub(m.since[node]) >= m.boot {
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
	m.targets = map[string]scaler.Target{}
	for _, t := range targets {
		node := t.Labels["node"]
		m.targets[node] = t
		if _, ok := m.since[node]; !ok {
			m.since[node] = time.Now()
		}
	}
	return nil
}

func (m *meters) Close() error { return nil }

// blind is a scaler.Inspector that sees nothing, as for clouds whose machines a
// refresh shows.
type blind struct{}

func (blind) Dead(string, []string) []string { return nil }

func (blind) Reap(context.Context, string, []string) ([]string, error) { return nil, nil }

// claims lists the states that somebody has claimed.
func (c *cloud) claims() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var dirs []string
	for dir, state := range c.states {
		if state.Installation != "" {
			dirs = append(dirs, filepath.Base(dir))
		}
	}
	return dirs
}

// blinded has nothing be compared with what exists.
func (c *cloud) blinded(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blind = err
}

// lookingFor makes every later drift check last that long.
func (c *cloud) lookingFor(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looking = d
}

// losingStates makes states be lost, as lost tells; nil brings them back.
func (c *cloud) losingStates(lost func(dir string) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unreadable = lost
}
