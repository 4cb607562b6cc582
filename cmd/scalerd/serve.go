package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/audit"
	"github.com/scalerd/scalerd/scaler/hook"
	"github.com/scalerd/scalerd/scaler/local"
	"github.com/scalerd/scalerd/scaler/micado"
	"github.com/scalerd/scalerd/scaler/monitor"
	"github.com/scalerd/scalerd/scaler/operation"
	"github.com/scalerd/scalerd/scaler/outbound"
	"github.com/scalerd/scalerd/scaler/public"
	"github.com/scalerd/scalerd/scaler/report"
	"github.com/scalerd/scalerd/scaler/secrets"
	"github.com/scalerd/scalerd/scaler/store"
	"github.com/scalerd/scalerd/scaler/terraform"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// serve wires the daemon and runs it until ctx ends. reread reads the configuration
// again, after a SIGHUP.
func serve(ctx context.Context, c config, reread func() (config, error), stderr io.Writer) error {
	if err := noCoreDumps(); err != nil {
		return err
	}
	endTraces, err := traces(ctx)
	if err != nil {
		return err
	}
	defer endTraces()
	live, err := newLiveConfig(c)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: &live.level}))
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w; choose another one with --data", err)
	}
	unlock, err := lock(c.Data)
	if err != nil {
		return err
	}
	defer unlock()
	binary, err := terraform.FindEngine(ctx, c.Engine, c.Terraform, filepath.Join(c.Data, "bin"))
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("own binary: %w", err)
	}

	prices, err := c.priceList()
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	db, err := store.Open(ctx, filepath.Join(c.Data, "scalerd.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	reachable, err := outbound.Parse(c.Reachable)
	if err != nil {
		return fmt.Errorf("reachable: %w", err)
	}
	embedded, err := monitor.OpenEmbedded(filepath.Join(c.Data, "metrics"), monitor.EmbeddedOptions{Logger: log, Registerer: registry, Dial: reachable.DialNode})
	if err != nil {
		return err
	}
	defer embedded.Close()
	audits, err := audit.Open(c.Data, audit.Options{Log: log})
	if err != nil {
		return err
	}
	defer audits.Close()
	trail := audit.NewTrail(audits)
	keeper, err := c.keeper(log)
	if err != nil {
		return fmt.Errorf("credentials: %w", err)
	}
	logins := &secrets.Store{Keeper: keeper, Plain: live.credentials, Accessed: auditCredentials(audits)}
	guard, err := c.API.guard(ctx, db, trail.Note, log)
	if err != nil {
		return err
	}
	signOn, err := c.OIDC.provider(guard, log)
	if err != nil {
		return fmt.Errorf("oidc: %w", err)
	}
	service := scaler.NewService(scaler.Config{
		Data:  c.Data,
		Store: db,
		Terraform: terraform.NewRunner(binary, terraform.Options{
			Processes: c.TerraformProcesses,
			Env:       map[string]string{"SCALERD": self},
			Login: func(cloud spec.Cloud, name string) (scaler.Credentials, error) {
				return logins.Find(ctx, cloud, name)
			},
			PluginCache: filepath.Join(c.Data, "providers"),
			Outbound:    reachable,
		}),
		Monitor:    monitors(embedded, reachable, log),
		Inspector:  local.Inspector{},
		CheckQuery: monitor.CheckQuery,
		CheckHost:  reachable.Host,
		DriftEvery: c.DriftInterval.AsDuration(), DriftPerHour: c.DriftPerHour, DriftAtOnce: max(1, c.TerraformProcesses/4),

		LookupEvery: c.LookupInterval.AsDuration(),
		LookupGrace: c.LookupGrace.AsDuration(),

		Metrics: scaler.NewMetrics(registry),
		Log:     log,
		Prices:  prices,
		Checks:  checks(c.PolicyDir),
		Drainer: hook.Drainer{Client: reachable.Client()},
		Decided: auditDecisions(audits),
	})

	socket, err := listenSocket(c.Socket)
	if err != nil {
		return err
	}
	defer os.Remove(c.Socket)
	pages, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen for /metrics: %w; choose another address with --listen", err)
	}
	var outside net.Listener
	if c.OptimizerListen != "" {
		if outside, err = net.Listen("tcp", c.OptimizerListen); err != nil {
			return errors.Join(fmt.Errorf("listen for optimizers: %w; choose another address with --optimizer-listen", err), pages.Close())
		}
		log.Info("optimizers listen", "listen", outside.Addr().String())
	}
	log.Info("scalerd runs", "version", api.Version(), "data", c.Data, "socket", c.Socket, "listen", pages.Addr().String(), "terraform", binary)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return service.Run(ctx) })
	group.Go(func() error { live.watchSignals(ctx, reread, log); return nil })
	group.Go(func() error { tellServiceManager(ctx, service, log); return nil })
	group.Go(func() error { return keepAlive(ctx, keeper) })
	operations, backtests := operation.New(service), api.NewBacktests(service)
	group.Go(func() error { return operations.Run(ctx) })
	group.Go(func() error { return backtests.Run(ctx) })
	handler := guard.Handler(trail.Handler(api.Handler(api.Config{Service: service, Operations: operations, Backtests: backtests, Guard: guard, Credentials: logins, Audit: c.Data, Version: api.Version()})))
	serveHTTP(ctx, group, socket, withProfiles(guard, handler), log)
	serveHTTP(ctx, group, api.Limit(pages), healthPages(service, registry, handler), log)
	if outside != nil {
		serveHTTP(ctx, group, api.Limit(outside), optimizerPages(service), log)
	}
	if c.API.Listen != "" {
		group.Go(func() error {
			return c.API.serve(ctx, guard, c.Data, public.Pages(service, operations, guard, signOn, trail, handler), log)
		})
	}
	err = group.Wait()
	log.Info("scalerd ends")
	return err
}

// checks are those of a folder; without one there are none.
func checks(dir string) scaler.Checks {
	if dir == "" {
		return nil
	}
	return hook.Checks(dir)
}

// monitors opens an application's monitoring: its own Prometheus, or a part of the
// embedded one.
func monitors(embedded *monitor.Embedded, reachable *outbound.Policy, log *slog.Logger) func(*spec.Application, string) (scaler.Monitor, error) {
	return func(app *spec.Application, appDir string) (scaler.Monitor, error) {
		external := app.Monitoring.Prometheus
		if external == nil {
			return embedded.Application(app.Name, app.Interval.AsDuration()), nil
		}
		fileSD := external.FileSD
		if fileSD == "" {
			fileSD = filepath.Join(appDir, "targets.json")
		}
		return monitor.NewExternal(*external, fileSD, monitor.ExternalOptions{Dial: reachable.Dial, Transport: reachable.Transport})
	}
}

// lock takes the data folder for this process; the kernel frees it at any end.
func lock(data string) (func(), error) {
	path := filepath.Join(data, "scalerd.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w; make it writable, or choose another one with --data", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path)
		return nil, errors.Join(fmt.Errorf("another scalerd (process %s) works on %s: stop it, or choose another folder with --data", string(holder), data), f.Close())
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteString(strconv.Itoa(os.Getpid()))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("data folder: write %s: %w", path, err), f.Close())
	}
	return func() { f.Close() }, nil
}

// listenSocket listens on a unix socket that only the owner can use. A socket that
// nobody answers on is left over from a killed daemon, and replaced.
func listenSocket(path string) (net.Listener, error) {
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		conn.Close()
		return nil, fmt.Errorf("another process answers on %s: choose another socket with --socket", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("old socket: %w", err)
	}
	old := syscall.Umask(0o177) // no instant at which others could connect
	defer syscall.Umask(old)
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on socket: %w", err)
	}
	return l, nil
}

// serveHTTP serves until ctx ends, then lets requests in flight finish.
func serveHTTP(ctx context.Context, group *errgroup.Group, l net.Listener, handler http.Handler, log *slog.Logger) {
	server := api.NewServer(handler, log, access.Connected)
	group.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve %s: %w", l.Addr(), err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return server.Shutdown(ctx)
	})
}

// optimizerPages are the APIs of optimizers that belong to no group. They need no
// password, so a page in a browser may not use them: it would name another host, or
// come from another site.
func optimizerPages(service *scaler.Service) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", micado.Handler(service, report.Page))
	native := api.OptimizersHandler(service, api.Version())
	for _, path := range []string{"/v1/", "/openapi.json", "/openapi.yaml", "/schemas/"} {
		mux.Handle(path, native)
	}
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, fmt.Sprintf("host %q: name a loopback address", r.Host), http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	}))
}

// healthPages are the pages that need no password: whether the process lives,
// whether it has taken up its applications, and its metrics.
//
// Alerts are taken there too, as an Alertmanager can't write to a socket; it needs a
// token of an operator.
func healthPages(service *scaler.Service, registry *prometheus.Registry, handler http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /v1/alerts", handler)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		select {
		case <-service.Loaded():
			fmt.Fprintln(w, "ok")
		default:
			http.Error(w, "applications are being loaded", http.StatusServiceUnavailable)
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}
