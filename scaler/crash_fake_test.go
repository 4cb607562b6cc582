package scaler_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

// machine is a machine in a sky.
type machine struct {
	id, node, decision, installation string
	// visible is when lookups begin to show it.
	visible time.Time
}

// mishap is what goes wrong with creations.
type mishap string

const (
	noMishap  mishap = ""
	refused   mishap = "quota"
	throttled mishap = "throttling"
	lostReply mishap = "lost answer"
	timedOut  mishap = "timeout"
	lateLost  mishap = "lost answer, shown late"
	tooLate   mishap = "lost answer, shown after the grace"
)

// sky is a cloud with its terraform: machines, and states that may not tell of them.
// It outlives every scalerd.
type sky struct {
	mu       sync.Mutex
	machines map[string]machine
	states   map[string]scaler.State
	// runs are the applies whose scalerd died: with their end, or nil where terraform
	// was killed too.
	runs map[string]*applied
	made int
	// mishap hits that many more creations.
	mishap mishap
	hits   int
	// power is set where crashes are power cuts, which no terraform outlives.
	power atomic.Bool
	// deleted are the machines that terraform deleted.
	deleted []string
}

// applied is the end of an apply.
type applied struct {
	results []scaler.ResourceResult
	err     error
}

func newSky() *sky {
	return &sky{machines: map[string]machine{}, states: map[string]scaler.State{}, runs: map[string]*applied{}}
}

// mortalTerraform is the terraform of a scalerd that dies. Where alone is set, an
// apply outlives it.
type mortalTerraform struct {
	*sky
	fuse  *fuse
	alone bool
}

func machineAddress(node string) string { return fmt.Sprintf("aws_instance.node[%q]", node) }

func (m mortalTerraform) State(dir string) (scaler.State, error) {
	if err := m.fuse.point(); err != nil {
		return scaler.State{}, err
	}
	if halved(dir) {
		return scaler.State{}, scaler.ErrStateLost
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state(dir), nil
}

func (m mortalTerraform) Step(ctx context.Context, root scaler.Root, expect scaler.Expect, watch scaler.Watcher) ([]scaler.Change, error) {
	if err := m.fuse.point(); err != nil {
		return nil, err
	}
	select { // init and plan
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(300 * time.Millisecond):
	}
	changes, imports, err := m.planned(root.Dir)
	if err != nil {
		return nil, err
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
	end := m.apply(ctx, root.Dir, changes, imports)
	if err := m.fuse.point(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	delete(m.runs, root.Dir)
	m.mu.Unlock()
	watch.Results(end.results)
	return changes, end.err
}

// apply carries a plan out. Where the scalerd dies meanwhile, its terraform goes on to
// the end or dies there and then.
func (m mortalTerraform) apply(ctx context.Context, dir string, changes []scaler.Change, imports map[string]string) *applied {
	nodes, _ := nodesIn(dir)
	m.mu.Lock()
	state := m.state(dir)
	m.runs[dir] = nil
	m.mu.Unlock()
	next := scaler.State{Lineage: "l", Serial: state.Serial + 1, Resources: maps.Clone(state.Resources), IDs: maps.Clone(state.IDs), Nodes: maps.Clone(state.Nodes)}
	if next.Resources == nil {
		next.Resources, next.IDs, next.Nodes = map[string]bool{}, map[string]string{}, map[string]scaler.NodeOutput{}
	}
	end := &applied{}
	var failed scaler.Diagnostics
	for _, change := range changes {
		if m.fuse.burns() && (!m.alone || m.power.Load()) {
			<-m.fuse.over
			return &applied{err: errCrashed}
		}
		if ctx.Err() != nil {
			end.err = ctx.Err()
			break
		}
		done := m.change(change, imports, nodes, &next, &failed)
		if m.fuse.burns() && (!m.alone || m.power.Load()) { // it is done, and in no state
			<-m.fuse.over
			return &applied{err: errCrashed}
		}
		m.write(dir, next)
		end.results = append(end.results, scaler.ResourceResult{Address: change.Address, Action: string(change.Action), OK: done})
	}
	if len(failed) > 0 && end.err == nil {
		end.err = failed
	}
	next.Nodes = map[string]scaler.NodeOutput{}
	for address, tainted := range next.Resources {
		if node, ok := tfgen.AddressNode(address); ok && !tainted {
			next.Nodes[node] = scaler.NodeOutput{ID: next.IDs[address], PrivateIP: "10.0.0.1"}
		}
	}
	m.write(dir, next)
	m.mu.Lock()
	m.runs[dir] = end
	m.mu.Unlock()
	return end
}

// A root module has its state, and a copy by which the true Terraform tells that it was
// lost.
const (
	stateFile = "terraform.tfstate"
	stateCopy = "terraform.tfstate.seen"
)

// halved reports whether one of a root module's two states is gone.
func halved(dir string) bool {
	_, one := os.Stat(filepath.Join(dir, stateFile))
	_, two := os.Stat(filepath.Join(dir, stateCopy))
	return (one == nil) != (two == nil)
}

// state is that of a root module. It goes with the module's folder.
func (s *sky) state(dir string) scaler.State {
	if _, err := os.Stat(filepath.Join(dir, stateFile)); err != nil {
		delete(s.states, dir)
	}
	return s.states[dir]
}

// write replaces a state.
func (s *sky) write(dir string, state scaler.State) {
	for _, name := range []string{stateCopy, stateFile} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			panic(err)
		}
	}
	state.Resources, state.IDs, state.Nodes = maps.Clone(state.Resources), maps.Clone(state.IDs), maps.Clone(state.Nodes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states[dir] = state
}

// change carries one change out in the cloud and in the state that will be written.
func (s *sky) change(c scaler.Change, imports map[string]string, nodes tfgen.Nodes, next *scaler.State, failed *scaler.Diagnostics) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	fail := func(words string) bool {
		*failed = append(*failed, scaler.Diagnostic{Severity: "error", Summary: words, Address: c.Address})
		return false
	}
	switch c.Action {
	case scaler.ActionDelete:
		if id := next.IDs[c.Address]; id != "" {
			if _, there := s.machines[id]; there {
				delete(s.machines, id)
				s.deleted = append(s.deleted, id)
			}
		}
		delete(next.Resources, c.Address)
		delete(next.IDs, c.Address)
	case scaler.ActionImport:
		id := imports[c.Address]
		if _, there := s.machines[id]; !there {
			return fail("Cannot import non-existent remote object")
		}
		next.Resources[c.Address], next.IDs[c.Address] = false, id
	case scaler.ActionCreate:
		return s.create(c.Address, nodes, next, fail)
	}
	return true
}

func (s *sky) create(address string, nodes tfgen.Nodes, next *scaler.State, fail func(string) bool) bool {
	var struck mishap
	if s.hits > 0 {
		s.hits, struck = s.hits-1, s.mishap
	}
	switch struck {
	case refused:
		return fail("creating EC2 Instance: VcpuLimitExceeded: You have requested more vCPU capacity than your current limit")
	case throttled:
		return fail("creating EC2 Instance: RequestLimitExceeded: Request limit exceeded.")
	}
	s.made++
	node, _ := tfgen.AddressNode(address)
	made := machine{id: fmt.Sprintf("i-%04d", s.made), node: node, visible: time.Now()}
	made.decision, _ = nodes[node]["decision"].(string)
	made.installation, _ = nodes[node]["installation"].(string)
	switch struck {
	case lateLost:
		made.visible = made.visible.Add(mortalGrace - time.Second)
	case tooLate:
		made.visible = made.visible.Add(3 * mortalGrace)
	}
	s.machines[made.id] = made
	switch struck {
	case lostReply, lateLost, tooLate:
		return fail("creating EC2 Instance: read tcp: connection reset by peer")
	case timedOut:
		next.Resources[address], next.IDs[address] = true, made.id
		return fail("waiting for EC2 Instance create: timeout while waiting for state to become 'running'")
	}
	next.Resources[address], next.IDs[address] = false, made.id
	return true
}

var orphanBlock = regexp.MustCompile(`(?s)to\s*=\s*(\S+)\s+id\s*=\s*"([^"]*)"`)

// planned is what turns a root module's state into what its files ask for.
func (s *sky) planned(dir string) (changes []scaler.Change, imports map[string]string, err error) {
	nodes, err := nodesIn(dir)
	if err != nil {
		return nil, nil, err
	}
	imports, want := map[string]string{}, map[string]bool{}
	for node := range nodes {
		want[machineAddress(node)] = true
	}
	if text, err := os.ReadFile(filepath.Join(dir, tfgen.AdoptFile)); err == nil {
		if imports, err = tfgen.DecodeAdopt(text); err != nil {
			return nil, nil, err
		}
	}
	if filepath.Base(dir) == tfgen.OrphansName {
		text, err := os.ReadFile(filepath.Join(dir, "main.tf"))
		if err != nil {
			return nil, nil, err
		}
		for _, m := range orphanBlock.FindAllStringSubmatch(string(text), -1) {
			want[m[1]], imports[m[1]] = true, m[2]
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.state(dir)
	for _, address := range slices.Sorted(maps.Keys(want)) {
		tainted, there := state.Resources[address]
		switch {
		case tainted:
			changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionReplace})
		case !there && imports[address] != "":
			changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionImport})
		case !there:
			changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionCreate})
		}
	}
	for _, address := range slices.Sorted(maps.Keys(state.Resources)) {
		if !want[address] {
			changes = append(changes, scaler.Change{Address: address, Action: scaler.ActionDelete})
		}
	}
	return changes, imports, nil
}

// Recover ends the apply of a scalerd that died.
func (m mortalTerraform) Recover(_ context.Context, root scaler.Root, watch scaler.Watcher) error {
	if err := m.fuse.point(); err != nil {
		return err
	}
	m.mu.Lock()
	run := m.runs[root.Dir]
	m.mu.Unlock()
	if run == nil {
		return scaler.ErrInterrupted
	}
	watch.Results(run.results)
	return run.err
}

func (m mortalTerraform) Plan(_ context.Context, root scaler.Root) ([]scaler.Change, error) {
	changes, _, err := m.planned(root.Dir)
	return changes, err
}

func (m mortalTerraform) Check(context.Context, scaler.Root, scaler.Expect, tfgen.Nodes, func(context.Context, scaler.SavedPlan) error) ([]scaler.Change, error) {
	return nil, errors.New("no check was asked for")
}

func (m mortalTerraform) Drift(_ context.Context, root scaler.Root) ([]scaler.Change, error) {
	if err := m.fuse.point(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var drift []scaler.Change
	state := m.state(root.Dir)
	for _, address := range slices.Sorted(maps.Keys(state.IDs)) {
		if _, there := m.machines[state.IDs[address]]; !there {
			drift = append(drift, scaler.Change{Address: address, Action: scaler.ActionDelete})
		}
	}
	return drift, nil
}

func (m mortalTerraform) Login(scaler.Root) (string, error) { return "me", nil }

func (m mortalTerraform) Found(_ context.Context, root scaler.Root) ([]tfgen.Found, error) {
	if err := m.fuse.point(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []tfgen.Found
	for _, id := range slices.Sorted(maps.Keys(m.machines)) {
		if each := m.machines[id]; !each.visible.After(time.Now()) {
			found = append(found, tfgen.Found{Type: "aws_instance", ID: id, Application: "shop", Group: "web", Node: each.node, Decision: each.decision, Installation: each.installation})
		}
	}
	return found, nil
}
