package optimizer

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/optimizer/linreg"
	"github.com/scalerd/scalerd/optimizer/mlp"
)

func TestScalingEstimateMatchesD64WorkedByHand(t *testing.T) {
	// 10 + 0.5·60·2/(2+4) + 1.5·60·4/(2+4) = 10 + 10 + 60.
	s := scalingModel{Model: linreg.Model{Intercept: 10, Coef: []float64{0.5, 1.5}}}
	if got := s.estimate(60, 2, 4); math.Abs(got-80) > 1e-12 {
		t.Errorf("estimate() = %v, want 80", got)
	}
}

func TestMinMaxMapsOntoPlusMinusOne(t *testing.T) {
	s := fitMinMax([]float64{2, 7, 4, 7, 10, 7}, 2) // the second column is constant
	for _, tt := range [][3]float64{{0, 2, -1}, {0, 6, 0}, {0, 10, 1}, {1, 7, -1}} {
		if got := s.scale(int(tt[0]), tt[1]); got != tt[2] {
			t.Errorf("scale(%v) = %v, want %v", tt[1], got, tt[2])
		}
		if got := s.unscale(int(tt[0]), tt[2]); got != tt[1] {
			t.Errorf("unscale(%v) = %v, want %v", tt[2], got, tt[1])
		}
	}
}

// linearModel predicts latency = 100·work for work around 1, and knows that work
// dilutes: m·V/V' is not in the formula's span, so the terms are set by hand.
func linearModel(w1, w2 float64) *publishedModel {
	const small = 1e-4 // tanh is linear here
	return &publishedModel{
		scaling: []scalingModel{{Model: linreg.Model{Coef: []float64{1, 1}}}, {Model: linreg.Model{Coef: []float64{w1, w2}}}},
		in:      minMax{low: []float64{-1, -1}, span: []float64{2, 2}},
		out:     []minMax{{low: []float64{-1}, span: []float64{2}}},
		nets:    []*mlp.Network{{Inputs: 2, Hidden: 1, Params: []float64{0, small, 0, 100 / small, 0}}},
		sigma:   []float64{0.1},
	}
}

func TestPublishedChoosesAsD64Describes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		min    *float64
		max    *float64
		work   float64
		advice int
		holds  bool
	}{
		// With w1 = 2, w2 = 0 from 4 nodes: estimate(n) = work·8/(4+n), so latency(n) =
		// 100·work·8/(4+n), and 100·work at 4 itself.
		{"the smallest in range, also when the present count is in range", limit(100), limit(250), 2, 3, true}, // 3: 228, 2: 267
		{"above the range: the first that holds", nil, limit(250), 3, 6, true},                                 // 5: 267, 6: 240
		{"both ends are candidates: the highest", nil, limit(250), 4, 9, true},                                 // 9: 246
		{"none low enough: the nearest, the highest", nil, limit(250), 6, 10, false},
		{"none high enough: the nearest, the lowest", limit(300), limit(400), 1, 1, false}, // 1: 160
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			c.Method = Published
			c.Targets[0].Min, c.Targets[0].Max = tt.min, tt.max
			o := newOptimizer(t, c)
			o.train.model = linearModel(2, 0)
			if err := o.Add(step(0, 4, 1, tt.work, 100*tt.work)); err != nil {
				t.Fatal(err)
			}
			a := o.Advise(start)
			if !a.Valid || a.Nodes != tt.advice || a.Phase != Production {
				t.Errorf("advice %+v, want %d", a, tt.advice)
			}
			for _, cand := range a.Candidates {
				if cand.Nodes == a.Nodes && cand.Holds != tt.holds {
					t.Errorf("the advised count holds: %v, want %v", cand.Holds, tt.holds)
				}
				want := 100 * tt.work * 8 / float64(4+cand.Nodes)
				if got := cand.Targets[0].Value; math.Abs(got-want) > 0.01 {
					t.Errorf("prediction for %d nodes %v, want %v from the measured value", cand.Nodes, got, want)
				}
			}
			if a.Candidates[0].Nodes != 1 || a.Candidates[len(a.Candidates)-1].Nodes != 10 {
				t.Errorf("candidates %d..%d, want 1..10", a.Candidates[0].Nodes, a.Candidates[len(a.Candidates)-1].Nodes)
			}
		})
	}
}

func TestPublishedTiesGoToFewerNodes(t *testing.T) {
	c := testConfig()
	c.Method = Published
	o := newOptimizer(t, c)
	o.train.model = linearModel(1, 1) // the number of nodes has no effect
	if err := o.Add(step(0, 4, 1, 9, 900)); err != nil {
		t.Fatal(err)
	}
	if a := o.Advise(start); a.Nodes != 1 {
		t.Errorf("equal distances: %d nodes, want the fewest, 1", a.Nodes)
	}
}

func TestAdviceIsClampedAndFrozen(t *testing.T) {
	c := testConfig()
	c.Method, c.MinNodes, c.MaxNodes, c.Targets[0].Min = Published, 3, 5, nil
	c.AdviceFreezeInterval = 40e9
	o := newOptimizer(t, c)
	o.train.model = linearModel(2, 0)
	for i, tt := range []struct {
		work float64
		want int
	}{{6, 5}, {1, 5}, {1, 5}, {1, 3}, {6, 3}} { // 15 s apart: the change down waits for 45 s
		if err := o.Add(step(i, 4, 1, tt.work, 100)); err != nil {
			t.Fatal(err)
		}
		if a := o.Advise(o.Last()); a.Nodes != tt.want {
			t.Errorf("advice %d is %d, want %d (%v)", i, a.Nodes, tt.want, a.Reasons)
		}
	}
}

// staircase drives a fleet whose latency is 20 + 2·(load per node)², with work the load per node.
func staircase(o *Optimizer, n int, seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range n {
		nodes := 2 + i/10%5
		load := 30 + 20*math.Sin(float64(i)/40)
		per := load / float64(nodes) * (1 + 0.02*rng.NormFloat64())
		if err := o.Add(step(i, nodes, load, per, 20+2*per*per*(1+0.02*rng.NormFloat64()))); err != nil {
			return err
		}
	}
	return nil
}

func trainAndAdopt(tb testing.TB, o *Optimizer) *Trained {
	tb.Helper()
	trained, err := o.Trainer().Train(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	if err := o.Adopt(trained); err != nil {
		tb.Fatal(err)
	}
	return trained
}

func TestPublishedLearnsAKnownPlant(t *testing.T) {
	c := testConfig()
	c.Method = Published
	c.Targets[0].Min = limit(100)
	o := newOptimizer(t, c)
	if a := o.Advise(start); a.Valid || a.Error == "" {
		t.Errorf("advice without samples %+v", a)
	}
	if err := staircase(o, 299, 1); err != nil {
		t.Fatal(err)
	}
	if a := o.Advise(o.Last()); a.Valid || a.Phase != Training || !strings.Contains(a.Error, "299 of 300") || o.Due() {
		t.Errorf("one sample short: %+v, due %v", a, o.Due())
	}
	o = newOptimizer(t, c)
	if err := staircase(o, 600, 1); err != nil {
		t.Fatal(err)
	}
	if !o.Due() {
		t.Fatal("600 samples and no training is due")
	}
	trained := trainAndAdopt(t, o)
	if q := trained.Quality()[0]; q.MedianRelative > 0.05 || q.SkillPersistence < -0.5 || q.Coverage < 0.6 || q.R2 < 0.9 {
		t.Errorf("held-out quality %+v", q)
	}
	if o.Due() {
		t.Error("a training is due right after one")
	}
	// 6 nodes, load 60: 10 a node, 220; the range 100..250 is held by 6 only just.
	if err := o.Add(step(600, 6, 60, 10, 220)); err != nil {
		t.Fatal(err)
	}
	a := o.Advise(o.Last())
	if !a.Valid || a.Nodes < 5 || a.Nodes > 7 || a.Reliability <= 0 || a.Reliability > 100 {
		t.Errorf("advice %+v, want about 6", a)
	}
}

func TestTrainingIsDeterministicAndCancellable(t *testing.T) {
	c := testConfig()
	c.Method = Published
	advise := func() Advice {
		o := newOptimizer(t, c)
		if err := staircase(o, 400, 1); err != nil {
			t.Fatal(err)
		}
		trainAndAdopt(t, o)
		return o.Advise(o.Last())
	}
	a, b := advise(), advise()
	for i := range a.Candidates {
		if a.Candidates[i].Targets[0] != b.Candidates[i].Targets[0] {
			t.Fatal("equal samples and seeds gave different predictions")
		}
	}
	o := newOptimizer(t, c)
	if err := staircase(o, 400, 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Trainer().Train(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Train() = %v, want context.Canceled", err)
	}
}

func TestFailingTrainingKeepsTheModelAndSaysSo(t *testing.T) {
	c := testConfig()
	c.Method = Published
	o := newOptimizer(t, c)
	for i := range 400 { // never a scaling event
		if err := o.Add(step(i, 4, 1, float64(i%7), float64(10+i%5))); err != nil {
			t.Fatal(err)
		}
	}
	trained, err := o.Trainer().Train(t.Context())
	if !errors.Is(err, ErrFewEvents) {
		t.Fatalf("Train() = %v, want ErrFewEvents", err)
	}
	if err := o.Adopt(trained); !errors.Is(err, ErrFewEvents) {
		t.Errorf("Adopt() = %v", err)
	}
	if a := o.Advise(o.Last()); a.Valid || !strings.Contains(a.Error, "changed 0 times") {
		t.Errorf("advice %+v", a)
	}
	o.train.model = linearModel(2, 0)
	if a := o.Advise(o.Last()); !a.Valid || !strings.Contains(strings.Join(a.Reasons, "\n"), "last training failed") {
		t.Errorf("advice %+v, want the old model's with a reason", a)
	}
}

func TestAdviceSaysWhichInputHasNoValue(t *testing.T) {
	c := testConfig()
	c.Method = Published
	o := newOptimizer(t, c)
	o.train.model = linearModel(2, 0)
	if err := o.Add(step(0, 4, 1, math.Inf(1), 3)); err != nil {
		t.Fatal(err)
	}
	if a := o.Advise(start); a.Valid || !strings.Contains(a.Error, "input work has no finite value") || a.Nodes != 4 {
		t.Errorf("advice %+v", a)
	}
}
