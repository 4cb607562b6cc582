package scaler_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// learning is an application whose size follows its optimizer.
const learning = `name: shop
interval: 10s
queries: {requests: requests, latency: latency}
groups:
  - name: web
    cloud: local
    min: 1
    max: 9
    initial: 3
    policies: [{advice: {}}]
    scaling: {cooldown_in: 0s, stabilisation: 0s, max_turns: 0}
    optimizer:
      method: published
      inputs: [requests]
      targets: [{query: latency, min: 0.05, max: 0.2}]
      training_samples_required: 30
`

// latency is that of a fleet of single-server queues that serve 10 a second each.
func latency(load float64, nodes int) float64 {
	rho := load / 10 / math.Max(float64(nodes), 1)
	return 0.1 / (1 - math.Min(rho, 0.95))
}

// work lets the fleet work for so many ticks under loads from a wave.
func (w *world) work(ticks int) {
	w.t.Helper()
	for i := range ticks {
		load := 14 + 6*math.Sin(float64(i)/5)
		ready := w.group("web").Ready
		w.meters.set("requests", load/math.Max(float64(ready), 1))
		w.meters.set("latency", latency(load, ready))
		pass(10 * time.Second)
	}
}

// teach works at several sizes, so that there is something to learn.
func (w *world) teach() {
	w.t.Helper()
	for _, nodes := range []int{2, 4, 3, 5, 4, 2, 3, 5} {
		if _, err := w.Scale(w.t.Context(), "shop", "web", nodes); err != nil {
			w.t.Fatal(err)
		}
		w.work(8)
	}
}

func (w *world) advisor(name string) *scaler.Advisor {
	w.t.Helper()
	all, err := w.Optimizers(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := all.Get(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func TestAGroupLearnsFromItsTicksAndFollowsTheAdvice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(learning)
		pass(10 * time.Second)
		w.work(5)
		g := w.group("web")
		if g.Optimizer == nil || g.Optimizer.Advice == nil || g.Optimizer.Advice.Valid || g.Optimizer.Advice.Phase != optimizer.Training {
			t.Fatalf("optimizer at first = %+v, want an advice that is not valid, in training", g.Optimizer)
		}
		if g.Wanted != 3 || g.State() == "held" {
			t.Errorf("at first %d nodes wanted, %s; want 3 and no hold: an optimizer that learns has no opinion", g.Wanted, g.State())
		}
		w.teach()
		w.work(10)
		g = w.group("web")
		o := g.Optimizer
		if o.Trainings == 0 || len(o.Quality) == 0 || o.Problem != "" {
			t.Fatalf("after %d samples: %d trainings, quality %v, problem %q", o.Samples, o.Trainings, o.Quality, o.Problem)
		}
		if o.Samples < 75 {
			t.Errorf("%d samples, want one of each of about 79 ticks", o.Samples)
		}
		if !o.Advice.Valid || o.Advice.Phase != optimizer.Production || g.Wanted != o.Advice.Nodes {
			t.Errorf("advice %+v and %d nodes wanted, want what is advised; decision %q", o.Advice, g.Wanted, g.Decision.Reasons)
		}
		if d := g.Decision; d.Advice == nil || !strings.Contains(strings.Join(d.Reasons, "\n"), "advised (production, reliability") {
			t.Errorf("decision %+v does not show the advice", d)
		}
	})
}

func TestTrainingNeverBlocksATick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(learning)
		pass(10 * time.Second)
		release := w.HoldTrainings()
		w.teach()
		before := w.group("web").Optimizer
		if before.TrainingSince.IsZero() || before.Trainings != 0 {
			t.Fatalf("optimizer = %+v, want a training that is held", before)
		}
		w.work(20)
		during := w.group("web").Optimizer
		if during.Samples != before.Samples+20 || !during.TrainingSince.Equal(before.TrainingSince) {
			t.Errorf("%d samples and training since %s, want %d and the one training of %s", during.Samples, during.TrainingSince, before.Samples+20, before.TrainingSince)
		}
		if got := during.Advice.Error; !strings.Contains(got, "first training") {
			t.Errorf("advice says %q, want that the first training is not done", got)
		}
		release()
		w.work(2)
		if after := w.group("web").Optimizer; after.Trainings != 1 || !after.Advice.Valid {
			t.Errorf("optimizer = %+v, want the training in use at a later tick", after)
		}
	})
}

func TestAShutdownCancelsTrainings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(learning)
		pass(10 * time.Second)
		w.HoldTrainings()
		w.teach()
		w.stop() // hangs, and the bubble is a deadlock, if the training is waited for
	})
}

func TestAFailingTrainingSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(learning)
		pass(10 * time.Second)
		w.work(60) // never another size: nothing to learn about scaling
		o := w.group("web").Optimizer
		if !strings.Contains(o.Problem, "training failed") || o.Advice.Valid || o.Advice.Error == "" {
			t.Errorf("optimizer = %+v, advice %+v, want a training that failed", o, o.Advice)
		}
	})
}

func TestAMetricWithoutAValueIsNamedAndHoldsTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(learning)
		pass(10 * time.Second)
		w.teach()
		w.work(2)
		wanted := w.group("web").Wanted
		w.meters.miss("requests", policy.NoSeries)
		pass(20 * time.Second)
		g := w.group("web")
		if a := g.Optimizer.Advice; a.Valid || !strings.Contains(a.Error, "requests") {
			t.Errorf("advice = %+v, want one that is not valid and names requests", a)
		}
		if g.Wanted != wanted || g.State() != "held" {
			t.Errorf("%d nodes, %s; want %d, held", g.Wanted, g.State(), wanted)
		}
	})
}

func TestARestartKeepsWhatAGroupHasLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(learning)
		pass(10 * time.Second)
		w.teach()
		w.work(5)
		before := w.group("web").Optimizer
		w.restart()
		pass(time.Second)
		after := w.advisor("shop.web").Status()
		if diff := cmp.Diff(before, &after, cmpopts.IgnoreFields(scaler.AdvisorStatus{}, "Trainings", "TrainingSeconds"), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("optimizer after a restart (-before +after):\n%s", diff)
		}
	})
}

// simulated are samples of a fleet at an external loop's own time.
func simulated(from, n int) []scaler.Sample {
	var samples []scaler.Sample
	for i := from; i < from+n; i++ {
		load := 20 + 8*math.Sin(float64(i)/20)
		nodes := 3 + i/7%3
		samples = append(samples, scaler.Sample{Sample: optimizer.Sample{
			At: time.Date(2020, 1, 1, 0, 0, i*15, 0, time.UTC), Nodes: nodes, Total: nodes,
			Values: map[string]float64{"rate": load / float64(nodes), "cpu": 10*load/float64(nodes) + float64(i%5), "latency": latency(load, nodes)},
		}})
	}
	return samples
}

func simulation() optimizer.Config {
	c := optimizer.Default()
	c.Method, c.Inputs, c.TrainingSamplesRequired = optimizer.Published, []string{"rate", "cpu"}, 40
	most := 0.3
	c.Targets = []optimizer.Target{{Name: "latency", Max: &most}}
	return c
}

func (w *world) configure(name string, c optimizer.Config) *scaler.Advisor {
	w.t.Helper()
	all, err := w.Optimizers(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := all.Configure(w.t.Context(), name, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func learn(t *testing.T, a *scaler.Advisor, samples []scaler.Sample, wait bool) optimizer.Advice {
	t.Helper()
	if err := a.Learn(t.Context(), samples, wait); err != nil {
		t.Fatal(err)
	}
	advice, err := a.Advise(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return advice
}

func TestWaitingForTrainingMakesBatchesEqual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		one := learn(t, w.configure("one", simulation()), simulated(0, 200), true)
		many := w.configure("many", simulation())
		for i := 0; i < 190; i += 10 {
			if err := many.Learn(t.Context(), simulated(i, 10), true); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(one, learn(t, many, simulated(190, 10), true)); diff != "" || !one.Valid {
			t.Errorf("advice after one batch and after twenty (-one +twenty):\n%s\n%+v", diff, one)
		}
	})
}

func TestARestartGivesTheSameAdvice(t *testing.T) {
	for _, method := range []optimizer.Method{optimizer.Auto, optimizer.Published} {
		for _, wait := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, wait %v", method, wait), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					c := simulation()
					c.Method = method
					a := w.configure("sim", c)
					for i := 0; i < 300; i += 20 {
						learn(t, a, simulated(i, 20), wait)
						pass(time.Minute)
					}
					before := learn(t, a, simulated(300, 1), wait)
					w.restart()
					after, err := w.advisor("sim").Advise(time.Time{})
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(before, after); diff != "" || !before.Valid {
						t.Errorf("advice after a restart (-before +after):\n%s\n%+v", diff, before)
					}
					if got := w.advisor("sim").Status().Samples; got != 301 {
						t.Errorf("%d samples after a restart, want 301", got)
					}
				})
			})
		}
	}
}

func TestAKnowledgeGoesFromOneOptimizerToAnother(t *testing.T) {
	for _, format := range []string{"csv", "json"} {
		t.Run(format, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				from, to := w.configure("from", simulation()), w.configure("to", simulation())
				learn(t, from, simulated(0, 100), true)
				learn(t, to, simulated(100, 20), true)
				var file strings.Builder
				if err := from.Export(&file, format); err != nil {
					t.Fatal(err)
				}
				imported, err := to.Import(t.Context(), strings.NewReader(file.String()), format)
				if err != nil || imported.Added != 100 {
					t.Fatalf("Import() = %+v, %v, want 100 added", imported, err)
				}
				advice, err := to.Advise(time.Time{})
				if err != nil || !advice.Valid {
					t.Errorf("Advise() = %+v, %v, want a valid one: what was imported is trained on", advice, err)
				}
				w.restart()
				again, err := w.advisor("to").Advise(time.Time{})
				if diff := cmp.Diff(advice, again); diff != "" || err != nil {
					t.Errorf("advice after a restart (-before +after), %v:\n%s", err, diff)
				}
			})
		})
	}
}

func TestARefusedBatchLeavesNothing(t *testing.T) {
	good := func() []scaler.Sample { return simulated(50, 3) }
	for _, tt := range []struct {
		name string
		mend func(s []scaler.Sample)
		want error
	}{
		{"a duplicate instant", func(s []scaler.Sample) { s[2].At = s[1].At }, optimizer.ErrDuplicate},
		{"a clock that jumps back", func(s []scaler.Sample) { s[2].At = s[0].At.Add(-time.Second) }, optimizer.ErrClockBack},
		{"before what is known", func(s []scaler.Sample) { s[0].At = s[0].At.Add(-time.Hour) }, optimizer.ErrClockBack},
		{"fewer nodes than none", func(s []scaler.Sample) { s[2].Nodes = -1 }, optimizer.ErrNodes},
		{"fewer nodes than are ready", func(s []scaler.Sample) { s[2].Total = 1 }, optimizer.ErrNodes},
		{"more nodes than there can be", func(s []scaler.Sample) { s[2].Nodes, s[2].Total = math.MaxInt, 0 }, optimizer.ErrNodes},
		{"a missing and an unknown metric", func(s []scaler.Sample) { delete(s[2].Values, "cpu"); s[2].Values["gpu"] = 1 },
			&optimizer.NamesError{Missing: []string{"cpu"}, Unknown: []string{"gpu"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.configure("sim", simulation())
				learn(t, a, simulated(0, 50), false)
				samples := good()
				tt.mend(samples)
				err := a.Learn(t.Context(), samples, false)
				names := (*optimizer.NamesError)(nil)
				if errors.As(tt.want, &names) {
					if got := (*optimizer.NamesError)(nil); !errors.As(err, &got) || !cmp.Equal(got, names) {
						t.Errorf("Learn() = %v, want %v", err, tt.want)
					}
				} else if !errors.Is(err, tt.want) {
					t.Errorf("Learn() = %v, want %v", err, tt.want)
				}
				if got := a.Status().Samples; got != 50 {
					t.Errorf("%d samples after the refusal, want 50", got)
				}
				if err := a.Learn(t.Context(), good(), false); err != nil {
					t.Errorf("Learn() of good samples after that = %v", err)
				}
			})
		})
	}
}

func TestSamplesWithoutUsableValuesNeverGiveAWildCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for name, value := range map[string]float64{"nan": math.NaN(), "inf": math.Inf(1), "huge": 1e300, "tiny": 5e-324, "negative": -1e9} {
			a := w.configure(name, simulation())
			samples := simulated(0, 120)
			for i := range samples {
				if i%3 != 0 || i > 100 {
					samples[i].Values["cpu"] = value
				}
			}
			advice := learn(t, a, samples, true)
			if advice.Nodes < 1 || advice.Nodes > 10 || advice.Valid && math.IsNaN(advice.Reliability) || !advice.Valid && advice.Error == "" {
				t.Errorf("%s: advice %+v, want one within 1..10, or none with a reason", name, advice)
			}
		}
	})
}

func TestRetentionBoundsTheStoreAsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := simulation()
		c.Retain = optimizer.Retention{Recent: 200, Older: 100}
		a := w.configure("sim", c)
		for i := 0; i < 4000; i += 500 {
			if err := a.Learn(t.Context(), simulated(i, 500), false); err != nil {
				t.Fatal(err)
			}
			pass(time.Minute)
		}
		kept, stored := a.Status().Samples, w.stored("sim")
		if kept > 300 || stored > kept+1500 {
			t.Errorf("%d samples kept and %d stored, want at most 300, and not many more", kept, stored)
		}
	})
}

func (w *world) stored(name string) int {
	w.t.Helper()
	samples, err := w.db.Samples(context.Background(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(samples)
}

func TestAnotherConfigurationKeepsTheSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.configure("sim", simulation())
		learn(t, a, simulated(0, 60), true)
		c := simulation()
		c.MaxNodes, c.Inputs = 20, []string{"rate", "cpu", "disk"}
		a = w.configure("sim", c)
		if got := a.Status(); got.Samples != 60 {
			t.Errorf("%d samples with another metric, want the 60 of before, without it", got.Samples)
		}
		c.KnowledgeBase = optimizer.BuildNew
		if got := w.configure("sim", c).Status(); got.Samples != 0 {
			t.Errorf("%d samples after build_new, want none", got.Samples)
		}
	})
}

func TestMiCADOsNamesConfigureAnOptimizer(t *testing.T) {
	const text = `name: shop
constants:
  m_opt_init_knowledge_base: use_existing
  m_opt_init_training_samples_required: "50"
  m_opt_target_minth_LAT: 9000
  m_opt_target_maxth_LAT: "15000"
queries:
  m_opt_input_CPU: avg(cpu)
  m_opt_input_AVG_RR: avg(rate)
  m_opt_target_query_LAT: avg(latency)
groups:
  - name: web
    cloud: local
    min: 2
    max: 7
    policies:
      - rule: |
          adv = m_opt_advice()
          if adv['valid']:
            m_node_count = adv['vm_number']
  - {name: db, cloud: local, max: 3}
`
	app, _, err := scaler.Validate(scaler.Source{File: "shop.yaml", Text: []byte(text)}, func(string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	got, queries, err := scaler.OptimizationOf(app, "web")
	if err != nil {
		t.Fatal(err)
	}
	want := optimizer.Default()
	least, most := 9000.0, 15000.0
	want.MinNodes, want.MaxNodes, want.TrainingSamplesRequired, want.Interval = 2, 7, 50, 15*time.Second
	want.Inputs, want.Targets = []string{"AVG_RR", "CPU"}, []optimizer.Target{{Name: "LAT", Min: &least, Max: &most}}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"CPU": "m_opt_input_CPU", "AVG_RR": "m_opt_input_AVG_RR", "LAT": "m_opt_target_query_LAT"}, queries); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
	if got, _, err := scaler.OptimizationOf(app, "db"); got != nil || err != nil {
		t.Errorf("a group that asks for no advice has the optimizer %+v, %v", got, err)
	}
}

func TestMistakesInOptimizersAreFoundBeforeTheyRun(t *testing.T) {
	group := "groups:\n  - name: web\n    cloud: local\n    max: 3\n"
	rule := "    policies: [{rule: 'm_node_count = m_opt_advice()[\"vm_number\"]'}]\n"
	for _, tt := range []struct{ name, text, want string }{
		{"an advice of nobody", "name: shop\n" + group + "    policies: [{advice: {}}]\n",
			"6:17 groups[0].policies[0].advice: follows an optimizer, and the group has none; add optimizer: with inputs and targets to the group"},
		{"a threshold that is a text", "name: shop\nconstants: {m_opt_target_maxth_L: much}\nqueries: {m_opt_input_C: c, m_opt_target_query_L: l}\n" + group + rule,
			"2:13 constants.m_opt_target_maxth_L: is not a number: write the threshold itself"},
		{"no threshold", "name: shop\nqueries: {m_opt_input_C: c, m_opt_target_query_L: l}\n" + group + rule,
			"2:29 queries.m_opt_target_query_L: has no limit; add m_opt_target_minth_L, m_opt_target_maxth_L or both"},
		{"an unknown setting", "name: shop\nconstants: {m_opt_init_samples: 3, m_opt_target_maxth_L: 1}\nqueries: {m_opt_input_C: c, m_opt_target_query_L: l}\n" + group + rule,
			"2:13 constants.m_opt_init_samples: is 3: no such constant; known are"},
		{"too few samples", "name: shop\nconstants: {m_opt_init_training_samples_required: 3, m_opt_target_maxth_L: 1}\nqueries: {m_opt_input_C: c, m_opt_target_query_L: l}\n" + group + rule,
			"2:13 constants.m_opt_init_training_samples_required: is 3; use 10 or more"},
		{"two optimizers", "name: shop\nqueries: {l: l}\n" + group + "    queries: {m_opt_input_C: c}\n    optimizer: {inputs: [m_opt_input_C], targets: [{query: l, max: 1}]}\n",
			"8:5 groups[0].optimizer: is set, and queries m_opt_input_* configure an optimizer too; keep one of them"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := scaler.Validate(scaler.Source{File: "shop.yaml", Text: []byte(tt.text)}, func(string) error { return nil })
			if err == nil || !strings.HasPrefix(err.Error(), "shop.yaml:"+tt.want) {
				t.Errorf("Validate() = %v, want %s", err, tt.want)
			}
		})
	}
}

// TestTheBlocksDefaultsAreTheOptimizers keeps the two lists of defaults together.
func TestTheBlocksDefaultsAreTheOptimizers(t *testing.T) {
	const text = `name: shop
interval: 20s
queries: {a: a, b: b}
groups: [{name: web, cloud: local, max: 10, optimizer: {inputs: [a], targets: [{query: b, max: 1}]}}]
`
	app, err := spec.Parse("shop.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := scaler.OptimizationOf(app, "web")
	if err != nil {
		t.Fatal(err)
	}
	want := optimizer.Default()
	most := 1.0
	want.Inputs, want.Targets, want.Interval, want.BootHint = []string{"a"}, []optimizer.Target{{Name: "b", Max: &most}}, 20*time.Second, 2*time.Minute
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}
