package monitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

const (
	defaultTimeout = 10 * time.Second
	// pastInterval is the resolution at which an external past is looked through.
	pastInterval = 15 * time.Second
	// bodyExcerpt bounds, in bytes, what is quoted of an error page.
	bodyExcerpt = 200
)

// ExternalOptions configure External. The zero value is usable.
type ExternalOptions struct {
	// Timeout bounds one request. Default 10s.
	Timeout time.Duration
	// Logger receives the server's warnings. Default none.
	Logger *slog.Logger
	// Dial makes the connections, and Transport sees each request before it is made;
	// nil for neither.
	Dial      func(ctx context.Context, network, address string) (net.Conn, error)
	Transport func(http.RoundTripper) http.RoundTripper
}

// External asks an existing Prometheus, or anything that speaks its HTTP query
// API. It is safe for concurrent use; of two Watches at once the last to finish
// wins.
type External struct {
	client  *http.Client
	api     v1.API
	timeout time.Duration
	logger  *slog.Logger
	fileSD  string
	history *history
}

// NewExternal returns a client of the Prometheus that cfg describes, which need
// not be running yet. Tokens, passwords, certificates and keys are read from
// their files again when they are needed, so that they may be rotated. HTTPS_PROXY
// and its kin are obeyed. fileSD is the file that Watch writes; with "" it writes
// none.
func NewExternal(cfg spec.Prometheus, fileSD string, o ExternalOptions) (*External, error) {
	if err := checkAddress(cfg.URL); err != nil {
		return nil, err
	}
	settings := httpSettings(cfg)
	if err := settings.Validate(); err != nil {
		return nil, fmt.Errorf("configure prometheus client: %w", err)
	}
	var options []config.HTTPClientOption
	if o.Dial != nil {
		options = append(options, config.WithDialContextFunc(o.Dial))
	}
	client, err := config.NewClientFromConfig(settings, "scalerd", options...)
	if err != nil {
		return nil, fmt.Errorf("configure prometheus client: %w", err)
	}
	if o.Transport != nil {
		client.Transport = o.Transport(client.Transport)
	}
	server, err := api.NewClient(api.Config{Address: cfg.URL, Client: client})
	if err != nil {
		return nil, fmt.Errorf("configure prometheus client: %w", err)
	}
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &External{
		client:  client,
		api:     v1.NewAPI(server),
		timeout: cmp.Or(o.Timeout, defaultTimeout),
		logger:  logger,
		fileSD:  fileSD,
		history: newHistory(),
	}, nil
}

func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("parse prometheus url: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("prometheus url %q: want http:// or https:// and a host", u.Redacted())
	}
	return nil
}

func httpSettings(cfg spec.Prometheus) config.HTTPClientConfig {
	c := config.DefaultHTTPClientConfig
	c.ProxyFromEnvironment = true
	c.TLSConfig = config.TLSConfig{CAFile: cfg.CAFile, CertFile: cfg.CertFile, KeyFile: cfg.KeyFile}
	if cfg.BearerTokenFile != "" {
		c.Authorization = &config.Authorization{Type: "Bearer", CredentialsFile: cfg.BearerTokenFile}
	}
	if cfg.Username != "" || cfg.PasswordFile != "" {
		c.BasicAuth = &config.BasicAuth{Username: cfg.Username, PasswordFile: cfg.PasswordFile}
	}
	return c
}

// Query answers the PromQL query at an instant. A request that the server
// refuses, be it for the query or for the credentials, is a QueryError; one that
// it fails to answer is Unreachable.
func (e *External) Query(ctx context.Context, promql string, at time.Time) policy.Reading {
	r := e.instant(ctx, promql, at)
	return e.history.settle(promql, at, r, func() (time.Time, error) { return e.lastValue(ctx, promql, at) })
}

func (e *External) instant(ctx context.Context, promql string, at time.Time) policy.Reading {
	// Before asking, because the client can't decode a string. What this parser
	// doesn't know may still be known to the server.
	if expr, err := newParser().ParseExpr(promql); err == nil && !answers(expr.Type()) {
		return missing(policy.QueryError, wrongType(expr.Type()))
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	value, warnings, _, err := e.api.Query(ctx, promql, at, v1.WithTimeout(e.timeout))
	if e.history.newWarnings(promql, warnings) {
		e.logger.Warn("query has warnings", "query", promql, "warnings", []string(warnings))
	}
	if err != nil {
		return apiRefusal(err)
	}
	switch v := value.(type) {
	case *model.Scalar:
		return newReading([]policy.Sample{{Value: float64(v.Value)}})
	case model.Vector:
		return e.dated(ctx, newReading(apiSamples(v)), promql, at)
	default:
		return missing(policy.QueryError, wrongType(parser.ValueType(value.Type().String())))
	}
}

// dated says when the newest sample of a reading was taken, where the query is one
// that timestamp() knows it of. An answer that fails leaves it open.
func (e *External) dated(ctx context.Context, r policy.Reading, promql string, at time.Time) policy.Reading {
	if r.Missing != policy.Present || !isSelector(promql) {
		return r
	}
	value, _, _, err := e.api.Query(ctx, "max(timestamp("+promql+"\n))", at, v1.WithTimeout(e.timeout))
	if v, ok := value.(model.Vector); err == nil && ok && len(v) == 1 {
		seconds := float64(v[0].Value)
		if newest := time.UnixMilli(int64(seconds * 1000)).UTC(); finite(policy.Sample{Value: seconds}) && !newest.After(at) {
			return sampledAt(r, newest)
		}
	}
	return r
}

func apiSamples(v model.Vector) []policy.Sample {
	samples := make([]policy.Sample, len(v))
	for i, s := range v {
		samples[i] = policy.Sample{Labels: make(map[string]string, len(s.Metric)), Value: float64(s.Value)}
		for name, value := range s.Metric {
			samples[i].Labels[string(name)] = string(value)
		}
		if s.Histogram != nil {
			samples[i].Value = math.NaN()
		}
	}
	return samples
}

// apiRefusal tells a server that refuses a query from one that can't answer.
func apiRefusal(err error) policy.Reading {
	var refused *v1.Error
	if !errors.As(err, &refused) {
		return missing(policy.Unreachable, err.Error())
	}
	why := policy.Unreachable
	switch refused.Type {
	case v1.ErrBadData, v1.ErrExec, v1.ErrClient:
		why = policy.QueryError
	}
	detail := refused.Msg
	if body := strings.TrimSpace(refused.Detail); body != "" {
		detail += ": " + strings.ToValidUTF8(body[:min(len(body), bodyExcerpt)], "")
	}
	return missing(why, detail)
}

// lastValue returns when the query had a value last within lately before at.
func (e *External) lastValue(ctx context.Context, promql string, at time.Time) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	value, _, _, err := e.api.QueryRange(ctx, promql, v1.Range{Start: at.Add(-lately), End: at, Step: pastInterval}, v1.WithTimeout(e.timeout))
	if err != nil {
		return time.Time{}, err
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return time.Time{}, fmt.Errorf("range query: the result is a %s, want a range vector", value.Type())
	}
	var last time.Time
	for _, series := range matrix {
		for _, p := range series.Values {
			if t := p.Timestamp.Time(); t.After(last) && finite(policy.Sample{Value: float64(p.Value)}) {
				last = t
			}
		}
	}
	return last, nil
}

// Close closes idle connections. The file that Watch wrote stays, so that a
// restart of scalerd does not interrupt the scraping; an application that is
// taken down ends with a Watch of no targets.
func (e *External) Close() error {
	e.client.CloseIdleConnections()
	return nil
}
