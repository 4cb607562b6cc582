package scaler

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the daemon's own Prometheus metrics.
type Metrics struct {
	nodes        *prometheus.GaugeVec
	wanted       *prometheus.GaugeVec
	degraded     *prometheus.GaugeVec
	shadow       *prometheus.GaugeVec
	penalty      *prometheus.GaugeVec
	cost         []*prometheus.GaugeVec // an hour, this month, forecast
	decisions    *prometheus.CounterVec
	held         *prometheus.CounterVec
	policyErrors *prometheus.CounterVec
	missing      *prometheus.CounterVec
	steps        *prometheus.CounterVec
	stepSeconds  *prometheus.HistogramVec
	gone         *prometheus.CounterVec
	tickSeconds  *prometheus.HistogramVec
	ticksMissed  *prometheus.CounterVec
	optimizers   *optimizerMetrics
	orphans      *prometheus.GaugeVec
	adopted      *prometheus.CounterVec
	deleted      *prometheus.CounterVec
	drift        *prometheus.CounterVec
	drifted      *prometheus.GaugeVec
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	group := []string{"application", "group"}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	seconds := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.001, 4, 10)}, labels)
	}
	m := &Metrics{
		nodes:    gauge("scalerd_group_nodes", "Nodes of the group by state.", "application", "group", "state"),
		wanted:   gauge("scalerd_group_wanted_nodes", "Nodes decided last.", group...),
		degraded: gauge("scalerd_group_degraded", "1 while a step fails or the size is unknown.", group...),
		shadow:   gauge("scalerd_shadow_nodes", "Nodes that the group would have with a shadow policy.", "application", "group", "policy"),
		penalty:  gauge("scalerd_offering_penalty", "What an offering has from its failures: 1 after one, halved every ten minutes; from 0.5 on it is avoided.", "application", "group", "offering"),
		cost: []*prometheus.GaugeVec{
			gauge("scalerd_cost_per_hour", "What the nodes that exist cost an hour.", "application", "group", "currency"),
			gauge("scalerd_cost_month", "What the nodes cost since the calendar month began, in UTC.", "application", "group", "currency"),
			gauge("scalerd_cost_month_forecast", "What the nodes will have cost at the month's end with the size that is wanted now.", "application", "group", "currency"),
		},
		decisions:    counter("scalerd_decisions_total", "Decisions that changed the size.", "application", "group", "direction"),
		held:         counter("scalerd_ticks_held_total", "Ticks at which a missing metric or a failing rule held the size.", group...),
		policyErrors: counter("scalerd_policy_errors_total", "Evaluations of a policy that failed.", "application", "group", "policy"),
		missing:      counter("scalerd_readings_missing_total", "Queries without a value, by the kind of absence.", "application", "query", "kind"),
		steps:        counter("scalerd_steps_total", "Steps by result: done, failed or interrupted.", "application", "group", "result"),
		stepSeconds:  seconds("scalerd_step_seconds", "Time of a step: plan, check, apply.", group...),
		gone:         counter("scalerd_nodes_gone_total", "Resources that a drift check found gone.", group...),
		tickSeconds:  seconds("scalerd_tick_seconds", "Time of a tick.", "application"),
		ticksMissed:  counter("scalerd_ticks_missed_total", "Ticks that were skipped because one took too long.", "application"),
		optimizers:   newOptimizerMetrics(reg),
		orphans:      gauge("scalerd_orphans", "Resources in the cloud with the group's tags that no state has.", group...),
		adopted:      counter("scalerd_orphans_adopted_total", "Resources of interrupted creations that were taken over.", group...),
		drift:        counter("scalerd_drift_total", "Changes behind Terraform's back by kind: deleted, changed or foreign writer.", "application", "group", "kind"),
		drifted:      gauge("scalerd_drift_findings", "Changes behind Terraform's back that are not repaired.", group...),
		deleted:      counter("scalerd_orphans_deleted_total", "Resources that nobody wanted and that were deleted.", group...),
	}
	reg.MustRegister(m.orphans, m.adopted, m.deleted, m.drift, m.drifted)
	for _, v := range m.cost {
		reg.MustRegister(v)
	}
	reg.MustRegister(m.nodes, m.wanted, m.degraded, m.shadow, m.penalty, m.decisions, m.held, m.policyErrors, m.missing,
		m.steps, m.stepSeconds, m.gone, m.tickSeconds, m.ticksMissed)
	return m
}

func (m *Metrics) step(app, group string, err error, took time.Duration) {
	result := "done"
	switch {
	case errors.Is(err, context.Canceled):
		result = "interrupted"
	case err != nil:
		result = "failed"
	}
	m.steps.WithLabelValues(app, group, result).Inc()
	m.stepSeconds.WithLabelValues(app, group).Observe(took.Seconds())
}

// group sets the gauges of one group.
func (m *Metrics) group(app string, g GroupStatus) {
	for state, n := range map[string]int{
		StateCreating: g.Creating, StateBooting: g.Booting, StateReady: g.Ready, StateLost: g.Lost, StateDraining: g.Draining,
	} {
		m.nodes.WithLabelValues(app, g.Name, state).Set(float64(n))
	}
	m.wanted.WithLabelValues(app, g.Name).Set(float64(g.Wanted))
	m.shadow.DeletePartialMatch(prometheus.Labels{"application": app, "group": g.Name})
	for _, s := range g.Shadows {
		m.shadow.WithLabelValues(app, g.Name, s.Policy).Set(float64(s.Shadow.Nodes))
	}
	m.penalty.DeletePartialMatch(prometheus.Labels{"application": app, "group": g.Name})
	for _, o := range g.Offerings {
		m.penalty.WithLabelValues(app, g.Name, o.Name).Set(o.Penalty)
	}
	for i, v := range m.cost {
		v.DeletePartialMatch(prometheus.Labels{"application": app, "group": g.Name})
		if c := g.Cost; c != nil {
			v.WithLabelValues(app, g.Name, c.Currency).Set([]float64{c.PerHour, c.Month, c.Forecast}[i])
		}
	}
	degraded := 0.0
	if g.Problem != "" {
		degraded = 1
	}
	m.degraded.WithLabelValues(app, g.Name).Set(degraded)
	m.drifted.WithLabelValues(app, g.Name).Set(float64(len(g.Drift)))
	m.orphans.WithLabelValues(app, g.Name).Set(float64(len(g.Lookup.Orphans)))
}

// forget drops the series of a group that is gone.
func (m *Metrics) forget(app, group string) {
	labels := prometheus.Labels{"application": app, "group": group}
	for _, v := range append([]*prometheus.GaugeVec{m.nodes, m.wanted, m.degraded, m.shadow, m.orphans, m.drifted, m.penalty}, m.cost...) {
		v.DeletePartialMatch(labels)
	}
	for _, v := range []*prometheus.CounterVec{m.decisions, m.held, m.policyErrors, m.steps, m.gone, m.adopted, m.deleted, m.drift} {
		v.DeletePartialMatch(labels)
	}
	m.stepSeconds.DeletePartialMatch(labels)
}
