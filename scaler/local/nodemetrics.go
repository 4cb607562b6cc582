package local

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// What a node can't measure, since it is no machine, is modelled by these.
const (
	idleInterrupts    = 100 // per second
	requestInterrupts = 4
	idleSwitches      = 200 // per second
	requestSwitches   = 6
	memoryTotal       = 2 << 30 // bytes
	memoryIdle        = 256 << 20
	memoryPerRequest  = 4 << 20
)

// nodeMetrics gives a node's metrics the names that Apache's exporter and
// node_exporter use.
type nodeMetrics struct{ node *node }

// Describe implements prometheus.Collector.
func (m nodeMetrics) Describe(ch chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(m, ch)
}

// Collect implements prometheus.Collector.
func (m nodeMetrics) Collect(ch chan<- prometheus.Metric) {
	use, out := m.node.slots.usage(), emitter{ch}
	m.apache(out, use)
	m.cpu(out, use)
	out.flow("receive", &m.node.traffic.received)
	out.flow("transmit", &m.node.traffic.sent)
	m.kernel(out, use)
	out.plain(counter, "scalerd_node_rejected_requests_total", "Requests that were answered 503 as too many waited.", float64(m.node.rejected.Load()))
	out.plain(gauge, "scalerd_node_waiting_requests", "Requests that wait for a slot.", float64(use.Waiting))
}

func (m nodeMetrics) apache(out emitter, use usage) {
	milliseconds := float64(m.node.serving.Load()) / float64(time.Millisecond)
	out.plain(gauge, "apache_up", "The server answers.", 1)
	out.plain(counter, "apache_uptime_seconds_total", "Time since the start of the node.", use.Up.Seconds())
	out.plain(counter, "apache_accesses_total", "Requests served.", float64(m.node.served.Load()))
	out.plain(counter, "apache_sent_kilobytes_total", "Bodies sent.", float64(m.node.sent.Load())/1024)
	out.plain(counter, "apache_duration_ms_total", "Time that the requests served occupied slots, waiting not included.", milliseconds)
	out.plain(gauge, "apache_cpuload", "Busy slots in percent, averaged over about a minute.", 100*use.Share)
	const workers = "Slots by state."
	out.one(gauge, "apache_workers", workers, float64(use.Working), prometheus.Labels{"state": "busy"})
	out.one(gauge, "apache_workers", workers, float64(len(use.Busy)-use.Working), prometheus.Labels{"state": "idle"})
}

func (m nodeMetrics) cpu(out emitter, use usage) {
	const help = "Time for which a slot was busy (user) or free (idle)."
	for slot, busy := range use.Busy {
		cpu := strconv.Itoa(slot)
		out.one(counter, "node_cpu_seconds_total", help, busy.Seconds(), prometheus.Labels{"cpu": cpu, "mode": "user"})
		out.one(counter, "node_cpu_seconds_total", help, (use.Up - busy).Seconds(), prometheus.Labels{"cpu": cpu, "mode": "idle"})
	}
	out.plain(gauge, "node_load1", "Requests in service or waiting, averaged over a minute.", use.Load)
}

func (m nodeMetrics) kernel(out emitter, use usage) {
	requests := float64(m.node.served.Load())
	packets := float64(m.node.traffic.received.packets.Load() + m.node.traffic.sent.packets.Load())
	out.plain(counter, "node_intr_total", "Interrupts, modelled: 100/s, 4 a request and 1 a packet.", idleInterrupts*use.Up.Seconds()+requestInterrupts*requests+packets)
	out.plain(counter, "node_context_switches_total", "Context switches, modelled: 200/s, 6 a request and 1 a packet.", idleSwitches*use.Up.Seconds()+requestSwitches*requests+packets)
	out.plain(gauge, "node_boot_time_seconds", "Unix time of the node's start.", float64(m.node.started.UnixMilli())/1000)
	used := float64(min(memoryTotal, memoryIdle+memoryPerRequest*(use.Working+use.Waiting)))
	out.plain(gauge, "node_memory_MemTotal_bytes", "Memory, modelled: 2 GiB.", memoryTotal)
	out.plain(gauge, "node_memory_MemAvailable_bytes", "Memory left, modelled: 256 MiB are in use, and 4 MiB for each request in hand.", memoryTotal-used)
	out.plain(gauge, "node_memory_MemFree_bytes", "The same as available: nothing is cached.", memoryTotal-used)
}

// emitter sends metrics of values that are already counted elsewhere.
type emitter struct{ ch chan<- prometheus.Metric }

func (e emitter) plain(kind prometheus.ValueType, name, help string, value float64) {
	e.one(kind, name, help, value, nil)
}

func (e emitter) one(kind prometheus.ValueType, name, help string, value float64, labels prometheus.Labels) {
	e.ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, nil, labels), kind, value)
}

func (e emitter) flow(direction string, f *flow) {
	device := prometheus.Labels{"device": "eth0"}
	e.one(counter, "node_network_"+direction+"_bytes_total", "Bytes on the node's connections, with 66 for each packet's headers.", float64(f.bytes()), device)
	e.one(counter, "node_network_"+direction+"_packets_total", "Packets, modelled: one for each 1448 bytes begun.", float64(f.packets.Load()), device)
}
