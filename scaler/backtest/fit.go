package backtest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat"
)

const (
	leastSamples = 50   // that a fit needs
	leastVaried  = 1.3  // times that the load must vary, from its 5th to its 95th percentile
	leastLoaded  = 0.4  // load of a node that the 95th percentile must reach: below, nothing queues
	mostLoaded   = 0.95 // beyond, latency is backlog and not the law
	mostCores    = 64
	patience     = 5     // numbers of cores in a row that are no better, before the search ends
	heldOut      = 0.3   // share of the samples, the last ones, that judge the fit
	reweighted   = 20    // times that the line of the CPU is fitted
	biweight     = 4.685 // spreads from which on a sample counts for nothing
	farOff       = 1.0   // most that the logarithm of a latency counts for, if it is off by more
)

// Fit is a plant whose parameters were fitted to samples of a real fleet.
type Fit struct {
	Plant Plant `json:"plant"`
	// Samples is how many there were, and Used of how many the latency was fitted: the
	// others are incomplete, of overloaded nodes, or of a fleet that was changing.
	Samples int `json:"samples"`
	Used    int `json:"used"`
	// Unit is what the latencies were taken to be in.
	Unit string `json:"latency_unit"`
	// R2 is the share of the variance of the latency's logarithm that the law explains.
	R2 float64 `json:"r2"`
	// HeldOutError is the median relative error of the latency of the last 30 % of the
	// samples, where the others were fitted; 0 where these do not suffice.
	HeldOutError float64 `json:"held_out_error"`
}

// String tells the parameters and how good they are.
func (f Fit) String() string {
	p := f.Plant
	text := fmt.Sprintf("fitted to %d of %d samples (latency in %s): law %s, cores %d, service time %s, base latency %s, imbalance %.3f, latency noise %.3f, metric noise %.3f; R² %.2f",
		f.Used, f.Samples, f.Unit, p.Law, p.Cores, p.ServiceTime.Round(time.Microsecond), p.BaseLatency.Round(time.Microsecond), p.Imbalance, p.LatencyNoise, p.MetricNoise, f.R2)
	if f.HeldOutError > 0 {
		return text + fmt.Sprintf(", median error %.0f%% on the last %.0f%%, fitted to those before", 100*f.HeldOutError, 100*heldOut)
	}
	return text + ", not judged on later samples, as those before do not suffice for a fit"
}

// FitPlant fits the parameters of a plant to samples by least squares, and leaves the
// others as they are in base. The work of a request is the slope of the CPU over the
// requests of a node, where there is a CPU. For each law of those given and each number
// of cores, the base latency, the spread of the load between nodes (and the work of a
// request, without a CPU) are those with the least squares of the logarithm of the
// latency; the best of these is taken. It is an error where the samples are too few,
// or their load varies too little to tell.
func FitPlant(r Recording, base Plant, laws []Law) (Fit, error) {
	best, err := fitted(r, laws)
	if err != nil {
		return Fit{}, fmt.Errorf("fit: %w", err)
	}
	f := Fit{Samples: len(r.Rate), Used: len(best.points), Unit: r.Unit, R2: best.r2(), Plant: best.plant(base)}
	cut := int(float64(len(r.Rate)) * (1 - heldOut))
	if before, err := fitted(r.slice(0, cut), laws); err == nil {
		f.HeldOutError = before.medianError(r.slice(cut, len(r.Rate)))
	}
	return f, nil
}

func (r Recording) slice(from, to int) Recording {
	return Recording{Nodes: r.Nodes[from:to], Rate: r.Rate[from:to], CPU: r.CPU[from:to], Latency: r.Latency[from:to], Unit: r.Unit}
}

// estimate is a law with its parameters, and the samples that it was fitted to.
type estimate struct {
	law     Law
	cores   int
	work    float64 // seconds of a whole node for each request: the service time over the cores
	base    float64 // seconds
	spread  float64 // of the load between nodes
	loss    float64 // mean square of the logarithm's residuals
	cpu     cpuLine
	points  []point
	metrics float64 // relative noise of metrics
}

// point is a sample that the latency is fitted to.
type point struct {
	rate, cpu, latency float64
	log                float64 // of the latency
}

// cpuLine is the CPU in percent over the requests/s of a node; per is 0 where there
// is no CPU.
type cpuLine struct{ idle, per float64 }

// fitted is the best estimate of all laws and numbers of cores.
func fitted(r Recording, laws []Law) (estimate, error) {
	start, err := prepare(r)
	if err != nil {
		return estimate{}, err
	}
	best := estimate{loss: math.Inf(1)}
	for _, law := range laws {
		worse := 0
		for cores := 1; cores <= mostCores && worse < patience; cores++ {
			e := start
			e.law, e.cores = law, cores
			worse++
			if e.minimise(); e.loss < best.loss {
				best, worse = e, 0
			}
			if law == LawPS {
				break // one fast core
			}
		}
	}
	if loaded := quantileOf(best.loads(), 0.95); loaded < leastLoaded {
		return estimate{}, fmt.Errorf("no more than %.0f%% of a node is ever busy, where requests hardly wait: record samples with fewer nodes or more load, up to %.0f%%", 100*loaded, 100*leastLoaded)
	}
	return best, nil
}

// prepare chooses the samples, and fits the CPU.
func prepare(r Recording) (estimate, error) {
	var e estimate
	var rates, cpus []float64
	for i, rate := range r.Rate {
		if !(rate > 0) || !(r.Nodes[i] > 0) || !(r.Latency[i] > 0) {
			continue
		}
		e.points = append(e.points, point{rate, r.CPU[i], r.Latency[i], math.Log(r.Latency[i])})
		if cpu := r.CPU[i]; cpu > 0 && cpu < 100*mostLoaded {
			rates, cpus = append(rates, rate), append(cpus, cpu)
		}
	}
	if len(e.points) < leastSamples {
		return e, fmt.Errorf("%d samples have nodes, requests and a latency: at least %d are needed", len(e.points), leastSamples)
	}
	if len(cpus) >= leastSamples {
		if varied := quantileOf(rates, 0.95) / quantileOf(rates, 0.05); !(varied >= leastVaried) {
			return e, tooSteady(varied)
		}
		e.fitCPU(rates, cpus)
		if e.cpu.per <= 0 {
			return e, errors.New("the CPU does not grow with the requests: are the columns those of one fleet, and of the same instants?")
		}
		e.work = e.cpu.per / (100 - e.cpu.idle)
		e.dropUnsteady()
	}
	var all []float64
	for _, p := range e.points {
		all = append(all, p.rate)
	}
	if varied := quantileOf(all, 0.95) / quantileOf(all, 0.05); len(all) < leastSamples || !(varied >= leastVaried) {
		return e, tooSteady(varied)
	}
	return e, nil
}

func tooSteady(varied float64) error {
	return fmt.Errorf("the requests of a node vary only %.2f times between the 5th and the 95th percentile of the samples that are not overloaded, and must %.1f times: record samples under different loads", varied, leastVaried)
}

// fitCPU is a least-squares line of relative residuals, reweighted until samples that
// lie apart from the others, such as those of a fleet that is changing, count for
// nothing (Beaton and Tukey's biweight, Technometrics 16, 1974).
func (e *estimate) fitCPU(rates, cpus []float64) {
	ratios, off, weights := make([]float64, len(rates)), make([]float64, len(rates)), make([]float64, len(rates))
	for i, rate := range rates {
		ratios[i] = cpus[i] / rate
	}
	e.cpu = cpuLine{per: quantileOf(ratios, 0.5)}
	for range reweighted {
		for i, rate := range rates {
			off[i] = math.Abs(cpus[i]/(e.cpu.idle+e.cpu.per*rate) - 1)
		}
		spread := max(1.4826*quantileOf(off, 0.5), 1e-6)
		e.metrics = spread / math.Sqrt2 // of the CPU, and of the requests
		for i := range off {
			u := off[i] / (biweight * spread)
			weights[i] = math.Pow(max(0, 1-u*u), 2) / (cpus[i] * cpus[i])
		}
		e.cpu.idle, e.cpu.per = stat.LinearRegression(rates, cpus, weights, false)
		if e.cpu.idle < 0 {
			e.cpu.idle, e.cpu.per = stat.LinearRegression(rates, cpus, weights, true)
		}
	}
}

// dropUnsteady leaves out samples of overloaded nodes, and those whose CPU is not that
// of their requests, as while the load or the fleet changes within the time over which
// requests are counted.
func (e *estimate) dropUnsteady() {
	kept := e.points[:0]
	for _, p := range e.points {
		apart := math.Abs(p.cpu/(e.cpu.idle+e.cpu.per*p.rate) - 1)
		if e.load(p) <= mostLoaded && !(p.cpu >= 100*mostLoaded) && !(apart > biweight*math.Sqrt2*e.metrics) {
			kept = append(kept, p)
		}
	}
	e.points = kept
}

// load is the share of a node that is busy: the mean of what the requests and the CPU
// say, whose noise is independent.
func (e *estimate) load(p point) float64 {
	load := p.rate * e.work
	if e.cpu.per > 0 && !math.IsNaN(p.cpu) {
		load = (load + (p.cpu-e.cpu.idle)/(100-e.cpu.idle)) / 2
	}
	return max(0, load)
}

func (e *estimate) loads() []float64 {
	loads := make([]float64, len(e.points))
	for i, p := range e.points {
		loads[i] = e.load(p)
	}
	return loads
}

// The nodes and weights of Gauss-Hermite quadrature for a standard normal deviate.
var quadrature = [5][2]float64{{-2.8569700, 0.0112574}, {-1.3556262, 0.2220759}, {0, 0.5333333}, {1.3556262, 0.2220759}, {2.8569700, 0.0112574}}

// latency is the mean over nodes whose loads differ by the spread.
func (e *estimate) latency(load float64) float64 {
	law, s := Plant{Law: e.law, Cores: e.cores}, e.work*float64(e.cores)
	sum := 0.0
	for _, q := range quadrature {
		share := max(0, 1+e.spread*q[0])
		sum += q[1] * share * (s + law.wait(s, share*load))
	}
	return e.base + sum
}

// minimise finds the parameters with the least loss for a law and a number of cores.
func (e *estimate) minimise() {
	lowest := math.Inf(1)
	highest := 0.0
	for _, p := range e.points {
		lowest, highest = min(lowest, p.latency), max(highest, p.rate)
	}
	// Squares and sines keep the parameters within what they may be.
	start := []float64{math.Sqrt(lowest / 4), 0.5}
	if e.cpu.per == 0 {
		start = append(start, math.Log(0.8/highest))
	}
	set := func(x []float64) {
		e.base, e.spread = x[0]*x[0], 0.4*math.Pow(math.Sin(x[1]), 2)
		if len(x) > 2 {
			e.work = math.Exp(x[2])
		}
	}
	problem := optimize.Problem{Func: func(x []float64) float64 {
		set(x)
		return e.meanSquare()
	}}
	result, err := optimize.Minimize(problem, start, &optimize.Settings{MajorIterations: 300}, &optimize.NelderMead{SimplexSize: 0.2})
	if result == nil || err != nil && result.X == nil {
		e.loss = math.Inf(1)
		return
	}
	set(result.X)
	e.loss = result.F
}

// gridSteps is at how many loads a loss evaluates the law; between these the logarithm
// of the latency is taken to be straight.
const gridSteps = 100

func (e *estimate) meanSquare() float64 {
	loads := e.loads()
	step := max(slices.Max(loads), 1e-9) / gridSteps
	var grid [gridSteps + 2]float64
	for i := range grid {
		grid[i] = math.Log(e.latency(float64(i) * step))
	}
	sum := 0.0
	for i, p := range e.points {
		at := loads[i] / step
		cell := min(int(at), gridSteps)
		off := p.log - grid[cell] - (at-float64(cell))*(grid[cell+1]-grid[cell])
		sum += min(off*off, farOff)
	}
	return sum / float64(len(e.points))
}

func (e *estimate) r2() float64 {
	logs, residual := make([]float64, len(e.points)), 0.0
	for i, p := range e.points {
		logs[i] = math.Log(p.latency)
		off := logs[i] - math.Log(e.latency(e.load(p)))
		residual += off * off
	}
	return 1 - residual/(stat.PopVariance(logs, nil)*float64(len(logs)))
}

// medianError is the median relative error on samples that were not fitted.
func (e *estimate) medianError(r Recording) float64 {
	var off []float64
	for i, rate := range r.Rate {
		p := point{rate, r.CPU[i], r.Latency[i], math.Log(r.Latency[i])}
		if load := e.load(p); rate > 0 && p.latency > 0 && load <= mostLoaded && !(p.cpu >= 100*mostLoaded) {
			off = append(off, math.Abs(e.latency(load)/p.latency-1))
		}
	}
	if len(off) == 0 {
		return 0
	}
	return quantileOf(off, 0.5)
}

// plant is base with the parameters of the estimate.
func (e *estimate) plant(base Plant) Plant {
	p := base
	p.Law, p.Cores = e.law, e.cores
	p.ServiceTime = seconds(e.work * float64(e.cores))
	p.BaseLatency = seconds(e.base)
	p.Imbalance = math.Sqrt(max(0, e.spread*e.spread-p.SpeedSpread*p.SpeedSpread-p.SpeedWander*p.SpeedWander))
	var calm []float64
	for _, q := range e.points {
		if load := e.load(q); load < 0.6 {
			calm = append(calm, math.Abs(math.Log(q.latency/e.latency(load))))
		}
	}
	if len(calm) > 0 {
		p.LatencyNoise = min(0.3, 1.4826*quantileOf(calm, 0.5))
	}
	if e.cpu.per > 0 {
		p.MetricNoise = min(0.3, e.metrics)
	}
	return p
}

func seconds(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }
