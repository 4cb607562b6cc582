package scaler

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// optimizerMetrics are the metrics of optimizers, by the optimizer's name.
type optimizerMetrics struct {
	samples, nodes, reliability, valid, logError *prometheus.GaugeVec
	trainings, refused                           *prometheus.CounterVec
	seconds                                      *prometheus.HistogramVec
}

func newOptimizerMetrics(reg prometheus.Registerer) *optimizerMetrics {
	label := []string{"optimizer"}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, label)
	}
	m := &optimizerMetrics{
		samples:     gauge("scalerd_optimizer_samples", "Samples that the optimizer keeps."),
		nodes:       gauge("scalerd_optimizer_advised_nodes", "Nodes advised last."),
		reliability: gauge("scalerd_optimizer_reliability_percent", "Reliability of the last advice."),
		valid:       gauge("scalerd_optimizer_advice_valid", "1 while the last advice is to be followed."),
		logError:    gauge("scalerd_optimizer_log_error", "Mean |log(predicted/measured)| of the first target on samples held out from the last training."),
		trainings:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "scalerd_optimizer_trainings_total", Help: "Trainings by result: done or failed."}, []string{"optimizer", "result"}),
		refused:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "scalerd_optimizer_samples_refused_total", Help: "Samples that could not be learned from."}, label),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "scalerd_optimizer_training_seconds", Help: "Time of a training, with the wait for its turn.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 8)}, label),
	}
	reg.MustRegister(m.samples, m.nodes, m.reliability, m.valid, m.logError, m.trainings, m.refused, m.seconds)
	return m
}

// advised sets the gauges of one optimizer.
func (m *optimizerMetrics) advised(s AdvisorStatus) {
	m.samples.WithLabelValues(s.Name).Set(float64(s.Samples))
	if a := s.Advice; a != nil {
		valid := 0.0
		if a.Valid {
			valid = 1
		}
		m.valid.WithLabelValues(s.Name).Set(valid)
		m.nodes.WithLabelValues(s.Name).Set(float64(a.Nodes))
		m.reliability.WithLabelValues(s.Name).Set(a.Reliability)
	}
	if len(s.Quality) > 0 {
		m.logError.WithLabelValues(s.Name).Set(s.Quality[0].LogError)
	}
}

func (m *optimizerMetrics) trained(name string, err error, took time.Duration) {
	result := "done"
	switch {
	case errors.Is(err, context.Canceled):
		return
	case err != nil:
		result = "failed"
	}
	m.trainings.WithLabelValues(name, result).Inc()
	m.seconds.WithLabelValues(name).Observe(took.Seconds())
}

func (m *optimizerMetrics) forget(name string) {
	label := prometheus.Labels{"optimizer": name}
	for _, v := range []*prometheus.GaugeVec{m.samples, m.nodes, m.reliability, m.valid, m.logError} {
		v.DeletePartialMatch(label)
	}
	m.trainings.DeletePartialMatch(label)
	m.refused.DeletePartialMatch(label)
	m.seconds.DeletePartialMatch(label)
}
