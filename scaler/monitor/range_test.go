package monitor

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// rangeServer answers query_range over HTTP from a Memory with the engine of
// Prometheus, and refuses what a Prometheus refuses.
type rangeServer struct {
	memory   *Memory
	requests int
}

func (s *rangeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests++
	refuse := func(err error) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "error", "errorType": "bad_data", "error": err.Error()})
	}
	if r.Header.Get("Authorization") != "Bearer secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	instant := func(name string) time.Time {
		seconds, _ := strconv.ParseFloat(r.FormValue(name), 64)
		return time.UnixMilli(int64(math.Round(1000 * seconds)))
	}
	start, end := instant("start"), instant("end")
	seconds, _ := strconv.ParseFloat(r.FormValue("step"), 64)
	step := time.Duration(seconds * float64(time.Second))
	if end.Sub(start)/step > 11000 {
		refuse(errors.New("exceeded maximum resolution of 11,000 points per timeseries"))
		return
	}
	query, err := s.memory.engine.NewRangeQuery(r.Context(), s.memory, nil, r.FormValue("query"), start, end, step)
	if err != nil {
		refuse(err)
		return
	}
	defer query.Close()
	result := query.Exec(r.Context())
	matrix, err := result.Matrix()
	if err != nil {
		refuse(err)
		return
	}
	if matrix == nil {
		matrix = promql.Matrix{}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "matrix", "result": matrix}})
}

// counted is a Memory with two counters, of 2 and 3 requests/s, sampled every 15 s
// from second 0 to the end.
func counted(end time.Duration) *Memory {
	m := NewMemory(15*time.Second, 1000*time.Hour)
	for i, node := range []string{"web-0001", "web-0002"} {
		s := m.Series("http_requests_total", map[string]string{"node": node})
		for at := time.Duration(0); at <= end; at += 15 * time.Second {
			s.Append(time.Unix(0, 0).Add(at), at.Seconds()*float64(i+2))
		}
	}
	return m
}

func rangeOf(t *testing.T, s *rangeServer) *External {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return newExternal(t, spec.Prometheus{URL: server.URL, BearerTokenFile: secretFile(t, "secret")}, "")
}

func TestARangeIsAskedForInParts(t *testing.T) {
	s := &rangeServer{memory: counted(100 * time.Hour)}
	from := time.Unix(3600, 0)
	points, err := rangeOf(t, s).Range(t.Context(), "sum(rate(http_requests_total[1m]))", from, from.Add(98*time.Hour), 15*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if want := 98*240 + 1; len(points) != want || s.requests != 3 {
		t.Errorf("%d points in %d requests, want %d in 3", len(points), s.requests, want)
	}
	for i, p := range points {
		if want := from.Add(time.Duration(i) * 15 * time.Second); !p.At.Equal(want) || math.Abs(p.Value-5) > 1e-9 {
			t.Fatalf("point %d is %v at %s, want 5 at %s", i, p.Value, p.At, want)
		}
	}
}

func TestARangeThatIsNoLoadIsRefused(t *testing.T) {
	e := rangeOf(t, &rangeServer{memory: counted(time.Hour)})
	from := time.Unix(600, 0)
	for _, test := range []struct {
		name, query, want string
		span, step        time.Duration
	}{
		{"several series", "rate(http_requests_total[1m])", "2 series, such as", time.Hour, time.Minute},
		{"a mistake", "sum(rate(http_requests_total[1m])", "unclosed left parenthesis", time.Hour, time.Minute},
		{"no step", "sum(up)", "must be at least 1ms", time.Hour, 0},
		{"an end before its start", "sum(up)", "is empty", -time.Hour, time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := e.Range(t.Context(), test.query, from, from.Add(test.span), test.step); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Range() = %v, want %q in it", err, test.want)
			}
		})
	}
	points, err := e.Range(t.Context(), "sum(nothing)", from, from.Add(time.Hour), time.Minute)
	if err != nil || len(points) != 0 {
		t.Errorf("Range() of nothing = %v, %v, want no points", points, err)
	}
}

// TestRecordedReadsBesideTheDaemon: the storage is in use by an Embedded.
func TestRecordedReadsBesideTheDaemon(t *testing.T) {
	dir := t.TempDir()
	e := openEmbedded(t, dir)
	a := e.Application("shop", 100*time.Millisecond)
	watch(t, a, newPage(t, "requests 7\n").target(map[string]string{"node": "web-0001"}))
	start := time.Now()
	awaitValue(t, a, "requests", equals(7))
	end := time.Now().Add(time.Second)
	points, err := Recorded(t.Context(), dir, "shop", "sum(requests)", start, end, 100*time.Millisecond, time.Second)
	if err != nil || len(points) == 0 || points[len(points)-1].Value != 7 {
		t.Errorf("Recorded() = %v, %v, want values of 7", points, err)
	}
	if points, err := Recorded(t.Context(), dir, "other", "sum(requests)", start, end, 100*time.Millisecond, time.Second); err != nil || len(points) != 0 {
		t.Errorf("Recorded() of another application = %v, %v, want none", points, err)
	}
	if _, err := Recorded(t.Context(), dir+"/none", "shop", "sum(requests)", start, end, time.Second, time.Second); err == nil {
		t.Error("Recorded() of a folder that is not there = nil, want an error")
	}
}
