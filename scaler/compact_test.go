package scaler_test

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// breathing is a group whose size is the value of a query.
const breathing = `name: shop
interval: 1m
queries: {demand: demand}
groups:
  - name: web
    cloud: local
    min: 0
    initial: 0
    max: 60
    shard_size: 5
    policies: [{target: {query: demand, kind: total, value: 1, tolerance: 0}}]
    scaling: {cooldown_in: 1s, stabilisation: 1s, max_turns: 0}
`

// TestShardsStayBoundedWhileAFleetBreathes lets a group grow and shrink between 0 and
// 60 nodes for half a day, in steps of all sizes. Its shards are never more than the
// largest size needs, with those that a step keeps busy, and go with their folders
// when they are empty for long.
func TestShardsStayBoundedWhileAFleetBreathes(t *testing.T) {
	for name, more := range map[string]string{"states in files": "", "states in a backend": "backend: {type: pg}\n"} {
		t.Run(name, func(t *testing.T) { breathe(t, breathing+more) })
	}
}

func breathe(t *testing.T, description string) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 0)
		w.submit(description)
		shards := func() int {
			dirs, err := filepath.Glob(filepath.Join(w.dir, "apps", "shop", "web", "shard-*"))
			if err != nil {
				t.Fatal(err)
			}
			return len(dirs)
		}
		const need = 60 / 5
		most := 0
		sizes := []float64{60, 3, 41, 40, 7, 58, 0, 1, 60, 29, 30, 12, 55, 2}
		for hour := range 14 {
			w.meters.set("demand", sizes[hour%len(sizes)])
			pass(30 * time.Minute)
			most = max(most, shards())
			w.meters.set("demand", sizes[(hour*5+3)%len(sizes)])
			pass(30 * time.Minute)
			most = max(most, shards())
		}
		if most > need+2 {
			t.Errorf("there were %d shards, want at most %d and 2 that were empty or busy", most, need)
		}
		w.meters.set("demand", 0)
		pass(time.Hour)
		if got := shards(); got != 1 {
			t.Errorf("an empty group has %d shards, want one that waits for the next node", got)
		}
		w.meters.set("demand", 60)
		pass(10 * time.Minute)
		if got := len(w.exist("web")); got != 60 {
			t.Errorf("%d nodes after it grew again, want 60", got)
		}
		for key, n := range w.cloud.created {
			if n > 1 && strings.HasPrefix(key, "web/") {
				t.Errorf("%s was created %d times, want once: no node is moved", key, n)
			}
		}
		claims := w.cloud.claims()
		if remote := description != breathing; remote != (len(claims) > 0) {
			t.Errorf("claimed are %v, want those of a backend", claims)
		}
		if err := w.Service.Destroy(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Minute)
		if claims := w.cloud.claims(); len(claims) > 0 {
			t.Errorf("after the end %v are claimed still", claims)
		}
	})
}
