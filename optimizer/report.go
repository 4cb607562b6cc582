package optimizer

import (
	"math"
	"time"
)

// Skill is what a model was worth lately on samples it had not seen, at the first target.
type Skill struct {
	Model    string  `json:"model"`
	LogError float64 `json:"log_error"` // mean |log(predicted/measured)|
	Samples  int     `json:"samples"`   // judged
	InCharge bool    `json:"in_charge"`
}

// Scaling is the regression of one input across scaling events.
type Scaling struct {
	Input string `json:"input"`
	// W0, W1, W2 are the published coefficients; Pearson is of estimate and measurement
	// over the events fitted to. Fitted says whether there were enough events.
	Fitted  bool    `json:"fitted"`
	W0      float64 `json:"w0"`
	W1      float64 `json:"w1"`
	W2      float64 `json:"w2"`
	Pearson float64 `json:"pearson"`
	// Kind is "per node" or "total", as learned; Exponent is how the input goes with the
	// number of nodes at one load (-1: it dilutes, 0: it does not); Elasticity how it
	// goes with the load (1: in proportion); Weight its share of the word on the load, 0..1.
	Kind       string  `json:"kind"`
	Exponent   float64 `json:"exponent"`
	Elasticity float64 `json:"elasticity"`
	Weight     float64 `json:"weight"`
}

// Drift is what changed since the beginning, as factors.
type Drift struct {
	Target string `json:"target"`
	// Input shows the work in a request, and Demand is that work relative to the first.
	Input  string  `json:"input"`
	Demand float64 `json:"demand"`
	// Correction is by how much the load counts more than the curve alone says.
	Correction float64 `json:"correction"`
}

// Snapshot is what a report shows. It shares no memory with the Optimizer.
type Snapshot struct {
	At       time.Time     `json:"at"`
	Samples  int           `json:"samples"`
	Dropped  int           `json:"dropped"` // thinned away
	Interval time.Duration `json:"interval"`
	Boot     time.Duration `json:"boot"`      // typical create-to-ready time
	BootLate time.Duration `json:"boot_late"` // that 9 nodes in 10 keep
	Boots    int           `json:"boots"`     // seen
	Model    string        `json:"model"`     // in charge
	Why      string        `json:"why"`
	Skills   []Skill       `json:"skills"`
	Quality  []Quality     `json:"quality"` // held out, of each training, oldest first
	// TrainingError is why the last training failed; empty: it did not.
	TrainingError string        `json:"training_error,omitempty"`
	Calibration   []Calibration `json:"calibration"`
	Names         []string      `json:"names"`       // of inputs, then targets
	Correlation   [][]float64   `json:"correlation"` // Pearson's r of Names by Names
	Scaling       []Scaling     `json:"scaling"`
	Drift         []Drift       `json:"drift"`
	// OverShare is the recent share of samples over a limit, Price the cut of the chance
	// of a violation that a node must be worth.
	OverShare float64 `json:"over_share"`
	Price     float64 `json:"price"`
}

// Snapshot gathers what a report shows. It looks at the newest complete samples, at
// most maxTrainingRows of them, so it takes milliseconds: call it for a page, not each tick.
func (o *Optimizer) Snapshot() Snapshot {
	set := o.trainingSet()
	s := Snapshot{
		At: o.Last(), Samples: o.Samples(), Dropped: o.known.dropped, Interval: o.pace.interval,
		Boot: o.boots.typical(), BootLate: o.boots.late(), Boots: o.boots.seen,
		Quality: append([]Quality(nil), o.train.quality...), Calibration: o.Calibration(),
		Names: append([]string(nil), o.cols.names...), Correlation: correlation(set),
		Scaling: o.scaling(set), Model: "published", Why: "the configuration asks for it",
	}
	if o.train.err != nil {
		s.TrainingError = o.train.err.Error()
	}
	if o.auto != nil {
		o.auto.report(o, &s)
	}
	return s
}

// correlation is the matrix of Pearson's r between all columns; 1 on the diagonal.
func correlation(set trainingSet) [][]float64 {
	columns := make([][]float64, set.width)
	for j := range columns {
		columns[j] = make([]float64, set.len())
		for i := range set.len() {
			columns[j][i] = set.row(i)[j]
		}
	}
	all := make([][]float64, set.width)
	for a := range all {
		all[a] = make([]float64, set.width)
		all[a][a] = 1
		for b := range a {
			all[a][b] = pearson(columns[a], columns[b])
			all[b][a] = all[a][b]
		}
	}
	return all
}

// scaling is what is known of each input across changes of the number of nodes.
func (o *Optimizer) scaling(set trainingSet) []Scaling {
	m := o.train.model
	if m == nil {
		m = &publishedModel{}
		if set.len() == 0 || m.fitScaling(set, o.cfg.ActionLag) != nil {
			m = nil
		}
	}
	all := make([]Scaling, o.cols.inputs)
	for j := range all {
		all[j].Input = o.cols.names[j]
		if m != nil {
			s := m.scaling[j]
			all[j].Fitted, all[j].W0, all[j].W1, all[j].W2, all[j].Pearson = true, s.Intercept, s.Coef[0], s.Coef[1], s.pearson
		}
	}
	return all
}

func (a *auto) report(o *Optimizer, s *Snapshot) {
	s.Model, s.Why = a.plan.model, a.why()
	if s.Model == "" {
		s.Model = "reactive"
	}
	for _, k := range []struct {
		name string
		of   tally
	}{{"capacity", a.skill.capacity}, {"ensemble", a.skill.ensemble}, {"persistence", a.skill.persistence}, {"recent mean", a.skill.naive}} {
		if k.of.n > 0 {
			s.Skills = append(s.Skills, Skill{k.name, k.of.mean, k.of.n, k.name == s.Model})
		}
	}
	var weights float64
	for j := range a.load.metrics {
		weights += a.load.metrics[j].weight()
	}
	for j := range s.Scaling {
		m := &a.load.metrics[j]
		s.Scaling[j].Kind = "per node"
		if m.total {
			s.Scaling[j].Kind = "total"
		}
		s.Scaling[j].Exponent, s.Scaling[j].Elasticity, s.Scaling[j].Weight = m.exponent(), m.beta, m.weight()/weights
	}
	for t, c := range a.capacities {
		g := c.gauge()
		d := Drift{Target: a.cfg.Targets[t].Name, Input: "the load itself", Demand: g.demand(), Correction: math.Exp(g.c)}
		if g.input >= 0 {
			d.Input = a.cfg.Inputs[g.input]
		}
		s.Drift = append(s.Drift, d)
	}
	s.OverShare, s.Price = a.margin.share, a.margin.price(a.cfg.Budget)
}

// why says why the model in charge is in charge.
func (a *auto) why() string {
	switch {
	case a.plan.model == "ensemble":
		return "its error on samples to come is clearly below the capacity model's"
	case a.plan.model == "capacity" && a.skill.ensemble.n < skillLeast:
		return "no challenger has been judged on enough samples yet"
	case a.plan.model == "capacity":
		return "no challenger's error on samples to come is clearly below it"
	default:
		return "no model has been right often enough yet"
	}
}
