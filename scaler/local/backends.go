package local

import (
	"log/slog"
	"math"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

const (
	// listPeriod is how often the node list is looked at, at most.
	listPeriod = 100 * time.Millisecond
	// asideTime is for how long a node gets no traffic after it could not be
	// reached.
	asideTime = 2 * time.Second
)

// backend is a node as the balancer sees it; backends guards its fields.
type backend struct {
	name, address string
	weight        float64
	outstanding   int // requests sent and not yet answered
	asideUntil    time.Time
}

// backends are the nodes that a balancer may send to: those that are ready in
// the list at path, which is read again when it changes. It is safe for
// concurrent use.
type backends struct {
	path, group string
	log         *slog.Logger

	mu    sync.Mutex
	nodes []*backend
	// next is where the choice among equals begins.
	next     int
	lookedAt time.Time
	seen     os.FileInfo // of the list that nodes comes from, or of a broken one
	broken   bool
}

func newBackends(path, group string, log *slog.Logger) *backends {
	return &backends{path: path, group: group, log: log}
}

// pick chooses the node with the fewest outstanding requests by its weight, in
// rotation among equals, and counts one more for it; the caller releases it. A
// node in tried is not chosen, and one that is set aside only where there is no
// other. It returns nil where there is none at all.
func (b *backends) pick(tried []*backend, now time.Time) *backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.follow(now)
	best := b.least(func(n *backend) bool { return !n.asideUntil.After(now) && !slices.Contains(tried, n) })
	if best < 0 {
		best = b.least(func(n *backend) bool { return !slices.Contains(tried, n) })
	}
	if best < 0 {
		return nil
	}
	b.next = best + 1
	b.nodes[best].outstanding++
	return b.nodes[best]
}

// least is the index of the eligible node that has the least to do, or -1.
func (b *backends) least(eligible func(*backend) bool) int {
	best, least := -1, 0.0
	for i := range b.nodes {
		i = (b.next + i) % len(b.nodes)
		node := b.nodes[i]
		if !eligible(node) {
			continue
		}
		if todo := float64(node.outstanding+1) / node.weight; best < 0 || todo < least {
			best, least = i, todo
		}
	}
	return best
}

func (b *backends) release(node *backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	node.outstanding--
}

// setAside keeps traffic away from a node that could not be reached.
func (b *backends) setAside(node *backend, cause error, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !node.asideUntil.After(now) {
		b.log.Warn("node set aside", "node", node.name, "address", node.address, "for", asideTime, "error", cause)
	}
	node.asideUntil = now.Add(asideTime)
}

// usable counts the nodes that get traffic.
func (b *backends) usable(now time.Time) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.follow(now)
	usable := 0
	for _, node := range b.nodes {
		if !node.asideUntil.After(now) {
			usable++
		}
	}
	return usable
}

// follow takes over the list where it changed. The last good one stays in force
// while there is none, or a broken one, which is said once.
func (b *backends) follow(now time.Time) {
	if !b.lookedAt.IsZero() && now.Sub(b.lookedAt) < listPeriod {
		return
	}
	b.lookedAt = now
	info, err := os.Stat(b.path)
	if err == nil && sameVersion(b.seen, info) {
		return
	}
	var list scaler.NodeList
	if err == nil {
		list, err = scaler.ReadNodeList(b.path)
	}
	b.seen = info
	if err != nil {
		if !b.broken {
			b.log.Error("node list unusable, the last good one stays in force", "error", err)
		}
		b.broken = true
		return
	}
	if b.broken {
		b.log.Info("node list usable again", "path", b.path)
	}
	b.broken = false
	b.replace(list)
}

// sameVersion tells whether a file is unchanged.
func sameVersion(before, after os.FileInfo) bool {
	return before != nil && os.SameFile(before, after) &&
		before.Size() == after.Size() && before.ModTime().Equal(after.ModTime())
}

// replace takes over a list. A node that was there keeps its counts.
func (b *backends) replace(list scaler.NodeList) {
	known := make(map[string]*backend, len(b.nodes))
	for _, node := range b.nodes {
		known[node.address] = node
	}
	b.nodes = b.nodes[:0]
	for _, listed := range list.Nodes {
		if !serves(listed, b.group) {
			continue
		}
		node := known[listed.Address]
		if node == nil || node.name != listed.Name {
			node = &backend{name: listed.Name, address: listed.Address}
		}
		node.weight = listed.Weight
		b.nodes = append(b.nodes, node)
	}
	b.log.Debug("node list followed", "nodes", len(b.nodes))
}

// serves tells whether the node gets traffic of the group.
func serves(n scaler.ListedNode, group string) bool {
	return n.Group == group && n.State == scaler.StateReady && n.Address != "" && n.Weight > 0 && !math.IsInf(n.Weight, 0)
}
