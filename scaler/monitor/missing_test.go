package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// monitor is what scalerd's loop asks of either implementation.
type monitor interface {
	Query(ctx context.Context, promql string, at time.Time) policy.Reading
	Watch(targets []scaler.Target) error
	Close() error
}

var (
	_ monitor = (*Application)(nil)
	_ monitor = (*External)(nil)
)

// answer is what a Prometheus says to a request, as its HTTP API documents it.
type answer struct {
	status int
	body   string
}

func vector(samples ...string) answer {
	return answer{200, `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(samples, ",") + `]}}`}
}

func matrix(series ...string) answer {
	return answer{200, `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`}
}

func badData(text string) answer {
	quoted, _ := json.Marshal(text)
	return answer{400, fmt.Sprintf(`{"status":"error","errorType":"bad_data","error":%s}`, quoted)}
}

// TestMissing has one row for each way in which a query can have no value, or
// have one. The embedded monitoring scrapes and evaluates for real; answer and
// past are what Prometheus says to the instant and the range query.
func TestMissing(t *testing.T) {
	tests := []struct {
		name, query  string
		answer, past answer
		want         policy.Missing
		value        float64
		detail       string // is part of the reading's
	}{
		{
			name: "a gauge has its value", query: `sum(cpu_ratio)`,
			answer: vector(`{"metric":{},"value":[1700000000,"0.75"]}`),
			value:  0.75,
		},
		{
			name: "zero is a value", query: `sum(idle)`,
			answer: vector(`{"metric":{},"value":[1700000000,"0"]}`),
			value:  0,
		},
		{
			name: "a scalar is a value", query: `40 + 2`,
			answer: answer{200, `{"status":"success","data":{"resultType":"scalar","result":[1700000000,"42"]}}`},
			value:  42,
		},
		{
			name: "a metric that nobody serves", query: `memory_bytes`,
			answer: vector(), past: matrix(),
			want: policy.NoSeries, detail: "empty result",
		},
		{
			name: "a metric that is no longer served", query: `vanished`,
			answer: vector(), past: matrix(fmt.Sprintf(`{"metric":{},"values":[[%d,"1"]]}`, time.Now().Add(-time.Minute).Unix())),
			want: policy.Stale, detail: "last value ",
		},
		{
			name: "zero divided by zero", query: `sum(idle) / sum(idle)`,
			answer: vector(`{"metric":{},"value":[1700000000,"NaN"]}`),
			want:   policy.NaN, detail: "NaN for {}",
		},
		{
			name: "one divided by zero", query: `sum by (job) (cpu_ratio) / 0`,
			answer: vector(`{"metric":{"job":"node"},"value":[1700000000,"+Inf"]}`),
			want:   policy.NaN, detail: `+Inf for {job="node"}`,
		},
		{
			name: "a scalar that is not a number", query: `scalar(memory_bytes)`,
			answer: answer{200, `{"status":"success","data":{"resultType":"scalar","result":[1700000000,"NaN"]}}`},
			want:   policy.NaN,
		},
		{
			name: "a parse error", query: `sum(cpu_ratio`,
			answer: badData(`invalid parameter "query": 1:14: parse error: unclosed left parenthesis`),
			want:   policy.QueryError, detail: "1:14: parse error: unclosed left parenthesis",
		},
		{
			name: "an error of the evaluation", query: `cpu_ratio * on(job) twice`,
			answer: answer{422, `{"status":"error","errorType":"execution","error":"found duplicate series for the match group {job=\"node\"}"}`},
			want:   policy.QueryError, detail: "found duplicate series",
		},
		{
			name: "a range vector", query: `cpu_ratio[1m]`,
			answer: matrix(`{"metric":{"__name__":"cpu_ratio"},"values":[[1700000000,"0.75"]]}`),
			want:   policy.QueryError, detail: "the result is a range vector",
		},
		{
			name: "a string", query: `"cpu_ratio"`,
			answer: answer{200, `{"status":"success","data":{"resultType":"string","result":[1700000000,"cpu_ratio"]}}`},
			want:   policy.QueryError, detail: "the result is a string",
		},
	}

	p := newPage(t, "cpu_ratio 0.75\nidle 0\ntwice{n=\"1\"} 1\ntwice{n=\"2\"} 1\nvanished 1\n")
	embedded := openEmbedded(t, t.TempDir()).Application("shop", interval)
	watch(t, embedded, p.target(nil))
	awaitValue(t, embedded, "vanished", equals(1))
	p.set(strings.ReplaceAll(p.text, "vanished 1\n", ""))
	awaitMissing(t, embedded, "vanished", policy.Stale)

	check := func(t *testing.T, m monitor, query string, want policy.Missing, value float64, detail string) {
		t.Helper()
		r := m.Query(t.Context(), query, time.Now())
		if r.Missing != want || !strings.Contains(r.Detail, detail) {
			t.Errorf("Query(%s) = %+v, want missing %q with %q", query, r, want, detail)
		}
		if want == policy.Present && (len(r.Samples) != 1 || r.Value() != value) {
			t.Errorf("Query(%s) = %+v, want %v", query, r, value)
		}
	}
	for _, test := range tests {
		t.Run("embedded/"+test.name, func(t *testing.T) {
			check(t, embedded, test.query, test.want, test.value, test.detail)
		})
		t.Run("external/"+test.name, func(t *testing.T) {
			external := newExternal(t, spec.Prometheus{URL: prometheusAPI(t, test.query, test.answer, test.past).URL}, "")
			check(t, external, test.query, test.want, test.value, test.detail)
		})
	}
}

func TestUnreachable(t *testing.T) {
	closed, err := OpenEmbedded(t.TempDir(), EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	application := closed.Application("shop", interval)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	expired, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(hangs.Close)
	impatient, err := NewExternal(spec.Prometheus{URL: hangs.URL}, "", ExternalOptions{Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	at := func(a answer) monitor {
		return newExternal(t, spec.Prometheus{URL: prometheusAPI(t, "up", a, a).URL}, "")
	}
	tests := []struct {
		name   string
		ctx    context.Context
		m      monitor
		detail string
	}{
		{"embedded that is closed", t.Context(), application, "closed"},
		{"embedded that has no time left", expired, openEmbedded(t, t.TempDir()).Application("shop", interval), "timed out"},
		{"nobody listens", t.Context(), newExternal(t, spec.Prometheus{URL: "http://" + closedPort(t)}, ""), "connection refused"},
		{"no answer in time", t.Context(), impatient, "deadline exceeded"},
		{"no time left", expired, impatient, "deadline exceeded"},
		{"a server error", t.Context(), at(answer{500, "disk full"}), "server error: 500: disk full"},
		{"a gateway error page", t.Context(), at(answer{502, "<html>" + strings.Repeat("bad gateway ", 100)}), "server error: 502: <html>"},
		{"a query that timed out there", t.Context(), at(answer{503, `{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}`}), "query timed out"},
		{"something else than Prometheus", t.Context(), at(answer{200, "<html>welcome"}), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := test.m.Query(test.ctx, "up", time.Now())
			if r.Missing != policy.Unreachable || !strings.Contains(r.Detail, test.detail) {
				t.Errorf("Query() = %+v, want unreachable with %q", r, test.detail)
			}
			if len(r.Detail) == 0 || len(r.Detail) > 300 {
				t.Errorf("the detail has %d bytes, want 1..300: %q", len(r.Detail), r.Detail)
			}
		})
	}
}

// prometheusAPI answers the instant query with one answer and the range query
// with the other, and any other request with 404.
func prometheusAPI(t *testing.T, query string, instant, past answer) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := answer{404, "not found"}
		switch {
		case r.FormValue("query") != query:
			a = badData("unexpected query " + r.FormValue("query"))
		case r.URL.Path == "/api/v1/query":
			a = instant
		case r.URL.Path == "/api/v1/query_range":
			a = past
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		io.WriteString(w, a.body)
	}))
	t.Cleanup(server.Close)
	return server
}

func newExternal(t *testing.T, cfg spec.Prometheus, fileSD string) *External {
	t.Helper()
	e, err := NewExternal(cfg, fileSD, ExternalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}
