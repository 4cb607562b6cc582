package api

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"golang.org/x/net/netutil"
)

// Limits of a server: a client can't hold on to more than a connection, and to that
// not for long.
const (
	// MaxConnections bounds the open connections of one listener.
	MaxConnections = 512

	maxHeader = 64 << 10
)

// limits bound what a connection may take its time for.
type limits struct {
	// header is for a request's headers, and for the handshake; body for its body.
	header, body time.Duration
	// idle is between two requests.
	idle time.Duration
	// write is how long a client may not take what is written.
	write time.Duration
}

func defaultLimits() limits {
	return limits{header: 10 * time.Second, body: readTimeout, idle: time.Minute, write: 30 * time.Second}
}

// Limit bounds the connections of a listener.
func Limit(l net.Listener) net.Listener { return netutil.LimitListener(l, MaxConnections) }

// NewServer returns a server with bounds on headers and time for every connection.
// connected adds to the context of a connection's requests; it may be nil.
func NewServer(handler http.Handler, log *slog.Logger, connected func(context.Context, net.Conn) context.Context) *http.Server {
	return newServer(handler, log, connected, defaultLimits())
}

func newServer(handler http.Handler, log *slog.Logger, connected func(context.Context, net.Conn) context.Context, within limits) *http.Server {
	return &http.Server{
		Handler:           panicking(timely(handler, within), log),
		ReadHeaderTimeout: within.header, IdleTimeout: within.idle, MaxHeaderBytes: maxHeader,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug), // what scanners send is no failure of ours
		ConnContext: connected,
	}
}

// panicking logs a panic, which is a mistake of ours, and ends its connection.
func panicking(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause != http.ErrAbortHandler { // which only ends the connection
				log.Error("a request failed by a mistake of scalerd: report it", "method", r.Method, "path", r.URL.Path, "panic", cause, "stack", string(debug.Stack()))
			}
			panic(http.ErrAbortHandler)
		}()
		next.ServeHTTP(w, r)
	})
}

// timely gives each write its time, and a body that is read without another bound
// too. A stream may go on for ever, as long as its client reads.
func timely(next http.Handler, within limits) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Not every ResponseWriter has deadlines, as those of tests.
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(within.body))
			// A copy: the server looks at its own request's body to know whether the
			// connection can be used again, or has the rest of this body in it.
			r = r.WithContext(r.Context())
			r.Body = &unhurried{r.Body, w}
		}
		next.ServeHTTP(&timedWriter{w, within.write}, r)
	})
}

// unhurried takes the deadline off the connection once the whole body was read, so that
// what follows may take its time. It stays where the body does not come: the server
// reads on for the rest of it, to use the connection again.
type unhurried struct {
	body interface {
		Read([]byte) (int, error)
		Close() error
	}
	w http.ResponseWriter
}

// Read implements io.Reader.
func (u *unhurried) Read(p []byte) (int, error) {
	n, err := u.body.Read(p)
	if err == io.EOF {
		_ = http.NewResponseController(u.w).SetReadDeadline(time.Time{})
	}
	return n, err
}

// Close implements io.Closer.
func (u *unhurried) Close() error { return u.body.Close() }

type timedWriter struct {
	http.ResponseWriter
	within time.Duration
}

// Unwrap serves http.ResponseController.
func (t *timedWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Write implements http.ResponseWriter.
func (t *timedWriter) Write(text []byte) (int, error) {
	_ = http.NewResponseController(t.ResponseWriter).SetWriteDeadline(time.Now().Add(t.within))
	return t.ResponseWriter.Write(text)
}

// Flush implements http.Flusher, for streams.
func (t *timedWriter) Flush() { _ = http.NewResponseController(t.ResponseWriter).Flush() }
