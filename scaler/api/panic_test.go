package api_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/api"
)

func TestAPanicIsLoggedAsAnError(t *testing.T) {
	var log bytes.Buffer
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/aborts" {
			panic(http.ErrAbortHandler)
		}
		panic("at the disco")
	})
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.NewServer(handler, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo})), nil)
	server.Start()
	for _, path := range []string{"/breaks", "/aborts"} {
		if res, err := http.Get(server.URL + path); err == nil {
			res.Body.Close()
			t.Errorf("%s is answered with %s, want a connection that ends", path, res.Status)
		}
	}
	server.Close() // waits for the handlers
	for _, want := range []string{"level=ERROR", "at the disco", "path=/breaks", "panic_test.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log is %q, want %q in it", log.String(), want)
		}
	}
	if strings.Contains(log.String(), "/aborts") || strings.Count(log.String(), "level=ERROR") != 1 {
		t.Errorf("the log is %q, want one error", log.String())
	}
}
