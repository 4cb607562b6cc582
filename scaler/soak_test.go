package scaler_test

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var soakDays = flag.Int("soak", 0, "how many simulated days TestSoak lasts; 0 skips it")

// soaked is what a daemon has after a day.
type soaked struct {
	heap       uint64
	goroutines int
	files      int
	store      int64
	data       int64
	steps      int
	samples    int
}

func (s soaked) String() string {
	return fmt.Sprintf("heap %5.1f MiB, %3d goroutines, %2d files open, store %6.1f MiB, data folder %5.2f MiB, %4d steps and %d samples kept",
		float64(s.heap)/(1<<20), s.goroutines, s.files, float64(s.store)/(1<<20), float64(s.data)/(1<<20), s.steps, s.samples)
}

// TestSoak lets a service live for days under a load that goes up and down, with nodes
// that are lost and orders by hand, in virtual time over a fake terraform and the real
// store. What it holds must not grow once its retention has been reached.
func TestSoak(t *testing.T) {
	if *soakDays == 0 {
		t.Skip("it takes minutes: make soak")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(soakShop)
		rnd := rand.New(rand.NewPCG(1, 1))
		var days []soaked
		for day := range *soakDays {
			w.soakADay(day, rnd)
			if day == 0 {
				w.repeatDecisions()
			}
			days = append(days, w.measure())
			t.Logf("day %d: %s", day+1, days[day])
		}
		w.flat(days)
		w.stop()
	})
}

const soakShop = `name: shop
interval: 15s
queries:
  demand: demand
  each: each
  latency: latency
groups:
  - name: web
    cloud: local
    min: 1
    max: 60
    initial: 2
    shard_size: 10
    policies:
      - target: {query: demand, kind: total, value: 10}
      - {name: ample, shadow: true, target: {query: demand, kind: total, value: 8}}
      - {name: advised, shadow: true, advice: {}}
    scaling: {cooldown_in: 30s, stabilisation: 60s}
    optimizer:
      inputs: [each]
      targets: [{query: latency, max: 0.25}]
      retain: {recent: 2000, older: 2000}
`

// soakADay follows a day's load: high at noon, noisy, with a burst now and then.
func (w *world) soakADay(day int, rnd *rand.Rand) {
	w.t.Helper()
	for minute := range 24 * 60 {
		load := 200 - 150*math.Cos(2*math.Pi*float64(minute)/(24*60)) + 60*rnd.NormFloat64()
		if rnd.IntN(200) == 0 {
			load += 200
		}
		load = max(load, 1)
		w.meters.set("demand", load)
		ready := w.group("web").Ready
		w.meters.set("each", load/math.Max(float64(ready), 1))
		w.meters.set("latency", latency(load*0.8, ready))
		if minute%180 == 90 {
			if nodes := w.exist("web"); len(nodes) > 0 {
				w.cloud.lose(nodes[rnd.IntN(len(nodes))])
			}
		}
		if minute%240 == 120 {
			if _, err := w.Scale(w.t.Context(), "shop", "web", 1+rnd.IntN(60)); err != nil {
				w.t.Fatalf("day %d: %v", day+1, err)
			}
		}
		time.Sleep(time.Minute)
	}
	synctest.Wait()
}

// repeatDecisions records the decisions of the first day over and over, so that there
// are as many as are kept: that would take weeks.
func (w *world) repeatDecisions() {
	w.t.Helper()
	ctx := w.t.Context()
	day, err := w.db.Decisions(ctx, "shop", "web", math.MaxInt32)
	if err != nil {
		w.t.Fatal(err)
	}
	row, err := w.db.Group(ctx, "shop", "web")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Logf("%d decisions in the first day", len(day))
	for i := range 10_000 {
		if _, err := w.db.RecordDecision(ctx, day[len(day)-1-i%len(day)], row); err != nil {
			w.t.Fatal(err)
		}
	}
}

// forgetFakes drops what the fakes remember of nodes that are gone: it is no part of
// what is measured.
func (w *world) forgetFakes() {
	there := w.exist("web")
	w.cloud.mu.Lock()
	clear(w.cloud.created)
	clear(w.cloud.gone)
	w.cloud.mu.Unlock()
	w.meters.mu.Lock()
	maps.DeleteFunc(w.meters.since, func(node string, _ time.Time) bool { return !slices.Contains(there, node) })
	w.meters.mu.Unlock()
}

// measure is what is held now.
func (w *world) measure() soaked {
	w.t.Helper()
	w.forgetFakes()
	runtime.GC()
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	s := soaked{heap: mem.HeapAlloc, goroutines: runtime.NumGoroutine()}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		s.files = len(open)
	}
	err := filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if strings.HasPrefix(entry.Name(), "scalerd.db") {
			s.store += info.Size()
		} else {
			s.data += info.Size()
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	steps, err := w.db.Steps(w.t.Context(), "shop", "web", math.MaxInt32)
	if err != nil {
		w.t.Fatal(err)
	}
	s.steps = len(steps)
	if o := w.group("web").Optimizer; o != nil {
		s.samples = o.Samples
	}
	return s
}

// retained is how many days it takes until something is forgotten of everything that
// is kept: what ticks saw, and the ticks of shadow policies, for seven.
const retained = 8

// flat checks that the last day holds no more than the one before the last two, by
// when the journal and the samples were full, and in a long run all the rest.
func (w *world) flat(days []soaked) {
	w.t.Helper()
	if len(days) < 4 {
		return
	}
	before, last := days[len(days)-3], days[len(days)-1]
	type held struct {
		name         string
		before, last float64
		slack        float64
	}
	all := []held{
		{"heap", float64(before.heap), float64(last.heap), 1 << 20},
		{"goroutines", float64(before.goroutines), float64(last.goroutines), 4},
		{"open files", float64(before.files), float64(last.files), 2},
		{"bytes of the data folder", float64(before.data), float64(last.data), 256 << 10},
		{"steps in the journal", float64(before.steps), float64(last.steps), 10},
		{"samples", float64(before.samples), float64(last.samples), 300},
	}
	if len(days)-2 >= retained {
		all = append(all, held{"bytes of the store", float64(before.store), float64(last.store), 512 << 10})
	}
	for _, each := range all {
		if each.last > each.before*1.05+each.slack {
			w.t.Errorf("%s grew from %.0f to %.0f within two days", each.name, each.before, each.last)
		}
	}
	if last.samples < 2000 || last.samples > 4000 {
		w.t.Errorf("%d samples are kept, want what the description retains, at most 4000", last.samples)
	}
	if last.steps > 1100 {
		w.t.Errorf("%d steps are kept, want about the newest 1000", last.steps)
	}
}
