package policy_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
	"pgregory.net/rapid"
)

// group is an observation of ready nodes and booting ones, of which wanted are
// wanted, with one value for the query q.
func group(ready, booting, wanted int, q float64) policy.Observation {
	o := policy.Observation{Group: "web", Wanted: wanted, Min: 0, Max: 100}
	for i := range ready + booting {
		name := fmt.Sprintf("web-%04d", i+1)
		o.Nodes = append(o.Nodes, policy.Node{Name: name, ID: "i-" + name, Address: fmt.Sprintf("10.0.0.%d", i+1), Ready: i < ready})
	}
	o.Readings = map[string]policy.Reading{"q": {Samples: []policy.Sample{{Value: q}}}}
	return o
}

func mustNew(t testing.TB, p spec.Policy, constants map[string]any) policy.Policy {
	t.Helper()
	made, err := policy.New(p, constants)
	if err != nil {
		t.Fatalf("New(%+v): %v", p, err)
	}
	return made
}

const held = -1

// size is the proposal's size, or held.
func size(p policy.Proposal) int {
	if p.Hold {
		return held
	}
	return p.Nodes
}

func TestTarget(t *testing.T) {
	average := spec.Target{Query: "q", Value: 60, Kind: spec.TargetAverage, Tolerance: 0.1}
	total := spec.Target{Query: "q", Value: 50, Kind: spec.TargetTotal, Tolerance: 0.1}
	for _, test := range []struct {
		name   string
		target spec.Target
		seen   policy.Observation
		want   int
		reason string
	}{
		{"a mean above the goal grows in proportion", average, group(4, 0, 4, 83.2), 6, "q is 83.2, goal 60: 4 ready nodes need 6"},
		{"a mean below the goal shrinks in proportion", average, group(4, 0, 4, 20), 2, "q is 20, goal 60: 4 ready nodes need 2"},
		{"a mean just within the tolerance changes nothing", average, group(4, 0, 4, 66), 4, "within 10%"},
		{"a mean just beyond the tolerance grows", average, group(4, 0, 4, 66.1), 5, "need 5"},
		{"no load at all asks for no node", average, group(4, 0, 4, 0), 0, "need 0"},
		{"a negative value asks for no node", average, group(4, 0, 4, -5), 0, "need 0"},
		{"an enormous value does not overflow", average, group(4, 0, 4, 1e300), math.MaxInt32, "need"},
		{"a floating-point error adds no node", spec.Target{Query: "q", Value: 0.1}, group(3, 0, 3, 0.2), 6, "need 6"},
		{"booting nodes are not asked for again", average, group(4, 2, 6, 83.2), 6, "4 ready nodes need 6"},
		{"booting nodes are not given up while the load is above the goal", average, group(2, 8, 10, 83), 10, "10 are wanted already"},
		{"within the tolerance booting nodes stay wanted", average, group(2, 8, 10, 60), 10, "no change"},
		{"nodes on their way out stay if the load needs them", average, group(5, 0, 3, 60), 5, "all 5 ready nodes are needed"},
		{"nodes that all boot are waited for", average, group(0, 3, 3, 0), held, "none of 3 nodes is ready yet"},
		{"nodes that do not exist yet are waited for", average, group(0, 0, 3, 0), held, "3 nodes wanted and none exists yet"},
		{"a mean can't leave zero, and says so", average, group(0, 0, 0, 90), 0, "kind: total"},
		{"a sum leaves zero", total, group(0, 0, 0, 120), 3, "q is 120, 50 a node: 3 nodes needed"},
		{"a sum of nothing stays at zero", total, group(0, 0, 0, 0), 0, "no change"},
		{"a sum is divided among nodes", total, group(4, 0, 4, 290), 6, "6 nodes needed"},
		{"a sum that the wanted nodes carry changes nothing", total, group(4, 0, 4, 219), 4, "what 4 nodes carry"},
		{"a sum is compared with the wanted nodes, not the ready ones", total, group(2, 2, 4, 200), 4, "no change"},
		{"a smaller sum shrinks", total, group(4, 0, 4, 100), 2, "2 nodes needed"},
		{"a sum over booting nodes alone shrinks nothing", total, group(0, 4, 4, 0), held, "none of 4 nodes is ready yet"},
		{"a sum that needs more than the booting nodes grows", total, group(0, 2, 2, 300), 6, "6 nodes needed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := mustNew(t, spec.Policy{Name: "cpu", Target: &test.target}, nil)
			got := p.Propose(test.seen)
			if size(got) != test.want {
				t.Errorf("Propose() = %d (%s), want %d", size(got), got.Reason, test.want)
			}
			if !strings.Contains(got.Reason, test.reason) {
				t.Errorf("Reason = %q, want it to say %q", got.Reason, test.reason)
			}
			if got.Policy != "cpu" {
				t.Errorf("Policy = %q, want cpu", got.Policy)
			}
		})
	}
}

func TestTargetAndStepsHoldWithoutValue(t *testing.T) {
	above := 1.0
	change := 1
	policies := []policy.Policy{
		mustNew(t, spec.Policy{Target: &spec.Target{Query: "q", Value: 60}}, nil),
		mustNew(t, spec.Policy{Target: &spec.Target{Query: "q", Value: 60, Kind: spec.TargetTotal}}, nil),
		mustNew(t, spec.Policy{Steps: &spec.Steps{Query: "q", Bands: []spec.Band{{Above: &above, Change: &change}}}}, nil),
	}
	for _, test := range []struct {
		name    string
		reading policy.Reading
		reason  string
	}{
		{"the query has no series", policy.Reading{Missing: policy.NoSeries}, "q has no value: no series"},
		{"the query had a value a moment ago", policy.Reading{Missing: policy.Stale}, "q has no value: stale"},
		{"the query was refused", policy.Reading{Missing: policy.QueryError, Detail: "parse error"}, "q has no value: query error: parse error"},
		{"the monitoring is down", policy.Reading{Missing: policy.Unreachable}, "unreachable"},
		{"the value is not a number", policy.Reading{Missing: policy.NaN}, "not a number"},
		{"the value is NaN though said to be present", policy.Reading{Samples: []policy.Sample{{Value: math.NaN()}}}, "not a number"},
		{"the value is infinite though said to be present", policy.Reading{Samples: []policy.Sample{{Value: math.Inf(1)}}}, "not a number"},
	} {
		for _, p := range policies {
			o := group(3, 0, 3, 0)
			o.Readings["q"] = test.reading
			got := p.Propose(o)
			if !got.Hold || !strings.Contains(got.Reason, test.reason) {
				t.Errorf("%s: %s: Propose() = hold %v %q, want a hold that says %q", test.name, p.Name(), got.Hold, got.Reason, test.reason)
			}
		}
	}
	o := group(3, 0, 3, 0)
	delete(o.Readings, "q")
	if got := policies[0].Propose(o); !got.Hold {
		t.Errorf("Propose() without a reading = %+v, want a hold", got)
	}
}

func TestTargetWarnsOfManySeries(t *testing.T) {
	o := group(2, 0, 2, 60)
	o.Readings["q"] = policy.Reading{Samples: []policy.Sample{{Value: 60}, {Value: 10}, {Value: 12}}}
	got := mustNew(t, spec.Policy{Target: &spec.Target{Query: "q", Value: 60}}, nil).Propose(o)
	if want := "the first of 3 series"; !strings.Contains(got.Reason, want) {
		t.Errorf("Reason = %q, want it to say %q", got.Reason, want)
	}
}

func TestMoreLoadNeverMeansFewerNodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := spec.Target{
			Query:     "q",
			Value:     rapid.Float64Range(0.01, 1000).Draw(t, "goal"),
			Kind:      rapid.SampledFrom([]spec.TargetKind{spec.TargetAverage, spec.TargetTotal}).Draw(t, "kind"),
			Tolerance: rapid.Float64Range(0, 1).Draw(t, "tolerance"),
		}
		p, err := policy.New(spec.Policy{Target: &target}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ready := rapid.IntRange(0, 20).Draw(t, "ready")
		booting := rapid.IntRange(0, 20).Draw(t, "booting")
		wanted := rapid.IntRange(0, 40).Draw(t, "wanted")
		load := rapid.Float64Range(0, 5000).Draw(t, "load")
		more := load + rapid.Float64Range(0, 5000).Draw(t, "more")
		low, high := p.Propose(group(ready, booting, wanted, load)), p.Propose(group(ready, booting, wanted, more))
		if low.Hold || high.Hold {
			return
		}
		if high.Nodes < low.Nodes {
			t.Fatalf("Propose(%v) = %d (%s), Propose(%v) = %d (%s), want no fewer for more load",
				load, low.Nodes, low.Reason, more, high.Nodes, high.Reason)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	one, two, minus := 1.0, 2.0, -1
	change := 1
	band := func(b spec.Band) spec.Policy {
		return spec.Policy{Steps: &spec.Steps{Query: "q", Bands: []spec.Band{b}}}
	}
	for _, test := range []struct {
		name   string
		policy spec.Policy
		want   string
	}{
		{"no kind", spec.Policy{Name: "p"}, "exactly one of target, steps, rule, advice, schedule, deadline and activation"},
		{"two kinds", spec.Policy{Target: &spec.Target{}, Rule: &spec.Rule{}}, "exactly one of target, steps, rule, advice, schedule, deadline and activation"},
		{"a target without a query", spec.Policy{Target: &spec.Target{Value: 1}}, "query is not set"},
		{"a target of zero", spec.Policy{Target: &spec.Target{Query: "q"}}, "must be above 0"},
		{"a target that is not a number", spec.Policy{Target: &spec.Target{Query: "q", Value: math.NaN()}}, "must be above 0"},
		{"a tolerance above 1", spec.Policy{Target: &spec.Target{Query: "q", Value: 1, Tolerance: 2}}, "within 0..1"},
		{"a kind that is none", spec.Policy{Target: &spec.Target{Query: "q", Value: 1, Kind: "mean"}}, "average or total"},
		{"steps without bands", spec.Policy{Steps: &spec.Steps{Query: "q"}}, "no bands"},
		{"a band without a bound", band(spec.Band{Change: &change}), "bands[0]: set above, below or both"},
		{"a band that holds nothing", band(spec.Band{Above: &two, Below: &one, Change: &change}), "hold no value"},
		{"a band without a change", band(spec.Band{Above: &one}), "exactly one of change, percent and nodes"},
		{"a band with two changes", band(spec.Band{Above: &one, Change: &change, Percent: &two}), "exactly one of change, percent and nodes"},
		{"a band with a size below zero", band(spec.Band{Above: &one, Nodes: &minus}), "at least 0"},
		{"a rule that does not parse", spec.Policy{Rule: &spec.Rule{Source: "if"}}, "rule:1:"},
	} {
		if _, err := policy.New(test.policy, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: New() = %v, want an error that says %q", test.name, err, test.want)
		}
	}
}
