//go:build unix

package local

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStartTwiceGivesOneProcess(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	first := c.start("web-0001", "--slots=3")
	second := c.start("web-0001", "--slots=4")
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the second start printed another record (-first +second):\n%s", diff)
	}
	if !runs(t, first.PID) {
		t.Errorf("process %d does not run", first.PID)
	}
	written, err := ReadRecord(c.dir, "web-0001")
	if diff := cmp.Diff(first, written); diff != "" || err != nil {
		t.Errorf("ReadRecord() differs from what start printed, error %v:\n%s", err, diff)
	}
}

func TestKilledProcessIsDeadAndStartsAnew(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	old := c.start("web-0001")
	c.start("web-0002")
	kill(t, old.PID, syscall.SIGKILL)
	eventually(t, "the killed process is dead", func() bool { return !Alive(c.dir, "web-0001") })
	names := []string{"web-0003", "web-0002", "web-0001"}
	if got, want := Dead(c.dir, names), []string{"web-0003", "web-0001"}; !cmp.Equal(got, want) {
		t.Errorf("Dead() = %v, want %v", got, want)
	}
	anew := c.start("web-0001")
	if anew.PID == old.PID || !Alive(c.dir, "web-0001") {
		t.Errorf("start after a kill gave process %d, alive %v, want another than %d that lives", anew.PID, Alive(c.dir, "web-0001"), old.PID)
	}
}

func TestStopIsIdempotent(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.stop("web-0001")
	if got := c.left(); len(got) != 0 {
		t.Errorf("stop of what never was left %v", got)
	}
	record := c.start("web-0001")
	for range 2 {
		c.stop("web-0001")
		if got := c.left(); len(got) != 0 {
			t.Errorf("after stop there is %v, want nothing", got)
		}
	}
	if Alive(c.dir, "web-0001") {
		t.Errorf("process %d lives after stop", record.PID)
	}
	eventually(t, "the process that freed its lock has ended", func() bool { return !runs(t, record.PID) })
	if err := Stop(t.Context(), filepath.Join(c.dir, "none"), "web-0001"); err != nil {
		t.Errorf("Stop() in a directory that is not there: %v", err)
	}
}

func TestStopClearsWhatAKilledProcessLeft(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	kill(t, c.start("web-0001").PID, syscall.SIGKILL)
	c.stop("web-0001")
	if got := c.left(); len(got) != 0 {
		t.Errorf("after stop there is %v, want nothing", got)
	}
}

func TestStopOfAStuckProcess(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	record := c.start("web-0001")
	kill(t, record.PID, syscall.SIGSTOP)
	c.stop("web-0001")
	eventually(t, "the stuck process has ended", func() bool { return !runs(t, record.PID) })
	if got := c.left(); len(got) != 0 {
		t.Errorf("after stop there is %v, want nothing", got)
	}
}

func TestStopLetsRequestsFinishAndWaitsForNothingElse(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	record := c.start("web-0001", "--slots=1", "--service-time=700ms")
	unused, err := net.Dial("tcp", record.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer unused.Close()
	answered := make(chan error, 1)
	go func() {
		_, err := get("http://" + record.Address)
		answered <- err
	}()
	eventually(t, "the request is in service", func() bool {
		return scrape(t, record.Address)[`apache_workers{state="busy"}`] == 1
	})
	began := time.Now()
	c.stop("web-0001")
	if err := <-answered; err != nil {
		t.Errorf("the request in flight was not finished: %v", err)
	}
	if took := time.Since(began); took >= shutdownPatience {
		t.Errorf("stop took %s: it waited for a connection without a request", took)
	}
}

func TestTenStartsAtOnceGiveOneProcess(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	outputs := make([]string, 10)
	var all sync.WaitGroup
	for i := range outputs {
		all.Go(func() {
			var err error
			if outputs[i], err = c.run("start", "web-0001"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, output := range outputs[1:] {
		if output != outputs[0] {
			t.Errorf("one start printed %s and another %s", outputs[0], output)
		}
	}
	log, err := os.ReadFile(filepath.Join(c.dir, "web-0001.log"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(log), "msg=started"); got != 1 {
		t.Errorf("%d processes started, want 1:\n%s", got, log)
	}
}

func TestStartsAndStopsAtOnceLeaveNothingAstray(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	var mu sync.Mutex
	pids := map[int]bool{}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			record := Record{}
			if out, err := c.run("start", "web-0001"); err != nil {
				t.Error(err)
			} else if err := unmarshal(out, &record); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			pids[record.PID] = true
		})
		all.Go(func() {
			if _, err := c.run("stop", "web-0001"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if alive := c.start("web-0001"); !Alive(c.dir, "web-0001") {
		t.Errorf("process %d does not live after start", alive.PID)
	}
	c.stop("web-0001")
	for pid := range pids {
		eventually(t, "no process outlives the last stop", func() bool { return !runs(t, pid) })
	}
}

// Start is killed at moments that differ in what it leaves behind.
func TestStartFinishesWhatAKilledStartBegan(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{".start.lock", ".log", ".alive", ".json"} {
		t.Run("killed when there is "+suffix, func(t *testing.T) {
			c := newCloud(t)
			killed := c.command("start", "web-0001")
			if err := killed.Start(); err != nil {
				t.Fatal(err)
			}
			eventually(t, suffix+" is there", func() bool {
				_, err := os.Stat(filepath.Join(c.dir, "web-0001"+suffix))
				return err == nil
			})
			_ = killed.Process.Kill()
			_ = killed.Wait()
			record := c.start("web-0001")
			if _, err := get("http://" + record.Address); err != nil {
				t.Errorf("the process that start printed does not answer: %v", err)
			}
			pids := startedPIDs(t, filepath.Join(c.dir, "web-0001.log"))
			c.stop("web-0001")
			if len(pids) == 0 {
				t.Error("the log names no process")
			}
			for _, pid := range pids {
				eventually(t, "no process is astray", func() bool { return !runs(t, pid) })
			}
		})
	}
}

func TestProbesDoNotDisturbStartAndStop(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	done := make(chan struct{})
	var probes sync.WaitGroup
	for range 2 {
		probes.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					Alive(c.dir, "web-0001")
				}
			}
		})
	}
	defer probes.Wait()
	defer close(done)
	for range 3 {
		record := c.start("web-0001")
		if !Alive(c.dir, "web-0001") {
			t.Errorf("process %d does not live after start", record.PID)
		}
		c.stop("web-0001")
		if got := c.left(); len(got) != 0 {
			t.Errorf("after stop there is %v, want nothing", got)
		}
	}
}
