package local

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
)

func readyNode(name, address string, weight float64) scaler.ListedNode {
	return scaler.ListedNode{Name: name, Group: "web", Address: address, State: scaler.StateReady, Weight: weight}
}

func writeList(t *testing.T, path string, nodes ...scaler.ListedNode) {
	t.Helper()
	if err := (scaler.NodeList{Nodes: nodes}).Write(path); err != nil {
		t.Fatal(err)
	}
}

// following are backends of a list with these nodes, and what they log.
func following(t *testing.T, nodes ...scaler.ListedNode) (*backends, *strings.Builder) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nodes.json")
	writeList(t, path, nodes...)
	log := &strings.Builder{}
	return newBackends(path, "web", slog.New(slog.NewTextHandler(log, nil))), log
}

// picks are the names of the next n choices, none of which is released.
func picks(b *backends, n int, now time.Time) []string {
	var names []string
	for range n {
		name := "none"
		if node := b.pick(nil, now); node != nil {
			name = node.name
		}
		names = append(names, name)
	}
	return names
}

func TestPick(t *testing.T) {
	t.Parallel()
	inState := func(n scaler.ListedNode, state string) scaler.ListedNode {
		n.State = state
		return n
	}
	ofGroup := func(n scaler.ListedNode, group string) scaler.ListedNode {
		n.Group = group
		return n
	}
	tests := []struct {
		name  string
		nodes []scaler.ListedNode
		want  []string
	}{
		{"equals take turns", []scaler.ListedNode{readyNode("a", ":1", 1), readyNode("b", ":2", 1), readyNode("c", ":3", 1)},
			[]string{"a", "b", "c", "a", "b", "c"}},
		{"a node of half the weight has half as many outstanding", []scaler.ListedNode{readyNode("a", ":1", 1), readyNode("b", ":2", 0.5)},
			[]string{"a", "b", "a", "a", "b", "a"}},
		{"a node of weight 0 gets none", []scaler.ListedNode{readyNode("a", ":1", 0), readyNode("b", ":2", 1)},
			[]string{"b", "b"}},
		{"only ready nodes get any", []scaler.ListedNode{
			inState(readyNode("a", ":1", 1), scaler.StateBooting), inState(readyNode("b", ":2", 1), scaler.StateDraining),
			inState(readyNode("c", ":3", 1), scaler.StateLost), readyNode("d", ":4", 1)},
			[]string{"d", "d", "d"}},
		{"only nodes of the group get any", []scaler.ListedNode{ofGroup(readyNode("a", ":1", 1), "db"), readyNode("b", ":2", 1)},
			[]string{"b", "b"}},
		{"a node without an address gets none", []scaler.ListedNode{readyNode("a", "", 1)}, []string{"none"}},
		{"no node", nil, []string{"none"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b, _ := following(t, test.nodes...)
			if got := picks(b, len(test.want), time.Now()); !cmp.Equal(got, test.want) {
				t.Errorf("pick() chose %v, want %v", got, test.want)
			}
		})
	}
}

func TestPickTakesTheNodeWithLessToDo(t *testing.T) {
	t.Parallel()
	b, _ := following(t, readyNode("a", ":1", 1), readyNode("b", ":2", 1))
	now := time.Now()
	a := b.pick(nil, now)
	b.pick(nil, now)
	b.release(a)
	if got := picks(b, 1, now); got[0] != "a" {
		t.Errorf("pick() = %s, want a, which has nothing to do", got[0])
	}
}

func TestNodeSetAsideGetsNothingForTwoSeconds(t *testing.T) {
	t.Parallel()
	b, log := following(t, readyNode("a", ":1", 1), readyNode("b", ":2", 1))
	now := time.Now()
	a := b.pick(nil, now)
	b.release(a)
	b.setAside(a, os.ErrDeadlineExceeded, now)
	b.setAside(a, os.ErrDeadlineExceeded, now)
	if got, want := picks(b, 3, now.Add(1999*time.Millisecond)), []string{"b", "b", "b"}; !cmp.Equal(got, want) {
		t.Errorf("pick() chose %v with a set aside, want %v", got, want)
	}
	if got := b.usable(now); got != 1 {
		t.Errorf("usable() = %d with one of two set aside, want 1", got)
	}
	if got := picks(b, 1, now.Add(2*time.Second)); got[0] != "a" {
		t.Errorf("pick() = %s after 2 s, want a", got[0])
	}
	if got := strings.Count(log.String(), "node set aside"); got != 1 {
		t.Errorf("it was logged %d times that the node is set aside, want 1", got)
	}
}

func TestNodeSetAsideIsTriedWhereThereIsNoOther(t *testing.T) {
	t.Parallel()
	b, _ := following(t, readyNode("a", ":1", 1))
	now := time.Now()
	a := b.pick(nil, now)
	b.setAside(a, os.ErrDeadlineExceeded, now)
	if got := b.pick(nil, now); got != a {
		t.Errorf("pick() = %v, want the only node", got)
	}
	if got := b.pick([]*backend{a}, now); got != nil {
		t.Errorf("pick() = %v after the only node was tried, want nil", got)
	}
}

func TestListIsFollowedAndTheLastGoodOneKept(t *testing.T) {
	t.Parallel()
	b, log := following(t, readyNode("a", ":1", 1))
	now := time.Now()
	expect := func(why, want string) {
		t.Helper()
		now = now.Add(listPeriod)
		if got := picks(b, 1, now)[0]; got != want {
			t.Errorf("%s: pick() = %s, want %s", why, got, want)
		}
	}
	expect("at first", "a")
	writeList(t, b.path, readyNode("b", ":2", 1))
	expect("rewritten", "b")
	if err := os.WriteFile(b.path, []byte(`{"nodes": [`), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("broken", "b")
	if err := os.Remove(b.path); err != nil {
		t.Fatal(err)
	}
	expect("missing", "b")
	expect("still missing", "b")
	if got := strings.Count(log.String(), "node list unusable"); got != 1 {
		t.Errorf("it was logged %d times that the list is unusable, want 1:\n%s", got, log)
	}
	writeList(t, b.path, readyNode("c", ":3", 1))
	expect("good again", "c")
}

func TestListIsLookedAtOncePerPeriod(t *testing.T) {
	t.Parallel()
	b, _ := following(t, readyNode("a", ":1", 1))
	now := time.Now()
	picks(b, 1, now)
	writeList(t, b.path, readyNode("b", ":2", 1))
	if got := picks(b, 1, now.Add(listPeriod-1))[0]; got != "a" {
		t.Errorf("pick() = %s within the period, want a", got)
	}
	if got := picks(b, 1, now.Add(listPeriod))[0]; got != "b" {
		t.Errorf("pick() = %s after the period, want b", got)
	}
}

func TestNodeKeepsItsCountsWhenTheListIsRewritten(t *testing.T) {
	t.Parallel()
	b, _ := following(t, readyNode("a", ":1", 1), readyNode("b", ":2", 1))
	now := time.Now()
	picks(b, 4, now)
	writeList(t, b.path, readyNode("c", ":3", 1), readyNode("a", ":1", 1))
	if got, want := picks(b, 2, now.Add(listPeriod)), []string{"c", "c"}; !cmp.Equal(got, want) {
		t.Errorf("pick() chose %v, want %v: a has two outstanding", got, want)
	}
}

func TestNodeListIsWrittenAsItIsRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "nodes.json")
	want := scaler.NodeList{Nodes: []scaler.ListedNode{
		{Name: "web-0001", Group: "web", Address: "127.0.0.1:41234", PrivateIP: "10.0.0.1", PublicIP: "192.0.2.1",
			State: scaler.StateReady, ReadySince: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Weight: 0.25},
		{Name: "web-0002", Group: "web", State: scaler.StateBooting},
	}}
	writeList(t, path, want.Nodes...)
	got, err := scaler.ReadNodeList(path)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("ReadNodeList() of what was written, error %v (-want +got):\n%s", err, diff)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var raw struct{ Nodes []map[string]any }
	if err := unmarshal(string(text), &raw); err != nil {
		t.Fatal(err)
	}
	wantRaw := map[string]any{"name": "web-0001", "group": "web", "address": "127.0.0.1:41234", "private_ip": "10.0.0.1",
		"public_ip": "192.0.2.1", "state": "ready", "ready_since": "2026-01-02T03:04:05Z", "weight": 0.25}
	if diff := cmp.Diff(wantRaw, raw.Nodes[0]); diff != "" {
		t.Errorf("the file's keys (-want +got):\n%s", diff)
	}
}
