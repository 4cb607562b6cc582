package scaler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"time"
)

// The states of a node in a NodeList and a NodeStatus.
const (
	// StateCreating: Terraform is making it.
	StateCreating = "creating"
	// StateBooting: it exists and has never answered.
	StateBooting = "booting"
	// StateReady: its metrics were scraped at the last tick.
	StateReady = "ready"
	// StateLost: it was ready and does not answer now.
	StateLost = "lost"
	// StateDraining: it is about to be destroyed.
	StateDraining = "draining"
)

// NodeListFile is the name of an application's live node list.
const NodeListFile = "nodes.json"

// NodeList is the live node list of an application, for balancers and scrapers.
type NodeList struct {
	Nodes []ListedNode `json:"nodes"`
}

// ListedNode is one node of a NodeList.
type ListedNode struct {
	Name  string `json:"name"`
	Group string `json:"group"`
	// Address is the host:port of the service of a local node; other nodes have
	// IPs only, and the balancer knows the port.
	Address   string `json:"address,omitempty"`
	PrivateIP string `json:"private_ip"`
	PublicIP  string `json:"public_ip"`
	// State is booting, ready, lost or draining.
	State     string    `json:"state"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	// ReadySince is when the node was first ready, zero before.
	ReadySince time.Time `json:"ready_since,omitzero"`
	// Weight is the share of traffic that the node should get, 0..1, relative to
	// the others: 0 unless it is ready, and rising to 1 during its first half
	// minute, because a cold node with an equal share slows the whole group.
	Weight float64 `json:"weight"`
}

// Slow start of a new node: its weight rises from slowStartWeight to 1 within
// slowStart.
const (
	slowStart       = 30 * time.Second
	slowStartWeight = 0.25
)

// weight of a node that has been ready since the given instant, in steps of 1/20
// so that the list is not rewritten for nothing.
func weight(readySince, now time.Time) float64 {
	age := now.Sub(readySince).Seconds() / slowStart.Seconds()
	w := slowStartWeight + (1-slowStartWeight)*max(age, 0)
	return min(1, float64(int(w*20))/20)
}

// listed turns the application's nodes into those of its live node list.
func listed(nodes []NodeStatus, now time.Time) []ListedNode {
	all := make([]ListedNode, 0, len(nodes))
	for _, n := range nodes {
		if n.State == StateCreating || n.PrivateIP == "" {
			continue
		}
		listed := ListedNode{
			Name: n.Name, Group: n.Group, PrivateIP: n.PrivateIP, PublicIP: n.PublicIP,
			State: n.State, CreatedAt: n.CreatedAt, ReadySince: n.ReadyAt,
		}
		if n.Port != 0 {
			listed.Address = net.JoinHostPort(n.PrivateIP, strconv.Itoa(n.Port))
		}
		if n.State == StateReady {
			listed.Weight = weight(n.ReadyAt, now)
		}
		all = append(all, listed)
	}
	return all
}

// ReadNodeList reads the list at path.
func ReadNodeList(path string) (NodeList, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return NodeList{}, fmt.Errorf("read node list: %w", err)
	}
	var l NodeList
	if err := json.Unmarshal(text, &l); err != nil {
		return NodeList{}, fmt.Errorf("read node list %s: %w", path, err)
	}
	return l, nil
}

// Write replaces the list at path at once, where it differs: a reader sees the old
// one or the new.
func (l NodeList) Write(path string) error { return new(listFile).write(disk{}, path, l.Nodes) }

// listFile writes one application's live node list again and again. A node has a
// line, which is encoded anew only where the node has changed: most of a large fleet
// is as it was.
type listFile struct {
	// nodes and lines are what was written last.
	nodes []ListedNode
	lines [][]byte
	// written is the file that it was written to, nil where that is not known.
	written os.FileInfo
}

func (f *listFile) write(d disk, path string, nodes []ListedNode) error {
	known := f.lines != nil
	if known && slices.Equal(nodes, f.nodes) {
		if info, err := os.Stat(path); err == nil && f.is(info) {
			return nil
		}
	}
	lines, err := f.encode(nodes)
	if err != nil {
		return fmt.Errorf("write node list %s: %w", path, err)
	}
	text := slices.Concat([]byte("{\n  \"nodes\": ["), bytes.Join(lines, []byte(",")), []byte("\n  ]\n}\n"))
	if have, err := os.ReadFile(path); known || err != nil || !bytes.Equal(have, text) {
		if err := d.replace(path, text, 0o644); err != nil {
			return fmt.Errorf("write node list %s: %w", path, err)
		}
	}
	f.nodes, f.lines = nodes, lines
	f.written, _ = os.Stat(path) // where that fails it is written again
	return nil
}

// comesBefore reports whether a node comes before another one in lists of an
// application's nodes.
func comesBefore(group, name, otherGroup, otherName string) bool {
	return group < otherGroup || group == otherGroup && CompareNodes(name, otherName) < 0
}

// is reports whether a file is the one that was written, and nobody changed it since.
func (f *listFile) is(info os.FileInfo) bool {
	return f.written != nil && os.SameFile(info, f.written) && info.Size() == f.written.Size() && info.ModTime().Equal(f.written.ModTime())
}

// encode gives each node its line, that of before where both are in the same order
// and the node is as it was.
func (f *listFile) encode(nodes []ListedNode) ([][]byte, error) {
	lines, at := make([][]byte, len(nodes)), 0
	for i, node := range nodes {
		for at < len(f.nodes) && comesBefore(f.nodes[at].Group, f.nodes[at].Name, node.Group, node.Name) {
			at++
		}
		if at < len(f.nodes) && f.nodes[at] == node {
			lines[i] = f.lines[at]
			continue
		}
		text, err := json.Marshal(node)
		if err != nil {
			return nil, err
		}
		lines[i] = append([]byte("\n    "), text...)
	}
	return lines, nil
}
