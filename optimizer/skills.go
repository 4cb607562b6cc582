package optimizer

import "math"

// skills compares models by how well they predicted each new sample before learning
// from it: the log error of the target, in the part of its range that matters.
type skills struct {
	capacity, naive float64
	mean            float64
	judged          int
}

const (
	skillGain  = 1.0 / 200
	skillLeast = 100 // samples before a model can be found wanting
	skillWorse = 1.25
)

func (s *skills) observe(c *capacity, x, y float64, n, warm int) {
	if !c.usable() || !isFinite(y) || y <= 0.05 || y > 2 || warm > 0 {
		return
	}
	l := math.Log(y)
	s.judged++
	gain := max(skillGain, 1/float64(s.judged))
	if s.judged == 1 {
		s.mean = l
	}
	s.naive += gain * (math.Abs(l-s.mean) - s.naive)
	s.mean += max(0.02, gain) * (l - s.mean)
	p := math.Log(c.gauge().predict(x, float64(n), 0, 1))
	s.capacity += gain * (min(math.Abs(l-p), 2) - s.capacity)
}

// earned says whether the capacity model is better than a rule that knows nothing.
func (s *skills) earned() bool {
	return s.judged < skillLeast || s.capacity < skillWorse*s.naive+0.02
}
