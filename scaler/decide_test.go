package scaler

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

var decideNow = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func secondsAgo(n int) time.Time { return decideNow.Add(-time.Duration(n) * time.Second) }

// fleetOf is an observation of a group within 1..10.
func fleetOf(existing, wanted int) policy.Observation {
	o := policy.Observation{Now: decideNow, Group: "web", Wanted: wanted, Min: 1, Max: 10}
	for i := range existing {
		o.Nodes = append(o.Nodes, policy.Node{Name: fmt.Sprintf("web-%04d", i+1), Ready: true})
	}
	return o
}

func wants(n int) policy.Proposal {
	return policy.Proposal{Policy: "target", Nodes: n, Reason: fmt.Sprintf("needs %d", n)}
}

func abstaining() policy.Proposal {
	return policy.Proposal{Policy: "steps", Abstain: true, Nodes: 3, Reason: "in no band, no opinion"}
}

func holding() policy.Proposal {
	return policy.Proposal{Policy: "steps", Hold: true, Reason: "cpu has no value: stale"}
}

func drops(names ...string) policy.Proposal {
	return policy.Proposal{Policy: "rule", Drop: names, Reason: "the rule drops " + strings.Join(names, ", ")}
}

// watched is a history in which size n was asked for since before the window.
func watched(n int) History {
	return History{Desired: []Desired{{At: secondsAgo(3600), Nodes: n}}}
}

func TestDecide(t *testing.T) {
	all := func(p ...policy.Proposal) []policy.Proposal { return p }
	cooled := func(h History, out, in int) History {
		h.LastOut, h.LastIn = secondsAgo(out), secondsAgo(in)
		return h
	}
	limits := spec.Scaling{CooldownOut: spec.Duration(30 * time.Second), CooldownIn: spec.Duration(time.Minute), Stabilisation: spec.Duration(5 * time.Minute)}
	stepped := spec.Scaling{MaxStepOut: 2, MaxStepIn: 1}
	updated := func(wanted, least, most int) policy.Observation {
		o := fleetOf(wanted, wanted)
		o.Min, o.Max = least, most
		return o
	}
	for _, test := range []struct {
		name      string
		seen      policy.Observation
		proposals []policy.Proposal
		limits    spec.Scaling
		history   History
		to        int
		held      bool
		drop      []string
		reason    string
	}{
		{"no policy keeps the size", fleetOf(3, 3), nil, limits, watched(1), 3, false, nil, "no policy: the size stays 3"},
		{"the largest proposal wins", fleetOf(3, 3), all(wants(5), wants(7), wants(2)), limits, History{}, 7, false, nil, "target: needs 7"},
		{"one policy that keeps the size keeps it", fleetOf(3, 3), all(wants(1), wants(3)), limits, watched(1), 3, false, nil, "target: needs 3"},
		{"all policies agree to shrink to the largest", fleetOf(5, 5), all(wants(1), wants(2)), limits, watched(1), 2, false, nil, "target: needs 2"},
		{"a proposal above max stops there", fleetOf(3, 3), all(wants(50)), limits, History{}, 10, false, nil, "max: 50 nodes are proposed, at most 10 may be"},
		{"a proposal below min stops there", fleetOf(3, 3), all(wants(0)), limits, watched(0), 1, false, nil, "min: 0 nodes are proposed, at least 1 must be"},

		{"a policy without an opinion keeps no other from shrinking", fleetOf(3, 3), all(abstaining(), wants(1)), limits, watched(1), 1, false, nil, "steps: in no band, no opinion"},
		{"policies without any opinion keep the size", fleetOf(3, 3), all(abstaining(), abstaining()), limits, watched(1), 3, false, nil, "steps: in no band, no opinion"},
		{"a hold keeps the size", fleetOf(3, 3), all(holding(), wants(1)), limits, watched(1), 3, true, nil, "held: a group is not shrunk while a policy can't tell"},
		{"a hold of all policies keeps the size", fleetOf(3, 3), all(holding(), holding()), limits, watched(1), 3, true, nil, "steps: cpu has no value: stale"},
		{"a hold does not keep another policy from growing", fleetOf(3, 3), all(holding(), wants(5)), limits, watched(1), 5, false, nil, "target: needs 5"},
		{"a hold puts off drops", fleetOf(3, 3), all(holding(), drops("web-0001")), limits, watched(1), 3, true, nil, "held:"},

		{"above a new max goes at once, without cooldown and stabilisation", updated(8, 1, 5), nil, limits, cooled(History{}, 1, 1), 5, false, nil, "max: 8 nodes are wanted, at most 5 may be"},
		{"below a new min goes at once", updated(1, 4, 9), nil, limits, cooled(History{}, 1, 1), 4, false, nil, "min: 1 node is wanted, at least 4 must be"},
		{"above a new max goes at once even while held", updated(8, 1, 5), all(holding()), limits, History{}, 5, true, nil, "max:"},
		{"a new max is not cut to a step", updated(9, 1, 3), nil, stepped, History{}, 3, false, nil, "max:"},

		{"growth is cut to a step", fleetOf(3, 3), all(wants(9)), stepped, History{}, 5, false, nil, "max_step_out: at most 2 of 6 added"},
		{"shrinking is cut to a step", fleetOf(5, 5), all(wants(2)), stepped, History{}, 4, false, nil, "max_step_in: at most 1 of 3 removed"},
		{"growth waits for its cooldown", fleetOf(3, 3), all(wants(5)), limits, cooled(History{}, 10, 999), 3, false, nil, "cooldown_out: 10s of 30s passed since the last growth"},
		{"growth does not wait after shrinking", fleetOf(3, 3), all(wants(5)), limits, cooled(History{}, 999, 1), 5, false, nil, "target: needs 5"},
		{"growth goes when its cooldown is over", fleetOf(3, 3), all(wants(5)), limits, cooled(History{}, 30, 999), 5, false, nil, "target: needs 5"},
		{"shrinking waits after shrinking", fleetOf(3, 3), all(wants(1)), limits, cooled(watched(1), 999, 42), 3, false, nil, "cooldown_in: 42s of 1m passed since the last change"},
		{"shrinking waits after growth", fleetOf(3, 3), all(wants(1)), limits, cooled(watched(1), 42, 999), 3, false, nil, "cooldown_in: 42s of 1m passed since the last change"},
		{"a clock that was set back blocks for one cooldown at most", fleetOf(3, 3), all(wants(1)), limits, cooled(watched(1), -9000, 999), 3, false, nil, "cooldown_in: 0s of 1m passed"},

		{"a fresh history shrinks nothing", fleetOf(3, 3), all(wants(1)), limits, History{}, 3, false, nil, "stabilisation: proposals are known for 0s of 5m"},
		{"a history that does not cover the window shrinks nothing", fleetOf(3, 3), all(wants(1)), limits, History{Desired: []Desired{{secondsAgo(299), 1}}}, 3, false, nil, "stabilisation: proposals are known for 4m59s of 5m"},
		{"a history that just covers the window shrinks", fleetOf(3, 3), all(wants(1)), limits, History{Desired: []Desired{{secondsAgo(300), 1}}}, 1, false, nil, "target: needs 1"},
		{"shrinking goes to the largest size of the window", fleetOf(8, 8), all(wants(1)), limits, History{Desired: []Desired{{secondsAgo(600), 9}, {secondsAgo(300), 4}, {secondsAgo(190), 5}, {secondsAgo(60), 2}}}, 5, false, nil, "stabilisation: 5 nodes were proposed 3m10s ago"},
		{"a size in force when the window began counts", fleetOf(8, 8), all(wants(1)), limits, History{Desired: []Desired{{secondsAgo(600), 7}, {secondsAgo(10), 1}}}, 7, false, nil, "stabilisation: 7 nodes were proposed 10m ago"},
		{"a larger size within the window keeps the group", fleetOf(4, 4), all(wants(1)), limits, History{Desired: []Desired{{secondsAgo(400), 1}, {secondsAgo(100), 9}}}, 4, false, nil, "stabilisation: 9 nodes were proposed 1m40s ago"},
		{"without a window shrinking goes at once", fleetOf(4, 4), all(wants(1)), spec.Scaling{}, History{}, 1, false, nil, "target: needs 1"},

		{"drops go without stabilisation", fleetOf(3, 3), all(drops("web-0002")), limits, History{}, 2, false, []string{"web-0002"}, "drop: web-0002"},
		{"drops go whatever the others keep", fleetOf(3, 3), all(wants(3), drops("web-0002")), limits, History{}, 2, false, []string{"web-0002"}, "drop: web-0002"},
		{"drops stop at min", fleetOf(3, 3), all(drops("web-0003", "web-0002", "web-0001")), limits, History{}, 1, false, []string{"web-0003", "web-0002"}, "drop: web-0001 cannot go now"},
		{"drops are cut to a step", fleetOf(3, 3), all(drops("web-0003", "web-0002")), stepped, History{}, 2, false, []string{"web-0003"}, "max_step_in: at most 1 of 2 removed"},
		{"drops wait for the cooldown", fleetOf(3, 3), all(drops("web-0003")), limits, cooled(History{}, 999, 5), 3, false, nil, "cooldown_in: 5s of 1m passed"},
		{"drops of several policies are joined", fleetOf(4, 4), all(drops("web-0003"), drops("web-0001", "web-0003")), limits, History{}, 2, false, []string{"web-0003", "web-0001"}, "drop: web-0003, web-0001"},
		{"drops do not go while the group is to grow", fleetOf(3, 3), all(wants(5), drops("web-0003")), limits, History{}, 5, false, nil, "drop: web-0003 cannot go while the group is to grow"},
		{"a drop of no node is told", fleetOf(3, 3), all(drops("web-0009")), limits, History{}, 3, false, nil, "drop: web-0009 does not exist"},
		{"a node that is on its way out is not counted twice", fleetOf(4, 3), all(drops("web-0004")), limits, History{Dropped: []string{"web-0004"}}, 3, false, nil, "drop: web-0004 is on its way out already"},
		{"a node that stayed may be dropped again", fleetOf(4, 4), all(drops("web-0004")), limits, History{Dropped: []string{"web-0004"}}, 3, false, []string{"web-0004"}, "drop: web-0004"},
		{"a drop and a smaller size go together", fleetOf(5, 5), all(drops("web-0003"), wants(1)), spec.Scaling{}, History{}, 4, false, []string{"web-0003"}, "drop: web-0003"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, _ := Decide(test.seen, test.proposals, test.limits, test.history)
			if got.To != test.to || got.From != test.seen.Wanted || got.Held != test.held {
				t.Errorf("Decide() = %d to %d, held %v, want %d to %d, held %v\n%s",
					got.From, got.To, got.Held, test.seen.Wanted, test.to, test.held, strings.Join(got.Reasons, "\n"))
			}
			if diff := cmp.Diff(test.drop, got.Drop); diff != "" {
				t.Errorf("Drop (-want +got):\n%s", diff)
			}
			if reasons := strings.Join(got.Reasons, "\n"); !strings.Contains(reasons, test.reason) {
				t.Errorf("Reasons = %q, want them to say %q", reasons, test.reason)
			}
			if got.Group != "web" || !got.At.Equal(decideNow) || len(got.Proposals) != len(test.proposals) {
				t.Errorf("Decide() = %+v, want the group, the instant and the proposals in it", got)
			}
		})
	}
}

func TestDecideReasonsComeInOrder(t *testing.T) {
	h := History{LastIn: secondsAgo(42), Desired: []Desired{{secondsAgo(600), 7}, {secondsAgo(190), 5}}}
	limits := spec.Scaling{CooldownIn: spec.Duration(time.Minute), Stabilisation: spec.Duration(5 * time.Minute)}
	got, _ := Decide(fleetOf(8, 8), []policy.Proposal{wants(0), wants(1)}, limits, h)
	want := []string{
		"target: needs 0", "target: needs 1",
		"stabilisation: 7 nodes were proposed 10m ago",
		"cooldown_in: 42s of 1m passed since the last change",
	}
	if diff := cmp.Diff(want, got.Reasons); diff != "" {
		t.Errorf("Reasons (-want +got):\n%s", diff)
	}
}

func TestDecideRemembers(t *testing.T) {
	window := spec.Scaling{Stabilisation: spec.Duration(time.Minute)}
	before := History{LastOut: secondsAgo(500), LastIn: secondsAgo(400), Desired: []Desired{{secondsAgo(90), 2}, {secondsAgo(61), 3}, {secondsAgo(30), 2}}}
	for _, test := range []struct {
		name      string
		proposals []policy.Proposal
		want      History
	}{
		{"growth, which is a turn after shrinking", []policy.Proposal{wants(5)}, History{LastOut: decideNow, LastIn: secondsAgo(400), Turns: []time.Time{decideNow}, Desired: []Desired{{secondsAgo(61), 3}, {secondsAgo(30), 2}, {decideNow, 5}}}},
		{"shrinking", []policy.Proposal{wants(1)}, History{LastOut: secondsAgo(500), LastIn: decideNow, Desired: []Desired{{secondsAgo(61), 3}, {secondsAgo(30), 2}, {decideNow, 1}}}},
		{"no change", []policy.Proposal{wants(4)}, History{LastOut: secondsAgo(500), LastIn: secondsAgo(400), Desired: []Desired{{secondsAgo(61), 3}, {secondsAgo(30), 2}, {decideNow, 4}}}},
		{"a hold, which leaves the last size in force", []policy.Proposal{wants(1), holding()}, History{LastOut: secondsAgo(500), LastIn: secondsAgo(400), Desired: before.Desired}},
		{"a drop", []policy.Proposal{drops("web-0002")}, History{LastOut: secondsAgo(500), LastIn: decideNow, Desired: []Desired{{secondsAgo(61), 3}, {secondsAgo(30), 2}, {decideNow, 4}}, Dropped: []string{"web-0002"}}},
	} {
		_, got := Decide(fleetOf(4, 4), test.proposals, window, before)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: history (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestDecideThroughAnOutage follows a group whose monitoring fails: the group
// keeps its size throughout, and shrinks a whole window after the last tick at
// which it was needed, not at the first tick with metrics.
func TestDecideThroughAnOutage(t *testing.T) {
	limits := spec.Scaling{Stabilisation: spec.Duration(5 * time.Minute)}
	o := fleetOf(6, 6)
	var h History
	shrunk := time.Duration(0)
	for at := time.Duration(0); at <= time.Hour && shrunk == 0; at += 15 * time.Second {
		o.Now = decideNow.Add(at)
		p := wants(2)
		switch {
		case at < 10*time.Minute:
			p = wants(6)
		case at < 30*time.Minute:
			p = holding()
		}
		var d Decision
		d, h = Decide(o, []policy.Proposal{p}, limits, h)
		if d.To < 6 {
			shrunk = at
		}
	}
	if want := 35 * time.Minute; shrunk != want {
		t.Errorf("shrunk after %v, want %v", shrunk, want)
	}
}

func TestElapsed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 42 * time.Second: "42s", 60 * time.Second: "1m", 190 * time.Second: "3m10s", 600 * time.Second: "10m",
		time.Hour: "1h", 90 * time.Minute: "1h30m", 250 * time.Millisecond: "250ms", 1499 * time.Millisecond: "1s",
	} {
		if got := elapsed(d); got != want {
			t.Errorf("elapsed(%v) = %q, want %q", d, got, want)
		}
	}
}
