package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// shutdownPatience is how long requests in flight may take to finish.
	shutdownPatience = 5 * time.Second
	// quietPeriod is how long no connection may have a request in flight for the
	// shutdown to be complete.
	quietPeriod = 200 * time.Millisecond
)

// serve answers on the listener, which it closes, until ctx ends and the
// requests in flight have finished.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	active := &connections{active: map[net.Conn]bool{}}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		// Longer than a balancer keeps an idle connection, so that it never
		// sends a request on one that is being closed here.
		IdleTimeout: 3 * idleTimeout,
		ConnState:   active.changed,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	shutdown(server, active)
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", listener.Addr(), err)
	}
	return nil
}

// shutdown finishes the requests in flight. http.Server alone would wait
// seconds for connections that were opened and never used, which is what a
// client's pool has plenty of.
func shutdown(server *http.Server, active *connections) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownPatience)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Shutdown(ctx)
		_ = server.Close()
	}()
	ticker := time.NewTicker(quietPeriod / 10)
	defer ticker.Stop()
	quietSince := time.Now()
	for {
		select {
		case <-done:
			return
		case now := <-ticker.C:
			if active.any() {
				quietSince = now
			} else if now.Sub(quietSince) >= quietPeriod {
				cancel()
			}
		}
	}
}

// connections knows which connections have a request in flight.
type connections struct {
	mu     sync.Mutex
	active map[net.Conn]bool
}

func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateActive {
		c.active[conn] = true
	} else {
		delete(c.active, conn)
	}
}

func (c *connections) any() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.active) > 0
}
