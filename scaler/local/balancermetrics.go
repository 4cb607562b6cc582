package local

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// balancerMetrics is what users of the group see of it.
type balancerMetrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	failures prometheus.Counter
}

// newBalancerMetrics registers the metrics; usable counts the nodes that get
// traffic.
func newBalancerMetrics(registry prometheus.Registerer, usable func() int) balancerMetrics {
	m := balancerMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "scalerd_balancer_requests_total",
			Help: "Requests by the status of the answer; 499 where the client went away before.",
		}, []string{"code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "scalerd_balancer_request_duration_seconds",
			Help:    "Time from the arrival of a request to the end of its answer.",
			Buckets: prometheus.ExponentialBucketsRange(0.001, 30, 24),
		}, nil),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "scalerd_balancer_attempts_failed_total",
			Help: "Attempts at a node that failed, after which another node was tried where there was one.",
		}),
	}
	backends := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "scalerd_balancer_backends",
		Help: "Nodes that get traffic.",
	}, func() float64 { return float64(usable()) })
	registry.MustRegister(m.requests, m.duration, m.failures, backends)
	return m
}

func (m balancerMetrics) instrument(next http.Handler) http.Handler {
	return promhttp.InstrumentHandlerCounter(m.requests, promhttp.InstrumentHandlerDuration(m.duration, next))
}
