package scaler

import (
	"slices"
	"time"

	"github.com/scalerd/scalerd/optimizer"
)

// OptimizerFacts are what a report of an optimizer is made of.
type OptimizerFacts struct {
	Config optimizer.Config
	Status AdvisorStatus
	// Samples are the newest, at most mostReported, oldest first.
	Samples []optimizer.Sample
	// Advices are the newest that were given, oldest first.
	Advices   []AdviceRecord
	Trainings []TrainingRecord
	// Calibration is how often targets held after advices of a like claimed chance.
	Calibration []optimizer.Calibration
	// Boot is a node's usual time from the request for it until it is ready.
	Boot time.Duration
}

// TrainingRecord is one training.
type TrainingRecord struct {
	// At is the newest sample that it was given.
	At      time.Time
	Seconds float64
	Error   string
	Quality []optimizer.Quality
}

const (
	// mostReported bounds the samples of a report.
	mostReported = 20_000
	// mostTrainings bounds the trainings that are remembered.
	mostTrainings = 200
	// mostBoots bounds the boots that are remembered.
	mostBoots = 50
	// usualBoot is a node's boot time where none was seen.
	usualBoot = 2 * time.Minute
)

// history is what an advisor remembers for its report.
type history struct {
	advices   adviceRecord
	trainings []TrainingRecord
	boots     []time.Duration
}

func (h *history) booted(boots []time.Duration) {
	h.boots = append(h.boots, boots...)
	h.boots = h.boots[max(0, len(h.boots)-mostBoots):]
}

func (h *history) trained(r TrainingRecord) {
	h.trainings = append(h.trainings, r)
	h.trainings = h.trainings[max(0, len(h.trainings)-mostTrainings):]
}

// boot is the middle of the boots seen, or a guess.
func (h *history) boot(hint time.Duration) time.Duration {
	switch {
	case len(h.boots) > 0:
		sorted := slices.Sorted(slices.Values(h.boots))
		return sorted[len(sorted)/2]
	case hint > 0:
		return hint
	}
	return usualBoot
}

// Facts are what the optimizer knows, for a report.
func (a *Advisor) Facts() OptimizerFacts {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := OptimizerFacts{
		Config: a.config, Status: a.snapshot(), Advices: a.history.advices.all(),
		Trainings: slices.Clone(a.history.trainings), Calibration: a.opt.Calibration(), Boot: a.history.boot(a.config.BootHint),
	}
	skip := a.opt.Samples() - mostReported
	for s := range a.opt.All() {
		if skip--; skip < 0 {
			f.Samples = append(f.Samples, s)
		}
	}
	return f
}
