package local

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/google/renameio/v2/maybe"
)

// NodeList is the live node list of an application, which the daemon rewrites
// and balancers follow.
type NodeList struct {
	Nodes []ListedNode `json:"nodes"`
}

// NodeState is how far a node is in its life.
type NodeState string

const (
	// Booting: the node exists and does not answer yet.
	Booting NodeState = "booting"
	// Ready: the node serves; the only state in which it gets traffic.
	Ready NodeState = "ready"
	// Draining: the node will go and finishes what it has.
	Draining NodeState = "draining"
	// Lost: the node was ready and does not answer any more.
	Lost NodeState = "lost"
)

// ListedNode is one node of a NodeList.
type ListedNode struct {
	Name  string `json:"name"`
	Group string `json:"group"`
	// Address is the host:port of the service, empty while it is unknown.
	Address   string    `json:"address"`
	PrivateIP string    `json:"private_ip"`
	PublicIP  string    `json:"public_ip"`
	State     NodeState `json:"state"`
	// ReadySince is absent where the node never was ready.
	ReadySince time.Time `json:"ready_since,omitzero"`
	// Weight is the node's share of the traffic beside that of a warm node,
	// 0..1; with 0 it gets none.
	Weight float64 `json:"weight"`
}

// ReadNodeList reads the list at path.
func ReadNodeList(path string) (NodeList, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return NodeList{}, fmt.Errorf("read node list: %w", err)
	}
	var list NodeList
	if err := json.Unmarshal(text, &list); err != nil {
		return NodeList{}, fmt.Errorf("read node list %s: %w", path, err)
	}
	return list, nil
}

// Write replaces the list at path at once: a reader sees the old one or the new.
func (l NodeList) Write(path string) error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return fmt.Errorf("write node list %s: %w", path, err)
	}
	if err := maybe.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write node list %s: %w", path, err)
	}
	return nil
}

// serves tells whether the node gets traffic of the group.
func (n ListedNode) serves(group string) bool {
	return n.Group == group && n.State == Ready && n.Address != "" && n.Weight > 0 && !math.IsInf(n.Weight, 0)
}
