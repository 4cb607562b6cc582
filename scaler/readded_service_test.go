package scaler_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// deleting is a Store that does something before it forgets a group.
type deleting struct {
	scaler.Store
	before func(group string)
}

func (d deleting) DeleteGroup(ctx context.Context, app, group string) error {
	d.before(group)
	return d.Store.DeleteGroup(ctx, app, group)
}

// TestAGroupThatIsAddedAgainAsItsRemovalEndsLives describes a group anew when all that
// it had is gone, and its actuator reads no description any more.
func TestAGroupThatIsAddedAgainAsItsRemovalEndsLives(t *testing.T) {
	const two = shop + `  - name: api
    cloud: local
    min: 1
    max: 9
    initial: 2
    shard_size: 3
    policies:
      - target: {query: demand, kind: total, value: 10}
`
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		again := false
		w.wrap = func(s scaler.Store) scaler.Store {
			return deleting{s, func(group string) {
				if group == "api" && !again {
					again = true
					w.submit(two)
				}
			}}
		}
		w.restart()
		w.meters.set("demand", 20)
		w.submit(two)
		pass(30 * time.Second)
		if got := w.exist("api"); len(got) != 2 {
			t.Fatalf("%v of api exist, want two", got)
		}
		w.submit(shop)
		pass(time.Minute)
		if !again {
			t.Fatal("the group was not removed: the test tests nothing")
		}
		got := w.exist("api")
		if g := w.group("api"); len(got) != 2 || g.Removing || !g.Settled || g.Problem != "" {
			t.Errorf("%v of api exist, status %+v, want two and a settled group", got, g)
		}
		w.meters.set("demand", 50)
		pass(30 * time.Second)
		if got := w.exist("api"); len(got) != 5 {
			t.Errorf("%v of api exist at five times the load of one, want five", got)
		}
		if names := w.exist("api"); !slices.IsSorted(names) || strings.Join(w.files("api"), " ") != strings.Join(names, " ") {
			t.Errorf("%v are written, and %v exist", w.files("api"), names)
		}
	})
}
