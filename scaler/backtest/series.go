package backtest

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/scalerd/scalerd/scaler/monitor"
)

// nodeMetric is a metric that every ready node serves, by the names that
// node_exporter, Apache's exporter and instrumented servers use.
type nodeMetric struct {
	name   string
	labels map[string]string
	value  func(Totals) float64
}

// counted is a metric that has a base per second, and an amount per request.
func counted(name string, labels map[string]string, base, per float64) nodeMetric {
	return nodeMetric{name, labels, func(t Totals) float64 { return base*t.Up + per*t.Requests }}
}

// nodeMetrics are the metrics of a node with that many cores.
func nodeMetrics(cores int) []nodeMetric {
	device := map[string]string{"device": "eth0"}
	base := map[string][2]float64{}
	for _, m := range perRequest {
		base[m.name] = [2]float64{m.base, m.per}
	}
	like := func(name string, labels map[string]string, metric string, factor float64) nodeMetric {
		return counted(name, labels, factor*base[metric][0], factor*base[metric][1])
	}
	all := []nodeMetric{
		{"apache_accesses_total", nil, func(t Totals) float64 { return t.Requests }},
		{"apache_duration_ms_total", nil, func(t Totals) float64 { return 1000 * t.CPU }},
		{"apache_cpuload", nil, func(t Totals) float64 { return 100 * t.Busy }},
		{"apache_uptime_seconds_total", nil, func(t Totals) float64 { return t.Up }},
		like("apache_sent_kilobytes_total", nil, MetricKBOut, 1),
		{"http_requests_total", nil, func(t Totals) float64 { return t.Requests }},
		{"http_request_duration_seconds_sum", nil, func(t Totals) float64 { return t.Response }},
		{"http_request_duration_seconds_count", nil, func(t Totals) float64 { return t.Requests }},
		{"http_request_duration_microseconds_sum", nil, func(t Totals) float64 { return 1e6 * t.Response }},
		{"http_request_duration_microseconds_count", nil, func(t Totals) float64 { return t.Requests }},
		{"node_load1", nil, func(t Totals) float64 { return t.InHand }},
		like("node_intr_total", nil, MetricInterrupts, 1),
		like("node_context_switches_total", nil, MetricContextSwitches, 1),
		like("node_network_receive_bytes_total", device, MetricKBIn, 1024),
		like("node_network_transmit_bytes_total", device, MetricKBOut, 1024),
		like("node_network_receive_packets_total", device, MetricPacketsIn, 1),
		like("node_network_transmit_packets_total", device, MetricPacketsOut, 1),
	}
	for cpu := range cores {
		core := func(mode string) map[string]string { return map[string]string{"cpu": strconv.Itoa(cpu), "mode": mode} }
		all = append(all,
			nodeMetric{"node_cpu_seconds_total", core("user"), func(t Totals) float64 { return t.CPU / float64(cores) }},
			nodeMetric{"node_cpu_seconds_total", core("idle"), func(t Totals) float64 { return t.Up - t.CPU/float64(cores) }})
	}
	return all
}

// upMetric is 1 for a node that answers, and 0 while it boots.
const upMetric = "up"

// SeriesNames are the names of the metrics that PromQL finds in a backtest: those of
// each node, with the labels application, group, node, instance and job, and those
// of the group that Metrics has.
func SeriesNames() []string {
	names := append(Metrics(), upMetric)
	for _, m := range nodeMetrics(1) {
		names = append(names, m.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// instruments keep what the simulated nodes show as time series.
type instruments struct {
	memory *monitor.Memory
	group  map[string]string
	nodes  []nodeMetric
	own    []string // the metrics of the group
	used   func(metric string) bool
	series map[string]*nodeSeries // by node
	fleet  map[string]*monitor.Series
	tick   int
}

// nodeSeries are those of one node.
type nodeSeries struct {
	up     *monitor.Series
	others []*monitor.Series
	tick   int // when the node was last there
}

// newInstruments keep the metrics that are used, for as long as queries reach.
func newInstruments(application, group string, cores int, interval, reach time.Duration, used func(string) bool) *instruments {
	in := &instruments{
		memory: monitor.NewMemory(interval, reach), used: used,
		group:  map[string]string{"application": application, "group": group},
		series: map[string]*nodeSeries{}, fleet: map[string]*monitor.Series{},
	}
	for _, m := range nodeMetrics(cores) {
		if used(m.name) {
			in.nodes = append(in.nodes, m)
		}
	}
	in.own = slices.DeleteFunc(Metrics(), func(m string) bool { return !used(m) })
	return in
}

// scrape adds a sample to every series.
func (in *instruments) scrape(now time.Time, obs Observation) {
	in.tick++
	for _, n := range obs.Nodes {
		in.scrapeNode(now, n)
	}
	for name, s := range in.series {
		if s.tick != in.tick {
			s.end(now)
			delete(in.series, name)
		}
	}
	for _, metric := range in.own {
		v, ok := obs.Metrics[metric]
		switch s := in.fleet[metric]; {
		case ok && s == nil:
			s = in.memory.Series(metric, in.group)
			in.fleet[metric] = s
			s.Append(now, v)
		case ok:
			s.Append(now, v)
		case s != nil:
			s.End(now)
			delete(in.fleet, metric)
		}
	}
}

func (in *instruments) scrapeNode(now time.Time, n Node) {
	s := in.series[n.Name]
	if s == nil {
		s = &nodeSeries{}
		if in.used(upMetric) {
			s.up = in.memory.Series(upMetric, in.labels(n.Name, nil))
		}
		in.series[n.Name] = s
	}
	s.tick = in.tick
	ready := !n.Ready.IsZero()
	if s.up != nil {
		s.up.Append(now, map[bool]float64{true: 1}[ready])
	}
	if !ready {
		return
	}
	for i, m := range in.nodes {
		if i == len(s.others) {
			s.others = append(s.others, in.memory.Series(m.name, in.labels(n.Name, m.labels)))
		}
		s.others[i].Append(now, m.value(n.Totals))
	}
}

func (in *instruments) labels(node string, own map[string]string) map[string]string {
	all := map[string]string{"node": node, "instance": fmt.Sprintf("%s:9100", node), "job": "node"}
	for _, more := range []map[string]string{in.group, own} {
		for k, v := range more {
			all[k] = v
		}
	}
	return all
}

func (s *nodeSeries) end(now time.Time) {
	if s.up != nil {
		s.up.End(now)
	}
	for _, series := range s.others {
		series.End(now)
	}
}
