package backtest

import (
	"fmt"
	"math"
	"time"
)

// The alarms of AWS target tracking: datapoints of a minute, how many of them must
// lie beyond the target, and how far below it the alarm for scale-in stands.
const (
	alarmPeriod  = time.Minute
	alarmOut     = 3
	alarmIn      = 15
	alarmInShare = 0.9
	alarmWarmUp  = 300 * time.Second
)

// targetTracking is AWS target tracking of a CPU target in percent: scale-out in
// proportion once three minutes lie above the target, scale-in once fifteen lie
// below nine tenths of it and no node is in its 300 seconds of warm-up.
type targetTracking struct {
	target float64
	minute minute
}

// TargetTracking makes the policy.
func TargetTracking(target float64) Maker {
	return func(g Group) (Policy, error) {
		return &targetTracking{target: target, minute: newMinute(g.Tick, alarmIn)}, nil
	}
}

func (p *targetTracking) Name() string { return fmt.Sprintf("tt%g", p.target) }

func (p *targetTracking) Decide(now time.Time, obs Observation) int {
	total := obs.Total()
	cpu, ok := obs.Metrics[MetricCPU]
	if !ok || !p.minute.add(cpu) {
		return total
	}
	latest := p.minute.latest()
	wanted := int(math.Ceil(latest / p.target * float64(obs.Ready)))
	switch {
	case p.minute.last(alarmOut, func(v float64) bool { return v > p.target }):
		return max(total, wanted)
	case p.minute.last(alarmIn, func(v float64) bool { return v < p.target*alarmInShare }) && !warming(now, obs):
		return min(total, wanted)
	}
	return total
}

// warming is whether a node boots or was ready for less than the warm-up.
func warming(now time.Time, obs Observation) bool {
	for _, n := range obs.Nodes {
		if n.Ready.IsZero() || now.Sub(n.Ready) < alarmWarmUp {
			return true
		}
	}
	return false
}

// minute gathers a metric in datapoints of a minute and keeps the latest of them.
type minute struct {
	ticks  int // of a datapoint
	sum    float64
	count  int
	points []float64
	most   int
}

func newMinute(tick time.Duration, keep int) minute {
	return minute{ticks: max(1, int(alarmPeriod/tick)), most: keep}
}

// add takes the value of a tick and tells whether it completes a datapoint.
func (m *minute) add(v float64) bool {
	m.sum += v
	m.count++
	if m.count < m.ticks {
		return false
	}
	m.points = append(m.points, m.sum/float64(m.count))
	if len(m.points) > m.most {
		m.points = m.points[1:]
	}
	m.sum, m.count = 0, 0
	return true
}

func (m *minute) latest() float64 { return m.points[len(m.points)-1] }

// last is whether the last n datapoints exist and all hold.
func (m *minute) last(n int, holds func(float64) bool) bool {
	if len(m.points) < n {
		return false
	}
	for _, v := range m.points[len(m.points)-n:] {
		if !holds(v) {
			return false
		}
	}
	return true
}
