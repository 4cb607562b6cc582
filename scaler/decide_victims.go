package scaler

import (
	"cmp"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// protected is whether a node never goes.
func protected(v *spec.Victims, node string) bool {
	return v != nil && slices.Contains(v.Protected, node)
}

// choose names the nodes that go for a group to shrink from its wanted size to
// size to, besides those that are named already, where the description says which.
// What it does not name is left to who carries the decision out, who takes nodes
// that do not exist yet first.
func (d *deciding) choose(to int) {
	v := d.limits.Victims
	if v == nil || to >= d.obs.Wanted {
		return
	}
	var candidates []policy.Node
	there := 0
	for _, n := range d.obs.Nodes {
		if slices.Contains(d.history.Dropped, n.Name) || slices.Contains(d.drop, n.Name) {
			continue
		}
		there++
		if !protected(v, n.Name) {
			candidates = append(candidates, n)
		}
	}
	n := min(d.obs.Wanted-to-len(d.drop), there-to)
	if n > len(candidates) {
		d.clampedBy("protected: only %d of %d nodes to remove may go", len(candidates), n)
		n = len(candidates)
	}
	if n <= 0 {
		return
	}
	chosen := d.inOrder(v, candidates)[:n]
	names := make([]string, n)
	for i, node := range chosen {
		names[i] = node.Name
	}
	d.say("victims: %s: %s", v.Order, strings.Join(names, ", "))
	d.drop = append(slices.Clone(d.drop), names...)
}

// inOrder sorts nodes by which go first.
func (d *deciding) inOrder(v *spec.Victims, nodes []policy.Node) []policy.Node {
	newest := func(a, b policy.Node) int {
		return cmp.Or(cmp.Compare(tfgen.NodeNumber(b.Name), tfgen.NodeNumber(a.Name)), cmp.Compare(b.Name, a.Name))
	}
	slices.SortFunc(nodes, newest)
	switch v.Order {
	case spec.VictimsOldest:
		slices.Reverse(nodes)
	case spec.VictimsLeastBusy:
		busy := d.busy(v.Query)
		slices.SortStableFunc(nodes, func(a, b policy.Node) int {
			x, xKnown := busy[a.Name]
			y, yKnown := busy[b.Name]
			if xKnown != yKnown {
				return cmp.Compare(boolInt(yKnown), boolInt(xKnown)) // a node that says nothing may be busy
			}
			return cmp.Compare(x, y)
		})
	case spec.VictimsZoneBalance:
		return balanced(nodes)
	case spec.VictimsPrice:
		slices.SortStableFunc(nodes, func(a, b policy.Node) int { return cmp.Compare(b.PerHour, a.PerHour) })
	}
	return nodes
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// busy is how busy each node is, by name.
func (d *deciding) busy(query string) map[string]float64 {
	busy := map[string]float64{}
	for _, s := range d.obs.Readings[query].Samples {
		if name := s.Labels["node"]; name != "" {
			busy[name] = max(busy[name], s.Value)
		}
	}
	return busy
}

// balanced takes nodes in turn from the zone that has the most left, and of its
// nodes in the order given.
func balanced(nodes []policy.Node) []policy.Node {
	byZone := map[string][]policy.Node{}
	for _, n := range nodes {
		byZone[n.Zone] = append(byZone[n.Zone], n)
	}
	var order []policy.Node
	for range nodes {
		most := ""
		for _, zone := range sortedKeys(byZone) {
			if len(byZone[zone]) > len(byZone[most]) {
				most = zone
			}
		}
		order = append(order, byZone[most][0])
		byZone[most] = byZone[most][1:]
	}
	return order
}
