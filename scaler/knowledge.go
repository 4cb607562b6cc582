package scaler

import (
	"context"
	"time"

	"github.com/scalerd/scalerd/optimizer"
)

// Knowledge keeps what optimizers have learned from. An optimizer's name is
// application.group, or one without a dot for an optimizer of its own. A call that
// returns nil is on disk. Implementations are safe for concurrent use.
type Knowledge interface {
	// StoredOptimizers are those that belong to no group, by name.
	StoredOptimizers(ctx context.Context) ([]StoredOptimizer, error)
	SaveOptimizer(ctx context.Context, o StoredOptimizer) error
	// DeleteOptimizer forgets an optimizer and its samples.
	DeleteOptimizer(ctx context.Context, name string) error

	// Samples are an optimizer's, oldest first.
	Samples(ctx context.Context, name string) ([]StoredSample, error)
	// SaveSamples adds samples; those of an instant that is there replace it.
	SaveSamples(ctx context.Context, name string, samples []StoredSample) error
	// DeleteSamples forgets the samples of these instants.
	DeleteSamples(ctx context.Context, name string, at []time.Time) error
	// ReplaceSamples forgets all samples of the optimizer and keeps these.
	ReplaceSamples(ctx context.Context, name string, samples []StoredSample) error
}

// StoredOptimizer is an optimizer that belongs to no group.
type StoredOptimizer struct {
	Name   string
	Config optimizer.Config
}

// Sample is what was measured at one instant, and the boots that ended there.
type Sample struct {
	optimizer.Sample
	// Boots are, for each node that became ready since the sample before, the time
	// from the request for it.
	Boots []time.Duration
}

// StoredSample is a sample with what happened at it, so that what was learned can be
// learned again.
type StoredSample struct {
	Sample
	// AdvisedAt is when an advice was last asked for between this sample and the
	// next; zero: never.
	AdvisedAt time.Time
	// Training is what happened to models at this sample.
	Training TrainingMark
	// counted is set once it is counted among the rows of the store.
	counted bool
}

// TrainingMark is what happened to an optimizer's models at a sample, in this order.
type TrainingMark uint8

const (
	// Adopted: a training that began at an earlier sample was put in use.
	Adopted TrainingMark = 1 << iota
	// Began: a training began with the samples up to this one.
	Began
	// AdoptedAtOnce: that training was put in use before the next sample.
	AdoptedAtOnce
)
