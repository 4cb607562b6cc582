package optimizer

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Trainer is a training to be done: a snapshot, independent of its Optimizer.
type Trainer struct {
	cfg    Config
	set    trainingSet
	round  int
	layout ensembleLayout // to begin with
}

// Trained is what a training found, to be given to Optimizer.Adopt.
type Trained struct {
	published *publishedModel
	ensemble  *ensemble
	quality   []Quality // of each target, the first first
	samples   int
	err       error
}

// Quality is what the training's models were worth on samples held out from them.
func (t *Trained) Quality() []Quality { return t.quality }

// trainState is when and why the next training is due.
type trainState struct {
	complete  int // samples without a gap, ever
	attempted int // complete when the last training began; 0: none began
	round     int
	err       error // of the last training
	model     *publishedModel
	samples   int // that the model in use was trained on
	quality   []Quality
	heldOut   float64 // log error of the first target when the model in use was validated
	rolling   float64 // mean log error on the samples since, exponentially forgotten
	judged    int
}

const (
	retrainLeast   = 30  // complete samples between trainings
	retrainShare   = 0.1 // more samples than the last training had, where the error calls for it
	retrainGrowth  = 0.5 // more, where nothing else does
	rollingGain    = 1.0 / 30
	rollingWorse   = 1.5 // times the held-out error that calls for a training
	rollingSlack   = 0.02
	qualityHistory = 256
	layoutEvery    = 8 // trainings between searches for a better layout
)

// observe judges the model in use on a sample it has not seen.
func (s *trainState) observe(o *Optimizer, r row) {
	if !r.complete() || r.nodes == 0 {
		return
	}
	s.complete++
	var e float64
	switch {
	case s.model != nil:
		v := s.model.predict(r.values[:o.cols.inputs], 0, o.scratch.scaled)
		e = min(math.Abs(logRatio(v, r.values[o.cols.inputs])), 3)
	case o.auto != nil && o.auto.challenger != nil:
		e = min(o.auto.challenger.logError(r, o.cols.inputs, &o.scratch), 3)
	default:
		return
	}
	s.judged++
	s.rolling += max(rollingGain, 1/float64(s.judged)) * (e - s.rolling)
}

// Due says whether a training is worth its time: there are enough samples and no
// model, or many more samples, or the model in use errs more than it did when held out.
func (o *Optimizer) Due() bool {
	s := &o.train
	since := s.complete - s.attempted
	if s.complete < o.cfg.TrainingSamplesRequired || since < retrainLeast && s.attempted > 0 {
		return false
	}
	trained := s.model != nil || o.auto != nil && o.auto.challenger != nil
	if !trained {
		return true
	}
	if float64(since) >= retrainShare*float64(s.samples) && s.judged >= retrainLeast && s.rolling > rollingWorse*s.heldOut+rollingSlack {
		return true
	}
	return float64(since) > max(retrainGrowth*float64(s.samples), 100)
}

// Trainer returns a training on the present knowledge. Its Train may run in another
// goroutine while this Optimizer goes on.
func (o *Optimizer) Trainer() Trainer {
	o.train.attempted = max(o.train.complete, 1)
	o.train.round++
	layout := layouts[0]
	if o.auto != nil && o.auto.challenger != nil {
		layout = o.auto.challenger.layout
	}
	return Trainer{cfg: o.cfg, set: o.trainingSet(), round: o.train.round, layout: layout}
}

// Train trains and validates, in time bounded by the samples it was given. It is pure:
// equal trainers return equal results. The error is ctx's, or says why no model could
// be had; a *Trained is returned also then, so that Adopt can note it.
func (t Trainer) Train(ctx context.Context) (*Trained, error) {
	done := &Trained{samples: t.set.len()}
	if t.set.len() < smallestTraining {
		done.err = fmt.Errorf("train on %d complete samples: %w", t.set.len(), errTooFew)
	} else if t.cfg.Method == Published {
		done.err = t.trainPublished(ctx, done)
	} else {
		done.err = t.trainEnsemble(ctx, done)
	}
	return done, done.err
}

// smallestTraining leaves samples to hold out.
const smallestTraining = 10

var errTooFew = errors.New("at least 10 are needed")

func (t Trainer) trainPublished(ctx context.Context, done *Trained) error {
	var err error
	var sigmas []float64
	done.quality, sigmas, err = validate(ctx, t.set, "published", func(ctx context.Context, set trainingSet) (predictor, error) {
		m := &publishedModel{}
		if err := m.fitTargets(ctx, set, t.cfg); err != nil {
			return nil, err
		}
		scratch := make([]float64, set.inputs)
		return func(set trainingSet, i, target int) float64 {
			return m.predict(set.row(i)[:set.inputs], target, scratch)
		}, nil
	})
	if err != nil {
		return err
	}
	m, err := trainPublished(ctx, t.set, t.cfg)
	if err != nil {
		return err
	}
	m.sigma = sigmas
	done.published = m
	return nil
}

// Adopt puts a training's models in use. A training that failed changes no model; its
// error is returned, and told by Advise until one succeeds.
func (o *Optimizer) Adopt(t *Trained) error {
	s := &o.train
	s.err = t.err
	if t.err != nil {
		return t.err
	}
	s.samples, s.rolling, s.judged = t.samples, 0, 0
	if len(t.quality) > 0 {
		s.heldOut = t.quality[0].LogError
	}
	s.quality = append(s.quality, t.quality...)
	if n := len(s.quality) - qualityHistory; n > 0 {
		s.quality = append([]Quality(nil), s.quality[n:]...)
	}
	if t.published != nil {
		s.model = t.published
	}
	if t.ensemble != nil && o.auto != nil {
		o.auto.challenger = t.ensemble
	}
	return nil
}
