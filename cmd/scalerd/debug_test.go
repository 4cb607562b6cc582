package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/scalerd/scalerd/scaler/access"
)

// nobody is an access.Store without users.
type nobody struct{}

func (nobody) Users(context.Context) ([]access.User, error)   { return nil, nil }
func (nobody) SaveUser(context.Context, access.User) error    { return nil }
func (nobody) DeleteUser(context.Context, string) error       { return nil }
func (nobody) Tokens(context.Context) ([]access.Token, error) { return nil, nil }
func (nobody) SaveToken(context.Context, access.Token) error  { return nil }
func (nobody) DeleteToken(context.Context, string) error      { return nil }

func TestProfilesAreForAdminsOnly(t *testing.T) {
	guard, err := access.Open(t.Context(), nobody{}, access.Options{})
	if err != nil {
		t.Fatal(err)
	}
	status := func(role access.Role) int {
		_, token, err := guard.CreateToken(t.Context(), "t", role, nil, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/debug/pprof/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		answer := httptest.NewRecorder()
		withProfiles(guard, http.NotFoundHandler()).ServeHTTP(answer, r)
		return answer.Code
	}
	if got := status(access.Admin); got != 200 {
		t.Errorf("an admin's GET /debug/pprof/ = %d, want 200", got)
	}
	if got := status(access.Operator); got != 403 {
		t.Errorf("an operator's GET /debug/pprof/ = %d, want 403", got)
	}
}

func TestThereAreNoCoreDumps(t *testing.T) {
	if err := noCoreDumps(); err != nil {
		t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil || limit.Cur != 0 || limit.Max != 0 {
		t.Errorf("RLIMIT_CORE = %+v, %v, want 0", limit, err)
	}
}

func TestTracesGoToTheEndpointAndNowhereWithoutOne(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	end, err := traces(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	end()
	if _, span := otel.Tracer("test").Start(t.Context(), "tick"); span.IsRecording() {
		t.Error("without an endpoint a span is recorded")
	}
	got := make(chan string, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- r.URL.Path + " " + string(body)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	if end, err = traces(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer otel.SetTracerProvider(noop.NewTracerProvider())
	_, span := otel.Tracer("test").Start(t.Context(), "tick-of-a-test")
	span.End()
	end()
	select {
	case sent := <-got:
		if !strings.HasPrefix(sent, "/v1/traces ") || !strings.Contains(sent, "tick-of-a-test") || !strings.Contains(sent, "scalerd") {
			t.Errorf("sent %.200q", sent)
		}
	default:
		t.Error("nothing was sent")
	}
}
