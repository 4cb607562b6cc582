package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
	"pgregory.net/rapid"
)

func value(v float64) policy.Reading { return policy.Reading{Samples: []policy.Sample{{Value: v}}} }

// reading is a group of three ready nodes with these metrics.
func reading(values map[string]float64) policy.Observation {
	return seen(func(o *policy.Observation) {
		o.Max, o.Initial = 9, 2
		for name, v := range values {
			o.Readings[name] = value(v)
		}
	})
}

func whole(n int) *int { return &n }

// said is a proposal in one line: its size or what it is in place of one, its
// clamps, and whether it is held for want of a metric.
func said(p policy.Proposal) string {
	var text string
	switch {
	case p.Hold:
		text = "hold"
	case p.Abstain:
		text = "abstain"
	default:
		text = strings.Repeat("#", p.Nodes)
	}
	for _, bound := range []struct {
		name string
		n    *int
	}{{" min ", p.Min}, {" max ", p.Max}} {
		if bound.n != nil {
			text += bound.name + strings.Repeat("#", *bound.n)
		}
	}
	return text
}

func TestBuiltInPolicies(t *testing.T) {
	several := spec.Policy{Target: &spec.Target{Tolerance: 0.1, Queries: []spec.TargetQuery{
		{Query: "cpu", Value: 50}, {Query: "rps", Value: 10, Kind: spec.TargetTotal},
	}}}
	jobs := spec.Policy{Deadline: &spec.Deadline{Jobs: "jobs", JobTakes: spec.Duration(time.Minute), Slots: 2, By: "2023-11-14T23:13:21Z"}} // an hour ahead
	asked := spec.Policy{Deadline: &spec.Deadline{Jobs: "jobs", JobTime: "each", JobTakes: spec.Duration(time.Minute), Remaining: "left"}}
	active := spec.Policy{Activation: &spec.Activation{Query: "jobs", Above: 1, Nodes: 2}}
	windows := spec.Policy{Schedule: &spec.Schedule{TimeZone: "Europe/Budapest", Windows: []spec.Window{
		{Cron: "0 23 * * *", For: spec.Duration(time.Hour), Min: whole(2), Max: whole(4)}, // 22:00 to 23:00 UTC in winter
		{From: "2023-11-15 23:30", To: "2023-11-16 00:30", Count: whole(7)},
	}, Otherwise: &spec.Bounds{Max: whole(3)}}}
	at := func(text string) policy.Observation {
		return seen(func(o *policy.Observation) { o.Now, _ = time.Parse(time.RFC3339, text) })
	}
	for _, test := range []struct {
		name   string
		policy spec.Policy
		seen   policy.Observation
		want   string
		reason string
	}{
		{"of several queries the one that needs the most wins", several, reading(map[string]float64{"cpu": 40, "rps": 75}), "########", "cpu is 40, goal 50: 3 ready nodes need 3; rps is 75, 10 a node: 8 nodes needed"},
		{"of several queries one may have no value while another asks for more", several, reading(map[string]float64{"rps": 75}), "########", "cpu was not asked"},
		{"of several queries one without a value holds the others from less", several, reading(map[string]float64{"rps": 5}), "hold", "cpu was not asked"},

		{"jobs are spread over the time that is left", jobs, reading(map[string]float64{"jobs": 600}), "#####", "600 jobs of 1m0s in 1h0m0s, 2 jobs at once on a node: 5 nodes needed"},
		{"no more nodes than have work", jobs, reading(map[string]float64{"jobs": 3}), "#", "1 node needed"},
		{"no job needs no node", jobs, reading(map[string]float64{"jobs": 0}), "", "jobs is 0: nothing to do"},
		{"nodes that are yet to come have less time", jobs, seen(func(o *policy.Observation) {
			o.Readings["jobs"], o.Lead, o.Max = value(600), 30*time.Minute, 20
		}), "#######", "new ones are ready after 30m"},
		{"a time that is over wants all there may be", asked, reading(map[string]float64{"jobs": 10, "each": 60, "left": -5}), "#########", "the time is over"},
		{"the time of a job is a query", asked, reading(map[string]float64{"jobs": 10, "each": 120, "left": 300}), "####", "10 jobs of 2m0s in 5m0s"},
		{"the time of a job is as described until the query has one", asked, reading(map[string]float64{"jobs": 10, "left": 300}), "##", "10 jobs of 1m0s"},
		{"a number of jobs that is unknown holds", jobs, reading(nil), "hold", "jobs was not asked"},

		{"an active group has its least size", active, reading(map[string]float64{"jobs": 2}), "abstain min ##", "jobs is 2, above 1: active"},
		{"a group that is not active has no opinion", active, reading(map[string]float64{"jobs": 1}), "abstain", "not active"},
		{"an activation that is unknown holds", active, reading(nil), "hold", "jobs was not asked"},

		{"a window is open", windows, at("2023-11-14T22:10:00Z"), "abstain min ## max ####", "2 to 4 nodes until 2023-11-15 00:00 (Europe/Budapest)"},
		{"a window that happens once wins", windows, at("2023-11-15T22:40:00Z"), "abstain min ####### max #######", "7 nodes until 2023-11-16 00:30"},
		{"outside of all windows", windows, at("2023-11-14T12:00:00Z"), "abstain max ###", "at most 3 nodes outside of all windows"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := mustNew(t, test.policy, nil).Propose(test.seen)
			if said(got) != test.want || !strings.Contains(got.Reason, test.reason) {
				t.Errorf("Propose() = %q (%s), want %q (%s)", said(got), got.Reason, test.want, test.reason)
			}
		})
	}
}

func TestAnswersToMissingMetrics(t *testing.T) {
	answers := spec.DefaultMissing()
	answers.NoSeries, answers.NaN, answers.Stale, answers.Floor = spec.AnswerZero, spec.AnswerAbstain, spec.AnswerFloor, whole(4)
	described := spec.Policy{Missing: &answers, Target: &spec.Target{Query: "cpu", Value: 50, Kind: spec.TargetTotal}}
	bare := spec.Policy{Target: described.Target}
	for _, test := range []struct {
		policy spec.Policy
		why    policy.Missing
		want   string
		hold   time.Duration
	}{
		{described, policy.NoSeries, "", 0},
		{described, policy.NaN, "abstain", 0},
		{described, policy.Stale, "####", 0},
		{described, policy.QueryError, "hold", 2 * time.Hour},
		{described, policy.Unreachable, "hold", 2 * time.Hour},
		{bare, policy.NoSeries, "hold", 2 * time.Hour},
		{bare, policy.NaN, "hold", 2 * time.Hour},
		{bare, policy.Stale, "hold", 2 * time.Hour},
	} {
		o := settled()
		o.Readings["cpu"] = policy.Reading{Missing: test.why}
		got := mustNew(t, test.policy, nil).Propose(o)
		if said(got) != test.want || got.HoldFor != test.hold || got.Hold && got.Missing != test.why {
			t.Errorf("Propose() with %s = %q for %v (%s), want %q for %v", test.why, said(got), got.HoldFor, got.Reason, test.want, test.hold)
		}
		if diff := cmp.Diff(policy.Reading{Missing: test.why}, o.Readings["cpu"]); diff != "" {
			t.Errorf("Propose() changed what it was given:\n%s", diff)
		}
	}
	zero := spec.DefaultMissing()
	zero.Unreachable = spec.AnswerZero
	failing := spec.Policy{Missing: &zero, Rule: rule("m_node_count = 2 // CPU").Rule}
	o := settled()
	o.Readings["CPU"] = policy.Reading{Missing: policy.Unreachable}
	if got := mustNew(t, failing, nil).Propose(o); !got.Hold || got.HoldFor != 0 || got.Error == "" {
		t.Errorf("Propose() of a rule that fails = %+v, want a hold without an end", got)
	}
}

// TestStepsKnowTheLeastSize checks that with the least size that steps tell, and
// any larger one, the mean comes into no band that grows.
func TestStepsKnowTheLeastSize(t *testing.T) {
	p := mustNew(t, spec.Policy{Steps: &spec.Steps{Query: "cpu", Kind: spec.TargetAverage, Bands: []spec.Band{
		{Above: float(70), Change: whole(1)}, {Below: float(30), Change: whole(-1)},
	}}}, nil)
	rapid.Check(t, func(t *rapid.T) {
		ready := rapid.IntRange(1, 20).Draw(t, "ready")
		cpu := rapid.Float64Range(0, 70).Draw(t, "cpu")
		o := group(ready, 0, ready, cpu)
		o.Readings["cpu"] = value(cpu)
		least := p.Propose(o).Least
		for n := max(least, 1); n <= ready; n++ {
			if after := cpu * float64(ready) / float64(n); after > 70 {
				t.Fatalf("Least = %d of %d at %v, and with %d nodes it would be %v", least, ready, cpu, n, after)
			}
		}
		if least > 1 && cpu*float64(ready)/float64(least-1) <= 70 {
			t.Fatalf("Least = %d of %d at %v, and one less would do", least, ready, cpu)
		}
	})
}

func float(f float64) *float64 { return &f }
