package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/operation"
)

// driftServer is a daemon with three applications: of shop a check is well; gone is
// destroyed before it can be asked for one, and going while it is checked.
type driftServer struct {
	mu sync.Mutex
	// checks counts the checks of each application, and polls how often one was looked at.
	checks map[string]int
	polls  int
	// restarted makes it forget the first check of shop.
	restarted bool
}

func (d *driftServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // the client notices
	}
	part := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	name := append(part, "")[1]
	switch {
	case r.URL.Path == "/v1/applications":
		answer(http.StatusOK, api.Page[scaler.ApplicationStatus]{Items: []scaler.ApplicationStatus{{Name: "gone"}, {Name: "going"}, {Name: "shop"}}})
	case part[0] == "operations" && strings.HasSuffix(r.URL.Path, "/events"):
		application, number, _ := strings.Cut(name, "-")
		if d.restarted && number == "1" && application == "shop" {
			answer(http.StatusNotFound, map[string]string{"detail": "operation: not found"})
			return
		}
		op := operation.Operation{ID: name, Kind: operation.Drift, Application: application, Status: operation.Succeeded}
		if application == "going" {
			op.Status, op.Error = operation.Failed, "application going: not found"
		}
		text, _ := json.Marshal(op)
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "event: operation\ndata: %s\n\n", text)
	case part[0] == "operations":
		d.polls++
		answer(http.StatusOK, operation.Operation{ID: name, Application: name, Status: operation.Succeeded})
	case name == "shop" && strings.HasSuffix(r.URL.Path, "/drift"):
		answer(http.StatusOK, api.Page[scaler.GroupDrift]{Items: []scaler.GroupDrift{{Application: "shop", Group: "web", Checks: []scaler.DriftCheck{{Shard: "shard-000", At: time.Now()}}}}})
	case name != "gone" && strings.HasSuffix(r.URL.Path, "/drift/check"):
		d.checks[name]++
		answer(http.StatusAccepted, operation.Operation{ID: fmt.Sprintf("%s-%d", name, d.checks[name]), Kind: operation.Drift, Application: name, Status: operation.Running})
	default:
		answer(http.StatusNotFound, map[string]string{"detail": name + ": not found"})
	}
}

func TestADriftCheckOfAllOutlivesOneThatGoes(t *testing.T) {
	for _, tt := range []struct {
		what      string
		restarted bool
		args      string
		// fails is in the error, empty for none; checks are those of shop.
		fails  string
		checks int
	}{
		{"two of three go", false, "drift --now", "", 1},
		{"the daemon is restarted meanwhile", true, "drift --now", "", 2},
		{"one that was named goes", false, "drift going --now", "application going: not found", 0},
		{"one that was named is gone", false, "drift gone --now", "gone: not found", 0},
	} {
		t.Run(tt.what, func(t *testing.T) {
			d := &driftServer{checks: map[string]int{}, restarted: tt.restarted}
			server := httptest.NewTLSServer(d)
			t.Cleanup(server.Close)
			out, err := guarded{t: t, remote: server}.as("token", "", strings.Fields(tt.args)...)
			if tt.fails == "" && err != nil || tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)) {
				t.Errorf("scalerctl %s = %v, want %q", tt.args, err, tt.fails)
			}
			if tt.fails == "" && !strings.Contains(out, "shop web: 1 shards were checked") {
				t.Errorf("scalerctl %s says %q, want the check of shop", tt.args, out)
			}
			if d.checks["shop"] != tt.checks || d.polls != 0 {
				t.Errorf("%d checks of shop and %d looks at operations, want %d and none", d.checks["shop"], d.polls, tt.checks)
			}
		})
	}
}
