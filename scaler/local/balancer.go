package local

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// maxAttempts is how many nodes a request is sent to, at most.
	maxAttempts = 3
	// dialTimeout is ample: a dead process refuses at once, so only a machine
	// that is short of CPU comes near it.
	dialTimeout = 3 * time.Second
	// idleTimeout is how long an unused connection to a node is kept.
	idleTimeout = 30 * time.Second
	// idlePerNode is how many unused connections to a node are kept. A thousand
	// requests a second that take a second each need as many.
	idlePerNode = 1024
	// statusClientGone is nginx's status for a client that did not wait for the
	// answer. No client sees it.
	statusClientGone = 499
)

var errNoNode = errors.New("no node is ready")

// balancer is a reverse proxy before the ready nodes of a group. It is an
// http.RoundTripper, which chooses a node, and another one where that fails.
type balancer struct {
	backends  *backends
	transport *http.Transport
	metrics   balancerMetrics
	log       *slog.Logger
}

func newBalancer(nodes, group string, registry prometheus.Registerer, log *slog.Logger) *balancer {
	b := &balancer{
		backends: newBackends(nodes, group, log),
		transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
			MaxIdleConnsPerHost: idlePerNode,
			IdleConnTimeout:     idleTimeout,
			DisableCompression:  true,
		},
		log: log,
	}
	b.metrics = newBalancerMetrics(registry, func() int { return b.backends.usable(time.Now()) })
	return b
}

// handler forwards everything but the paths below /-/, which are the balancer's
// own.
func (b *balancer) handler(metrics prometheus.Gatherer) http.Handler {
	page := promhttp.HandlerFor(metrics, promhttp.HandlerOpts{})
	proxy := b.metrics.instrument(b.proxy())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Not a mux, which redirects paths that are not clean: those are the
		// nodes' matter.
		switch path := r.URL.Path; {
		case path == "/-/metrics":
			page.ServeHTTP(w, r)
		case path == "/-/healthz":
			_, _ = io.WriteString(w, "ok\n")
		case strings.HasPrefix(path, "/-/"):
			http.NotFound(w, r)
		default:
			proxy.ServeHTTP(w, r)
		}
	})
}

func (b *balancer) proxy() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http"
			r.SetXForwarded()
		},
		Transport:    b,
		BufferPool:   &buffers{},
		ErrorHandler: b.refuse,
		ErrorLog:     slog.NewLogLogger(b.log.Handler(), slog.LevelWarn),
	}
}

// refuse answers a request that no node answered.
func (b *balancer) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case r.Context().Err() != nil:
		w.WriteHeader(statusClientGone)
	case errors.Is(err, errNoNode):
		unavailable(w, time.Second, "no node of the group is ready")
	case exhausted(err):
		b.log.Error("request refused for want of files or ports", "error", err)
		unavailable(w, time.Second, "the balancer has no file or port left for another connection")
	case notReached(err):
		unavailable(w, time.Second, "no node of the group could be reached")
	default:
		http.Error(w, "the node broke off its answer", http.StatusBadGateway)
	}
}

// RoundTrip implements http.RoundTripper. A request that never reached its node,
// or that may be repeated, is sent to another one.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	var tried []*backend
	body := newKeptBody(r.Body)
	cause := errNoNode
	for len(tried) < maxAttempts {
		node := b.backends.pick(tried, time.Now())
		if node == nil {
			return nil, cause
		}
		tried = append(tried, node)
		response, err := b.send(r, body, node)
		if err == nil || r.Context().Err() != nil {
			return response, err
		}
		if exhausted(err) {
			return nil, err
		}
		if notReached(err) {
			b.backends.setAside(node, err, time.Now())
		} else if !repeatable(r) {
			return nil, err
		}
		if body.touched() {
			return nil, err
		}
		cause = err
		b.metrics.failures.Inc()
	}
	return nil, cause
}

// send sends to one node, which has a request less outstanding when the body of
// the response is closed.
func (b *balancer) send(r *http.Request, body *keptBody, node *backend) (*http.Response, error) {
	out := r.WithContext(r.Context())
	url := *r.URL
	url.Host = node.address
	out.URL = &url
	if body != nil {
		out.Body = body
	}
	response, err := b.transport.RoundTrip(out)
	if err != nil {
		b.backends.release(node)
		return nil, err
	}
	release := sync.OnceFunc(func() { b.backends.release(node) })
	if response.StatusCode == http.StatusSwitchingProtocols {
		release() // its body is a connection, which must stay what it is
		return response, nil
	}
	response.Body = &releasingBody{response.Body, release}
	return response, nil
}

// notReached tells whether a request failed before any of it was sent.
func notReached(err error) bool {
	var operation *net.OpError
	return errors.As(err, &operation) && operation.Op == "dial" && !errors.Is(err, context.Canceled)
}

// exhausted tells whether this process could open no more connections, which is
// no node's fault and would be the same with every other.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.EADDRNOTAVAIL)
}

func repeatable(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}
