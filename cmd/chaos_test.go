package cmd_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

var (
	chaosFor    = flag.Duration("chaos", 40*time.Second, "how long TestChaos begins new rounds")
	chaosSeed   = flag.Uint64("chaos-seed", 1, "seed of TestChaos: the same orders and faults, at instants that differ")
	chaosClouds = flag.String("chaos-clouds", "ec2,openstack,azure", "simulated clouds of TestChaos")
	chaosStates = flag.String("chaos-states", "files", "where TestChaos has its states: files, or pg, a PostgreSQL of its own")
)

const (
	// chaosTick is how often the daemon of TestChaos ticks, as by default.
	chaosTick = 15 * time.Second
	// chaosTicks is how many ticks after the last fault all must be as it was ordered.
	// Time in which terraform works does not count.
	chaosTicks = 2
	// chaosDisk is the size of the daemon's disk, in bytes.
	chaosDisk = 96 << 20
	// chaosLimit is when a round is given up, whatever terraform does.
	chaosLimit = 4 * time.Minute
)

// chaos is a daemon under random orders and faults.
type chaos struct {
	*daemon
	clouds *simcloud.Cloud
	rnd    *rand.Rand
	begun  time.Time
	// turns are how often each kind of fault had its turn, twice for one that struck.
	turns map[string]int
	// smallDisk is set where the data folder is a disk of its own.
	smallDisk bool
	groups    []string
	// wanted is the size that was ordered of each group, tag what the description has
	// its machines tagged with.
	wanted map[string]int
	tag    int
	// destroyed is set while this round's order is to destroy all.
	destroyed bool
	// machines are those after the last round, by identifier. mayGo are those that the
	// orders and faults of this round name, and mayShrink how many more of a group go.
	machines  map[string]simcloud.Resource
	mayGo     map[string]bool
	mayShrink map[string]int
	// seen is how many events of the clouds were looked at.
	seen int
	// script is what this round did, for the report of a failure.
	script []string
	tally  tally
}

// tally counts what a run did and found.
type tally struct {
	rounds, orders, kills     int
	faults                    map[string]int
	wrong, lost, twice, stuck int
	// ticks are how long each round took after its last fault, in ticks without the
	// time that terraform worked; seconds are with it.
	ticks, seconds []float64
}

// TestChaos gives random orders to a real scalerd with real terraform over simulated
// clouds, and spoils them by every fault there is. After each round what is wanted,
// what the states say and what the clouds have must be the same, within two ticks of
// the last fault and without a human.
func TestChaos(t *testing.T) {
	c := startChaos(t)
	for c.begun = time.Now(); c.goesOn() && !t.Failed(); {
		c.round()
	}
	c.report()
}

// chaosWhole is from which length on a run has to have every kind of fault.
const chaosWhole = 5 * time.Minute

// goesOn reports whether there is another round: for as long as was asked for, and in
// a long run for as long again until every kind of fault has struck.
func (c *chaos) goesOn() bool {
	passed := time.Since(c.begun)
	return passed < *chaosFor || *chaosFor >= chaosWhole && passed < 2**chaosFor && len(c.missing()) > 0
}

// missing are the kinds of faults that have not struck.
func (c *chaos) missing() []string {
	return slices.DeleteFunc(c.kinds(), func(name string) bool { return c.tally.faults[name] > 0 })
}

// kinds are the names of the faults that there can be here.
func (c *chaos) kinds() []string {
	names := slices.Sorted(maps.Keys(chaosFaults()))
	return slices.DeleteFunc(names, func(name string) bool { return name == "full disk" && !c.smallDisk })
}

func startChaos(t *testing.T) *chaos {
	t.Helper()
	d, clouds := newSimulated(t, "--lookup-grace", "3s", "--lookup-interval", chaosTick.String(), "--drift-interval", chaosTick.String())
	c := &chaos{
		daemon: d, clouds: clouds, rnd: rand.New(rand.NewPCG(*chaosSeed, 1)), begun: time.Now(),
		groups: strings.Split(*chaosClouds, ","), wanted: map[string]int{}, turns: map[string]int{}, machines: map[string]simcloud.Resource{},
		tally: tally{faults: map[string]int{}},
	}
	switch *chaosStates {
	case "files":
	case "pg":
		c.env = append(c.env, "PG_CONN_STR="+startPostgres(t).connection())
	default:
		t.Fatalf("-chaos-states %s: use files or pg", *chaosStates)
	}
	if err := mountSmall(t, d.data, chaosDisk); err != nil {
		t.Logf("without the fault of a full disk: %v", err)
	} else {
		c.smallDisk = true
	}
	d.start()
	t.Cleanup(func() { d.noSecrets(clouds.Dir()) })
	c.resubmit()
	if !c.converge() {
		t.Fatalf("the fleets did not come up without any fault:\n%s", strings.Join(c.script, "\n"))
	}
	c.tally = tally{faults: map[string]int{}}
	return c
}

func (c *chaos) note(format string, args ...any) {
	c.script = append(c.script, fmt.Sprintf("%7.2fs  ", time.Since(c.begun).Seconds())+fmt.Sprintf(format, args...))
}

// description has every group, with machines that are tagged as the newest order says.
func (c *chaos) description() string {
	text := fmt.Sprintf("name: shop\ninterval: %s\ngroups:\n", chaosTick)
	for _, cloud := range c.groups {
		group := simulatedGroup(cloud, "min: 0, initial: 2, max: 6, shard_size: 3")
		tags := fmt.Sprintf("%s: {%s: {round: r%d}, ", cloud, map[string]string{"ec2": "tags", "openstack": "metadata", "azure": "tags"}[cloud], c.tag)
		text += strings.Replace(group, cloud+": {", tags, 1)
	}
	if *chaosStates != "files" {
		text += fmt.Sprintf("backend: {type: %s}\n", *chaosStates)
	}
	return text
}

func (c *chaos) resubmit() {
	for _, g := range c.groups {
		c.wanted[g] = 2
	}
	c.submit(c.description())
}

// round disturbs the daemon while it carries orders out, and waits until all is well.
func (c *chaos) round() {
	c.tally.rounds++
	c.script, c.mayGo, c.mayShrink = nil, map[string]bool{}, map[string]int{}
	var strike, mend []func()
	for _, f := range c.pick() {
		s, m := f(c)
		strike, mend = append(strike, s), append(mend, m)
	}
	c.destroyed = c.order()
	for _, s := range strike {
		s()
	}
	for _, m := range mend {
		m()
	}
	if !c.running() {
		c.start()
	}
	if !c.converge() {
		c.t.Errorf("round %d of seed %d is stuck; it did:\n%s", c.tally.rounds, *chaosSeed, strings.Join(c.script, "\n"))
		return
	}
	if c.destroyed {
		c.script, c.mayGo, c.mayShrink = nil, map[string]bool{}, map[string]int{}
		c.resubmit()
		if !c.converge() {
			c.t.Errorf("after round %d of seed %d a new application is stuck", c.tally.rounds, *chaosSeed)
		}
	}
}

// pick chooses the faults of a round: one to three kinds, of those that had the
// fewest turns.
func (c *chaos) pick() []faultKind {
	all, names := chaosFaults(), c.kinds()
	c.rnd.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(c.turns[x], c.turns[y]) })
	names = names[:1+c.rnd.IntN(3)]
	var kinds []faultKind
	for _, name := range names {
		c.note("fault: %s", name)
		do := all[name]
		kinds = append(kinds, func(c *chaos) (func(), func()) {
			strike, mend := do(c)
			return func() {
				n := strike()
				c.note("%s struck %d times", name, n)
				c.tally.faults[name] += n
				c.turns[name] += 1 + min(n, 1)
			}, mend
		})
	}
	return kinds
}

// report prints the figures, and fails where one of them is not what it must be.
func (c *chaos) report() {
	c.t.Helper()
	y := c.tally
	faults := 0
	for _, n := range y.faults {
		faults += n
	}
	var b strings.Builder
	fmt.Fprintf(&b, "chaos: seed %d, %s, %d rounds, %d orders, %d faults injected, of them %d kills -9\n",
		*chaosSeed, time.Since(c.begun).Round(time.Second), y.rounds, y.orders, faults, y.kills)
	for _, name := range c.kinds() {
		fmt.Fprintf(&b, "  %4d  %s\n", y.faults[name], name)
	}
	fmt.Fprintf(&b, "converged after the last fault, in ticks of %s without terraform's time: median %.2f, most %.2f (with it: median %.1f s, most %.1f s)\n",
		chaosTick, quantile(y.ticks, 0.5), quantile(y.ticks, 1), quantile(y.seconds, 0.5), quantile(y.seconds, 1))
	fmt.Fprintf(&b, "wrong deletions %d, lost %d, doubled %d, stuck %d", y.wrong, y.lost, y.twice, y.stuck)
	c.t.Log(b.String())
	if y.wrong+y.lost+y.twice+y.stuck > 0 {
		c.t.Error("wrong deletions, lost, doubled and stuck must all be 0")
	}
	if faults == 0 {
		c.t.Error("no fault struck: the test tests nothing")
	}
	if missing := c.missing(); *chaosFor >= chaosWhole && len(missing) > 0 && !c.t.Failed() {
		c.t.Errorf("never struck: %s", strings.Join(missing, ", "))
	}
}

func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1))]
}
