package cmd_test

import (
	"os"
	"slices"
	"time"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// faultKind prepares a fault before the orders are given; strike carries it out after
// them and mend ends it.
type faultKind func(*chaos) (strike func(), mend func())

// counted is a faultKind whose strike returns how often it has struck.
type counted func(*chaos) (strike func() int, mend func())

func chaosFaults() map[string]counted {
	return map[string]counted{
		"kill -9 of scalerd":                         killing(func(c *chaos) bool { c.linger(3 * time.Second); return c.killDaemon() }),
		"kill -9 of scalerd at a write of the store": killing(func(c *chaos) bool { return c.killAtStore(1 + c.rnd.IntN(40)) }),
		"kill -9 of scalerd at a write of a file":    killing(func(c *chaos) bool { return c.killAtFile(1 + c.rnd.IntN(25)) }),
		"kill -9 of terraform":                       killing(func(c *chaos) bool { return c.killProcess(process.runsTerraform) }),
		"kill -9 of a provider":                      killing(func(c *chaos) bool { return c.killProcess(process.isProvider) }),
		"kill -9 of scalerd with its terraform":      killing(func(c *chaos) bool { return c.killProcess(process.runsTerraform) && c.killDaemon() }),
		"kill -9 of everything, as by a power cut":   killing(func(c *chaos) bool { return c.killAll(process.runsTerraform) }),
		"clock jump":                           once(func(c *chaos) bool { return c.jump() }),
		"deletion from outside":                once(func(c *chaos) bool { return c.deleteOutside() }),
		"full disk":                            fullDisk,
		"quota":                                cloudFault(simcloud.Fault{Kind: simcloud.Quota, Limit: 1}),
		"no capacity":                          cloudFault(simcloud.Fault{Kind: simcloud.NoCapacity, Share: 0.7}),
		"throttling":                           cloudFault(simcloud.Fault{Kind: simcloud.Throttle, Rate: 2}),
		"internal errors":                      cloudFault(simcloud.Fault{Kind: simcloud.Failure, Share: 0.4}),
		"a creation that times out":            cloudFault(simcloud.Fault{Kind: simcloud.Timeout, Count: 2, For: 100 * time.Millisecond}),
		"a creation whose answer is lost":      cloudFault(simcloud.Fault{Kind: simcloud.Lost, Count: 2}),
		"a creation that the provider dies of": cloudFault(simcloud.Fault{Kind: simcloud.Crash, Count: 1}),
		"eventual consistency after a lost creation": cloudFault(simcloud.Fault{Kind: simcloud.Lost, Count: 2}, simcloud.Fault{Kind: simcloud.Invisible, Count: 4, For: 2 * time.Second}),
		"slow creations and a kill -9 of everything": slowAndKilled,
	}
}

func once(strike func(*chaos) bool) counted {
	return func(c *chaos) (func() int, func()) {
		return func() int {
			if strike(c) {
				return 1
			}
			return 0
		}, func() {}
	}
}

// cloudFault makes the machines' cloud go wrong from before the orders until a few
// seconds after them.
func cloudFault(faults ...simcloud.Fault) counted {
	return func(c *chaos) (func() int, func()) {
		var mine []string
		for _, group := range c.groups {
			for _, f := range faults {
				f.Type, f.Seed = machineTypes[group], c.rnd.Uint64()
				if f.Kind == simcloud.Throttle || f.Kind == simcloud.Failure {
					f.Type = ""
				}
				ids, err := c.clouds.Inject(f)
				if err != nil {
					c.t.Fatal(err)
				}
				mine = append(mine, ids...)
			}
		}
		strike := func() int {
			for deadline := time.Now().Add(12 * time.Second); c.hits(mine) == 0 && time.Now().Before(deadline); {
				time.Sleep(50 * time.Millisecond)
			}
			c.linger(3 * time.Second)
			return c.hits(mine)
		}
		return strike, func() { c.heal(mine) }
	}
}

// hits is how often faults of the clouds have struck.
func (c *chaos) hits(ids []string) (struck int) {
	for _, id := range ids {
		hits, err := c.clouds.Hits(id)
		if err != nil {
			c.t.Fatal(err)
		}
		struck += hits
	}
	return struck
}

func (c *chaos) heal(ids []string) {
	if err := c.clouds.Heal(ids...); err != nil {
		c.t.Fatal(err)
	}
}

// deleteOutside deletes a machine as somebody with the cloud's console would.
func (c *chaos) deleteOutside() bool {
	existing := c.existing()
	var ids []string
	for id := range existing {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return false
	}
	slices.Sort(ids)
	id := ids[c.rnd.IntN(len(ids))]
	c.note("%s is deleted from outside", existing[id].Tags["node"])
	if err := c.clouds.Delete(existing[id]); err != nil {
		c.note("%v", err) // it went meanwhile
		return false
	}
	c.mayGo[id] = true
	return true
}

// fullDisk fills the daemon's disk one to three times, except for little.
func fullDisk(c *chaos) (func() int, func()) {
	return func() int {
		times := 1 + c.rnd.IntN(3)
		for range times {
			ballast := fill(c.t, c.data, c.rnd.IntN(5)*(32<<10))
			c.linger(4 * time.Second)
			c.parses(false)
			if err := os.Remove(ballast); err != nil {
				c.t.Fatal(err)
			}
			c.linger(time.Second)
		}
		return times
	}, func() {}
}
