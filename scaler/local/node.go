package local

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// bodySize is the length of a node's answer, in bytes.
const bodySize = 1024

// node is a web server of limited capacity. A request takes a slot for a while
// in which it waits and burns no CPU, so that a machine can host many nodes.
type node struct {
	name     string
	started  time.Time
	bootTime time.Duration
	slots    *slots
	traffic  *traffic
	body     string

	latency  prometheus.Summary
	served   atomic.Int64
	rejected atomic.Int64
	sent     atomic.Int64 // bytes of bodies
	serving  atomic.Int64 // nanoseconds of finished services
}

// newNode makes a node that began at started, and registers its metrics.
func newNode(spec Spec, started time.Time, traffic *traffic, registry prometheus.Registerer) *node {
	head := fmt.Sprintf("served by %s of group %s, application %s\n", spec.Name, spec.Group, spec.Application)
	n := &node{
		name:     spec.Name,
		started:  started,
		bootTime: spec.BootTime,
		slots:    newSlots(spec.Slots, spec.ServiceTime, seeded(spec.Name), started),
		traffic:  traffic,
		body:     head + strings.Repeat(".", max(0, bodySize-len(head)-1)) + "\n",
		latency: prometheus.NewSummary(prometheus.SummaryOpts{
			Name:       "http_request_duration_microseconds",
			Help:       "Time from the arrival of a request to its answer, waiting included, over the last 30 s.",
			Objectives: map[float64]float64{0.5: 0.02, 0.9: 0.01, 0.99: 0.001},
			MaxAge:     30 * time.Second,
			AgeBuckets: 3,
		}),
	}
	registry.MustRegister(n.latency, nodeMetrics{n})
	return n
}

// seeded makes a source of chance that is the same for the same name.
func seeded(name string) *rand.Rand {
	hash := fnv.New128a()
	_, _ = io.WriteString(hash, name)
	sum := hash.Sum(nil)
	var halves [2]uint64
	for i, b := range sum {
		halves[i/8] = halves[i/8]<<8 | uint64(b)
	}
	return rand.New(rand.NewPCG(halves[0], halves[1]))
}

// handler serves requests, /healthz and the metrics, once the node is booted.
func (n *node) handler(metrics prometheus.Gatherer) http.Handler {
	page := promhttp.HandlerFor(metrics, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if left := n.bootTime - time.Since(n.started); left > 0 {
			unavailable(w, left, fmt.Sprintf("%s is booting and will be ready in %.1f s", n.name, left.Seconds()))
			return
		}
		switch r.URL.Path {
		case "/metrics":
			page.ServeHTTP(w, r)
		case "/healthz":
			_, _ = io.WriteString(w, "ok\n")
		default:
			n.serve(w, r)
		}
	})
}

func (n *node) serve(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	// Only with the body read does the server notice a client that goes away.
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	t, err := n.slots.take(r.Context())
	if errors.Is(err, errQueueFull) {
		n.rejected.Add(1)
		unavailable(w, time.Second, fmt.Sprintf("%s has too many requests waiting", n.name))
		return
	}
	if err != nil {
		return // the client has gone
	}
	time.Sleep(time.Until(t.until))
	n.slots.give(t)
	written, _ := io.WriteString(w, n.body)
	n.served.Add(1)
	n.sent.Add(int64(written))
	n.serving.Add(int64(t.until.Sub(t.from)))
	n.latency.Observe(float64(time.Since(arrived).Microseconds()))
}

// unavailable answers 503 with a sentence and when to come back.
func unavailable(w http.ResponseWriter, after time.Duration, sentence string) {
	seconds := max(1, int64((after+time.Second-1)/time.Second))
	w.Header().Set("Retry-After", fmt.Sprint(seconds))
	http.Error(w, sentence, http.StatusServiceUnavailable)
}
