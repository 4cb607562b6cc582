package monitor

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

const one = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000,"1"]}]}}`

// guarded answers 1 to whoever the check lets in and 401 to others.
func guarded(check func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !check(r) {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		io.WriteString(w, one)
	})
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	writeFile(t, path, text)
	return path
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// silent keeps handshakes that are meant to fail out of the test's output.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }

func wantOne(t *testing.T, e *External) {
	t.Helper()
	if r := e.Query(t.Context(), "up", time.Now()); r.Value() != 1 {
		t.Errorf("Query() = %+v, want 1", r)
	}
}

func wantMissing(t *testing.T, e *External, want policy.Missing, detail string) {
	t.Helper()
	if r := e.Query(t.Context(), "up", time.Now()); r.Missing != want || !strings.Contains(r.Detail, detail) {
		t.Errorf("Query() = %+v, want missing %q with %q", r, want, detail)
	}
}

func TestExternalAsksAtTheInstantUnderItsPrefix(t *testing.T) {
	at := time.Unix(1700000000, 250e6)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/monitoring/api/v1/query" {
			t.Errorf("request %s %s, want POST /monitoring/api/v1/query", r.Method, r.URL.Path)
		}
		if got, _ := strconv.ParseFloat(r.FormValue("time"), 64); got != 1700000000.25 {
			t.Errorf("time = %s, want 1700000000.25", r.FormValue("time"))
		}
		io.WriteString(w, one)
	}))
	defer server.Close()
	for _, suffix := range []string{"/monitoring", "/monitoring/"} {
		e := newExternal(t, spec.Prometheus{URL: server.URL + suffix}, "")
		if r := e.Query(t.Context(), "up", at); r.Value() != 1 {
			t.Errorf("Query() = %+v, want 1", r)
		}
	}
}

func TestExternalFallsBackToGet(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		io.WriteString(w, one)
	}))
	defer server.Close()
	wantOne(t, newExternal(t, spec.Prometheus{URL: server.URL}, ""))
}

func TestExternalBearerTokenIsReadAtEachRequest(t *testing.T) {
	token := "first"
	server := httptest.NewServer(guarded(func(r *http.Request) bool {
		return r.Header.Get("Authorization") == "Bearer "+token
	}))
	defer server.Close()
	path := secretFile(t, "first\n")
	e := newExternal(t, spec.Prometheus{URL: server.URL, BearerTokenFile: path}, "")
	wantOne(t, e)

	token = "second"
	wantMissing(t, e, policy.QueryError, "client error: 401: who are you?")
	writeFile(t, path, "second\n")
	wantOne(t, e)

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wantMissing(t, e, policy.Unreachable, path)
}

func TestExternalPasswordIsReadAtEachRequest(t *testing.T) {
	password := "first"
	server := httptest.NewServer(guarded(func(r *http.Request) bool {
		user, pass, ok := r.BasicAuth()
		return ok && user == "scalerd" && pass == password
	}))
	defer server.Close()
	path := secretFile(t, "first")
	e := newExternal(t, spec.Prometheus{URL: server.URL, Username: "scalerd", PasswordFile: path}, "")
	wantOne(t, e)

	password = "second"
	wantMissing(t, e, policy.QueryError, "401")
	writeFile(t, path, "second")
	wantOne(t, e)
}

func TestExternalTLSWithAPrivateAuthority(t *testing.T) {
	server := httptest.NewUnstartedServer(guarded(func(*http.Request) bool { return true }))
	server.Config.ErrorLog = silent()
	server.StartTLS()
	defer server.Close()
	ca := secretFile(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))

	wantOne(t, newExternal(t, spec.Prometheus{URL: server.URL, CAFile: ca}, ""))
	wantMissing(t, newExternal(t, spec.Prometheus{URL: server.URL}, ""), policy.Unreachable, "certificate")
}

func TestExternalClientCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(guarded(func(*http.Request) bool { return true }))
	server.StartTLS()
	defer server.Close()
	// The server's own pair serves as the client's too.
	pair := server.TLS.Certificates[0]
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})

	strict := httptest.NewUnstartedServer(guarded(func(r *http.Request) bool { return len(r.TLS.PeerCertificates) == 1 }))
	strict.Config.ErrorLog = silent()
	strict.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	strict.StartTLS()
	defer strict.Close()
	cfg := spec.Prometheus{URL: strict.URL, CAFile: secretFile(t, string(cert))}
	wantMissing(t, newExternal(t, cfg, ""), policy.Unreachable, "certificate required")
	cfg.CertFile, cfg.KeyFile = secretFile(t, string(cert)), secretFile(t, string(key))
	wantOne(t, newExternal(t, cfg, ""))
}

func TestNewExternalRefusesBadSettings(t *testing.T) {
	tests := []struct {
		name string
		cfg  spec.Prometheus
		want string
	}{
		{"no address", spec.Prometheus{}, "want http:// or https:// and a host"},
		{"an address without scheme", spec.Prometheus{URL: "prometheus:9090"}, "want http:// or https://"},
		{"a password in a bad address stays secret", spec.Prometheus{URL: "ftp://me:hunter2@host"}, "me:xxxxx@host"},
		{"a certificate without key", spec.Prometheus{URL: "http://host", CertFile: "cert.pem"}, "key"},
		{"an authority that is not there", spec.Prometheus{URL: "https://host", CAFile: "/nonexistent/ca.pem"}, "/nonexistent/ca.pem"},
		{"two ways to log in", spec.Prometheus{URL: "http://host", Username: "me", BearerTokenFile: "token"}, "at most one"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := NewExternal(test.cfg, "", ExternalOptions{}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("NewExternal() = %v, want %s", err, test.want)
			}
		})
	}
}

func TestExternalKnowsWhatIsStaleFromItsOwnAnswers(t *testing.T) {
	body, ranges := one, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/query_range" {
			ranges++
		}
		io.WriteString(w, body)
	}))
	defer server.Close()
	e := newExternal(t, spec.Prometheus{URL: server.URL}, "")
	start := time.Unix(1700000000, 0)
	e.Query(t.Context(), "up", start)
	body = vector().body

	tests := []struct {
		after time.Duration
		want  policy.Missing
	}{
		{15 * time.Second, policy.Stale},
		{15 * time.Minute, policy.Stale},
		{15*time.Minute + time.Second, policy.NoSeries},
	}
	for _, test := range tests {
		if r := e.Query(t.Context(), "up", start.Add(test.after)); r.Missing != test.want {
			t.Errorf("%s after the last value Query() = %+v, want missing %q", test.after, r, test.want)
		}
	}
	if ranges != 0 {
		t.Errorf("the past was asked for %d times, want 0 as it is known", ranges)
	}
}

func TestExternalAsksForThePastOnce(t *testing.T) {
	status, ranges := http.StatusServiceUnavailable, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/query" {
			io.WriteString(w, vector().body)
			return
		}
		ranges++
		w.WriteHeader(status)
		io.WriteString(w, matrix().body)
	}))
	defer server.Close()
	e := newExternal(t, spec.Prometheus{URL: server.URL}, "")
	for i, want := range []int{1, 2, 2} {
		if r := e.Query(t.Context(), "up", time.Now()); r.Missing != policy.NoSeries {
			t.Errorf("Query() = %+v, want no series", r)
		}
		if ranges != want {
			t.Errorf("after query %d the past was asked for %d times, want %d", i, ranges, want)
		}
		status = http.StatusOK
	}
}

func TestExternalLogsAWarningOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, strings.Replace(one, `"data"`, `"warnings":["one store is down"],"data"`, 1))
	}))
	defer server.Close()
	var logged bytes.Buffer
	e, err := NewExternal(spec.Prometheus{URL: server.URL}, "", ExternalOptions{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		wantOne(t, e)
	}
	if got := strings.Count(logged.String(), "one store is down"); got != 1 {
		t.Errorf("the warning is logged %d times, want 1:\n%s", got, logged.String())
	}
}
