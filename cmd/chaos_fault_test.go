package cmd_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the rows of the clock jump

	"github.com/scalerd/scalerd/scaler"
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
		"kill -9 of scalerd at a write of the store": killing(func(c *chaos) bool { return c.killAtWrite(1 + c.rnd.IntN(40)) }),
		"kill -9 of terraform":                       killing(func(c *chaos) bool { return c.killProcess(process.runsTerraform) }),
		"kill -9 of a provider":                      killing(func(c *chaos) bool { return c.killProcess(process.isProvider) }),
		"kill -9 of scalerd with its terraform":      killing(func(c *chaos) bool { return c.killProcess(process.runsTerraform) && c.killDaemon() }),
		"clock jump":                                 once(func(c *chaos) bool { return c.jump() }),
		"deletion from outside":                      once(func(c *chaos) bool { return c.deleteOutside() }),
		"full disk":                                  fullDisk,
		"quota":                                      cloudFault(simcloud.Fault{Kind: simcloud.Quota, Limit: 1}),
		"no capacity":                                cloudFault(simcloud.Fault{Kind: simcloud.NoCapacity, Share: 0.7}),
		"throttling":                                 cloudFault(simcloud.Fault{Kind: simcloud.Throttle, Rate: 2}),
		"internal errors":                            cloudFault(simcloud.Fault{Kind: simcloud.Failure, Share: 0.4}),
		"a creation that times out":                  cloudFault(simcloud.Fault{Kind: simcloud.Timeout, Count: 2, For: 100 * time.Millisecond}),
		"a creation whose answer is lost":            cloudFault(simcloud.Fault{Kind: simcloud.Lost, Count: 2}),
		"a creation that the provider dies of":       cloudFault(simcloud.Fault{Kind: simcloud.Crash, Count: 1}),
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

// killing kills one to four times, and starts the daemon again each time.
func killing(kill func(*chaos) bool) counted {
	return func(c *chaos) (func() int, func()) {
		return func() (struck int) {
			for range 1 + c.rnd.IntN(4) {
				if !c.running() {
					c.start()
				}
				if kill(c) {
					struck++
				}
			}
			c.tally.kills += struck
			return struck
		}, func() {}
	}
}

// linger waits for a random time of at most d.
func (c *chaos) linger(d time.Duration) { time.Sleep(time.Duration(c.rnd.Int64N(int64(d)))) }

func (c *chaos) killDaemon() bool {
	if !c.running() {
		return false
	}
	c.kill()
	return true
}

// killAtWrite kills the daemon as soon as it has written to the write-ahead log of its
// store n more times: a journal's boundary is such a write.
func (c *chaos) killAtWrite(n int) bool {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		c.t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, filepath.Join(c.data, "scalerd.db-wal"), unix.IN_MODIFY); err != nil {
		return false // it has written nothing yet
	}
	buf := make([]byte, 4096)
	for deadline := time.Now().Add(4 * time.Second); n > 0 && time.Now().Before(deadline); {
		polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if ready, err := unix.Poll(polled, 100); err != nil || ready == 0 {
			continue
		}
		got, err := unix.Read(fd, buf)
		if err != nil {
			continue
		}
		n -= got / unix.SizeofInotifyEvent
	}
	return c.killDaemon()
}

func (p process) runsTerraform() bool { return p.terraform("plan") || p.terraform("apply") }

func (p process) isProvider() bool {
	return strings.HasPrefix(filepath.Base(p.args[0]), "terraform-provider-")
}

// killProcess waits for processes of the daemon of a kind, lets them work for a
// moment, and kills them.
func (c *chaos) killProcess(is func(process) bool) bool {
	deadline := time.Now().Add(5 * time.Second)
	for {
		if slices.ContainsFunc(processesOf(c.t, c.data), is) {
			break
		}
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(5 * time.Millisecond)
	}
	c.linger(1500 * time.Millisecond)
	killed := false
	for _, p := range processesOf(c.t, c.data) {
		if is(p) {
			killed = syscall.Kill(p.pid, syscall.SIGKILL) == nil || killed
		}
	}
	return killed
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

// slowAndKilled kills terraform, its providers and the daemon while the clouds make
// machines that nobody will hear of.
func slowAndKilled(c *chaos) (func() int, func()) {
	ids, err := c.clouds.Inject(simcloud.Fault{Kind: simcloud.Delay, For: time.Second, Operations: []simcloud.Operation{simcloud.Create}})
	if err != nil {
		c.t.Fatal(err)
	}
	return func() int {
		if !c.killProcess(func(p process) bool { return p.terraform("apply") || p.isProvider() }) {
			return 0
		}
		c.killDaemon()
		c.tally.kills++
		return 1
	}, func() { c.heal(ids) }
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

// jump lets the clock of the daemon go by hours, as far as the daemon can tell: what
// it remembers is hours older, or of the future.
func (c *chaos) jump() bool {
	c.killDaemon()
	by := time.Duration(1+c.rnd.IntN(48)) * time.Hour
	if c.rnd.IntN(2) == 0 {
		by = -by
	}
	c.note("the clock jumps by %s", by)
	db, err := sql.Open("sqlite", filepath.Join(c.data, "scalerd.db"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	for _, change := range []string{
		"UPDATE groups SET last_out = last_out - ?1 WHERE last_out > 0", "UPDATE groups SET last_in = last_in - ?1 WHERE last_in > 0",
		"UPDATE nodes SET created_at = created_at - ?1 WHERE created_at > 0", "UPDATE applications SET updated_at = updated_at - ?1",
	} {
		if _, err := db.ExecContext(c.t.Context(), change, int64(by)); err != nil {
			c.t.Fatal(err)
		}
	}
	c.shiftSteps(db, by)
	c.tally.kills++
	return true
}

// shiftSteps makes the open steps of the journal older.
func (c *chaos) shiftSteps(db *sql.DB, by time.Duration) {
	rows, err := db.QueryContext(c.t.Context(), "SELECT id, record FROM steps WHERE open = 1")
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	shifted := map[int64][]byte{}
	for rows.Next() {
		var id int64
		var text []byte
		var step scaler.StepRecord
		err := rows.Scan(&id, &text)
		if err == nil {
			err = json.Unmarshal(text, &step)
		}
		for i := range step.History {
			step.History[i].At = step.History[i].At.Add(-by)
		}
		if err == nil {
			shifted[id], err = json.Marshal(step)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		c.t.Fatal(err)
	}
	for id, text := range shifted {
		if _, err := db.ExecContext(c.t.Context(), "UPDATE steps SET record = ? WHERE id = ?", string(text), id); err != nil {
			c.t.Fatal(err)
		}
	}
}

// fullDisk fills the daemon's disk one to three times, except for little.
func fullDisk(c *chaos) (func() int, func()) {
	return func() int {
		times := 1 + c.rnd.IntN(3)
		for range times {
			ballast := fill(c.t, c.data, c.rnd.IntN(5)*(32<<10))
			c.linger(4 * time.Second)
			c.parses()
			if err := os.Remove(ballast); err != nil {
				c.t.Fatal(err)
			}
			c.linger(time.Second)
		}
		return times
	}, func() {}
}
