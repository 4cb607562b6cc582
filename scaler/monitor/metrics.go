package monitor

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/scalerd/scalerd/scaler/policy"
)

// metrics are scalerd's own about the embedded monitoring. Those of the
// libraries stay out of scalerd's page: there are some two hundred.
type metrics struct {
	registerer prometheus.Registerer
	series     prometheus.GaugeFunc
	queries    *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, db *tsdb.DB) (*metrics, error) {
	if r == nil {
		r = prometheus.NewRegistry()
	}
	m := &metrics{
		registerer: r,
		series: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "scalerd_monitor_series",
			Help: "Series of the last hours that the embedded monitoring holds in memory.",
		}, func() float64 { return float64(db.Head().NumSeries()) }),
		queries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "scalerd_monitor_queries_total",
			Help: "Queries that the embedded monitoring answered, by why they have no value.",
		}, []string{"missing"}),
	}
	if err := r.Register(m.series); err != nil {
		return nil, err
	}
	if err := r.Register(m.queries); err != nil {
		r.Unregister(m.series)
		return nil, err
	}
	return m, nil
}

func (m *metrics) answered(r policy.Reading) {
	m.queries.WithLabelValues(string(r.Missing)).Inc()
}

func (m *metrics) unregister() {
	m.registerer.Unregister(m.series)
	m.registerer.Unregister(m.queries)
}

// quiet lets only warnings and errors through. The libraries tell about every
// file they open and every block they cut.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
