package scaler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/scalerd/scalerd/optimizer"
)

// Advisor is an optimizer at work: it trains in a goroutine of its own, its samples
// are kept in the store, and it is safe for concurrent use. A sample or an advice
// waits for no training, no disk and no import.
type Advisor struct {
	name   string
	shared *Optimizers
	// long serialises what takes long: loading, imports, batches that wait for training.
	long sync.Mutex
	// disk serialises writes to the store. Order of locking: long, disk, mu.
	disk sync.Mutex

	// loaded is closed when the stored knowledge has been learned again, or can't be.
	loaded chan struct{}

	mu     sync.Mutex
	config optimizer.Config
	opt    *optimizer.Optimizer
	// loading is set until the stored knowledge has been learned again.
	loading bool
	// since are the samples that came while another optimizer is built.
	since    []StoredSample
	building bool
	newest   *StoredSample
	unsaved  []*StoredSample
	stored   int // rows in the store
	job      *training
	closed   bool
	status   AdvisorStatus
	history  history
}

// AdvisorStatus is what an optimizer knows and does at one instant.
type AdvisorStatus struct {
	Name    string    `json:"name" doc:"Name of the optimizer; application.group where a group owns it."`
	Samples int       `json:"samples" doc:"Samples kept."`
	Newest  time.Time `json:"newest,omitzero" doc:"Instant of the newest sample."`
	// Loading is set while the stored samples are learned again after a start.
	Loading bool `json:"loading,omitempty" doc:"The stored samples are being learned again."`
	// Advice is what was advised last.
	Advice *optimizer.Advice `json:"advice,omitempty" doc:"The last advice."`
	// TrainingSince is set while a training runs.
	TrainingSince time.Time `json:"training_since,omitzero" doc:"Since when a training runs."`
	Trainings     int       `json:"trainings" doc:"Trainings that succeeded since the start."`
	// TrainedAt is the newest sample that the models in use have seen.
	TrainedAt       time.Time           `json:"trained_at,omitzero" doc:"Newest sample that the models in use were trained on."`
	TrainingSeconds float64             `json:"training_seconds,omitempty" doc:"How long the last training took."`
	Quality         []optimizer.Quality `json:"quality,omitempty" doc:"What the models of the last training were worth on held-out samples."`
	// Problem is why the last training failed or samples can't be kept.
	Problem string `json:"problem,omitempty" doc:"Why the last training failed, or samples can't be kept."`
}

// training is one training in flight, and then its result.
type training struct {
	trainer optimizer.Trainer
	of      *optimizer.Optimizer
	began   time.Time // the sample after which it began
	since   time.Time
	cancel  context.CancelFunc
	ended   chan struct{} // closed when done is set

	done    bool
	trained *optimizer.Trained
	err     error
}

// ErrKnowledge is returned for a file that is no knowledge of the optimizer.
var ErrKnowledge = errors.New("the knowledge can't be used")

// errNotOwner refuses what only the control loop may do.
var errNotOwner = fmt.Errorf("the optimizer belongs to a node group, whose loop feeds it: %w", ErrRefused)

// Name is the optimizer's name.
func (a *Advisor) Name() string { return a.name }

// Config is the optimizer's configuration.
func (a *Advisor) Config() optimizer.Config {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.config
}

// Status is what the optimizer knows and does.
func (a *Advisor) Status() AdvisorStatus {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.snapshot()
}

func (a *Advisor) snapshot() AdvisorStatus {
	s := a.status
	s.Name, s.Samples, s.Newest, s.Loading = a.name, a.opt.Samples(), a.opt.Last(), a.loading
	s.Quality = slices.Clone(s.Quality)
	if a.job != nil && !a.job.done {
		s.TrainingSince = a.job.since
	}
	return s
}

// step learns from a sample and advises, as the control loop does at each tick. It
// never waits: a training that is due begins beside it.
func (a *Advisor) step(s Sample, now time.Time) (optimizer.Advice, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.learn(s)
	none := optimizer.Advice{At: now, Phase: optimizer.Training, Nodes: min(max(s.Total, a.config.MinNodes), a.config.MaxNodes), Model: "none"}
	switch {
	case err != nil:
		if a.status.Advice != nil {
			none.Phase = a.status.Advice.Phase
		}
		none.Error = err.Error()
	case a.loading:
		none.Error = "the stored samples are being learned again"
	default:
		return a.advise(now), nil
	}
	return a.remember(none), err
}

// learn adds a sample, adopts a training that is done, and begins one that is due.
func (a *Advisor) learn(s Sample) error {
	kept := StoredSample{Sample: Sample{Sample: s.Sample, Boots: slices.Clone(s.Boots)}}
	kept.Values = maps.Clone(s.Values)
	if !a.loading {
		if err := add(a.opt, kept.Sample); err != nil {
			return err
		}
	}
	a.newest = &kept
	a.history.booted(kept.Boots)
	if a.building {
		a.since = append(a.since, kept)
	}
	a.adopt()
	a.beginTraining()
	a.save(a.newest)
	return nil
}

// add gives an optimizer a sample with its boots. An impossible boot is left out.
func add(opt *optimizer.Optimizer, s Sample) error {
	if err := opt.Add(s.Sample); err != nil {
		return err
	}
	for _, took := range s.Boots {
		_ = opt.ObserveBoot(s.At.Add(-took), s.At) // says only that took is impossible
	}
	return nil
}

func (a *Advisor) beginTraining() {
	if a.job != nil || a.loading || a.building || a.closed || !a.opt.Due() {
		return
	}
	a.job = &training{trainer: a.opt.Trainer(), of: a.opt, began: a.opt.Last(), since: time.Now(), ended: make(chan struct{})}
	a.newest.Training |= Began
	a.shared.train(a, a.job)
}

// adopt puts a training that is done in use.
func (a *Advisor) adopt() {
	job := a.job
	if job == nil || !job.done {
		return
	}
	a.job = nil
	if job.of != a.opt {
		return // of an optimizer that was replaced
	}
	a.use(job)
}

// use adopts the result of a job, or notes why there is none.
func (a *Advisor) use(job *training) {
	if job.trained != nil {
		if err := a.opt.Adopt(job.trained); err != nil {
			job.err = err
		}
	}
	done := TrainingRecord{At: job.began, Seconds: a.status.TrainingSeconds}
	if job.err != nil {
		done.Error = job.err.Error()
		a.history.trained(done)
		a.status.Problem = "the last training failed, the model before it is kept: " + job.err.Error()
		return
	}
	a.status.Problem = ""
	a.status.Trainings++
	a.status.TrainedAt, a.status.Quality = job.began, job.trained.Quality()
	done.Quality = a.status.Quality
	a.history.trained(done)
	if a.newest != nil {
		mark := Adopted
		if job.began.Equal(a.newest.At) {
			mark = AdoptedAtOnce
		}
		a.newest.Training |= mark
		a.save(a.newest)
	}
}

// advise asks the optimizer, and keeps the answer.
func (a *Advisor) advise(now time.Time) optimizer.Advice {
	a.adopt()
	advice := a.opt.Advise(now)
	if a.newest != nil {
		a.newest.AdvisedAt = now
		a.save(a.newest)
	}
	return a.remember(advice)
}

func (a *Advisor) remember(advice optimizer.Advice) optimizer.Advice {
	bound(&advice)
	a.status.Advice = &advice
	if a.newest != nil {
		a.history.advices.note(a.newest.Sample, advice)
	}
	a.shared.metrics.advised(a.snapshot())
	return advice
}

// bound keeps predictions that are no numbers, or infinite, from what is shown: JSON
// has no words for them.
func bound(advice *optimizer.Advice) {
	finite := func(v *float64, otherwise float64) {
		if math.IsNaN(*v) {
			*v = otherwise
		}
		*v = min(max(*v, -math.MaxFloat64), math.MaxFloat64)
	}
	finite(&advice.Reliability, 0)
	for i := range advice.Candidates {
		c := &advice.Candidates[i]
		finite(&c.Risk, 1)
		for j := range c.Targets {
			for _, v := range []*float64{&c.Targets[j].Value, &c.Targets[j].Low, &c.Targets[j].High} {
				finite(v, math.MaxFloat64)
			}
		}
	}
}

// Advise is the advice at an instant at or after the newest sample; the zero time
// stands for the newest sample's. Of a group it is what its last tick was advised.
func (a *Advisor) Advise(at time.Time) (optimizer.Advice, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.Owned() && a.status.Advice != nil:
		return *a.status.Advice, nil
	case at.IsZero():
		at = a.opt.Last()
	case at.Before(a.opt.Last()):
		return optimizer.Advice{}, fmt.Errorf("advice at %s: the newest sample is of %s: %w", at.Format(time.RFC3339Nano), a.opt.Last().Format(time.RFC3339Nano), ErrRefused)
	}
	return a.advise(at), nil
}

// Learn adds samples, all or none. Where wait is set, a training that a sample makes
// due is done and in use before the next sample, so that equal samples always lead to
// equal advice; otherwise it begins beside, and this returns at once. The errors are
// those of optimizer.Optimizer.Add.
func (a *Advisor) Learn(ctx context.Context, samples []Sample, wait bool) error {
	if a.Owned() {
		return errNotOwner
	}
	a.long.Lock()
	defer a.long.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	plain := make([]optimizer.Sample, len(samples))
	for i := range samples {
		plain[i] = samples[i].Sample
	}
	if err := a.opt.Check(plain); err != nil {
		return err
	}
	for i, s := range samples {
		if wait {
			if err := a.learnAndTrain(ctx, s); err != nil {
				return fmt.Errorf("samples[%d]: %w", i, err)
			}
		} else if err := a.learn(s); err != nil {
			return fmt.Errorf("samples[%d]: %w", i, err)
		}
	}
	return nil
}

// learnAndTrain adds a sample and trains on the spot. a.mu is not held meanwhile.
func (a *Advisor) learnAndTrain(ctx context.Context, s Sample) error {
	for a.job != nil && !a.job.done {
		if err := a.wait(ctx); err != nil {
			return err
		}
	}
	if err := a.learn(s); err != nil {
		return err
	}
	for a.job != nil {
		if err := a.wait(ctx); err != nil {
			return err
		}
		a.adopt()
	}
	return nil
}

// wait releases the lock until the training in flight is done.
func (a *Advisor) wait(ctx context.Context) error {
	job := a.job
	a.mu.Unlock()
	defer a.mu.Lock()
	select {
	case <-job.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// metricNames are the inputs, then the targets.
func metricNames(c optimizer.Config) []string {
	names := slices.Clone(c.Inputs)
	for _, t := range c.Targets {
		names = append(names, t.Name)
	}
	return names
}

// Export writes the samples that are kept, as csv (the layout of MiCADO's
// Optimizer) or json.
func (a *Advisor) Export(w io.Writer, format string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch format {
	case "csv":
		return a.opt.ExportCSV(w)
	case "json":
		return a.opt.ExportJSON(w)
	}
	return fmt.Errorf("%w: knowledge as %q: use csv or json", ErrKnowledge, format)
}

// Import adds the samples of an Export, or of a file of MiCADO's Optimizer. The
// optimizer goes on meanwhile; it is replaced by one that knows both when all is
// learned, and trained where that is due.
func (a *Advisor) Import(ctx context.Context, r io.Reader, format string) (optimizer.Imported, error) {
	var imported optimizer.Imported
	err := a.rebuild(ctx, a.Config(), func(opt *optimizer.Optimizer) (err error) {
		switch format {
		case "csv":
			imported, err = opt.ImportCSV(r)
		case "json":
			imported, err = opt.ImportJSON(r)
		default:
			err = fmt.Errorf("knowledge as %q: use csv or json", format)
		}
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrKnowledge, err)
		}
		return err
	})
	return imported, err
}

// Owned reports whether a node group owns the optimizer.
func (a *Advisor) Owned() bool { return isGroups(a.name) }

func (a *Advisor) stopTraining() {
	if a.job != nil {
		a.job.cancel()
		a.job = nil
	}
}
