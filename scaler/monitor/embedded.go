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
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/compression"
)

const (
	// scrapePool is the one job of a scrape manager. Interval, path and job
	// differ per target and are set by its labels, so that a manager is
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
	db        *tsdb.DB
	config    *config.Config // of every pool
	logger    *slog.Logger
	libraries *slog.Logger
	metrics   *metrics
	dial      func(ctx context.Context, network, address string) (net.Conn, error)

	// closing is read-locked while a query runs: closing the storage unmaps the
	// memory that a query reads.
	closing sync.RWMutex
	closed  bool

	mu    sync.Mutex // guards pools and what is in them
	pools []*pool
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
	e := &Embedded{db: db, logger: logger, libraries: libraries, dial: o.Dial}
	// Load is the only way to a config that the scrape manager accepts.
	if e.config, err = config.Load(scrapeConfig, libraries); err != nil {
		return nil, errors.Join(fmt.Errorf("configure scraping: %w", err), db.Close())
	}
	if e.metrics, err = newMetrics(o.Registerer, db); err != nil {
		return nil, errors.Join(fmt.Errorf("register metrics of the monitoring: %w", err), db.Close())
	}
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

// update makes targets those of a, of which some were added, which gives them a pool,
// and others were removed. Only the pools of these are touched.
func (e *Embedded) update(a *Application, targets, added, removed []*placed) error {
	e.closing.RLock()
	defer e.closing.RUnlock()
	if e.closed {
		return errClosed
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	touched := map[*pool][]model.LabelSet{}
	for i, t := range added {
		if t.refused != nil {
			continue
		}
		p, err := e.roomy()
		if err != nil {
			for _, t := range added[:i] { // none of them comes
				if t.pool != nil {
					t.pool.size--
				}
			}
			return err
		}
		t.pool = p
		p.size++
		touched[p] = nil
	}
	for _, t := range removed {
		if t.pool != nil {
			t.pool.size--
			touched[t.pool] = nil
		}
	}
	for _, t := range targets {
		if of, is := touched[t.pool]; is {
			touched[t.pool] = append(of, t.labels)
		}
	}
	for p, of := range touched {
		p.set(a, of)
	}
	return nil
}

// roomy is the fullest pool that has room, or a new one.
func (e *Embedded) roomy() (*pool, error) {
	var best *pool
	for _, p := range e.pools {
		if p.size < poolSize && (best == nil || p.size > best.size) {
			best = p
		}
	}
	if best != nil {
		return best, nil
	}
	p, err := openPool(e.config, e.db, e.dial, e.libraries)
	if err != nil {
		return nil, err
	}
	e.pools = append(e.pools, p)
	return p, nil
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
	for _, p := range e.pools {
		p.close()
	}
	e.metrics.unregister()
	if err := e.db.Close(); err != nil {
		return fmt.Errorf("close metrics storage %s: %w", e.db.Dir(), err)
	}
	return nil
}
