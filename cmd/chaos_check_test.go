package cmd_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/terraform"
	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// known are the machines of all states: the node's name by the identifier.
func (c *chaos) known() (map[string]string, error) {
	all := map[string]string{}
	for _, group := range c.groups {
		for _, dir := range c.modules("shop", group) {
			state, err := terraform.ReadState(dir)
			if err != nil {
				return nil, err
			}
			for address, tainted := range state.Resources {
				name, _ := tfgen.AddressNode(address)
				if address != fmt.Sprintf("%s.node[%q]", machineTypes[group], name) {
					continue
				}
				if tainted {
					return nil, fmt.Errorf("%s is tainted", address)
				}
				all[state.IDs[address]] = name
			}
		}
	}
	return all, nil
}

// asOrdered compares what the daemon says and what exists with what was ordered.
func (c *chaos) asOrdered(sizes map[string]int, existing map[string]simcloud.Resource) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	status, err := c.client.Application(ctx, "shop")
	if errors.Is(err, scaler.ErrNotFound) && len(existing) == 0 && c.all(0) {
		return nil
	}
	if err != nil {
		return err
	}
	if status.Destroying || status.Problem != "" {
		return fmt.Errorf("destroying: %t, problem %q", status.Destroying, status.Problem)
	}
	for _, g := range status.Groups {
		if g.Wanted != c.wanted[g.Name] || sizes[g.Name] != g.Wanted || !g.Settled || g.Problem != "" || len(g.Lookup.Orphans) > 0 {
			return fmt.Errorf("%s: ordered %d, wanted %d, there are %d, settled %t, problem %q, orphans %+v",
				g.Name, c.wanted[g.Name], g.Wanted, sizes[g.Name], g.Settled, g.Problem, g.Lookup.Orphans)
		}
	}
	for id, m := range existing {
		if want := fmt.Sprintf("r%d", c.tag); m.Tags["round"] != want {
			return fmt.Errorf("%s %s has the tag %q, want %q", m.Tags["node"], id, m.Tags["round"], want)
		}
	}
	return nil
}

// all reports whether every group was ordered to have n nodes.
func (c *chaos) all(n int) bool {
	return !slices.ContainsFunc(c.groups, func(g string) bool { return c.wanted[g] != n })
}

// converge waits until all is as it was ordered, and reports whether it came to that
// in time.
func (c *chaos) converge() bool {
	c.t.Helper()
	start, last := time.Now(), time.Now()
	var idle time.Duration
	var lost, twice []string
	var err error
	for {
		if err, lost, twice = c.difference(); err == nil {
			break
		}
		if idle > chaosTicks*chaosTick || time.Since(start) > chaosLimit {
			break
		}
		time.Sleep(100 * time.Millisecond)
		now := time.Now()
		if !c.working() {
			idle += now.Sub(last)
		}
		last = now
	}
	c.note("converged: %v, after %.1f s, of them %.1f s without terraform", err == nil, time.Since(start).Seconds(), idle.Seconds())
	c.judge()
	if err != nil {
		c.note("%v", err)
		c.tally.stuck++
		c.tally.lost += len(lost)
		c.tally.twice += len(twice)
		return false
	}
	c.tally.ticks = append(c.tally.ticks, idle.Seconds()/chaosTick.Seconds())
	c.tally.seconds = append(c.tally.seconds, time.Since(start).Seconds())
	return true
}

// working reports whether a terraform of the daemon runs.
func (c *chaos) working() bool {
	return slices.ContainsFunc(processesOf(c.t, c.data), func(p process) bool {
		return p.terraform("plan") || p.terraform("apply") || p.terraform("init") || p.terraform("show")
	})
}

// judge looks at every deletion of the round that was Terraform's, and takes over what
// exists now.
func (c *chaos) judge() {
	c.t.Helper()
	events, err := c.clouds.Events()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, e := range events[c.seen:] {
		before, stood := c.machines[e.ID]
		if e.What != simcloud.Deleted || e.Behind || !stood || c.mayGo[e.ID] {
			continue
		}
		group := before.Tags["group"]
		if c.mayShrink[group]--; c.mayShrink[group] < 0 {
			c.tally.wrong++
			c.note("wrong deletion: %s %s", before.Tags["node"], e.ID)
			c.t.Errorf("%s %s was deleted, and nothing had ordered that", before.Tags["node"], e.ID)
		}
	}
	c.seen, c.machines = len(events), c.existing()
}
