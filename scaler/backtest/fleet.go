package backtest

import (
	"fmt"
	"slices"
	"time"
)

// machine is one node of the simulated fleet.
type machine struct {
	slot    int     // of the weather: the first that was free when it was launched
	created float64 // seconds from the start of the run
	ready   float64
	backlog float64 // requests left over
	waits   bool    // readiness was not shown yet
}

// outcome is what happened in one tick.
type outcome struct {
	arrived, served, dropped float64 // requests
	ready                    int
	busy                     float64 // nodes' worth of work done
	latency                  float64 // seconds, mean over the requests
}

// fleet is the state of a simulated node group, its nodes in the order of launch.
type fleet struct {
	plant    Plant
	weather  *weather
	start    time.Time
	drifts   int // the tick from which on the plant has drifted
	machines []machine
	nodes    []Node // as policies see them
	taken    []bool // slots of the weather
	launched int
	lost     float64 // requests that the last node had left over when it was removed
	weights  []float64
}

// launch adds a node at the beginning of a tick.
func (f *fleet) launch(tick int, boots bool) {
	at := float64(tick) * f.plant.Tick.Seconds()
	m := machine{slot: f.take(), created: at, ready: at, waits: true}
	if boots {
		m.ready += f.weather.bootSeconds(m.slot, tick)
	} else {
		m.ready -= (f.plant.WarmUp + f.plant.SlowStart).Seconds()
		m.created = m.ready
	}
	f.launched++
	f.machines = append(f.machines, m)
	f.nodes = append(f.nodes, Node{Name: fmt.Sprintf("node-%04d", f.launched), Created: f.instant(m.created)})
}

// take is the first free slot of the weather.
func (f *fleet) take() int {
	i := slices.Index(f.taken, false)
	if i < 0 {
		i = len(f.taken)
		f.taken = append(f.taken, false)
	}
	f.taken[i] = true
	return i
}

func (f *fleet) instant(seconds float64) time.Time {
	return f.start.Add(time.Duration(seconds * float64(time.Second)))
}

// resize removes the nodes that are named, then the newest ones, or launches nodes,
// at the beginning of a tick, until there are n. It gives how many it launched. What
// a removed node has left over goes to the others that are ready.
func (f *fleet) resize(tick, n int, drop []string) (launched int) {
	left := 0.0
	for i := len(f.machines) - 1; i >= 0; i-- {
		if slices.Contains(drop, f.nodes[i].Name) {
			left += f.remove(i)
		}
	}
	for len(f.machines) > n {
		left += f.remove(len(f.machines) - 1)
	}
	for len(f.machines) < n {
		f.launch(tick, true)
		launched++
	}
	f.handOver(tick, left)
	return launched
}

// remove gives what the node had left over.
func (f *fleet) remove(i int) float64 {
	left := f.machines[i].backlog
	f.taken[f.machines[i].slot] = false
	f.machines, f.nodes = slices.Delete(f.machines, i, i+1), slices.Delete(f.nodes, i, i+1)
	return left
}

// handOver gives requests that removed nodes had left over to those that are ready.
func (f *fleet) handOver(tick int, left float64) {
	if left == 0 {
		return
	}
	n := len(f.machines)
	if n == 0 {
		f.lost += left
		return
	}
	ready := 0
	for i := range f.machines {
		if f.serves(i, tick) {
			ready++
		}
	}
	if ready == 0 {
		f.machines[0].backlog += left // they wait there until a node is ready
	}
	for i := range f.machines {
		if f.serves(i, tick) {
			f.machines[i].backlog += left / float64(ready)
		}
	}
}

func (f *fleet) serves(i, tick int) bool {
	return f.machines[i].ready <= float64(tick)*f.plant.Tick.Seconds()
}

// service is how long a request occupies a core at a tick, and what is added to
// every response, in seconds.
func (f *fleet) service(tick int) (service, extra float64) {
	service, extra = f.plant.ServiceTime.Seconds(), f.plant.BaseLatency.Seconds()
	if tick >= f.drifts {
		return service * f.plant.Drift, extra + f.plant.ExtraLatency.Seconds()
	}
	return service, extra
}

// serve lets arrivals requests come in a tick.
func (f *fleet) serve(tick int, arrivals float64) outcome {
	o := outcome{arrived: arrivals, dropped: f.lost}
	f.lost = 0
	total := f.spread(tick, &o)
	if o.ready == 0 {
		o.dropped, o.latency = o.dropped+arrivals, f.plant.Timeout.Seconds()
		return o
	}
	service, extra := f.service(tick)
	waited := 0.0
	for i := range f.machines {
		if f.weights[i] > 0 {
			share := arrivals * f.weights[i] / total
			waited += f.weights[i] / total * f.work(i, tick, share, service, &o)
		}
	}
	o.latency = min(f.plant.Timeout.Seconds(), (waited+extra)*float64(f.weather.latency[tick]))
	return o
}

// spread notes who is ready, and gives the weights of the balancer and their sum.
func (f *fleet) spread(tick int, o *outcome) float64 {
	now, total := float64(tick)*f.plant.Tick.Seconds(), 0.0
	f.weights = f.weights[:0]
	for i := range f.machines {
		m := &f.machines[i]
		if m.ready > now {
			f.weights = append(f.weights, 0)
			continue
		}
		if m.waits {
			m.waits, f.nodes[i].Ready = false, f.instant(m.ready)
		}
		o.ready++
		weight := float64(f.weather.slot(m.slot).share[tick])
		if slow := f.plant.SlowStart.Seconds(); now-m.ready < slow {
			weight *= 0.5 + 0.5*(now-m.ready)/slow
		}
		f.weights = append(f.weights, weight)
		total += weight
	}
	return total
}

// work lets one node serve its share of a tick's arrivals, and gives its mean
// response time in seconds.
func (f *fleet) work(i, tick int, arrivals, service float64, o *outcome) float64 {
	p, m := &f.plant, &f.machines[i]
	row := f.weather.slot(m.slot)
	seconds := p.Tick.Seconds()
	speed := float64(row.speed[tick])
	if float64(tick)*seconds-m.ready < p.WarmUp.Seconds() {
		speed *= p.WarmUpSpeed
	}
	service /= speed
	capacity := float64(p.Cores) / service // requests/s
	wait := p.wait(service, arrivals/(capacity*seconds))
	if row.tail != nil {
		wait *= float64(row.tail[tick])
	}
	before := m.backlog
	served := min(before+arrivals, capacity*seconds)
	m.backlog = max(0, before+arrivals-served)
	if most := capacity * p.Timeout.Seconds(); m.backlog > most {
		o.dropped += m.backlog - most
		m.backlog = most
	}
	o.served += served
	busy := served / (capacity * seconds)
	o.busy += busy
	response := min(p.Timeout.Seconds(), service+wait+(before+m.backlog)/2/capacity)
	f.count(i, tick, served, busy, response)
	return response
}

// count adds a tick to what a node's own meters show, with their noise.
func (f *fleet) count(i, tick int, served, busy, response float64) {
	noise := f.weather.metric[tick*noisyMetrics : (tick+1)*noisyMetrics]
	seconds, totals := f.plant.Tick.Seconds(), &f.nodes[i].Totals
	requests := served * float64(noise[1])
	_, extra := f.service(tick)
	totals.Up += seconds
	totals.Requests += requests
	totals.Response += requests * min(f.plant.Timeout.Seconds(), (response+extra)*float64(f.weather.latency[tick]))
	totals.Busy = min(1, (idleCPU+(100-idleCPU)*busy)/100*float64(noise[2]))
	totals.CPU += totals.Busy * float64(f.plant.Cores) * seconds
	totals.InHand = served / seconds * response
}
