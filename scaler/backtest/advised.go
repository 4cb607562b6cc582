package backtest

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/scalerd/scalerd/optimizer"
)

// lowestLatency is the lower end of the range that the target metric is held in, as
// a share of the limit. Only the published method looks at it.
const lowestLatency = 0.52

// Advised follows the advice of an optimizer that has seen nothing before the run.
func Advised(name string, method optimizer.Method) Maker {
	return func(g Group) (Policy, error) { return newAdvised(name, method, g) }
}

// Trained follows the advice of an optimizer that was trained on that many samples
// of a rehearsal, which nobody pays for, with the number of nodes going up and down
// a staircase.
func Trained(name string, method optimizer.Method, samples int) Maker {
	return func(g Group) (Policy, error) {
		a, err := newAdvised(name, method, g)
		if err != nil {
			return nil, err
		}
		a.rehearsing = true
		g.Rehearse(samples, a)
		a.rehearsing, a.stairs = false, staircase{}
		return a, a.train()
	}
}

// advised drives an optimizer. While the published method is in training, the number
// of nodes climbs MiCADO's staircase.
type advised struct {
	name       string
	optimizer  *optimizer.Optimizer
	values     map[string]float64
	stairs     staircase
	climbs     bool
	group      Group
	booting    map[string]time.Time
	rehearsing bool
}

func newAdvised(name string, method optimizer.Method, g Group) (*advised, error) {
	c := optimizer.Default()
	c.Method, c.MinNodes, c.MaxNodes, c.Seed = method, g.Min, g.Max, g.Seed
	metrics := Metrics()
	c.Inputs = metrics[:len(metrics)-1]
	limit := g.Limit.Seconds() * 1000
	least := lowestLatency * limit
	c.Targets = []optimizer.Target{{Name: metrics[len(metrics)-1], Min: &least, Max: &limit}}
	o, err := optimizer.New(c)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", name, err)
	}
	return &advised{name: name, optimizer: o, values: map[string]float64{}, group: g, climbs: method == optimizer.Published, booting: map[string]time.Time{}}, nil
}

func (a *advised) Name() string { return a.name }

func (a *advised) Decide(now time.Time, obs Observation) int {
	a.boots(obs)
	for _, name := range Metrics() {
		v, ok := obs.Metrics[name]
		if !ok {
			v = math.NaN()
		}
		a.values[name] = v
	}
	sample := optimizer.Sample{At: now, Nodes: obs.Ready, Total: obs.Total(), Values: a.values}
	if err := a.optimizer.Add(sample); err != nil {
		panic(fmt.Sprintf("the plant's own sample was refused: %v", err)) // names and times are the plant's
	}
	if a.rehearsing {
		return a.stairs.next(obs.Total(), a.group.Min, a.group.Peak)
	}
	if a.optimizer.Due() {
		_ = a.train() // the model before it is kept, and the advice says so
	}
	advice := a.optimizer.Advise(now)
	switch {
	case advice.Valid:
		return advice.Nodes
	case advice.Phase == optimizer.Training && a.climbs:
		return a.stairs.next(obs.Total(), a.group.Min, a.group.Peak)
	}
	return obs.Total()
}

// boots tells the optimizer of each node that has become ready.
func (a *advised) boots(obs Observation) {
	for _, n := range obs.Nodes {
		created, boots := a.booting[n.Name]
		switch {
		case n.Ready.IsZero():
			a.booting[n.Name] = n.Created
		case boots:
			delete(a.booting, n.Name)
			// A boot of more than a day is not worth learning from.
			_ = a.optimizer.ObserveBoot(created, n.Ready)
		}
	}
}

func (a *advised) train() error {
	trained, err := a.optimizer.Trainer().Train(context.Background())
	if err == nil {
		err = a.optimizer.Adopt(trained)
	} else if trained != nil {
		_ = a.optimizer.Adopt(trained) // notes the error for the advice
	}
	return err
}

// stair is how many samples MiCADO's optimizer in training stays at a size.
const stair = 20

// staircase is MiCADO's training: a node more every 20 samples up to the most, then a
// node fewer down to the least, and so on.
type staircase struct {
	samples int
	down    bool
}

func (s *staircase) next(total, least, most int) int {
	s.samples++
	if s.samples%stair != 0 {
		return total
	}
	if total >= most {
		s.down = true
	}
	if total <= least {
		s.down = false
	}
	if s.down {
		return total - 1
	}
	return total + 1
}
