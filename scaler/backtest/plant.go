package backtest

import (
	"fmt"
	"math"
	"time"
)

// Law names how the response time of a node grows with its load.
type Law string

const (
	// LawMMC is Sakasegawa's approximation of M/M/c (Annals of the Institute of
	// Statistical Mathematics 29, 1977): with c cores of load rho
	// S (1 + rho^(sqrt(2(c+1))-1) / (c (1-rho))).
	LawMMC Law = "mmc"
	// LawMG1 is the formula of Pollaczek and Khinchine for one queue whose service
	// times have a heavy tail (squared coefficient of variation heavyTail):
	// S + S/c rho/(1-rho) (1+heavyTail)/2. Its waiting times also vary from tick to
	// tick by tailJitter, as the mean of few heavy-tailed times does.
	LawMG1 Law = "mg1"
	// LawPS is processor sharing of one fast core: S / (1-rho).
	LawPS Law = "ps"
)

// Laws are the response laws that a plant can have.
func Laws() []Law { return []Law{LawMMC, LawMG1, LawPS} }

const (
	// heavyTail is the squared coefficient of variation of service times under LawMG1.
	heavyTail = 4
	// tailJitter is the spread of a node's mean waiting time in a tick under LawMG1.
	tailJitter = 0.25
	// mostLoad is where the stationary law ends: a queue does not reach the lengths
	// that a load nearer to 1 stands for within a tick. What comes beyond is backlog.
	mostLoad = 0.98
)

// Plant states the physics of a simulated node group: a fleet of equal nodes
// behind a balancer that spreads requests over those that are ready.
//
// In each tick a node with c cores and speed v serves at most c v / ServiceTime
// requests/s. Its response time is its Law at its load, plus the time to work off
// what was left over from earlier ticks, at most Timeout; requests that would wait
// longer are dropped. All spreads are relative standard deviations.
type Plant struct {
	// Tick is the time between two observations.
	Tick time.Duration `json:"tick"`
	// Cores is how many requests a node serves at once.
	Cores int `json:"cores"`
	// ServiceTime is how long one core works on a request, in the mean.
	ServiceTime time.Duration `json:"service_time"`
	Law         Law           `json:"law"`
	// BaseLatency is added to every response, without work for the processor.
	BaseLatency time.Duration `json:"base_latency"`
	// Timeout is the longest a request waits.
	Timeout time.Duration `json:"timeout"`

	// Boot is the median time from the launch of a node to its first request; it is
	// distributed lognormally with BootSpread.
	Boot       time.Duration `json:"boot"`
	BootSpread float64       `json:"boot_spread"`
	// WarmUp is how long a new node then works at WarmUpSpeed of its speed.
	WarmUp      time.Duration `json:"warm_up"`
	WarmUpSpeed float64       `json:"warm_up_speed"`
	// SlowStart is how long the balancer takes to give a new node its full share,
	// beginning with half of it; 0 is at once.
	SlowStart time.Duration `json:"slow_start"`

	// SpeedSpread is between nodes, SpeedWander over time in one node (AR(1)).
	SpeedSpread float64 `json:"speed_spread"`
	SpeedWander float64 `json:"speed_wander"`
	// A noisy neighbour comes once in NeighbourEvery of a node's time, stays
	// NeighbourFor and leaves the node NeighbourSpeed of its speed.
	NeighbourEvery time.Duration `json:"neighbour_every"`
	NeighbourFor   time.Duration `json:"neighbour_for"`
	NeighbourSpeed float64       `json:"neighbour_speed"`
	// Imbalance is the spread of the nodes' shares of the requests, in each tick.
	Imbalance float64 `json:"imbalance"`

	// LatencyNoise is the spread of the fleet's mean latency around its law,
	// MetricNoise that of every other metric.
	LatencyNoise float64 `json:"latency_noise"`
	MetricNoise  float64 `json:"metric_noise"`
	// RateWindow is the time over which AVG_RR and SUM_RR are taken.
	RateWindow time.Duration `json:"rate_window"`

	// Drift multiplies ServiceTime from DriftAt of the trace (0..1) on, and
	// ExtraLatency is added to every response, without work for the processor.
	Drift        float64       `json:"drift"`
	ExtraLatency time.Duration `json:"extra_latency"`
	DriftAt      float64       `json:"drift_at"`
}

// DefaultPlant is the plant that the project's figures are measured on: two cores
// and 100ms a request, 120s of boot, a minute of warm-up, no drift.
func DefaultPlant() Plant {
	return Plant{
		Tick: 15 * time.Second, Cores: 2, ServiceTime: 100 * time.Millisecond, Law: LawMMC, Timeout: 10 * time.Second,
		Boot: 120 * time.Second, BootSpread: 0.12, WarmUp: time.Minute, WarmUpSpeed: 0.7,
		SpeedSpread: 0.05, SpeedWander: 0.03,
		NeighbourEvery: 24 * time.Hour, NeighbourFor: 10 * time.Minute, NeighbourSpeed: 0.75,
		Imbalance: 0.06, LatencyNoise: 0.04, MetricNoise: 0.03, RateWindow: 2 * time.Minute,
		Drift: 1, DriftAt: 0.5,
	}
}

// Check says what of the plant makes no sense.
func (p Plant) Check() error {
	switch {
	case p.Tick <= 0 || p.Cores < 1 || p.ServiceTime <= 0 || p.Timeout <= 0:
		return fmt.Errorf("plant: tick %s, cores %d, service time %s and timeout %s must be above 0", p.Tick, p.Cores, p.ServiceTime, p.Timeout)
	case p.Boot < 0 || p.WarmUp < 0 || p.SlowStart < 0 || p.BaseLatency < 0 || p.ExtraLatency < 0:
		return fmt.Errorf("plant: boot %s, warm-up %s, slow start %s, base latency %s and extra latency %s must not be below 0", p.Boot, p.WarmUp, p.SlowStart, p.BaseLatency, p.ExtraLatency)
	case !(p.Drift > 0) || math.IsInf(p.Drift, 0):
		return fmt.Errorf("plant: drift is %v, must be a factor above 0", p.Drift)
	case p.Law != LawMMC && p.Law != LawMG1 && p.Law != LawPS:
		return fmt.Errorf("plant: law is %q, must be one of %v", p.Law, Laws())
	}
	return nil
}

// Response is the mean response time of a node in seconds at a load rho of 0..1,
// the share of its cores that is busy; a load above that of the law's end counts
// as that.
func (p Plant) Response(rho float64) float64 {
	s := p.ServiceTime.Seconds()
	return p.BaseLatency.Seconds() + s + p.wait(s, rho)
}

// wait is the mean time that a request waits for a core, where it then takes s
// seconds.
func (p Plant) wait(s, rho float64) float64 {
	rho = min(rho, mostLoad)
	c := float64(p.Cores)
	switch p.Law {
	case LawMG1:
		return s / c * rho / (1 - rho) * (1 + heavyTail) / 2
	case LawPS:
		return s * rho / (1 - rho)
	default:
		return s / c * math.Pow(rho, math.Sqrt(2*(c+1))-1) / (1 - rho)
	}
}

// Carries is the most requests/s that one node serves within a mean latency of
// limit, before any drift; 0 where even an idle node is slower.
func (p Plant) Carries(limit time.Duration) float64 {
	return p.carries(limit.Seconds(), p.ServiceTime.Seconds())
}

// carries is Carries for any service time, in seconds.
func (p Plant) carries(limit, service float64) float64 {
	limit -= p.BaseLatency.Seconds()
	least, most := 0.0, mostLoad
	if service+p.wait(service, 0) > limit {
		return 0
	}
	for range 60 {
		if rho := (least + most) / 2; service+p.wait(service, rho) <= limit {
			least = rho
		} else {
			most = rho
		}
	}
	return least * float64(p.Cores) / service
}
