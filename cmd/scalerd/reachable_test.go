package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/outbound"
	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// TestAPrometheusLeadsNowhereElse asks a Prometheus of a description, as the daemon does,
// that answers with a redirect.
func TestAPrometheusLeadsNowhereElse(t *testing.T) {
	lead := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lead != "" {
			http.Redirect(w, r, lead, http.StatusTemporaryRedirect)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000,"1"]}]}}`))
	}))
	t.Cleanup(server.Close)
	for _, tt := range []struct {
		name      string
		reachable []string
		lead      string
		refused   string // what is missing; empty: there is a value
	}{
		{"as it is", nil, "", ""},
		{"to metadata", nil, "http://169.254.169.254/api/v1/query", "for one machine alone"},
		{"where only another network is reachable", []string{"10.0.0.0/8"}, "", "not among the addresses"},
		{"where it is reachable", []string{"127.0.0.1"}, "", ""},
		{"to what is not reachable", []string{"127.0.0.1"}, "http://127.0.0.2:1/", "not among the addresses"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lead = tt.lead
			reachable, err := outbound.Parse(tt.reachable)
			if err != nil {
				t.Fatal(err)
			}
			app := &spec.Application{Name: "shop", Monitoring: spec.Monitoring{Prometheus: &spec.Prometheus{URL: server.URL}}}
			m, err := monitors(nil, reachable, slog.New(slog.DiscardHandler))(app, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { m.Close() })
			r := m.Query(t.Context(), "up", time.Now())
			if tt.refused == "" && r.Missing != policy.Present || tt.refused != "" && (r.Missing != policy.Unreachable || !strings.Contains(r.Detail, tt.refused)) {
				t.Errorf("Query() = %+v, want missing for %q", r, tt.refused)
			}
		})
	}
}
