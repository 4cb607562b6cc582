package scaler_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

// TestNoNodeIsMadeWhileItIsUnknownWhatNodesShare loses the state of the base, and asks
// for nodes that need a new shard: it would be made without what the base hands over.
func TestNoNodeIsMadeWhileItIsUnknownWhatNodesShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(strings.Replace(shop, "    cloud: local\n", "    cloud: local\n    local: {balancer: 127.0.0.1:18080}\n", 1))
		w.meters.set("demand", 30)
		pass(time.Minute)
		if got := w.files("web"); len(got) != 3 {
			t.Fatalf("nodes are %v, want the three of a full shard", got)
		}
		w.cloud.losingStates(func(dir string) error {
			if filepath.Base(dir) == tfgen.BaseName {
				return fmt.Errorf("%w: somebody removed it", scaler.ErrStateLost)
			}
			return nil
		})
		w.meters.set("demand", 50)
		pass(time.Minute)
		if got := w.files("web"); len(got) != 3 {
			t.Errorf("nodes are %v, want none more without what they share", got)
		}
		g := w.group("web")
		if !strings.Contains(g.Problem, "share is unknown") || !strings.Contains(g.Problem, "somebody removed it") || g.Settled {
			t.Errorf("problem is %q, settled %t, want the lost state of the base as the problem", g.Problem, g.Settled)
		}
		w.cloud.losingStates(nil)
		pass(time.Minute)
		if g := w.group("web"); len(w.exist("web")) != 5 || g.Problem != "" || !g.Settled {
			t.Errorf("%v exist, problem %q, settled %t once the state is back; want five nodes", w.exist("web"), g.Problem, g.Settled)
		}
	})
}
