package scaler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
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

// list turns the application's nodes into its live node list.
func list(nodes []NodeStatus, now time.Time) NodeList {
	l := NodeList{Nodes: []ListedNode{}}
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
		l.Nodes = append(l.Nodes, listed)
	}
	return l
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
func (l NodeList) Write(path string) error { return l.write(disk{}, path) }

func (l NodeList) write(d disk, path string) error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return fmt.Errorf("write node list %s: %w", path, err)
	}
	text = append(text, '\n')
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, text) {
		return nil
	}
	if err := d.replace(path, text, 0o644); err != nil {
		return fmt.Errorf("write node list %s: %w", path, err)
	}
	return nil
}
