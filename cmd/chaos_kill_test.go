package cmd_test

import (
	"encoding/binary"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

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

// killAtStore kills the daemon as soon as it has written to the write-ahead log of its
// store n more times: a journal's boundary is such a write.
func (c *chaos) killAtStore(n int) bool {
	return c.killAt(n, unix.IN_MODIFY, filepath.Join(c.data, "scalerd.db-wal"))
}

// killAtFile kills the daemon as soon as n more files of its root modules were begun
// or put in their place: a file is written beside its place and renamed.
func (c *chaos) killAtFile(n int) bool {
	var dirs []string
	err := filepath.WalkDir(filepath.Join(c.data, "apps"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			if entry.Name() == ".terraform" {
				return fs.SkipDir
			}
			dirs = append(dirs, path)
		}
		return nil // what goes meanwhile is not watched
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.killAt(n, unix.IN_CREATE|unix.IN_MOVED_TO, dirs...)
}

// killAt kills the daemon after n events of the paths or after a while, but not
// where there is nothing to watch.
func (c *chaos) killAt(n int, mask uint32, paths ...string) bool {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		c.t.Fatal(err)
	}
	defer unix.Close(fd)
	watched := false
	for _, path := range paths {
		if _, err := unix.InotifyAddWatch(fd, path, mask); err == nil {
			watched = true
		}
	}
	if !watched {
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
		n -= events(buf[:got])
	}
	return c.killDaemon()
}

// events counts the events that were read, which have names of any length.
func events(read []byte) (n int) {
	for len(read) >= unix.SizeofInotifyEvent {
		name := binary.NativeEndian.Uint32(read[unix.SizeofInotifyEvent-4:])
		read = read[unix.SizeofInotifyEvent+int(name):]
		n++
	}
	return n
}

func (p process) runsTerraform() bool { return p.terraform("plan") || p.terraform("apply") }

func (p process) isProvider() bool {
	return strings.HasPrefix(filepath.Base(p.args[0]), "terraform-provider-")
}

// killProcess kills processes of the daemon of a kind, in the middle of their work.
func (c *chaos) killProcess(is func(process) bool) bool {
	killed := false
	for _, p := range c.atWork(is) {
		killed = syscall.Kill(p.pid, syscall.SIGKILL) == nil || killed
	}
	return killed
}

// killAll kills the daemon, its terraforms and their providers while one of a kind is
// at work, and leaves nothing that could go on.
func (c *chaos) killAll(is func(process) bool) bool {
	if len(c.atWork(is)) == 0 || !c.killDaemon() {
		return false
	}
	for _, p := range processesOf(c.t, c.data) {
		if p.isProvider() || len(p.args) > 1 && filepath.Base(p.args[0]) == "terraform" {
			_ = syscall.Kill(p.pid, syscall.SIGKILL) // it may have ended
		}
	}
	return true
}

// atWork waits for processes of the daemon of a kind, lets them work for a moment, and
// returns those that still do. Where the orders of the round leave nothing to do there
// is one more.
func (c *chaos) atWork(is func(process) bool) []process {
	now := func() []process {
		return slices.DeleteFunc(processesOf(c.t, c.data), func(p process) bool { return !is(p) })
	}
	idle := time.Now()
	for deadline := idle.Add(12 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if len(now()) > 0 {
			c.linger(time.Second)
			if still := now(); len(still) > 0 {
				return still
			}
		}
		if time.Since(idle) > 2*time.Second {
			c.orderMore()
			idle = time.Now()
		}
	}
	return nil
}

// orderMore orders one node more or less, unless all goes.
func (c *chaos) orderMore() {
	if c.destroyed {
		return
	}
	group := c.groups[c.rnd.IntN(len(c.groups))]
	if n := c.wanted[group]; n < 6 {
		c.orderSize(group, n+1)
	} else {
		c.orderSize(group, n-1)
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
		if !c.killAll(func(p process) bool { return p.terraform("apply") }) {
			return 0
		}
		c.tally.kills++
		return 1
	}, func() { c.heal(ids) }
}
