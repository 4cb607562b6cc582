package scaler_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/scaler/store"
	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

const shop = `name: shop
interval: 10s
queries:
  demand: demand
groups:
  - name: web
    cloud: local
    min: 1
    max: 9
    initial: 2
    shard_size: 3
    policies:
      - target: {query: demand, kind: total, value: 10}
    scaling: {cooldown_in: 10s, stabilisation: 60s}
`

// world is a Service with everything around it, inside a synctest bubble.
type world struct {
	t      *testing.T
	dir    string
	cloud  *cloud
	meters *meters
	hooks  *hooks
	db     *store.SQLite
	// wrap puts something before the store; nil for nothing.
	wrap func(scaler.Store) scaler.Store
	*scaler.Service
	stop func()
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), cloud: newCloud(), meters: newMeters(), hooks: &hooks{}}
	w.start()
	t.Cleanup(func() { w.stop() })
	return w
}

// start begins a Service on the folder, as a restarted daemon does.
func (w *world) start() {
	w.t.Helper()
	db, err := store.Open(w.t.Context(), filepath.Join(w.dir, "scalerd.db"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.db = db
	kept := scaler.Store(db)
	if w.wrap != nil {
		kept = w.wrap(db)
	}
	w.Service = scaler.NewService(scaler.Config{
		Data: w.dir, Store: kept, Terraform: w.cloud,
		Monitor:    func(*spec.Application, string) (scaler.Monitor, error) { return w.meters, nil },
		Inspector:  blind{},
		CheckQuery: func(string) error { return nil },
		DriftEvery: time.Minute,
		Metrics:    scaler.NewMetrics(prometheus.NewRegistry()),
		Checks:     w.hooks,
		Drainer:    w.hooks,
		Log:        slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	w.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("Run() = %v", err)
		}
		db.Close()
		w.stop = func() {}
	}
}

func (w *world) restart() {
	w.stop()
	w.start()
}

func (w *world) submit(text string) {
	w.t.Helper()
	if _, err := w.Submit(w.t.Context(), scaler.Source{File: "shop.yaml", Text: []byte(text)}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) group(name string) scaler.GroupStatus {
	w.t.Helper()
	status, err := w.Application(w.t.Context(), "shop")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, g := range status.Groups {
		if g.Name == name {
			return g
		}
	}
	w.t.Fatalf("no group %s in %+v", name, status)
	return scaler.GroupStatus{}
}

// pass lets virtual time go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// files lists the nodes that are written for the group, over all shards.
func (w *world) files(group string) []string {
	w.t.Helper()
	var names []string
	paths, err := filepath.Glob(filepath.Join(w.dir, "apps", "shop", group, "shard-*", tfgen.NodesFile))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			w.t.Fatal(err)
		}
		nodes, err := tfgen.DecodeNodes(text)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(nodes) > 3 {
			w.t.Errorf("%s holds %d nodes, want at most shard_size 3", path, len(nodes))
		}
		for name := range nodes {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (w *world) exist(group string) []string {
	names := w.cloud.nodes(group)
	slices.Sort(names)
	return names
}

func TestTheFleetFollowsItsLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 15)
		w.submit(shop)
		pass(30 * time.Second)
		if diff := cmp.Diff([]string{"web-0001", "web-0002"}, w.exist("web")); diff != "" {
			t.Errorf("nodes after the first apply (-want +got):\n%s", diff)
		}
		w.meters.set("demand", 55)
		pass(20 * time.Second)
		if got := len(w.exist("web")); got != 6 {
			t.Errorf("%d nodes at load 55, want 6", got)
		}
		w.meters.set("demand", 5)
		pass(50 * time.Second)
		if got := len(w.exist("web")); got != 6 {
			t.Errorf("%d nodes before the stabilisation window passed, want 6", got)
		}
		pass(40 * time.Second)
		if diff := cmp.Diff([]string{"web-0001"}, w.exist("web")); diff != "" {
			t.Errorf("nodes after the load fell: the newest go first (-want +got):\n%s", diff)
		}
		steps := w.cloud.stepsDone()
		pass(10 * time.Minute)
		if w.cloud.stepsDone() != steps {
			t.Errorf("%d steps while nothing changed, want none", w.cloud.stepsDone()-steps)
		}
		decisions, err := w.Decisions(t.Context(), "shop", "web", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range decisions {
			if len(d.Reasons) == 0 {
				t.Errorf("decision %d has no reason", d.ID)
			}
		}
	})
}

func TestMissingMetricsNeverShrinkAGroup(t *testing.T) {
	for _, why := range []policy.Missing{policy.NoSeries, policy.NaN, policy.Stale, policy.QueryError, policy.Unreachable} {
		t.Run(string(why), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.meters.set("demand", 45)
				w.submit(shop)
				pass(time.Minute)
				w.meters.miss("demand", why)
				pass(time.Hour)
				if got := len(w.exist("web")); got != 5 {
					t.Errorf("%d nodes after an hour without the metric, want 5", got)
				}
				if g := w.group("web"); g.State() != "held" {
					t.Errorf("state = %s, want held", g.State())
				}
			})
		})
	}
}

func TestAFailingStepIsRetriedAndDegradesOnlyItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cloud.failing(func(c scaler.Change) bool { return strings.Contains(c.Address, "bad-") })
		w.submit(shop + "  - {name: bad, cloud: local, max: 3}\n")
		w.meters.set("demand", 35)
		pass(time.Minute)
		bad := w.group("bad")
		if bad.State() != "degraded" || !strings.Contains(bad.Problem, "terraform: terraform_data.node[\"bad-") {
			t.Errorf("group bad is %s with %q, want it degraded in terraform's words", bad.State(), bad.Problem)
		}
		if web := w.group("web"); web.Ready != 4 || web.Problem != "" {
			t.Errorf("group web has %d ready nodes and problem %q, want 4 and none", web.Ready, web.Problem)
		}
		w.cloud.failing(nil)
		pass(6 * time.Minute)
		if bad := w.group("bad"); bad.Problem != "" || len(w.exist("bad")) != 1 {
			t.Errorf("group bad has problem %q and nodes %v after the cloud was mended, want none and one", bad.Problem, w.exist("bad"))
		}
	})
}

func TestGrowthDoesNotWaitForAShrinkingShard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 25)
		w.submit(shop)
		pass(time.Minute)
		w.cloud.taking(10 * time.Minute)
		if _, err := w.Drop(t.Context(), "shop", "web-0002", false); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		w.meters.set("demand", 45)
		pass(15 * time.Second)
		g := w.group("web")
		if len(g.Steps) != 2 {
			t.Errorf("steps in flight = %+v, want the deletion and, in another shard, the creation", g.Steps)
		}
	})
}

func TestADroppedNodeIsTheOneThatGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 45)
		w.submit(shop)
		pass(time.Minute)
		if _, err := w.Drop(t.Context(), "shop", "id-web-0002", true); err != nil {
			t.Fatal(err)
		}
		pass(30 * time.Second)
		if diff := cmp.Diff([]string{"web-0001", "web-0003", "web-0004", "web-0005", "web-0006"}, w.exist("web")); diff != "" {
			t.Errorf("nodes after drop --replace (-want +got):\n%s", diff)
		}
		w.meters.set("demand", 5)
		pass(3 * time.Minute)
		for node, want := range map[string]error{"web-0001": scaler.ErrRefused, "web-0002": scaler.ErrNotFound} {
			if _, err := w.Drop(t.Context(), "shop", node, false); !errors.Is(err, want) {
				t.Errorf("Drop(%s) at min = %v, want %v", node, err, want)
			}
		}
	})
}

func TestADropSurvivesARestartBeforeItWasCarriedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 45)
		w.submit(shop)
		pass(time.Minute)
		if err := w.Pause(t.Context(), "shop", "", true); err != nil {
			t.Fatal(err)
		}
		// The shard is busy with another step when the order comes.
		w.cloud.taking(time.Hour)
		if _, err := w.Drop(t.Context(), "shop", "web-0001", false); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if _, err := w.Drop(t.Context(), "shop", "web-0002", false); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		w.cloud.taking(time.Second)
		w.restart()
		pass(time.Minute)
		if diff := cmp.Diff([]string{"web-0003", "web-0004", "web-0005"}, w.exist("web")); diff != "" {
			t.Errorf("nodes after the restart (-want +got):\n%s", diff)
		}
	})
}

func TestANodeThatIsGoneIsReplacedByOneOfAnotherName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 25)
		w.submit(shop)
		pass(30 * time.Second)
		w.cloud.lose("web-0001")
		pass(2 * time.Minute)
		if diff := cmp.Diff([]string{"web-0002", "web-0003", "web-0004"}, w.exist("web")); diff != "" {
			t.Errorf("nodes after one was lost (-want +got):\n%s", diff)
		}
	})
}

func TestPauseKeepsTheSizeAndResumeGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 15)
		w.submit(shop)
		pass(30 * time.Second)
		if err := w.Pause(t.Context(), "shop", "web", true); err != nil {
			t.Fatal(err)
		}
		w.meters.set("demand", 85)
		pass(time.Minute)
		w.restart()
		pass(time.Minute)
		if g := w.group("web"); g.Ready != 2 || !strings.Contains(strings.Join(g.Decision.Reasons, " "), "paused: stays at 2 instead of 9") {
			t.Errorf("paused group has %d nodes and reasons %q, want 2 and what it would do", g.Ready, g.Decision.Reasons)
		}
		if _, err := w.Scale(t.Context(), "shop", "web", 4); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if got := len(w.exist("web")); got != 4 {
			t.Errorf("%d nodes after scaling a paused group by hand, want 4", got)
		}
		if err := w.Pause(t.Context(), "shop", "web", false); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if got := len(w.exist("web")); got != 9 {
			t.Errorf("%d nodes after resume, want 9", got)
		}
	})
}

func TestAnUpdateTouchesOnlyWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 45)
		w.submit(shop)
		pass(time.Minute)
		steps := w.cloud.stepsDone()
		w.submit(strings.Replace(shop, "max: 9", "max: 8", 1))
		pass(time.Minute)
		if w.cloud.stepsDone() != steps {
			t.Errorf("%d steps after a change of max, want none", w.cloud.stepsDone()-steps)
		}
		w.submit(strings.Replace(shop, "max: 9", "max: 4", 1))
		pass(5 * time.Second)
		if got := len(w.exist("web")); got != 4 {
			t.Errorf("%d nodes after max became 4, want 4 at once", got)
		}
		w.submit(strings.Replace(shop, "    min: 1", "    local: {slots: 7}\n    min: 1", 1))
		pass(time.Second)
		nodes, err := w.Nodes(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		if nodes[0].Outdated == "" {
			t.Errorf("node %+v after a change of slots, want it outdated", nodes[0])
		}
		w.submit(strings.ReplaceAll(strings.ReplaceAll(shop, "name: web", "name: api"), "group=web", "group=api"))
		pass(time.Minute)
		if web, api := w.exist("web"), w.exist("api"); len(web) != 0 || len(api) != 5 {
			t.Errorf("web has %v and api has %v after web was replaced by api, want none and five", web, api)
		}
		if _, err := os.Stat(filepath.Join(w.dir, "apps", "shop", "web")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the folder of the removed group is still there: %v", err)
		}
	})
}

func TestABrokenDescriptionChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 25)
		w.submit(shop)
		pass(time.Minute)
		_, err := w.Submit(t.Context(), scaler.Source{File: "shop.yaml", Text: []byte(strings.Replace(shop, "max: 9", "max: 0\n    maxi: 1", 1))})
		var mistakes strictyaml.Mistakes
		if !errors.As(err, &mistakes) || len(mistakes) != 2 {
			t.Errorf("Submit() = %v, want two mistakes", err)
		}
		pass(time.Minute)
		if g := w.group("web"); g.Max != 9 || g.Ready != 3 {
			t.Errorf("group = max %d, ready %d after a refused update, want 9 and 3", g.Max, g.Ready)
		}
	})
}

func TestDestroyGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 85)
		w.submit(shop)
		pass(time.Minute)
		w.cloud.taking(time.Hour)
		if err := w.Destroy(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		w.cloud.taking(time.Second)
		w.restart()
		pass(time.Minute)
		if _, err := w.Application(t.Context(), "shop"); !errors.Is(err, scaler.ErrNotFound) {
			t.Errorf("Application() after destroy = %v, want ErrNotFound", err)
		}
		if left := w.exist("web"); len(left) != 0 {
			t.Errorf("nodes left after destroy: %v", left)
		}
		if _, err := os.Stat(filepath.Join(w.dir, "apps", "shop")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the application's folder is still there: %v", err)
		}
	})
}

func TestARolloutGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 35)
		w.submit(shop)
		pass(2 * time.Minute)
		before := w.exist("web")
		if len(before) != 4 {
			t.Fatalf("nodes = %v, want 4", before)
		}
		w.submit(strings.Replace(shop, "    min: 1", "    local: {slots: 7}\n    min: 1", 1))
		least := 4
		for i := range 40 {
			pass(15 * time.Second)
			if i == 3 || i == 9 {
				w.restart()
			}
			if g := w.group("web"); i != 3 && i != 9 && g.Ready > 0 {
				least = min(least, g.Ready)
			}
			if n := len(w.exist("web")); n > 5 {
				t.Fatalf("%d nodes exist during the rollout, want at most the 4 wanted and a surge of 1", n)
			}
		}
		after := w.exist("web")
		if len(after) != 4 || after[0] <= before[3] {
			t.Errorf("nodes after the rollout = %v, want 4 new ones", after)
		}
		if least < 4 {
			t.Errorf("only %d nodes were ready during the rollout, want 4 at all times", least)
		}
		if g := w.group("web"); !g.Settled || g.Rollout != "" {
			t.Errorf("settled = %v, rollout %q after the rollout, want settled and none", g.Settled, g.Rollout)
		}
	})
}

func TestARolloutStopsAtANodeThatDoesNotBecomeReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 35)
		w.submit(shop)
		pass(2 * time.Minute)
		w.meters.booting(24 * time.Hour)
		w.submit(strings.Replace(shop, "    min: 1", "    local: {slots: 7}\n    min: 1", 1))
		pass(time.Hour)
		if nodes := w.exist("web"); len(nodes) != 5 || nodes[3] != "web-0004" {
			t.Errorf("nodes = %v, want the 4 old ones and one new one", nodes)
		}
		if g := w.group("web"); !strings.Contains(g.Rollout, "waits for web-0005") || g.Settled {
			t.Errorf("rollout = %q, settled %v, want it to wait for web-0005", g.Rollout, g.Settled)
		}
	})
}

func TestAnAlertIsTrueAfterItsTime(t *testing.T) {
	const alerting = `name: shop
interval: 10s
alerts: [{alert: hot, expr: demand > 50, for: 1m}]
groups:
  - name: web
    cloud: local
    max: 9
    policies:
      - rule: |
          if hot:
              m_node_count = 3
`
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(alerting)
		pass(time.Minute)
		w.meters.set("demand > 50", 60)
		pass(55 * time.Second)
		if g := w.group("web"); g.Wanted != 1 {
			t.Errorf("%d nodes are wanted before the alert's time, want 1", g.Wanted)
		}
		pass(20 * time.Second)
		if g := w.group("web"); g.Wanted != 3 {
			t.Errorf("%d nodes are wanted after the alert's time, want 3", g.Wanted)
		}
	})
}

// TestAnySequenceEndsWithTheFleetThatWasWanted drives random orders, failures,
// losses and restarts, and checks after each quiet time that what is wanted, what
// is written and what exists are the same, and that no name was used twice.
func TestAnySequenceEndsWithTheFleetThatWasWanted(t *testing.T) {
	seeds := uint64(25)
	if testing.Short() {
		seeds = 6
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(seed, 7))
				w := newWorld(t)
				w.meters.set("demand", 25)
				w.submit(shop)
				pass(time.Minute)
				for op := range 25 {
					disturb(w, rnd)
					if op%5 == 4 {
						w.cloud.failing(nil)
						pass(15 * time.Minute)
						w.check()
					}
				}
			})
		})
	}
}

func disturb(w *world, rnd *rand.Rand) {
	w.cloud.taking(time.Duration(rnd.IntN(40)) * time.Second)
	switch rnd.IntN(8) {
	case 0:
		w.meters.set("demand", float64(rnd.IntN(100)))
	case 1:
		w.meters.miss("demand", policy.Unreachable)
	case 2:
		w.cloud.failing(sometimes(rnd.Uint64(), 0.4))
	case 3:
		w.restart()
	case 4:
		if nodes := w.exist("web"); len(nodes) > 0 {
			w.cloud.lose(nodes[rnd.IntN(len(nodes))])
		}
	case 5:
		if nodes := w.exist("web"); len(nodes) > 0 {
			_, err := w.Drop(w.t.Context(), "shop", nodes[rnd.IntN(len(nodes))], rnd.IntN(2) == 0)
			if err != nil && !errors.Is(err, scaler.ErrRefused) && !errors.Is(err, scaler.ErrNotFound) {
				w.t.Errorf("Drop() = %v", err)
			}
		}
	case 6:
		if _, err := w.Scale(w.t.Context(), "shop", "web", 1+rnd.IntN(9)); err != nil {
			w.t.Errorf("Scale() = %v", err)
		}
	case 7:
		w.submit(strings.Replace(shop, "    min: 1", fmt.Sprintf("    local: {slots: %d}\n    rollout: {batch: %d, surge: %d}\n    min: 1", 1+rnd.IntN(9), 2, 2*rnd.IntN(2)), 1))
	}
	pass(time.Duration(rnd.IntN(60)) * time.Second)
}

func (w *world) check() {
	w.t.Helper()
	g := w.group("web")
	written, exist := w.files("web"), w.exist("web")
	if diff := cmp.Diff(written, exist); diff != "" {
		w.t.Fatalf("written and existing nodes differ (-written +existing):\n%s\nproblem: %s", diff, g.Problem)
	}
	if len(exist) != g.Wanted {
		w.t.Fatalf("%d nodes exist, %d are wanted; problem %q", len(exist), g.Wanted, g.Problem)
	}
	if !g.Settled || g.Problem != "" {
		w.t.Fatalf("settled = %v, problem %q after a quiet time, want settled and none", g.Settled, g.Problem)
	}
	for address, n := range w.cloud.created {
		if n > 1 && !strings.HasSuffix(address, "balancer") {
			w.t.Fatalf("%s was created %d times: its name was used again", address, n)
		}
	}
}
