package monitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	httpconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/compression"
)

const (
	// scrapePool is the one job of the scrape manager. Interval, path and job
	// differ per target and are set by its labels, so that the manager is
	// configured once and a new application restarts nobody's scraping.
	scrapePool = "scalerd"
	// scrapeConfig bounds what a broken metrics page can cost, and reads pages
	// that don't name their format, as hand-written ones do.
	scrapeConfig = `
scrape_configs:
- job_name: scalerd
  body_size_limit: 64MB
  fallback_scrape_protocol: PrometheusText0.0.4
`
	// reloadInterval bounds how long a changed target list waits. The manager's
	// timer runs only between two changes, so that a small value costs nothing.
	reloadInterval = 50 * time.Millisecond

	defaultRetention = 24 * time.Hour
	defaultMaxBytes  = 512 << 20
)

// EmbeddedOptions configure Embedded. The zero value is usable.
type EmbeddedOptions struct {
	// Retention is how long samples are kept. Default 24h.
	Retention time.Duration
	// MaxBytes bounds the blocks on disk, without the last 2 to 3 hours. Default
	// 512 MiB.
	MaxBytes int64
	// Logger receives warnings and errors of scraping and storage. Default none.
	Logger *slog.Logger
	// Registerer receives scalerd_monitor_series and
	// scalerd_monitor_queries_total. Default none.
	Registerer prometheus.Registerer
	// Dial makes the connections of scrapes; nil is a net.Dialer's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Embedded scrapes targets and keeps their samples, for all applications of a
// daemon. It is safe for concurrent use.
type Embedded struct {
	db      *tsdb.DB
	scraper *scrape.Manager
	config  *config.ScrapeConfig // of the one scrape pool
	logger  *slog.Logger
	metrics *metrics

	// closing is read-locked while a query runs: closing the storage unmaps the
	// memory that a query reads.
	closing sync.RWMutex
	closed  bool

	mu      sync.Mutex // guards groups, and sends to updates before closed
	groups  map[*Application]*targetgroup.Group
	updates chan map[string][]*targetgroup.Group
	stopped chan struct{} // closed when the scraper has read all updates
}

// OpenEmbedded opens or creates the storage in dir, which one process at a time
// may use, and reads back the samples of earlier runs. The caller closes the
// result.
func OpenEmbedded(dir string, o EmbeddedOptions) (*Embedded, error) {
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	libraries := slog.New(quiet{logger.Handler()})
	db, err := tsdb.Open(dir, libraries, nil, storageOptions(o), nil)
	if err != nil {
		return nil, fmt.Errorf("open metrics storage %s: %w", dir, err)
	}
	e := &Embedded{
		db:      db,
		logger:  logger,
		groups:  map[*Application]*targetgroup.Group{},
		updates: make(chan map[string][]*targetgroup.Group, 1),
		stopped: make(chan struct{}),
	}
	if err := e.configure(o, libraries); err != nil {
		return nil, errors.Join(fmt.Errorf("configure scraping: %w", err), db.Close())
	}
	if e.metrics, err = newMetrics(o.Registerer, db); err != nil {
		return nil, errors.Join(fmt.Errorf("register metrics of the monitoring: %w", err), db.Close())
	}
	go func() {
		defer close(e.stopped)
		// Run's only end is that of its channel, without an error.
		_ = e.scraper.Run(e.updates)
	}()
	return e, nil
}

func storageOptions(o EmbeddedOptions) *tsdb.Options {
	s := tsdb.DefaultOptions()
	s.RetentionDuration = cmp.Or(o.Retention, defaultRetention).Milliseconds()
	s.MaxBytes = cmp.Or(o.MaxBytes, int64(defaultMaxBytes))
	// The defaults are for millions of series; a fleet here has tens of thousands.
	s.StripeSize = 1 << 10
	s.HeadChunksWriteBufferSize = chunks.MinWriteBufferSize
	s.WALSegmentSize = 16 << 20
	s.WALCompression = compression.Snappy
	return s
}

func (e *Embedded) configure(o EmbeddedOptions, logger *slog.Logger) error {
	// Load is the only way to a config that the scrape manager accepts.
	cfg, err := config.Load(scrapeConfig, logger)
	if err != nil {
		return err
	}
	e.config = cfg.ScrapeConfigs[0]
	options := &scrape.Options{DiscoveryReloadInterval: model.Duration(reloadInterval), DiscoveryReloadOnStartup: true}
	if o.Dial != nil {
		options.HTTPClientOptions = append(options.HTTPClientOptions, httpconfig.WithDialContextFunc(o.Dial))
	}
	e.scraper, err = scrape.NewManager(options, logger, nil, nil, e.db, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	return e.scraper.ApplyConfig(cfg)
}

// replace makes group the targets of a, and none where it is nil.
func (e *Embedded) replace(a *Application, group *targetgroup.Group) error {
	e.closing.RLock()
	defer e.closing.RUnlock()
	if e.closed {
		return errClosed
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if group == nil {
		delete(e.groups, a)
	} else {
		e.groups[a] = group
	}
	all := []*targetgroup.Group{}
	for _, g := range e.groups {
		all = append(all, g)
	}
	e.send(all)
	return nil
}

// send hands the scraper the whole target list. A list that it has not taken yet
// is out of date and withdrawn, so that send never waits.
func (e *Embedded) send(all []*targetgroup.Group) {
	select {
	case <-e.updates:
	default:
	}
	e.updates <- map[string][]*targetgroup.Group{scrapePool: all}
}

// Close stops all scraping, waits for running queries and closes the storage. No
// series becomes stale by it, so that a restart within a few intervals goes
// unnoticed. Queries after it are Unreachable. A second Close does nothing.
func (e *Embedded) Close() error {
	e.closing.Lock()
	defer e.closing.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	// The empty list goes first: the scrape manager may apply the list it has
	// once more while it stops, and would start loops that nobody ends.
	e.send(nil)
	close(e.updates)
	<-e.stopped
	e.scraper.Stop()
	e.metrics.unregister()
	if err := e.db.Close(); err != nil {
		return fmt.Errorf("close metrics storage %s: %w", e.db.Dir(), err)
	}
	return nil
}
