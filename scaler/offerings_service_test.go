package scaler_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

const offered = `name: shop
interval: 10s
queries:
  demand: demand
groups:
  - name: web
    cloud: ec2
    min: 1
    max: 9
    initial: 2
    ec2: {region: eu-west-1, ami: ami-01234567, instance_type: t3.small}
    offerings:
      - {name: cheap, spot: true}
      - {name: sure, instance_type: m7i.large}
    policies:
      - target: {query: demand, kind: total, value: 10}
    scaling: {cooldown_in: 10s, stabilisation: 60s}
`

const noCapacity = "creating EC2 Instance: operation error EC2: RunInstances, api error InsufficientInstanceCapacity: We currently do not have sufficient t3.small capacity"

// refusingSpot refuses spot machines.
func refusingSpot(words string, half bool) func(tfgen.Settings) (string, bool) {
	return func(s tfgen.Settings) (string, bool) {
		if s["spot"] != nil {
			return words, half
		}
		return "", false
	}
}

// offeringsOf are the offerings of the group's nodes, by name.
func (w *world) offeringsOf(group string) map[string]string {
	w.t.Helper()
	nodes, err := w.Nodes(w.t.Context(), "shop")
	if err != nil {
		w.t.Fatal(err)
	}
	of := map[string]string{}
	for _, n := range nodes {
		if n.Group == group && n.State != scaler.StateDraining {
			of[n.Name] = n.Offering
		}
	}
	return of
}

func TestARefusedOfferingGivesWayToTheNextWithinSeconds(t *testing.T) {
	for name, half := range map[string]bool{"nothing is left": false, "a half-made machine is left": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.meters.set("demand", 20)
				w.submit(offered)
				pass(time.Minute)
				if got := w.offeringsOf("web"); got["web-0001"] != "cheap" || got["web-0002"] != "cheap" {
					t.Fatalf("offerings = %v, want both nodes cheap", got)
				}
				w.cloud.refusing(refusingSpot(noCapacity, half))
				w.meters.set("demand", 40)
				pass(25 * time.Second)
				got := w.offeringsOf("web")
				count := map[string]int{}
				for _, offering := range got {
					count[offering]++
				}
				if len(got) != 4 || count["cheap"] != 2 || count["sure"] != 2 || len(w.exist("web")) != 4 {
					t.Fatalf("offerings = %v, existing %v, want the two old ones cheap and two new ones sure", got, w.exist("web"))
				}
				g := w.group("web")
				if !g.Settled || g.Problem != "" {
					t.Errorf("settled = %v, problem %q, want settled without a problem", g.Settled, g.Problem)
				}
				if o := g.Offerings; len(o) != 2 || o[0].Penalty < 0.9 || o[0].Why != "no-capacity" || o[1].Penalty != 0 {
					t.Errorf("offerings = %+v, want a penalty on the first", o)
				}
				pass(10 * time.Minute)
				for _, n := range w.nodeList() {
					if n.Outdated != "" {
						t.Errorf("%s is outdated (%s), although the description did not change", n.Name, n.Outdated)
					}
				}
				w.cloud.refusing(nil)
				w.meters.set("demand", 50)
				pass(time.Minute)
				if got := w.offeringsOf("web"); len(got) != 5 || count["cheap"] != 2 {
					t.Errorf("offerings after the penalty = %v, want a fifth node", got)
				} else if newest := slices.Max(w.exist("web")); got[newest] != "cheap" {
					t.Errorf("%s is %s, want cheap again after the penalty", newest, got[newest])
				}
			})
		})
	}
}

func (w *world) nodeList() []scaler.NodeStatus {
	w.t.Helper()
	nodes, err := w.Nodes(w.t.Context(), "shop")
	if err != nil {
		w.t.Fatal(err)
	}
	return nodes
}

func TestAThrottledCloudIsAskedAgainAndNoOfferingPays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 20)
		w.cloud.refusing(func(tfgen.Settings) (string, bool) {
			return "api error RequestLimitExceeded: Request limit exceeded.", false
		})
		w.submit(offered)
		pass(30 * time.Second)
		g := w.group("web")
		if !strings.Contains(g.Problem, "throttled") || g.Offerings[0].Penalty != 0 {
			t.Errorf("problem = %q, penalty %v, want it told as throttled, and none", g.Problem, g.Offerings[0].Penalty)
		}
		if steps := w.cloud.stepsDone(); steps > 4 {
			t.Errorf("%d steps within 30 s, want the throttled cloud asked less", steps)
		}
		w.cloud.refusing(nil)
		pass(3 * time.Minute)
		if got := w.offeringsOf("web"); len(got) != 2 || got["web-0001"] != "cheap" {
			t.Errorf("offerings = %v, want two cheap nodes", got)
		}
	})
}

func TestWhatOnlyAPersonCanMendIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 20)
		w.cloud.refusing(func(tfgen.Settings) (string, bool) {
			return "api error UnauthorizedOperation: You are not authorized", false
		})
		w.submit(offered)
		pass(25 * time.Minute)
		if steps := w.cloud.stepsDone(); steps > 4 {
			t.Errorf("%d steps within 25 minutes, want a few", steps)
		}
		if g := w.group("web"); !strings.Contains(g.Problem, "check the credentials") {
			t.Errorf("problem = %q, want it to say what to do", g.Problem)
		}
		w.cloud.refusing(nil)
		w.cloud.logIn("another account")
		pass(30 * time.Second)
		if got := w.exist("web"); len(got) != 2 {
			t.Errorf("nodes = %v right after the credentials changed, want 2", got)
		}
	})
}

// logIn changes the credentials.
func (c *cloud) logIn(as string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.login = as
}

func TestAllOfferingsRefusedAreRetriedWithAGrowingWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 20)
		w.cloud.refusing(func(tfgen.Settings) (string, bool) { return noCapacity, false })
		w.submit(offered)
		pass(10 * time.Minute)
		steps := w.cloud.stepsDone()
		if steps < 4 || steps > 20 {
			t.Errorf("%d steps within 10 minutes, want several and not many", steps)
		}
		if numbers := len(w.files("web")); numbers != 2 {
			t.Errorf("%d nodes are written, want the same 2 under all refusals: %v", numbers, w.files("web"))
		}
		w.cloud.refusing(nil)
		pass(6 * time.Minute)
		if got := w.exist("web"); len(got) != 2 {
			t.Errorf("nodes = %v after the cloud has room again, want 2", got)
		}
	})
}

func TestAnOfferingThatLeavesTheDescriptionIsRolledOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 20)
		w.submit(offered)
		pass(time.Minute)
		w.submit(strings.Replace(offered, "{name: cheap, spot: true}", "{name: cheap, instance_type: c7i.large}", 1))
		pass(10 * time.Minute)
		got := w.exist("web")
		if len(got) != 2 || got[0] != "web-0003" {
			t.Errorf("nodes = %v, want two new ones", got)
		}
		text, err := filepath.Glob(filepath.Join(w.dir, "apps", "shop", "web", "shard-*", tfgen.NodesFile))
		if err != nil || len(text) == 0 {
			t.Errorf("node sets = %v, %v", text, err)
		}
	})
}

// TestANodeThatIsOfferedAnewIsNotOutdated changes the description while the cloud
// refuses nodes of the old one: what is tried in their place is of the new one.
func TestANodeThatIsOfferedAnewIsNotOutdated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.meters.set("demand", 20)
		kept := strings.Replace(offered, "    offerings:\n", "    rollout: {mode: keep}\n    offerings:\n", 1)
		w.submit(kept)
		pass(time.Minute)
		w.cloud.refusing(refusingSpot(noCapacity, false))
		w.cloud.taking(30 * time.Second)
		w.meters.set("demand", 40)
		pass(15 * time.Second)
		w.submit(strings.Replace(kept, "ami-01234567", "ami-89abcdef", 1))
		pass(2 * time.Minute)
		outdated := map[string]string{}
		for _, n := range w.nodeList() {
			outdated[n.Name] = n.Outdated
		}
		if len(outdated) != 4 || len(w.exist("web")) != 4 || outdated["web-0001"] == "" || outdated["web-0002"] == "" {
			t.Fatalf("outdated = %v, existing %v, want four nodes, the old two outdated", outdated, w.exist("web"))
		}
		for _, node := range []string{"web-0003", "web-0004"} {
			if outdated[node] != "" {
				t.Errorf("%s is outdated (%s), though it was made as described now", node, outdated[node])
			}
		}
	})
}
