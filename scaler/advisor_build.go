package scaler

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/scalerd/scalerd/optimizer"
)

const (
	// replayedTrainings are the newest trainings that are done again after a start.
	// Those before left only models that these replaced, and advices that count little
	// in the reliability.
	replayedTrainings = 20
	// replayedAdvices are the newest advices that are asked for again, which is what
	// reliability and the report go by.
	replayedAdvices = 10_000
)

// rebuild makes another optimizer of this configuration from the stored samples,
// lets change add to them, and puts it in place with the samples that came meanwhile.
// The one in place goes on until then. change may be nil.
func (a *Advisor) rebuild(ctx context.Context, config optimizer.Config, change func(*optimizer.Optimizer) error) error {
	a.long.Lock()
	defer a.long.Unlock()
	built, err := a.another(ctx, config, change)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.loading {
		defer close(a.loaded)
	}
	a.building = false
	if err != nil {
		a.since = nil
		if a.loading {
			a.loading = false
			a.status.Problem = fmt.Sprintf("the stored samples are not used: %v", err)
		}
		return err
	}
	a.stopTraining()
	for _, s := range a.since {
		s.Values = fill(metricNames(config), s.Values)
		if add(built.opt, s.Sample) == nil {
			built.last = &s
		}
		a.save(&s) // a change has replaced what was stored
	}
	a.since, a.loading = nil, false
	a.config, a.opt, a.newest, a.stored = config, built.opt, built.last, built.stored
	a.status.TrainedAt, a.status.Quality, a.status.Problem = built.trainedAt, built.quality, built.problem
	a.history = built.history
	if a.newest != nil && a.status.Advice == nil {
		a.status.Advice = built.advice
	}
	return nil
}

// another makes another optimizer, and has the samples gathered that come meanwhile.
func (a *Advisor) another(ctx context.Context, config optimizer.Config, change func(*optimizer.Optimizer) error) (*built, error) {
	if err := a.flush(ctx); err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.building, a.since = true, nil
	for _, s := range a.unsaved { // came after the flush
		a.since = append(a.since, *s)
	}
	a.mu.Unlock()
	return a.build(ctx, config, change)
}

// built is an optimizer in the making.
type built struct {
	opt       *optimizer.Optimizer
	last      *StoredSample
	stored    int
	trainedAt time.Time
	quality   []optimizer.Quality
	problem   string
	advice    *optimizer.Advice
	history   history
}

func (a *Advisor) build(ctx context.Context, config optimizer.Config, change func(*optimizer.Optimizer) error) (*built, error) {
	opt, err := optimizer.New(config)
	if err != nil {
		return nil, err
	}
	samples, err := a.shared.store.Samples(ctx, a.name)
	if err != nil {
		return nil, err
	}
	b := &built{opt: opt, stored: len(samples)}
	if err := b.replay(ctx, metricNames(config), samples); err != nil {
		return nil, err
	}
	if change == nil {
		return b, nil
	}
	if err := change(opt); err != nil {
		return nil, err
	}
	return b, a.keepChanged(ctx, b, samples)
}

// replay learns the samples again as they were learned at first.
func (b *built) replay(ctx context.Context, metrics []string, samples []StoredSample) error {
	train, advise := trainingsAgain(samples), advisedFrom(samples)
	var trainer optimizer.Trainer
	var began time.Time
	for i := range samples {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := &samples[i]
		s.Values = fill(metrics, s.Values)
		if err := add(b.opt, s.Sample); err != nil {
			continue // an earlier version took it
		}
		b.last = s
		b.history.booted(s.Boots)
		if s.Training&Adopted != 0 && train[i] {
			b.train(ctx, trainer, began)
		}
		if s.Training&Began != 0 {
			trainer, began = b.opt.Trainer(), s.At
		}
		if s.Training&AdoptedAtOnce != 0 && train[i] {
			b.train(ctx, trainer, began)
		}
		if !s.AdvisedAt.IsZero() && i >= advise {
			advice := b.opt.Advise(s.AdvisedAt)
			b.advice = &advice
			b.history.advices.note(s.Sample, advice)
		}
	}
	return ctx.Err()
}

// advisedFrom is the first sample whose advice is asked for again.
func advisedFrom(samples []StoredSample) int {
	left := replayedAdvices
	for i := len(samples) - 1; i >= 0; i-- {
		if samples[i].AdvisedAt.IsZero() {
			continue
		}
		if left--; left < 0 {
			return i + 1
		}
	}
	return 0
}

// trainingsAgain says at which samples a training is put in use again.
func trainingsAgain(samples []StoredSample) map[int]bool {
	again := map[int]bool{}
	for i := len(samples) - 1; i >= 0 && len(again) < replayedTrainings; i-- {
		if samples[i].Training&(Adopted|AdoptedAtOnce) != 0 {
			again[i] = true
		}
	}
	return again
}

func (b *built) train(ctx context.Context, trainer optimizer.Trainer, began time.Time) {
	if began.IsZero() {
		return // its beginning is not among the samples kept
	}
	trained, err := trainer.Train(ctx)
	if err == nil {
		err = b.opt.Adopt(trained)
	}
	if err != nil {
		b.problem = "the training could not be done again: " + err.Error()
		return
	}
	b.trainedAt, b.quality = began, trained.Quality()
	b.history.trained(TrainingRecord{At: began, Quality: b.quality})
}

// keepChanged trains where a change made that due, and stores all samples.
func (a *Advisor) keepChanged(ctx context.Context, b *built, before []StoredSample) error {
	known := map[int64]StoredSample{}
	for _, s := range before {
		known[s.At.UnixNano()] = s
	}
	var all []StoredSample
	for s := range b.opt.All() {
		kept := StoredSample{Sample: Sample{Sample: s}}
		if k, ok := known[s.At.UnixNano()]; ok {
			kept.Boots, kept.AdvisedAt = k.Boots, k.AdvisedAt
		}
		all = append(all, kept)
	}
	b.last, b.trainedAt, b.quality = nil, time.Time{}, nil
	if len(all) > 0 {
		b.last = &all[len(all)-1]
		if b.opt.Due() {
			b.train(ctx, b.opt.Trainer(), b.last.At)
			b.last.Training = Began
			if b.problem == "" {
				b.last.Training |= AdoptedAtOnce
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	a.disk.Lock()
	defer a.disk.Unlock()
	b.stored = len(all)
	return a.shared.store.ReplaceSamples(ctx, a.name, all)
}

// fill gives a metric that a sample does not have no value, and drops metrics that
// are not configured any more.
func fill(metrics []string, values map[string]float64) map[string]float64 {
	filled := make(map[string]float64, len(metrics))
	for _, name := range metrics {
		v, ok := values[name]
		if !ok {
			v = math.NaN()
		}
		filled[name] = v
	}
	return filled
}

// save marks a sample to be written soon. a.mu is held.
func (a *Advisor) save(s *StoredSample) {
	if n := len(a.unsaved); n == 0 || a.unsaved[n-1] != s {
		a.unsaved = append(a.unsaved, s)
	}
	a.shared.wake()
}

// mostUnsaved bounds the samples that wait for a store that fails.
const mostUnsaved = 10_000

// rowsAtOnce bounds one transaction, and with it how long a decision waits for it.
const rowsAtOnce = 500

// flush writes what is not in the store yet.
func (a *Advisor) flush(ctx context.Context) error {
	a.disk.Lock()
	defer a.disk.Unlock()
	for {
		a.mu.Lock()
		n := min(len(a.unsaved), rowsAtOnce)
		rows := make([]StoredSample, n)
		for i, s := range a.unsaved[:n] {
			rows[i] = *s
			if !s.counted {
				s.counted = true
				a.stored++
			}
		}
		a.unsaved = a.unsaved[n:]
		a.mu.Unlock()
		if n == 0 {
			return a.trim(ctx)
		}
		err := a.shared.store.SaveSamples(ctx, a.name, rows)
		a.mu.Lock()
		if err != nil {
			for i := range rows {
				a.unsaved = append(a.unsaved, &rows[i])
			}
			a.unsaved = a.unsaved[max(0, len(a.unsaved)-mostUnsaved):]
			a.status.Problem = "samples can't be kept: " + err.Error()
			a.mu.Unlock()
			return err
		}
		a.mu.Unlock()
	}
}

// trim forgets the stored samples that the optimizer has thinned out, now and then.
// a.disk is held.
func (a *Advisor) trim(ctx context.Context) error {
	a.mu.Lock()
	kept := a.opt.Samples()
	if a.loading || a.building || a.stored <= kept+max(1000, kept/20) {
		a.mu.Unlock()
		return nil
	}
	there := make(map[int64]bool, kept)
	for s := range a.opt.All() {
		there[s.At.UnixNano()] = true
	}
	a.mu.Unlock()
	stored, err := a.shared.store.Samples(ctx, a.name)
	if err != nil {
		return err
	}
	var gone []time.Time
	newest := a.newestAt()
	for _, s := range stored {
		if !there[s.At.UnixNano()] && s.At.Before(newest) {
			gone = append(gone, s.At)
		}
	}
	left := len(stored) - len(gone)
	for len(gone) > 0 {
		n := min(len(gone), rowsAtOnce)
		if err := a.shared.store.DeleteSamples(ctx, a.name, gone[:n]); err != nil {
			return err
		}
		gone = gone[n:]
	}
	a.mu.Lock()
	a.stored = left
	a.mu.Unlock()
	return nil
}

func (a *Advisor) newestAt() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.opt.Last()
}

// Forget drops all samples and what was learned from them.
func (a *Advisor) Forget(ctx context.Context) error {
	a.long.Lock()
	defer a.long.Unlock()
	a.disk.Lock()
	defer a.disk.Unlock()
	opt, err := optimizer.New(a.Config())
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.stopTraining()
	a.opt, a.newest, a.unsaved, a.since, a.stored = opt, nil, nil, nil, 0
	a.status, a.history = AdvisorStatus{}, history{}
	a.mu.Unlock()
	return a.shared.store.ReplaceSamples(ctx, a.name, nil)
}
