package cmd_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// order gives the orders of a round, and reports whether one was to destroy all.
func (c *chaos) order() (destroy bool) {
	switch n := c.rnd.IntN(12); {
	case n == 0:
		c.note("order: destroy")
		for id := range c.machines {
			c.mayGo[id] = true
		}
		for _, g := range c.groups {
			c.wanted[g] = 0
		}
		c.insist(func(ctx context.Context) error {
			_, err := c.client.Destroy(ctx, "shop")
			if errors.Is(err, scaler.ErrNotFound) {
				err = nil // the last try was heard
			}
			return err
		})
		return true
	case n <= 2:
		c.tag++
		c.note("order: an update, round: r%d", c.tag)
		c.insist(func(ctx context.Context) error {
			_, err := c.client.Submit(ctx, api.Description{File: "test.yaml", Text: c.description()})
			return err
		})
	}
	for _, g := range c.groups {
		switch c.rnd.IntN(4) {
		case 0, 1, 2:
			c.orderSize(g, c.rnd.IntN(7))
		case 3:
			c.orderDrop(g)
		}
	}
	return false
}

func (c *chaos) orderSize(group string, n int) {
	c.note("order: %s from %d to %d", group, c.wanted[group], n)
	c.mayShrink[group] += max(0, c.wanted[group]-n)
	c.wanted[group] = n
	c.insist(func(ctx context.Context) error {
		_, err := c.client.Scale(ctx, "shop", group, n)
		return err
	})
}

// orderDrop drops one of a group's machines, where it has any.
func (c *chaos) orderDrop(group string) {
	var names []string
	for _, m := range c.machines {
		if m.Tags["group"] == group {
			names = append(names, m.Tags["node"])
		}
	}
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	name := names[c.rnd.IntN(len(names))]
	c.note("order: drop %s", name)
	c.wanted[group]--
	for id, m := range c.machines {
		if m.Tags["node"] == name {
			c.mayGo[id] = true
		}
	}
	tried := false
	c.insist(func(ctx context.Context) error {
		if status, err := c.status("shop", group); tried && err == nil && status.Wanted == c.wanted[group] {
			return nil // the last try was heard, and only its answer was lost
		}
		tried = true
		_, err := c.client.Drop(ctx, "shop", name, false)
		if errors.Is(err, scaler.ErrNotFound) { // it was deleted from outside, and noticed
			_, err = c.client.Scale(ctx, "shop", group, c.wanted[group])
		}
		return err
	})
}

// insist gives an order until it is heard, to the next daemon where one is dead.
func (c *chaos) insist(order func(context.Context) error) {
	c.t.Helper()
	c.tally.orders++
	c.eventually("the order is heard", func() error {
		if !c.running() {
			c.start()
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return order(ctx)
	})
}

// existing are the machines of the clouds by identifier.
func (c *chaos) existing() map[string]simcloud.Resource {
	c.t.Helper()
	found, err := c.clouds.Machines()
	if err != nil {
		c.t.Fatal(err)
	}
	all := map[string]simcloud.Resource{}
	for _, m := range found {
		all[m.ID] = m
	}
	return all
}

// difference says what is not as it was ordered; what no state has and what there is
// twice besides.
func (c *chaos) difference() (err error, lost, twice []string) {
	existing := c.existing()
	nodes := map[string]string{}
	sizes := map[string]int{}
	for id, m := range existing {
		name := m.Tags["node"]
		if other, ok := nodes[name]; ok {
			twice = append(twice, fmt.Sprintf("%s: %s and %s", name, other, id))
		}
		nodes[name] = id
		sizes[m.Tags["group"]]++
	}
	known, err := c.known()
	if err != nil {
		return err, nil, twice
	}
	for id, m := range existing {
		if known[id] != m.Tags["node"] {
			lost = append(lost, m.Tags["node"]+" "+id)
		}
	}
	for id, node := range known {
		if _, ok := existing[id]; !ok {
			err = fmt.Errorf("%s is in a state as %s, and does not exist", node, id)
		}
	}
	switch {
	case err != nil:
	case len(twice) > 0:
		err = fmt.Errorf("there is twice: %v", twice)
	case len(lost) > 0:
		err = fmt.Errorf("in no state: %v", lost)
	default:
		err = c.asOrdered(sizes, existing)
	}
	return err, lost, twice
}
