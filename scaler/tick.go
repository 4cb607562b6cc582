package scaler

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// tickTimed ticks within the interval, and counts the ticks that were missed.
func (a *application) tickTimed(ctx context.Context, now time.Time) {
	if a.spec == nil || a.stored.Destroying {
		return
	}
	if a.monitor == nil {
		if err := a.openMonitor(a.spec); err != nil {
			a.problem = err.Error()
			return
		}
	}
	interval := a.interval()
	if !a.tickedAt.IsZero() {
		if missed := int(now.Sub(a.tickedAt)/interval) - 1; missed > 0 {
			a.config.Metrics.ticksMissed.WithLabelValues(a.name).Add(float64(missed))
		}
	}
	incomplete := a.complete(ctx)
	ctx, cancel := context.WithTimeout(ctx, interval)
	defer cancel()
	start := time.Now()
	a.tick(ctx, now)
	if incomplete != nil {
		a.problem = incomplete.Error()
		a.log.Error("application is not complete", "error", incomplete)
	}
	a.keepObserved(ctx, now)
	a.config.Metrics.tickSeconds.WithLabelValues(a.name).Observe(time.Since(start).Seconds())
}

// tick observes, proposes, decides and records, for each group. It never waits for
// terraform, and a group's failure never reaches another group.
func (a *application) tick(ctx context.Context, now time.Time) {
	before := a.tickedAt
	a.tickedAt = now
	ctx, whole := span(ctx, "tick", a.name, "", 0)
	defer whole.End()
	observing, observe := span(ctx, "observe", a.name, "", 0)
	a.observeReadiness(observing, now, before)
	readings := a.read(observing, now)
	observe.End()
	for _, g := range a.groups {
		if g.spec == nil || g.removing || !g.row.Known {
			continue
		}
		_, propose := span(ctx, "propose", a.name, g.name, 0)
		obs := g.observe(a.spec, a.groupReadings(g, readings, now), now)
		advice := a.consult(g, &obs)
		proposals := g.propose(obs, a.memory(g))
		propose.End()
		_, decide := span(ctx, "decide", a.name, g.name, 0)
		d, history := Decide(obs, proposals, g.spec.Scaling, g.history)
		d.Advice = advice
		d.Shadows = a.shade(ctx, g, obs, d)
		g.seen = &obs
		decide.End()
		recording, record := span(ctx, "record", a.name, g.name, 0)
		a.commit(recording, g, d, history)
		record.End()
		a.observed.add(a.seenOf(g, obs))
		a.roll(ctx, g, now)
	}
}

// observeReadiness asks who answers. Where the monitoring itself does not answer,
// the last knowledge stands.
func (a *application) observeReadiness(ctx context.Context, now, before time.Time) {
	reading := a.monitor.Query(ctx, fmt.Sprintf("up{application=%q, node!=\"\"}", a.name), now)
	if reading.Missing == policy.Unreachable || reading.Missing == policy.QueryError {
		failSpan(trace.SpanFromContext(ctx), fmt.Errorf("who is ready is not known: %s: %s", reading.Missing, reading.Detail))
		return
	}
	for _, g := range a.groups {
		g.up, g.statuses = map[string]bool{}, nil
	}
	for _, s := range reading.Samples {
		if g := a.group(s.Labels["group"]); g != nil && s.Value == 1 {
			g.up[s.Labels["node"]] = true
		}
	}
	for _, g := range a.groups {
		g.forgetReady()
		for node := range g.up {
			if _, ok := g.ready[node]; !ok {
				g.ready[node] = now
				g.failedBoots = 0
				a.saveReady(ctx, g, node, now, before)
			}
		}
	}
}

func (a *application) saveReady(ctx context.Context, g *group, node string, now, before time.Time) {
	times := NodeTimes{ReadyAt: now}
	for _, n := range g.actuator.Fleet().Nodes {
		if n.Name == node {
			times.CreatedAt = n.CreatedAt
		}
	}
	if !before.IsZero() { // else it may have been ready long before the start
		g.warmup.add(times)
		g.booted(times.CreatedAt, now)
	}
	if err := a.config.Store.SaveNodes(ctx, a.name, g.name, map[string]NodeTimes{node: times}); err != nil {
		a.log.Warn("note when a node was ready", "node", node, "error", err)
	}
}

// queriesAtOnce bounds the queries that one tick has in flight.
const queriesAtOnce = 8

// read evaluates every query that a policy uses, each text once.
func (a *application) read(ctx context.Context, now time.Time) map[string]policy.Reading {
	texts := map[string]bool{}
	for _, g := range a.groups {
		for _, query := range a.queries(g) {
			texts[query.Expr] = true
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	readings := map[string]policy.Reading{}
	slots := make(chan struct{}, queriesAtOnce)
	for _, text := range sortedKeys(texts) {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			r := a.monitor.Query(ctx, text, now)
			mu.Lock()
			defer mu.Unlock()
			readings[text] = r
		})
	}
	wg.Wait()
	return readings
}

// queries are the queries that a group's policies use, by name; the expression of
// an alert is one too.
func (a *application) queries(g *group) map[string]spec.Query {
	if g.spec == nil || g.removing {
		return nil
	}
	defined := a.spec.GroupQueries(g.spec)
	if !a.receives() {
		for _, alert := range a.spec.GroupAlerts(g.spec) {
			defined[alert.Name] = spec.Query{Expr: alert.Expr}
		}
	}
	used := map[string]spec.Query{}
	if g.advisor != nil {
		for _, name := range g.advisor.queries {
			used[name] = defined[name]
		}
	}
	if v := g.spec.Scaling.Victims; v != nil && v.Query != "" {
		used[v.Query] = defined[v.Query]
	}
	use := func(p policy.Policy) {
		for _, name := range p.Queries() {
			if query, ok := defined[name]; ok {
				used[name] = query
			}
		}
	}
	for _, p := range g.policies {
		use(p)
	}
	for _, s := range g.shadows {
		use(s)
	}
	return used
}

func (a *application) groupReadings(g *group, byText map[string]policy.Reading, now time.Time) map[string]policy.Reading {
	readings := map[string]policy.Reading{}
	for name, query := range a.queries(g) {
		r := byText[query.Expr]
		r.Label = query.Label
		readings[name] = r
	}
	for _, alert := range a.spec.GroupAlerts(g.spec) {
		if a.receives() {
			readings[alert.Name] = a.received.reading(alert.Name, g.name, now)
		} else if r, used := readings[alert.Name]; used {
			readings[alert.Name] = g.alert(alert, r, now)
		}
	}
	for name, r := range readings {
		if r.Missing != policy.Present && (r.Label == "" || r.Missing != policy.NoSeries) {
			a.config.Metrics.missing.WithLabelValues(a.name, name, string(r.Missing)).Inc()
		}
	}
	return readings
}

// alert turns the reading of an alert's expression into its state: it fires when
// the expression has had a result, without an interruption that was seen, for the
// alert's time. Where the monitoring has no answer the state is unknown, and the
// time goes on.
func (g *group) alert(alert spec.Alert, r policy.Reading, now time.Time) policy.Reading {
	firing := false
	switch r.Missing {
	case policy.QueryError, policy.Unreachable:
		return r
	case policy.NoSeries, policy.Stale:
		delete(g.pending, alert.Name)
	default:
		if g.pending == nil {
			g.pending = map[string]time.Time{}
		}
		if _, ok := g.pending[alert.Name]; !ok {
			g.pending[alert.Name] = now
		}
		firing = now.Sub(g.pending[alert.Name]) >= alert.For.AsDuration()
	}
	return policy.Reading{Samples: r.Samples, Firing: &firing, SampledAt: r.SampledAt}
}

// commit records a decision and then, only then, asks for it.
func (a *application) commit(ctx context.Context, g *group, d Decision, history History) {
	d.Application, d.Group = a.name, g.name
	if d.Held {
		a.config.Metrics.held.WithLabelValues(a.name, g.name).Inc()
	}
	for _, p := range d.Proposals {
		if p.Error != "" {
			a.config.Metrics.policyErrors.WithLabelValues(a.name, g.name, p.Policy).Inc()
		}
	}
	if a.stored.Paused || g.row.Paused {
		if d.To != d.From || len(d.Drop) > 0 {
			d.Reasons = append(d.Reasons, fmt.Sprintf("paused: stays at %d instead of %d", d.From, d.To))
		}
		d.To, d.Drop = d.From, nil
		history.LastOut, history.LastIn, history.Dropped, history.Turns = g.history.LastOut, g.history.LastIn, g.history.Dropped, g.history.Turns
	}
	row := g.row
	row.Wanted, row.Known = d.To, true
	row.LastOut, row.LastIn = history.LastOut, history.LastIn
	row.Dropping = g.dropping(d.Drop)
	row.UserData = a.userData(g.row.UserData, d.Proposals)
	row.Remembered = g.remembered(history)
	if err := a.keep(ctx, g, &d, row); err != nil {
		a.log.Error("decision not recorded, so not carried out", "group", g.name, "error", err)
		a.problem = fmt.Sprintf("decisions can't be recorded, so nothing is changed: %v", err)
		failSpan(trace.SpanFromContext(ctx), err)
		return
	}
	a.problem = ""
	g.history, g.last = history, &d
	if d.To == d.From && len(d.Drop) == 0 {
		return
	}
	trace.SpanFromContext(ctx).SetAttributes(attribute.Int64("decision", d.ID)) // as its steps have
	a.countDecision(d)
	a.log.Info("decided", "group", g.name, "decision", d.ID, "from", d.From, "to", d.To, "drop", d.Drop, "reasons", d.Reasons)
	g.ask(d.Drop, d.ID)
}

// keep writes a decision that changes something, a shadow policy's size included, or
// whose hold began or ended, to the store; other ticks cost no write unless what is remembered changed.
func (a *application) keep(ctx context.Context, g *group, d *Decision, row StoredGroup) error {
	switch {
	case d.To != d.From || len(d.Drop) > 0 || g.last == nil || g.last.Held != d.Held || moved(d.Shadows):
		id, err := a.config.Store.RecordDecision(ctx, *d, row)
		if err != nil {
			return err
		}
		d.ID = id
	case !maps.EqualFunc(row.UserData, g.row.UserData, slices.Equal) || !reflect.DeepEqual(row.Remembered, g.row.Remembered):
		if err := a.config.Store.SaveGroup(ctx, a.name, g.name, row); err != nil {
			return err
		}
	}
	g.row = row
	return nil
}

// countDecision counts a decision that changes something, and tells of it.
func (a *application) countDecision(d Decision) {
	if a.config.Decided != nil {
		a.config.Decided(d)
	}
	direction := "in"
	if d.To > d.From {
		direction = "out"
	} else if d.To == d.From {
		direction = "drop"
	}
	a.config.Metrics.decisions.WithLabelValues(a.name, d.Group, direction).Inc()
}

// publish makes the newest state visible: to readers, to scrapers and balancers,
// and in the daemon's metrics.
func (a *application) publish(now time.Time) {
	v := &view{stored: a.stored, replaced: make(chan struct{}), status: ApplicationStatus{
		Name: a.name, Paused: a.stored.Paused, Destroying: a.stored.Destroying,
		TickedAt: a.tickedAt, Problem: a.problem, Settled: true,
	}}
	var parts [][]NodeStatus
	for _, g := range a.groups {
		nodes := g.nodeStatuses()
		status := g.status(nodes)
		a.config.Metrics.group(a.name, status)
		v.status.Settled = v.status.Settled && status.Settled
		v.status.Groups = append(v.status.Groups, status)
		v.drift = append(v.drift, a.driftOf(g))
		parts = append(parts, nodes)
	}
	same := slices.EqualFunc(parts, a.shown.parts, sameSlice[NodeStatus])
	if v.nodes = a.shown.nodes; !same {
		v.nodes = inOrder(parts)
	}
	a.shown.parts, a.shown.nodes = parts, v.nodes
	close(a.published.Swap(v).replaced)
	if a.destroyed || same && a.tickedAt.Equal(a.shown.tickedAt) && a.spec == a.shown.spec {
		return
	}
	a.shown.tickedAt, a.shown.spec = a.tickedAt, a.spec
	a.tellOthers(v.nodes, now)
}

// inOrder are the nodes of all groups by group and name; each part has them by name.
func inOrder(parts [][]NodeStatus) []NodeStatus {
	parts = slices.DeleteFunc(slices.Clone(parts), func(p []NodeStatus) bool { return len(p) == 0 })
	if len(parts) == 1 {
		return parts[0] // a copy would be as large as the fleet
	}
	slices.SortFunc(parts, func(x, y []NodeStatus) int { return cmp.Compare(x[0].Group, y[0].Group) })
	return slices.Concat(parts...)
}
