package optimizer

import "time"

// Phase says whether the method in use has learned enough.
type Phase string

// The phases, as MiCADO names them.
const (
	Training   Phase = "training"
	Production Phase = "production"
)

// Advice is what the optimizer proposes.
type Advice struct {
	At time.Time `json:"at"`
	// Valid says whether Nodes is to be followed; if not, Error says why not, and
	// Nodes is the number that exists.
	Valid bool  `json:"valid"`
	Phase Phase `json:"phase"`
	Nodes int   `json:"vm_number"`
	// Reliability is the chance, in percent, that the targets are held if the advice is
	// followed: the share of times this held after advices that looked like this one.
	Reliability float64 `json:"reliability"`
	Error       string  `json:"error_msg"`
	// Reasons says how Nodes was found, in the order of the steps.
	Reasons []string `json:"reasons"`
	// Model is the model that is in charge.
	Model      string      `json:"model"`
	Candidates []Candidate `json:"candidates"`
}

// Candidate is what is expected of one number of nodes.
type Candidate struct {
	Nodes int `json:"nodes"`
	// Targets has a prediction for each target of the configuration, in its order.
	Targets []Prediction `json:"targets"`
	// Risk is the expected share of time, 0..1, for which a target is out of its limits.
	Risk float64 `json:"risk"`
	// Holds says whether every predicted target is in its range.
	Holds bool `json:"holds"`
}

// Prediction is a predicted value with the interval that is to hold it 8 times in 10.
type Prediction struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// in says whether v is in the target's range.
func (t Target) in(v float64) bool { return t.distance(v) == 0 }

// distance is how far v is from the target's range, 0 within it.
func (t Target) distance(v float64) float64 {
	switch {
	case t.Min != nil && v < *t.Min:
		return *t.Min - v
	case t.Max != nil && v > *t.Max:
		return v - *t.Max
	}
	return 0
}
