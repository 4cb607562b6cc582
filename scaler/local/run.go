package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// alivePatience is how long a new process waits for its lock, which one that
	// only looks at it holds for an instant.
	alivePatience = 2 * time.Second
	// alivePeriod is how often a process looks whether it can still be found.
	alivePeriod = time.Second
)

// Run is the process: it serves until ctx ends, and then finishes the requests
// in flight for at most 5 s. It returns an error where another process of that
// name lives or its address is taken, and where its alive file was taken away,
// without which nothing could stop it any more.
func Run(ctx context.Context, spec Spec, log *slog.Logger) error {
	started := time.Now()
	if err := spec.Validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(spec.Dir, 0o700); err != nil {
		return fmt.Errorf("run %s: %w", spec.Name, err)
	}
	alive, err := liveAs(ctx, spec.files())
	if err != nil {
		return fmt.Errorf("run %s: %w", spec.Name, err)
	}
	defer alive.free()
	listener, err := listen(spec)
	if err != nil {
		return fmt.Errorf("run %s: %w", spec.Name, err)
	}
	listener, handler := service(spec, started, listener, log)
	record := recordOf(spec, started, listener.Addr())
	if err := record.write(spec.files().record()); err != nil {
		return errors.Join(fmt.Errorf("run %s: %w", spec.Name, err), listener.Close())
	}
	log.Info("started", "name", record.Name, "kind", record.Kind, "pid", record.PID, "address", record.Address)
	defer log.Info("ended", "name", record.Name)
	return serveWhileFound(ctx, alive, listener, handler, log)
}

// liveAs takes the lock that says that the process lives, and writes its id to
// it for Stop.
func liveAs(ctx context.Context, f files) (*lock, error) {
	alive, err := waitLock(ctx, f.alive(), alivePatience)
	if err != nil {
		return nil, err
	}
	if err := alive.write(strconv.Itoa(os.Getpid()) + "\n"); err != nil {
		alive.free()
		return nil, err
	}
	return alive, nil
}

func listen(spec Spec) (net.Listener, error) {
	address := "127.0.0.1:0"
	if spec.kind() == KindBalancer {
		address = spec.Balancer
	}
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("another program listens on %s already: end it, or choose another address", address)
	}
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return listener, nil
}

// service is what the process does.
func service(spec Spec, started time.Time, listener net.Listener, log *slog.Logger) (net.Listener, http.Handler) {
	registry := prometheus.NewRegistry()
	if spec.kind() == KindBalancer {
		return listener, newBalancer(spec.Nodes, spec.Group, registry, log).handler(registry)
	}
	traffic := &traffic{}
	node := newNode(spec, started, traffic, registry)
	return countingListener{listener, traffic}, node.handler(registry)
}

func recordOf(spec Spec, started time.Time, listening net.Addr) Record {
	address := *listening.(*net.TCPAddr)
	if address.IP.IsUnspecified() {
		address.IP = net.IPv4(127, 0, 0, 1)
	}
	return Record{
		Name:      spec.Name,
		Kind:      spec.kind(),
		PID:       os.Getpid(),
		Address:   address.String(),
		Port:      address.Port,
		StartedAt: started.UTC(),
	}
}

// serveWhileFound serves until ctx ends or the alive file is not in its place.
func serveWhileFound(ctx context.Context, alive *lock, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	lost := make(chan error, 1)
	go func() {
		err := watch(ctx, alive)
		cancel()
		lost <- err
	}()
	err := serve(ctx, listener, handler, log)
	cancel()
	return errors.Join(err, <-lost)
}

// watch returns nil when ctx ends, and an error once the alive file is gone.
func watch(ctx context.Context, alive *lock) error {
	ticker := time.NewTicker(alivePeriod)
	defer ticker.Stop()
	for alive.inPlace() {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
	return fmt.Errorf("%s was taken away, ending", alive.file.Name())
}
