package backtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// Entry is a policy that can be asked for by name.
type Entry struct {
	Name string
	// About is a line about it.
	About string
	Make  Maker
	// Learns is set for policies that train: a simulated day takes them seconds.
	Learns bool
}

// BuiltIn are the policies that need no description, in the order in which tables
// show them.
func BuiltIn() []Entry {
	var all []Entry
	add := func(name, about string, m Maker) { all = append(all, Entry{Name: name, About: about, Make: m}) }
	for _, goal := range []float64{50, 60, 70} {
		add(fmt.Sprintf("tt%g", goal), fmt.Sprintf("AWS target tracking of %g%% CPU", goal), TargetTracking(goal))
	}
	add("step", "AWS step scaling between 40% and 70% CPU", StepScaling)
	for _, goal := range []float64{50, 60, 70} {
		add(fmt.Sprintf("hpa%g", goal), fmt.Sprintf("Kubernetes' HorizontalPodAutoscaler at %g%% CPU", goal), HPA(goal))
	}
	add("target60", "scalerd's own target policy at 60% CPU, with its default scaling", ownTarget(60))
	all = append(all,
		Entry{Learns: true, Name: "auto", About: "scalerd's optimizer, without any training before", Make: Advised("auto", optimizer.Auto)},
		Entry{Learns: true, Name: "published", About: "MiCADO's published method, which trains on its first 300 samples", Make: Advised("published", optimizer.Published)},
		Entry{Learns: true, Name: "published-2750", About: "the same, trained on 2750 samples before", Make: Trained("published-2750", optimizer.Published, 2750)})
	return all
}

// Find finds a built-in policy by its name.
func Find(name string) (Entry, error) {
	all := BuiltIn()
	if i := slices.IndexFunc(all, func(e Entry) bool { return e.Name == name }); i >= 0 {
		return all[i], nil
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name)
	}
	return Entry{}, fmt.Errorf("no policy is called %q: choose one of %s, or a group of a description as FILE#GROUP", name, strings.Join(names, ", "))
}

// ownTarget is a description's target policy with the scaling that a description
// has by default.
func ownTarget(goal float64) Maker {
	return func(g Group) (Policy, error) {
		group := &spec.Group{
			Name: "group", Min: g.Min, Max: g.Max,
			Policies: []spec.Policy{{Name: "target", Target: &spec.Target{Query: MetricCPU, Value: goal, Kind: spec.TargetAverage, Tolerance: 0.1}}},
			Scaling:  spec.Scaling{CooldownIn: spec.Duration(time.Minute), Stabilisation: spec.Duration(5 * time.Minute)},
		}
		return newDescribed(fmt.Sprintf("target%g", goal), &spec.Application{}, group, nil, g)
	}
}
