package backtest

// The metrics that the plant shows, named as MiCADO's optimizer names them. All
// but SUM_RR are means over the ready nodes in the last tick.
const (
	MetricAvgRequests     = "AVG_RR"  // requests/s that a node got, over RateWindow
	MetricSumRequests     = "SUM_RR"  // requests/s that all nodes got, over RateWindow
	MetricCPU             = "CPU"     // percent
	MetricInterrupts      = "Inter"   // 1/s
	MetricContextSwitches = "CTXSW"   // 1/s
	MetricKBIn            = "KBIn"    // KB/s
	MetricKBOut           = "KBOut"   // KB/s
	MetricPacketsIn       = "PktIn"   // 1/s
	MetricPacketsOut      = "PktOut"  // 1/s
	MetricLatency         = "AVG_LAT" // milliseconds, mean over the requests
)

// Metrics are the names of all metrics, the target metric last.
func Metrics() []string {
	return []string{
		MetricAvgRequests, MetricSumRequests, MetricCPU, MetricInterrupts, MetricContextSwitches,
		MetricKBIn, MetricKBOut, MetricPacketsIn, MetricPacketsOut, MetricLatency,
	}
}

// idleCPU is the percentage of a node's processor that is busy without requests.
const idleCPU = 2

// perRequest are the metrics that are proportional to the requests that a node
// serves: base, and what each request/s adds.
var perRequest = []struct {
	name      string
	base, per float64
}{
	{MetricInterrupts, 220, 24},
	{MetricContextSwitches, 350, 58},
	{MetricKBIn, 3, 1.1},
	{MetricKBOut, 2, 14},
	{MetricPacketsIn, 12, 9},
	{MetricPacketsOut, 10, 12},
}

// noisyMetrics is how many metrics carry noise of their own: all but the latency,
// whose noise is the plant's.
const noisyMetrics = 9

// rates is a moving mean over the last ticks.
type rates struct {
	ring  []float64
	next  int
	count int
}

func (r *rates) add(v float64) float64 {
	r.ring[r.next] = v
	r.next = (r.next + 1) % len(r.ring)
	r.count = min(r.count+1, len(r.ring))
	sum := 0.0
	for _, v := range r.ring[:r.count] {
		sum += v
	}
	return sum / float64(r.count)
}

// meters turn what happened in a tick into the metrics of an observation.
type meters struct {
	weather  *weather
	sum, avg rates
	values   map[string]float64
}

func newMeters(w *weather) *meters {
	n := max(1, int(w.plant.RateWindow/w.plant.Tick))
	return &meters{
		weather: w, values: make(map[string]float64, noisyMetrics+1),
		sum: rates{ring: make([]float64, n)}, avg: rates{ring: make([]float64, n)},
	}
}

// read gives the metrics after tick t.
func (m *meters) read(t int, o outcome) map[string]float64 {
	seconds := m.weather.plant.Tick.Seconds()
	noise := m.weather.metric[t*noisyMetrics : (t+1)*noisyMetrics]
	sum := m.sum.add(o.arrived / seconds)
	if o.ready == 0 {
		m.avg.add(0)
		clear(m.values)
		m.values[MetricSumRequests] = sum * float64(noise[0])
		return m.values
	}
	n := float64(o.ready)
	m.values[MetricSumRequests] = sum * float64(noise[0])
	m.values[MetricAvgRequests] = m.avg.add(o.arrived/seconds/n) * float64(noise[1])
	m.values[MetricCPU] = min(100, (idleCPU+(100-idleCPU)*o.busy/n)*float64(noise[2]))
	for i, metric := range perRequest {
		m.values[metric.name] = (metric.base + metric.per*o.served/seconds/n) * float64(noise[3+i])
	}
	m.values[MetricLatency] = 1000 * o.latency
	return m.values
}
