package scaler

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
	"pgregory.net/rapid"
)

// always checks something about every situation.
func always(t *testing.T, check func(*rapid.T, situation)) {
	rapid.Check(t, func(t *rapid.T) { check(t, drawSituation(t)) })
}

func TestTheSizeIsAlwaysWithinMinAndMax(t *testing.T) { always(t, sizeWithinMinAndMax) }

func sizeWithinMinAndMax(t *rapid.T, s situation) {
	d, _ := s.decide()
	if d.To < s.Seen.Min || d.To > s.Seen.Max {
		t.Fatalf("Decide() = %d, want within %d..%d: %q", d.To, s.Seen.Min, s.Seen.Max, d.Reasons)
	}
	if d.To < s.least() || d.To > s.most() {
		t.Fatalf("Decide() = %d, want within %d..%d as the schedule says: %q", d.To, s.least(), s.most(), d.Reasons)
	}
}

func TestProtectedNodesAreNeverChosen(t *testing.T) { always(t, protectedNeverChosen) }

func protectedNeverChosen(t *rapid.T, s situation) {
	d, _ := s.decide()
	for _, name := range d.Drop {
		if protected(s.Limits.Victims, name) {
			t.Fatalf("Decide() drops %v of which %s is protected: %q", d.Drop, name, d.Reasons)
		}
	}
}

func TestAHoldNeverShrinks(t *testing.T) { always(t, holdNeverShrinks) }

// holdNeverShrinks: while a policy holds the size falls to nothing but what min and
// max say, those of a schedule included.
func holdNeverShrinks(t *rapid.T, s situation) {
	d, _ := s.decide()
	holds := slices.ContainsFunc(d.Proposals, func(p policy.Proposal) bool { return p.Hold })
	if base := min(max(s.Seen.Wanted, s.least()), s.most()); holds && d.To < base {
		t.Fatalf("Decide() = %d of %d while a policy holds: %q", d.To, base, d.Reasons)
	}
	if holds && d.To >= s.Seen.Wanted && len(d.Drop) > 0 {
		t.Fatalf("Decide() drops %v while a policy holds", d.Drop)
	}
}

func TestSameInputsGiveTheSameDecision(t *testing.T) { always(t, sameInputsSameDecision) }

func sameInputsSameDecision(t *rapid.T, s situation) {
	before := s.copied()
	d, h := s.decide()
	if diff := cmp.Diff(before, s); diff != "" {
		t.Fatalf("Decide() changed what it was given (-before +after):\n%s", diff)
	}
	again, hAgain := s.decide()
	if diff := cmp.Diff([]any{d, h}, []any{again, hAgain}); diff != "" {
		t.Fatalf("Decide() of the same (-first +second):\n%s", diff)
	}
}

func TestMoreLoadNeverGivesFewerNodes(t *testing.T) { always(t, moreLoadNeverFewerNodes) }

// moreLoadNeverFewerNodes: of two loads that differ in nothing else the higher one
// has as many nodes at least, unless the decision names the limit that says so, or the
// policy that has no opinion on the higher one: a band that takes a node away at a time
// keeps others from taking more, and the higher load is in no band.
func moreLoadNeverFewerNodes(t *rapid.T, s situation) {
	described := []spec.Policy{
		{Target: &spec.Target{Query: "load", Value: 10, Kind: spec.TargetAverage, Tolerance: 0.1}},
		{Target: &spec.Target{Query: "load", Value: 10, Kind: spec.TargetTotal, Tolerance: 0.1}},
		{Steps: &spec.Steps{Query: "load", Kind: spec.TargetAverage, Bands: []spec.Band{
			{Below: number(5), Change: whole(-1)}, {Above: number(15), Change: whole(2)}}}},
		{Activation: &spec.Activation{Query: "load", Above: 3, Nodes: 2}},
		{Deadline: &spec.Deadline{Jobs: "load", JobTakes: spec.Duration(time.Minute), By: "2026-05-04T12:10:00Z"}},
	}
	var policies []policy.Policy
	for i, p := range described {
		if !rapid.Bool().Draw(t, fmt.Sprintf("policy %d", i)) {
			continue
		}
		made, err := policy.New(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		policies = append(policies, made)
	}
	under := func(load float64) Decision {
		o := s.Seen
		o.Readings = map[string]policy.Reading{"load": {Samples: []policy.Sample{{Value: load}}}}
		var proposals []policy.Proposal
		for _, p := range policies {
			proposals = append(proposals, p.Propose(o))
		}
		d, _ := Decide(o, proposals, s.Limits, s.History)
		return d
	}
	load := rapid.Float64Range(0, 200).Draw(t, "load")
	less, more := under(load), under(load+rapid.Float64Range(0, 100).Draw(t, "more"))
	if more.To < less.To && len(more.Clamps) == 0 && !fellSilent(less, more) {
		t.Fatalf("Decide() = %d, and %d with more load, for no limit named:\n%q\n%q", less.To, more.To, less.Reasons, more.Reasons)
	}
}

// fellSilent is whether a policy that proposes a size in one decision says in the other
// that it has no opinion.
func fellSilent(one, other Decision) bool {
	for i, p := range other.Proposals {
		if p.Abstain && p.Reason != "" && !one.Proposals[i].Abstain {
			return true
		}
	}
	return false
}

func number(f float64) *float64 { return &f }
func whole(n int) *int          { return &n }

// FuzzDecide runs every invariant on what the fuzzer draws.
func FuzzDecide(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 30 { // long enough to draw whole situations from
		seed := make([]byte, 8192)
		for i := range seed {
			seed[i] = byte(random.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		s := drawSituation(t)
		for range rapid.IntRange(1, 6).Draw(t, "ticks") {
			for _, invariant := range invariants {
				invariant(t, s)
			}
			s = s.later(time.Duration(rapid.IntRange(0, 400).Draw(t, "seconds")) * time.Second)
		}
	}))
}

var invariants = []func(*rapid.T, situation){
	sizeWithinMinAndMax, protectedNeverChosen, holdNeverShrinks, sameInputsSameDecision, moreLoadNeverFewerNodes,
}

// TestInvariantsHoldFromTickToTick goes on with the history that a decision leaves.
func TestInvariantsHoldFromTickToTick(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		for range rapid.IntRange(2, 6).Draw(t, "ticks") {
			s = s.later(time.Duration(rapid.IntRange(0, 400).Draw(t, "seconds")) * time.Second)
			for _, invariant := range invariants {
				invariant(t, s)
			}
		}
	})
}

// later is the situation after a decision was carried out.
func (s situation) later(after time.Duration) situation {
	d, h := s.decide()
	s.History = h
	s.Seen.Wanted, s.Seen.Now = d.To, s.Seen.Now.Add(after)
	if s.Seen.Cost != nil {
		c := *s.Seen.Cost
		c.Spent += c.NodePerHour * float64(d.To) * after.Hours()
		s.Seen.Cost = &c
	}
	return s
}

func TestDecideGuards(t *testing.T) {
	at := func(o policy.Observation, change func(*policy.Observation)) policy.Observation {
		change(&o)
		return o
	}
	clamp := func(least, most int) policy.Proposal {
		p := abstaining()
		p.Policy = "schedule"
		if least >= 0 {
			p.Min = &least
		}
		if most >= 0 {
			p.Max = &most
		}
		return p
	}
	held := func(floor int) policy.Proposal {
		p := holding()
		p.Missing, p.HoldFor, p.Floor = policy.Stale, 10*time.Minute, &floor
		return p
	}
	since := func(seconds int) History {
		h := watched(1)
		h.Holding = []Holding{{"steps", secondsAgo(seconds)}}
		return h
	}
	safe := func(p policy.Proposal, least int) policy.Proposal {
		p.Least = least
		return p
	}
	failing := at(fleetOf(3, 3), func(o *policy.Observation) { o.FailedSteps = 5 })
	breaker := spec.Scaling{BreakerAfter: 5, BreakerProbe: spec.Duration(time.Minute)}
	open := func(probed int) History { return History{Breaker: Breaker{secondsAgo(999), secondsAgo(probed)}} }
	busy := at(fleetOf(5, 5), func(o *policy.Observation) {
		o.Readings = map[string]policy.Reading{"busy": {Samples: []policy.Sample{
			{Labels: map[string]string{"node": "web-0002"}, Value: 0.1}, {Labels: map[string]string{"node": "web-0004"}, Value: 0.3}, {Labels: map[string]string{"node": "web-0005"}, Value: 0.9},
		}}}
	})
	zoned := at(fleetOf(5, 5), func(o *policy.Observation) {
		for i, zone := range []string{"a", "b", "a", "a", "b"} {
			o.Nodes[i].Zone = zone
		}
	})
	by := func(order spec.VictimOrder, protected ...string) spec.Scaling {
		return spec.Scaling{Victims: &spec.Victims{Order: order, Query: "busy", Protected: protected}}
	}
	turns := func(ago ...int) History {
		h := watched(1)
		for _, seconds := range ago {
			h.Turns = append(h.Turns, secondsAgo(seconds))
		}
		return h
	}
	all := func(p ...policy.Proposal) []policy.Proposal { return p }
	for _, test := range []struct {
		name      string
		seen      policy.Observation
		proposals []policy.Proposal
		limits    spec.Scaling
		history   History
		to        int
		drop      []string
		clamp     string
	}{
		{"a schedule's min grows a group at once", fleetOf(3, 3), all(clamp(6, -1)), spec.Scaling{CooldownOut: spec.Duration(time.Hour)}, History{LastOut: secondsAgo(1)}, 6, nil, "schedule min: 3 nodes are wanted, at least 6 must be"},
		{"a schedule's max shrinks a group at once, also while another policy holds", fleetOf(7, 7), all(clamp(-1, 4), holding()), spec.Scaling{Stabilisation: spec.Duration(time.Hour)}, History{}, 4, nil, "schedule max: 7 nodes are wanted, at most 4 may be"},
		{"a schedule's max caps a proposal", fleetOf(3, 3), all(clamp(-1, 4), wants(9)), spec.Scaling{}, History{}, 4, nil, "schedule max: 9 nodes are proposed, at most 4 may be"},
		{"a schedule stays within the description's min and max", fleetOf(3, 3), all(clamp(50, 60)), spec.Scaling{}, History{}, 10, nil, "schedule min: 3 nodes are wanted, at least 10 must be"},
		{"of clamps without room between them the larger size wins", fleetOf(3, 3), all(clamp(5, -1), clamp(-1, 2)), spec.Scaling{}, History{}, 5, nil, "schedule min: 5 wins over schedule max of 2"},
		{"an activation takes a group from zero", at(fleetOf(0, 0), func(o *policy.Observation) { o.Min = 0 }), all(clamp(1, -1), wants(0)), spec.Scaling{}, watched(0), 1, nil, "schedule min: 0 nodes are wanted, at least 1 must be"},

		{"a hold for want of a metric holds for its time", fleetOf(5, 5), all(held(2), wants(1)), spec.Scaling{}, since(599), 5, nil, ""},
		{"after its time it goes to the floor", fleetOf(5, 5), all(held(2), wants(1)), spec.Scaling{}, since(600), 2, nil, ""},
		{"the floor is below what another policy needs", fleetOf(5, 5), all(held(2), wants(4)), spec.Scaling{}, since(600), 4, nil, ""},
		{"the floor may be above the size", fleetOf(1, 1), all(held(3)), spec.Scaling{}, since(600), 3, nil, ""},
		{"a hold for another reason has no end", fleetOf(5, 5), all(holding(), wants(1)), spec.Scaling{}, since(9000), 5, nil, ""},

		{"growth is cut to a percentage", fleetOf(8, 8), all(wants(10)), spec.Scaling{MaxStepOutPercent: 20}, History{}, 9, nil, "max_step_out: at most 1 of 2 added"},
		{"shrinking is cut to a percentage", fleetOf(8, 8), all(wants(1)), spec.Scaling{MaxStepInPercent: 25}, History{}, 6, nil, "max_step_in: at most 2 of 7 removed"},
		{"one node is always allowed", fleetOf(3, 3), all(wants(1)), spec.Scaling{MaxStepInPercent: 5, MaxStepIn: 2}, History{}, 2, nil, "max_step_in: at most 1 of 2 removed"},

		{"few failed steps do not stop growth", at(failing, func(o *policy.Observation) { o.FailedSteps = 4 }), all(wants(6)), breaker, History{}, 6, nil, ""},
		{"many failed steps open the breaker", failing, all(wants(6)), breaker, History{}, 3, nil, "breaker: open since 5 steps failed in a row, probes again in 1m"},
		{"an open breaker stays open until the probe", failing, all(wants(6)), breaker, open(59), 3, nil, "breaker: open"},
		{"a probe adds one node", failing, all(wants(6)), breaker, open(60), 4, nil, "breaker: half open after 5 steps failed in a row, probes with 1 node"},
		{"a step that succeeds closes it", fleetOf(3, 3), all(wants(6)), breaker, open(1), 6, nil, ""},
		{"an open breaker does not keep a group from shrinking", failing, all(wants(1)), breaker, open(1), 1, nil, ""},
		{"an open breaker does not keep a group below its min", at(failing, func(o *policy.Observation) { o.Min = 4 }), all(wants(6)), breaker, open(1), 4, nil, "breaker: open"},

		{"a size that turned too often is not shrunk", fleetOf(3, 3), all(wants(1)), spec.Scaling{MaxTurns: 2}, turns(3000, 600), 3, nil, "max_turns: the size turned 2 times between growing and shrinking within 1h, not shrunk for another 10m"},
		{"it may still grow", fleetOf(3, 3), all(wants(5)), spec.Scaling{MaxTurns: 2}, turns(3000, 600), 5, nil, ""},
		{"turns of more than an hour ago are forgotten", fleetOf(3, 3), all(wants(1)), spec.Scaling{MaxTurns: 2}, turns(3600, 600), 1, nil, ""},

		{"what would be asked for again at once is not removed", fleetOf(5, 5), all(safe(abstaining(), 4), wants(1)), spec.Scaling{}, History{}, 4, nil, "flap guard: with 1 node steps would ask for more, so 4 stay"},
		{"what would be asked for beyond the size keeps it", fleetOf(5, 5), all(safe(abstaining(), 9), wants(1)), spec.Scaling{}, History{}, 5, nil, "flap guard:"},

		{"the newest go", fleetOf(5, 5), all(wants(3)), by(spec.VictimsNewest), History{}, 3, []string{"web-0005", "web-0004"}, ""},
		{"the oldest go", fleetOf(5, 5), all(wants(3)), by(spec.VictimsOldest), History{}, 3, []string{"web-0001", "web-0002"}, ""},
		{"the least busy go, those that say nothing last", busy, all(wants(1)), by(spec.VictimsLeastBusy), History{}, 1, []string{"web-0002", "web-0004", "web-0005", "web-0003"}, ""},
		{"the zone with the most goes first", zoned, all(wants(2)), by(spec.VictimsZoneBalance), History{}, 2, []string{"web-0004", "web-0003", "web-0005"}, ""},
		{"protected nodes stay", fleetOf(5, 5), all(wants(3)), by(spec.VictimsNewest, "web-0005"), History{}, 3, []string{"web-0004", "web-0003"}, ""},
		{"more protected nodes than are to stay", fleetOf(3, 3), all(wants(1)), by(spec.VictimsNewest, "web-0003", "web-0002"), History{}, 1, []string{"web-0001"}, "protected: only 1 of 2 nodes to remove may go"},
		{"a rule cannot drop a protected node", fleetOf(3, 3), all(drops("web-0003", "web-0001")), by(spec.VictimsNewest, "web-0003"), History{}, 2, []string{"web-0001"}, "protected: web-0003 stays"},
		{"nodes that do not exist yet go first", fleetOf(3, 5), all(wants(4)), by(spec.VictimsNewest), History{}, 4, nil, ""},
		{"a node on its way out counts once", fleetOf(5, 4), all(wants(3)), by(spec.VictimsNewest), History{Dropped: []string{"web-0005"}}, 3, []string{"web-0004"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, _ := Decide(test.seen, test.proposals, test.limits, test.history)
			if got.To != test.to {
				t.Errorf("Decide() = %d, want %d: %q", got.To, test.to, got.Reasons)
			}
			if diff := cmp.Diff(test.drop, got.Drop); diff != "" {
				t.Errorf("Drop (-want +got):\n%s", diff)
			}
			if !slices.ContainsFunc(append(got.Clamps, ""), func(c string) bool { return len(c) >= len(test.clamp) && c[:len(test.clamp)] == test.clamp }) {
				t.Errorf("Clamps = %q, want one that says %q", got.Clamps, test.clamp)
			}
		})
	}
}
