package optimizer

import "math"

// skills compares models by how well they predicted each new sample before learning
// from it: the log error of the first target in the part of its range that matters.
type skills struct {
	capacity, naive, ensemble tally
	persistence               tally
	mean, last                float64
	champion                  bool // the ensemble is in charge
}

// tally is a forgotten mean of absolute log errors.
type tally struct {
	mean float64
	n    int
}

func (t *tally) add(e float64) {
	t.n++
	t.mean += max(skillGain, 1/float64(t.n)) * (min(math.Abs(e), 2) - t.mean)
}

const (
	skillGain    = 1.0 / 200
	skillLeast   = 100  // samples before a model can be found wanting, or better
	skillWorse   = 1.25 // than knowing nothing: demoted to the reactive policy
	skillPromote = 0.85 // of the capacity model's error: the ensemble takes over
	skillDemote  = 1.0
)

// matters says whether a sample is in the range of which models are judged.
func matters(y float64) bool { return isFinite(y) && y > 0.25 && y < 2 }

func (s *skills) observe(c *capacity, x, y float64, n, warm int) {
	if !c.usable() || !matters(y) || warm > 0 {
		return
	}
	l := math.Log(y)
	if s.capacity.n == 0 {
		s.mean, s.last = l, l
	}
	s.naive.add(l - s.mean)
	s.persistence.add(l - s.last)
	s.mean += 0.02 * (l - s.mean)
	s.last = l
	s.capacity.add(l - math.Log(c.gauge().predict(x, float64(n), 0, 1)))
}

// challenge takes the ensemble's log error on a sample whose target is y.
func (s *skills) challenge(e, y float64) {
	if !matters(y) {
		return
	}
	s.ensemble.add(e)
	if s.ensemble.n < skillLeast || s.capacity.n < skillLeast {
		return
	}
	if s.champion {
		s.champion = s.ensemble.mean < skillDemote*s.capacity.mean
	} else {
		s.champion = s.ensemble.mean < skillPromote*s.capacity.mean
	}
}

// earned says whether the capacity model is better than a rule that knows nothing.
func (s *skills) earned() bool {
	return s.capacity.n < skillLeast || s.capacity.mean < skillWorse*s.naive.mean+0.02
}
