package backtest

import (
	"math"
	"slices"
	"time"
)

// Result is how a policy did in a world. Shares are 0..1.
type Result struct {
	Policy string `json:"policy"`
	// NodeHours are billed from the launch of each node to its removal.
	NodeHours float64 `json:"node_hours"`
	// OverClairvoyant is how much more that is than the clairvoyant's, as a share.
	OverClairvoyant float64 `json:"over_clairvoyant"`
	// Cost is the price of the node-hours; 0 where no price was given.
	Cost float64 `json:"cost,omitempty"`
	// TimeOver is the share of the ticks whose mean latency was over the limit, and
	// RequestsOver that of the requests that came in these.
	TimeOver     float64 `json:"time_over"`
	RequestsOver float64 `json:"requests_over"`
	// P50, P95 and P99 are quantiles over the requests of their tick's mean latency,
	// in seconds.
	P50 float64 `json:"p50_seconds"`
	P95 float64 `json:"p95_seconds"`
	P99 float64 `json:"p99_seconds"`
	// Dropped is the share of the requests that no node answered in time.
	Dropped float64 `json:"dropped"`
	// Actions are the changes of the wanted number, and Launches the nodes launched.
	Actions       int     `json:"actions"`
	ActionsPerDay float64 `json:"actions_per_day"`
	Launches      int     `json:"launches"`
	MostNodes     int     `json:"most_nodes"`
	// Worst is the hour that was over the limit for longest.
	Worst Hour `json:"worst_hour"`

	// Nodes and Ready are the sizes in each tick, Latencies the mean latencies in
	// seconds.
	Nodes     []int     `json:"-"`
	Ready     []int     `json:"-"`
	Latencies []float64 `json:"-"`
	// Arrived, Served, DroppedRequests and Left are requests: what came is what was
	// served, dropped or left over at the end.
	Arrived, Served, DroppedRequests, Left float64 `json:"-"`
}

// Hour is an hour of a run.
type Hour struct {
	// From counts from the start of the run.
	From time.Duration `json:"from"`
	// TimeOver is the share of it that was over the limit.
	TimeOver float64 `json:"time_over"`
}

// Feasible is whether the limit was kept as well as the references keep it.
func (r Result) Feasible() bool { return r.TimeOver <= budget }

// recorder gathers a result tick by tick.
type recorder struct {
	world *World
	r     Result
	left  float64
}

func newRecorder(w *World, name string) *recorder {
	n := len(w.Load.Rates)
	return &recorder{world: w, r: Result{
		Policy: name, Nodes: make([]int, 0, n), Ready: make([]int, 0, n), Latencies: make([]float64, 0, n),
	}}
}

func (r *recorder) tick(nodes int, o outcome) {
	r.r.Nodes, r.r.Ready, r.r.Latencies = append(r.r.Nodes, nodes), append(r.r.Ready, o.ready), append(r.r.Latencies, o.latency)
	r.r.Arrived += o.arrived
	r.r.Served += o.served
	r.r.DroppedRequests += o.dropped
	r.r.MostNodes = max(r.r.MostNodes, nodes)
}

func (r *recorder) action(launches int) {
	r.r.Actions++
	r.r.Launches += launches
}

func (r *recorder) result() Result {
	res, w := r.r, r.world
	res.Left = r.left
	nodeTicks, over, requestsOver := 0, 0, 0.0
	limit := w.Limit.Seconds()
	for t, latency := range res.Latencies {
		nodeTicks += res.Nodes[t]
		if latency > limit {
			over++
			requestsOver += w.Load.Rates[t]
		}
	}
	ticks := float64(len(res.Latencies))
	res.NodeHours = float64(nodeTicks) * w.Plant.Tick.Hours()
	res.TimeOver = float64(over) / ticks
	if res.Arrived > 0 {
		res.RequestsOver = requestsOver * w.Plant.Tick.Seconds() / res.Arrived
		res.Dropped = res.DroppedRequests / res.Arrived
	}
	res.ActionsPerDay = float64(res.Actions) / (w.Span().Hours() / 24)
	q := quantiles(res.Latencies, w.Load.Rates, 0.5, 0.95, 0.99)
	res.P50, res.P95, res.P99 = q[0], q[1], q[2]
	res.Worst = worstHour(res.Latencies, limit, w.Plant.Tick)
	return res
}

// quantiles are the smallest values that have at least a share q of the weight at
// or below them. The shares ascend.
func quantiles(values, weights []float64, shares ...float64) []float64 {
	order := make([]int, len(values))
	total := 0.0
	for i := range order {
		order[i] = i
		total += weights[i]
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return 0
	})
	found, sum, i := make([]float64, len(shares)), 0.0, -1
	for j, share := range shares {
		for i < 0 || (sum < share*total-1e-9*total && i+1 < len(order)) {
			i++
			sum += weights[order[i]]
		}
		found[j] = values[order[i]]
	}
	return found
}

// worstHour is the first of the hours with the most ticks over the limit.
func worstHour(latencies []float64, limit float64, tick time.Duration) Hour {
	window := min(len(latencies), max(1, int(math.Round(time.Hour.Seconds()/tick.Seconds()))))
	over, most, at := 0, 0, 0
	for t, latency := range latencies {
		if latency > limit {
			over++
		}
		if t >= window && latencies[t-window] > limit {
			over--
		}
		if over > most {
			most, at = over, max(0, t-window+1)
		}
	}
	return Hour{From: time.Duration(at) * tick, TimeOver: float64(most) / float64(window)}
}
