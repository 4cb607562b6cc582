package api_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
)

func TestAServerBoundsTheTimeOfEverything(t *testing.T) {
	s := api.NewServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler), nil)
	for what, d := range map[string]time.Duration{"headers": s.ReadHeaderTimeout, "idle connections": s.IdleTimeout} {
		if d <= 0 || d > time.Minute {
			t.Errorf("the time for %s is %s, want up to a minute", what, d)
		}
	}
}

// TestSlowClientsAreLetGo holds on to a server of which every limit is half a second.
func TestSlowClientsAreLetGo(t *testing.T) {
	c := fortify(t, access.Options{})
	ended := make(chan error, 16)
	mux := http.NewServeMux()
	mux.Handle("/", c.server.Config.Handler)
	mux.HandleFunc("/body", func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		ended <- err
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for part := make([]byte, 1<<20); err == nil; {
			_, err = w.Write(part)
		}
		ended <- err
	})
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.NewServerWithin(500*time.Millisecond, mux, access.Connected)
	server.StartTLS()
	defer server.Close()
	// On a busy machine a connection can be let go before all was sent.
	connect := func(sent string) net.Conn {
		var err error
		for range 20 {
			var conn net.Conn
			if conn, err = tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true}); err == nil {
				t.Cleanup(func() { conn.Close() })
				if err = conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
					break
				}
				_, _ = fmt.Fprint(conn, sent)
				return conn
			}
		}
		t.Fatal(err)
		return nil
	}
	for what, sent := range map[string]string{
		"nothing":                  "",
		"a part of the headers":    "GET /v1/me HTTP/1.1\r\nHost: x\r\n",
		"one request, and is idle": "GET /v1/me HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		if _, err := io.ReadAll(connect(sent)); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a client that sends %s is not let go within 20 s", what)
		}
	}
	for what, sent := range map[string]string{
		"sends a part of a body":     "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx",
		"does not take what is sent": "GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		err := errors.New("the request was never read")
		for range 5 {
			connect(sent)
			select {
			case err = <-ended:
			case <-time.After(5 * time.Second):
				continue
			}
			break
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("with a client that %s: %v, want its time to be over", what, err)
		}
	}
	raw, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := raw.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(raw); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a client without a handshake is not let go within 20 s")
	}
}

// counting counts the connections that are accepted and not closed.
type counting struct {
	net.Listener
	open, most atomic.Int64
}

func (c *counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if n := c.open.Add(1); n > c.most.Load() {
		c.most.Store(n)
	}
	return &counted{Conn: conn, open: &c.open}, nil
}

type counted struct {
	net.Conn
	open   *atomic.Int64
	closed atomic.Bool
}

func (c *counted) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}

// TestThousandsOfIdleConnectionsAreBounded opens 2,000 connections that say nothing, and
// then asks for something.
func TestThousandsOfIdleConnectionsAreBounded(t *testing.T) {
	const connections = 2000
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < connections+api.MaxConnections+200 {
		t.Skipf("a process may have %d files open here", limit.Cur)
	}
	c := fortify(t, access.Options{})
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.NewServerWithin(500*time.Millisecond, c.server.Config.Handler, access.Connected)
	accepted := &counting{Listener: server.Listener}
	server.Listener = api.Limit(accepted)
	server.Start()
	defer server.Close()
	goroutines := runtime.NumGoroutine()
	dialer := net.Dialer{Timeout: 20 * time.Second}
	for range connections {
		conn, err := dialer.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	waitUntil(t, func() bool { return accepted.most.Load() >= api.MaxConnections })
	if grown := runtime.NumGoroutine() - goroutines; grown > 2*api.MaxConnections+50 {
		t.Errorf("%d goroutines more for %d connections, want at most two for each of %d", grown, connections, api.MaxConnections)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/v1/me", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.tokens["viewer"])
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
	res, err := client.Do(r)
	for range 5 { // on a busy machine its own headers can come too late
		if err == nil {
			break
		}
		res, err = client.Do(r)
	}
	if err != nil {
		t.Fatalf("a request behind %d idle connections: %v", connections, err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("a request behind %d idle connections = %s, want 200", connections, res.Status)
	}
	if most := accepted.most.Load(); most > api.MaxConnections {
		t.Errorf("%d connections were open at once, want at most %d", most, api.MaxConnections)
	}
}
